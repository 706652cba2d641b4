"""`smalt model …`."""

from __future__ import annotations

from typing import Any

import click

from smalt.cli import assets, documents, edits, options
from smalt.cli.verb import Invocation, Noun

model = Noun("model", "Models: named and versioned, from files or from a job's output.", assets.COLUMNS)

_TYPES = click.Choice(["custom_model", "mlflow_model", "triton_model"])


@model.verb(
    "create",
    options.file("The model's YAML file.", first=False),
    options.name("Its name.", needed=False),
    options.VERSION,
    click.Option(["-p", "--path"], metavar="PATH", help="The local path, datastore URI or job output of the model."),
    click.Option(["-t", "--type"], type=_TYPES, help="By default custom_model."),
    click.Option(["--stage"], metavar="STAGE", help="A stage, such as Production."),
    options.DESCRIPTION,
    options.TAGS,
    options.DATASTORE,
    options.SET,
    options.SKIP_VALIDATION,
    options.REGISTRY,
)
def create(to: Invocation, file: str | None, set: tuple[str, ...], registry_name: str | None, **given: Any) -> Any:
    """Register a model, from a YAML file or from the options."""
    assets.local_only(registry_name)
    given.pop("skip_validation")
    given["path"] = documents.local(given["path"])
    given["tags"] = edits.tags(given["tags"])
    return to.client.models.create_or_update(documents.read("model", file, set, given))


@model.verb(
    "download",
    options.name("The model's name."),
    options.VERSION,
    options.LABEL,
    options.DOWNLOAD_PATH,
    options.REGISTRY,
)
def download(
    to: Invocation, name: str, version: str | None, label: str | None, download_path: str, registry_name: str | None
) -> None:
    """Download a model's files."""
    assets.local_only(registry_name)
    found = assets.fetch(to.client.models, name, version, label)
    to.client.models.download(found.name, version=found.version, download_path=download_path)
    to.note(f"downloaded to {download_path}")


assets.add_verbs(model, "models")
model.refuse("package", "smalt cannot package models yet; that comes in a later version, with online endpoints")
model.refuse("share", "smalt has no registries yet; they come in a later version")
