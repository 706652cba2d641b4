"""`smalt environment …`."""

from __future__ import annotations

from typing import Any

import click

from smalt.cli.commands import assets
from smalt.cli.commands.prune import OPTIONS, free
from smalt.cli.framework import documents, edits, options
from smalt.cli.framework.verb import Invocation, Noun
from smalt.client.transfers.progress import human

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


@environment.verb(
    "build",
    options.file("An environment's YAML file, which is registered first.", first=False),
    *options.name("Its name.", needed=False),
    options.VERSION,
    options.LABEL,
)
def build(to: Invocation, file: str | None, name: str | None, version: str | None, label: str | None) -> None:
    """Build an environment ahead of its first job, as a job of the experiment prepare_image that shows how it goes."""
    from smalt.cli.jobs.stream import follow
    from smalt.entities import CommandJob

    if file is not None:
        made = to.client.environments.create_or_update(documents.read("environment", file, (), {"name": name}))
        name, version, label = str(made.name), str(made.version), None
    if not name:
        raise click.UsageError("say which environment to build, with --name or --file")
    asked = f"azureml:{name}" + (f":{version}" if version else f"@{label or 'latest'}")
    job = CommandJob(command="true", environment=asked, display_name=f"build {name}", experiment_name="prepare_image")
    if not follow(to, str(to.client.jobs.create_or_update(job).name)):
        raise click.exceptions.Exit(1)
    to.note(f"environment '{name}' is built; jobs that use it start at once")


_listing = environment.commands["list"]
_listing.params.insert(2, click.Option(["--built"], is_flag=True, help="What is built here: size, last use, content."))
_list_assets = _listing.callback


def _list(to: Invocation, built: bool, **given: Any) -> Any:
    if built:
        return _built(to)
    assert _list_assets is not None
    return _list_assets(to, **given)


_listing.callback = _list


def _built(to: Invocation) -> list[dict[str, Any]]:
    import time

    from smalt.cli.jobs.watch import duration

    rows: list[dict[str, Any]] = to.connection.get("/smalt/v1/environments")["value"]
    to.columns = ("name", "python", "image", "packages", "size", "last_used", "hash")
    if not to.wants_table:
        return rows
    now = time.time()
    said = ({"size": human(row["size"]), "last_used": f"{duration(now - row['last_used'])} ago"} for row in rows)
    return [{**row, "hash": row["hash"][:12], **words} for row, words in zip(rows, said, strict=True)]


@environment.verb("prune", OPTIONS)
def prune(to: Invocation, older_than: float, dry_run: bool, yes: bool) -> Any:
    """Remove built environments that no job has used for long; a job that needs one builds it again."""
    return free(to, older_than, dry_run, yes, "remove built environments?", "environments")
