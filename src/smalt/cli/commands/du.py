"""`smalt du`."""

from __future__ import annotations

from typing import Any

import click

from smalt.cli.framework.verb import Invocation, Verb
from smalt.client.transfers.progress import human


def _du(to: Invocation, job: str | None) -> Any:
    """Show what takes how much of the disk: of each workspace by kind, of one job, and what all workspaces share."""
    if job is not None:
        path = f"/smalt/v1{to.client.workspace_id}/jobs/{job}/disk"
        items = to.client.connection.get(path)["items"]
        to.columns = ("job", "kind", "size")
    else:
        items = to.connection.get("/smalt/v1/disk")["items"]
        to.columns = ("workspace", "kind", "size")
    to.note(f"{human(sum(item['bytes'] for item in items))} in all")
    return [{**item, "size": human(item["bytes"])} for item in items]


OPTIONS: list[click.Parameter] = [click.Option(["--job"], metavar="NAME", help="Only this job, by step and kind.")]

du = Verb("du", _du, OPTIONS, help=_du.__doc__)
