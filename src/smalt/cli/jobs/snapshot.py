"""The code of a job, as a person reads it."""

from __future__ import annotations

import sys
from typing import Any

import click

from smalt.cli.framework.verb import Invocation
from smalt.client.transfers.progress import human

_MOST = 40


def show(to: Invocation, found: dict[str, Any]) -> Any:
    if to.wants_result or not sys.stdout.isatty():
        return found
    click.echo(render(found), nl=False)
    return None


def render(found: dict[str, Any]) -> str:
    lines = [f"{key}: {value}" for key, value in found["git"].items()]
    if not found["snapshots"]:
        lines.append(f"job {found['name']} has no code")
    for one in found["snapshots"]:
        steps = ", ".join(step or job for step, job in zip(one["steps"], one["jobs"], strict=True))
        lines.append(f"{steps}: {len(one['files'])} files, {human(one['bytes'])}, snapshot {one['hash'][:12]}")
        width = max((len(human(file["size"])) for file in one["files"]), default=0)
        for file in one["files"][:_MOST]:
            mark = {"x": "*", "l": f" -> {file.get('link')}", "d": "/"}.get(file["kind"], "")
            lines.append(f"  {human(file['size']):>{width}}  {file['path']}{mark}")
        if len(one["files"]) > _MOST:
            lines.append(f"  … and {len(one['files']) - _MOST} more; see: -o json")
    return "\n".join(lines) + "\n"
