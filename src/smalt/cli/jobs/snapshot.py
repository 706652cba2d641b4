"""The code of a job as people read it."""

from __future__ import annotations

import sys
from typing import Any

import click

from smalt.cli.framework.verb import Invocation
from smalt.client.transfers.progress import format_bytes

_MOST = 40


def show_snapshot(ctx: Invocation, found: dict[str, Any]) -> Any:
    if ctx.has_output_options or not sys.stdout.isatty():
        return found
    click.echo(render_snapshot(found), nl=False)
    return None


def render_snapshot(found: dict[str, Any]) -> str:
    lines = [f"{key}: {value}" for key, value in found["git"].items()]
    if not found["snapshots"]:
        lines.append(f"job {found['name']} has no code")
    for one in found["snapshots"]:
        steps = ", ".join(step or job for step, job in zip(one["steps"], one["jobs"], strict=True))
        lines.append(f"{steps}: {len(one['files'])} files, {format_bytes(one['bytes'])}, snapshot {one['hash'][:12]}")
        width = max((len(format_bytes(file["size"])) for file in one["files"]), default=0)
        for file in one["files"][:_MOST]:
            mark = {"x": "*", "l": f" -> {file.get('link')}", "d": "/"}.get(file["kind"], "")
            lines.append(f"  {format_bytes(file['size']):>{width}}  {file['path']}{mark}")
        if len(one["files"]) > _MOST:
            lines.append(f"  … and {len(one['files']) - _MOST} more; see: -o json")
    return "\n".join(lines) + "\n"
