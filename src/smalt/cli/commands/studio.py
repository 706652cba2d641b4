"""`smalt studio`."""

from __future__ import annotations

import os
from urllib.parse import quote

import click

from smalt.cli.framework.browser import create_url, open_page
from smalt.cli.framework.verb import Invocation, Verb


def _open_studio(ctx: Invocation, file: str | None, no_browser: bool) -> None:
    """Open the studio in a browser, at the jobs of the workspace, or at a pipeline's YAML file in the designer."""
    path = _find_path(ctx) if file is None else _find_designer_path(ctx, file)
    if no_browser:
        click.echo(create_url(ctx, path))
        ctx.print_note("this address lets one browser in, once and within ten minutes")
    else:
        open_page(ctx, path)


def _find_path(ctx: Invocation) -> str:
    """Return the page of the workspace's jobs, or "" if the workspace has nothing yet."""
    folder = _find_workspace_folder(ctx)
    return f"{quote(folder)}/jobs" if folder else ""


def _find_designer_path(ctx: Invocation, file: str) -> str:
    """Return the page of a file in the designer; the server must let the studio open it."""
    path, root = os.path.realpath(file), ctx.connection.get("/smalt/v1/config")["studio-folder"]
    if not os.path.isfile(path):
        raise click.UsageError(f"there is no file '{file}'")
    if root is None or os.path.commonpath([path, os.path.realpath(root)]) != os.path.realpath(root):
        why = f"outside of '{root}'," if root else "not in"
        raise click.UsageError(
            f"'{file}' is {why} the folder whose files the studio opens; set that first, to the file's folder or "
            f"one above it: smalt config set studio-folder {os.path.dirname(path)}"
        )
    folder = _find_workspace_folder(ctx)
    if not folder:
        ctx.connection.put(ctx.client.workspace_id, {"properties": {}})
        folder = _find_workspace_folder(ctx)
    return f"{quote(folder)}/designer?file={quote(os.path.relpath(path, os.path.realpath(root)))}"


def _find_workspace_folder(ctx: Invocation) -> str:
    """Return the name of the workspace's folder, by which pages name it; "" if the workspace has nothing yet."""
    wanted = ctx.client.workspace_id.lower()
    for one in ctx.connection.list_items("/smalt/v1/workspaces"):
        if str(one["id"]).lower() == wanted:
            return str(one["folder"])
    return ""


studio = Verb(
    "studio",
    _open_studio,
    [
        click.Argument(["file"], required=False),
        click.Option(
            ["--no-browser"], is_flag=True, help="Print the address instead of opening it: for a browser elsewhere."
        ),
    ],
    help=_open_studio.__doc__,
)
