"""`smalt environment …`."""

from __future__ import annotations

from typing import Any

import click

from smalt.cli import assets, documents, edits, options
from smalt.cli.verb import Invocation, Noun

environment = Noun("environment", "Environments: the packages that jobs run with.", assets.COLUMNS)


@environment.verb(
    "create",
    options.file("The environment's YAML file.", first=False),
    options.name("Its name.", needed=False),
    options.VERSION,
    click.Option(["-i", "--image"], metavar="IMAGE", help="The image that it is based on."),
    click.Option(["-c", "--conda-file"], metavar="FILE", help="A conda file with its packages."),
    click.Option(["-b", "--build-context"], metavar="FOLDER", help="A folder with a Dockerfile."),
    click.Option(["-d", "--dockerfile-path"], metavar="PATH", help="The Dockerfile within that folder."),
    click.Option(["--os-type"], metavar="OS", help="The operating system: linux."),
    options.DESCRIPTION,
    options.TAGS,
    options.DATASTORE,
    options.SET,
    options.REGISTRY,
)
def create(
    to: Invocation,
    file: str | None,
    set: tuple[str, ...],
    registry_name: str | None,
    conda_file: str | None,
    build_context: str | None,
    dockerfile_path: str | None,
    **given: Any,
) -> Any:
    """Register an environment, from a YAML file or from the options."""
    given["tags"] = edits.tags(given["tags"])
    given["build"] = {
        key: value
        for key, value in (("path", documents.local(build_context)), ("dockerfile_path", dockerfile_path))
        if value is not None
    }
    given["conda_file"] = documents.local(conda_file)
    client = to.client if registry_name is None else to.registry(registry_name)
    return client.environments.create_or_update(documents.read("environment", file, set, given))


assets.add_verbs(environment, "environments")
