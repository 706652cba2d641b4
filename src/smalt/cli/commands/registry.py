"""`smalt registry …`."""

from __future__ import annotations

import os
from typing import Any

import click

from smalt.cli.framework import documents, edits, options
from smalt.cli.framework.verb import Invocation, Noun

registry = Noun("registry", "Registries: folders of assets that workspaces and people share.", ("name", "location"))

_NAME = options.make_name_options("The registry's name.")
_FOLDER = click.Option(
    ["--folder"], metavar="FOLDER", help="The folder, such as one of a git checkout; by default one of the home's."
)


@registry.verb(
    "create",
    options.make_file_option("The registry's YAML file; a location that is a path is its folder.", first=False),
    options.make_name_options("Its name.", needed=False),
    _FOLDER,
    options.LOCATION,
    options.DESCRIPTION,
    options.TAGS,
    options.NO_WAIT,
)
def create_registry(
    ctx: Invocation,
    name: str | None,
    file: str | None,
    folder: str | None,
    description: str | None,
    tags: tuple[str, ...],
    **_: Any,
) -> Any:
    """Make a folder a registry; by default a new folder of the home."""
    from smalt.entities.workspaces.registry import Registry

    if file is not None:
        entity = documents.read_document("registry", file, (), {"name": name})
    elif name:
        entity = Registry(name=name, location="local")
    else:
        raise click.UsageError("name the registry, with --name or --file")
    if description or tags:
        entity.description, entity.tags = description, edits.parse_tags(tags)
    if folder is not None:
        entity.location = os.path.abspath(os.path.expanduser(folder))
    return ctx.client.registries.begin_create(entity).result()


@registry.verb("list")
def list_registries(ctx: Invocation) -> Any:
    """List the registries."""
    return [*ctx.client.registries.list()]


@registry.verb("show", _NAME)
def show_registry(ctx: Invocation, name: str) -> Any:
    """Show a registry and its folder."""
    return ctx.client.registries.get(name)


@registry.verb("delete", _NAME, options.YES, options.NO_WAIT)
def delete_registry(ctx: Invocation, name: str, yes: bool, **_: Any) -> None:
    """Remove a registry from the home; its folder stays as it is."""
    ctx.confirm(yes, f"remove registry {name}?")
    place = ctx.client.registries.get(name).location
    ctx.client.registries.begin_delete(name=name).result()
    ctx.print_note(f"removed the registry; its folder {place} is unchanged")
