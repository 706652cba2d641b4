"""`smalt studio`."""

from __future__ import annotations

from urllib.parse import quote

import click

from smalt.cli.framework.browser import create_url, open_page
from smalt.cli.framework.verb import Invocation, Verb


def _open_studio(ctx: Invocation, no_browser: bool) -> None:
    """Open the studio in a browser, at the jobs of the workspace."""
    path = _find_path(ctx)
    if no_browser:
        click.echo(create_url(ctx, path))
        ctx.print_note("this address lets one browser in, once and within ten minutes")
    else:
        open_page(ctx, path)


def _find_path(ctx: Invocation) -> str:
    """Return the page of the workspace's jobs, or "" if the workspace has nothing yet."""
    wanted = ctx.client.workspace_id.lower()
    for one in ctx.connection.list_items("/smalt/v1/workspaces"):
        if str(one["id"]).lower() == wanted:
            return f"{quote(str(one['folder']))}/jobs"
    return ""


studio = Verb(
    "studio",
    _open_studio,
    [
        click.Option(
            ["--no-browser"], is_flag=True, help="Print the address instead of opening it: for a browser elsewhere."
        )
    ],
    help=_open_studio.__doc__,
)
