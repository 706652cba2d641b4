"""`smalt du`."""

from __future__ import annotations

from typing import Any

import click

from smalt.cli.framework.verb import Invocation, Verb
from smalt.client.transfers.progress import format_bytes


def _show_disk_usage(ctx: Invocation, job: str | None) -> Any:
    """Show the disk usage of each workspace by kind, of one job, and of what the workspaces share."""
    if job is not None:
        path = f"/smalt/v1{ctx.client.workspace_id}/jobs/{job}/disk"
        items = ctx.client.connection.get(path)["items"]
        ctx.columns = ("job", "kind", "size")
    else:
        items = ctx.connection.get("/smalt/v1/disk")["items"]
        ctx.columns = ("workspace", "kind", "size")
    ctx.print_note(f"{format_bytes(sum(item['bytes'] for item in items))} in all")
    return [{**item, "size": format_bytes(item["bytes"])} for item in items]


OPTIONS: list[click.Parameter] = [click.Option(["--job"], metavar="NAME", help="Only this job, by step and kind.")]

du = Verb("du", _show_disk_usage, OPTIONS, help=_show_disk_usage.__doc__)
