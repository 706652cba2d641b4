"""`smalt data …`."""

from __future__ import annotations

from typing import Any

import click

from smalt.cli import assets, documents, edits, options
from smalt.cli.verb import Invocation, Noun

data = Noun("data", "Data assets: named and versioned data.", assets.COLUMNS)

_TYPES = click.Choice(["uri_file", "uri_folder", "mltable"])


@data.verb(
    "create",
    options.file("The data asset's YAML file.", first=False),
    options.name("Its name.", needed=False),
    options.VERSION,
    click.Option(["-p", "--path"], metavar="PATH", help="The local path or URI of the data."),
    click.Option(["-t", "--type"], type=_TYPES, help="By default uri_folder."),
    options.DESCRIPTION,
    options.TAGS,
    options.DATASTORE,
    options.SET,
    options.SKIP_VALIDATION,
    options.REGISTRY,
)
def create(to: Invocation, file: str | None, set: tuple[str, ...], registry_name: str | None, **given: Any) -> Any:
    """Register data, from a YAML file or from the options."""
    assets.local_only(registry_name)
    given.pop("skip_validation")
    given["path"] = documents.local(given["path"])
    given["tags"] = edits.tags(given["tags"])
    return to.client.data.create_or_update(documents.read("data", file, set, given))


assets.add_verbs(data, "data")
data.refuse(
    "import",
    "smalt cannot import data from databases yet; copy it to a folder and register that with: smalt data create",
)
data.refuse("list-materialization-status", "smalt cannot import data yet, so there is no import to list")
data.refuse(
    "mount", "data is on this machine already, so nothing is mounted; its place is shown by: smalt data show NAME"
)
data.refuse("share", "smalt has no registries yet; they come in a later version")
