"""`smalt model …`."""

from __future__ import annotations

import click

from smalt.cli.commands import assets
from smalt.cli.framework import options
from smalt.cli.framework.verb import Invocation, Noun

model = Noun("model", "Models: named and versioned, from files or from a job's output.", assets.COLUMNS)

_TYPES = ("custom_model", "mlflow_model", "triton_model")
_PATH = "The local path, datastore URI or job output of the model."
_STAGE = click.Option(["--stage"], metavar="STAGE", help="A stage, such as Production.")

assets.add_create(model, "models", _TYPES, _PATH, [_STAGE])


@model.verb(
    "download",
    options.make_name_options("The model's name."),
    options.VERSION,
    options.LABEL,
    options.DOWNLOAD_PATH,
    options.REGISTRY,
)
def download_model(
    ctx: Invocation, name: str, version: str | None, label: str | None, download_path: str, registry_name: str | None
) -> None:
    """Download a model's files."""
    client = ctx.client if registry_name is None else ctx.make_registry_client(registry_name)
    found = assets.fetch_asset(client.models, name, version, label)
    client.models.download(found.name, version=found.version, download_path=download_path)
    ctx.print_note(f"downloaded to {download_path}")


assets.add_verbs(model, "models")
model.add_refusal("package", "smalt does not package models; name the model and an environment in the deployment")
