"""`smalt registry …`."""

from __future__ import annotations

import os
from typing import Any

import click

from smalt.cli.framework import documents, edits, options
from smalt.cli.framework.verb import Invocation, Noun

registry = Noun("registry", "Registries: folders of assets that workspaces and people share.", ("name", "location"))

_NAME = options.name("The registry's name.")
_FOLDER = click.Option(
    ["--folder"], metavar="FOLDER", help="The folder, such as one of a git checkout; by default one of the home's."
)


@registry.verb(
    "create",
    options.file("The registry's YAML file; a location that is a path is its folder.", first=False),
    options.name("Its name.", needed=False),
    _FOLDER,
    options.LOCATION,
    options.DESCRIPTION,
    options.TAGS,
    options.NO_WAIT,
)
def create(
    to: Invocation,
    name: str | None,
    file: str | None,
    folder: str | None,
    description: str | None,
    tags: tuple[str, ...],
    **_: Any,
) -> Any:
    """Make a folder a registry, or a new folder of the home where none is given."""
    from smalt.entities.workspaces.registry import Registry

    if file is not None:
        entity = documents.read("registry", file, (), {"name": name})
    elif name:
        entity = Registry(name=name, location="local")
    else:
        raise click.UsageError("say what to call it, with --name or --file")
    if description or tags:
        entity.description, entity.tags = description, edits.tags(tags)
    if folder is not None:
        entity.location = os.path.abspath(os.path.expanduser(folder))
    return to.client.registries.begin_create(entity).result()


@registry.verb("list")
def list_registries(to: Invocation) -> Any:
    """List the registries."""
    return [*to.client.registries.list()]


@registry.verb("show", _NAME)
def show(to: Invocation, name: str) -> Any:
    """Show one registry, and in which folder it is."""
    return to.client.registries.get(name)


@registry.verb("delete", _NAME, options.YES, options.NO_WAIT)
def delete(to: Invocation, name: str, yes: bool, **_: Any) -> None:
    """Forget a registry; its folder stays as it is."""
    to.confirm(yes, f"forget registry {name}?")
    place = to.client.registries.get(name).location
    to.client.registries.begin_delete(name=name).result()
    to.note(f"forgotten; its folder {place} is as it was")
