"""`smalt component …`."""

from __future__ import annotations

from typing import Any

import click

from smalt.cli.commands import assets
from smalt.cli.framework import documents, options
from smalt.cli.framework.verb import Invocation, Noun

component = Noun("component", "Components: reusable steps of pipelines.", assets.COLUMNS)


@component.verb(
    "create",
    options.make_file_option("The component's YAML file."),
    options.make_name_options("Its name, instead of the file's.", needed=False, argument="[FILE]"),
    options.VERSION,
    options.SET,
    options.SKIP_VALIDATION,
    options.REGISTRY,
)
def create_component(
    ctx: Invocation,
    file: str | None,
    name: str | None,
    version: str | None,
    set: tuple[str, ...],
    registry_name: str | None,
    **_: Any,
) -> Any:
    """Register a component from a YAML file."""
    if file is None:
        raise click.UsageError("say which file describes the component: smalt component create --file component.yml")
    entity = documents.read_document("component", file, set, {"name": name, "version": version})
    client = ctx.client if registry_name is None else ctx.make_registry_client(registry_name)
    return client.components.create_or_update(entity)


assets.add_verbs(component, "components")
