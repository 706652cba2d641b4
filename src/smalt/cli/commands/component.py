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
    options.file("The component's YAML file."),
    options.name("Its name, instead of the file's.", needed=False, argument="[FILE]"),
    options.VERSION,
    options.SET,
    options.SKIP_VALIDATION,
    options.REGISTRY,
)
def create(
    to: Invocation,
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
    entity = documents.read("component", file, set, {"name": name, "version": version})
    client = to.client if registry_name is None else to.registry(registry_name)
    return client.components.create_or_update(entity)


assets.add_verbs(component, "components")
