"""`smalt environment …`."""

from __future__ import annotations

from typing import Any

import click

from smalt.cli.commands import assets
from smalt.cli.commands.prune import OPTIONS, free_space
from smalt.cli.framework import documents, edits, options
from smalt.cli.framework.verb import Invocation, Noun
from smalt.client.transfers.progress import format_bytes

environment = Noun("environment", "Environments: the packages that jobs run with.", assets.COLUMNS)


@environment.verb(
    "create",
    options.make_file_option("The environment's YAML file.", first=False),
    options.make_name_options("Its name.", needed=False),
    options.VERSION,
    click.Option(["-i", "--image"], metavar="IMAGE", help="The base image."),
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
def create_environment(
    ctx: Invocation,
    file: str | None,
    set: tuple[str, ...],
    registry_name: str | None,
    conda_file: str | None,
    build_context: str | None,
    dockerfile_path: str | None,
    **given: Any,
) -> Any:
    """Register an environment, from a YAML file or from the options."""
    given["tags"] = edits.parse_tags(given["tags"])
    given["build"] = {
        key: value
        for key, value in (("path", documents.to_local_path(build_context)), ("dockerfile_path", dockerfile_path))
        if value is not None
    }
    given["conda_file"] = documents.to_local_path(conda_file)
    client = ctx.client if registry_name is None else ctx.make_registry_client(registry_name)
    return client.environments.create_or_update(documents.read_document("environment", file, set, given))


assets.add_verbs(environment, "environments")


@environment.verb(
    "build",
    options.make_file_option("An environment's YAML file, which is registered first.", first=False),
    *options.make_name_options("Its name.", needed=False),
    options.VERSION,
    options.LABEL,
)
def build_environment(
    ctx: Invocation, file: str | None, name: str | None, version: str | None, label: str | None
) -> None:
    """Build an environment before its first job, as a job of the experiment prepare_image that shows the progress."""
    from smalt.cli.jobs.stream import follow_job
    from smalt.entities import CommandJob

    if file is not None:
        made = ctx.client.environments.create_or_update(
            documents.read_document("environment", file, (), {"name": name})
        )
        name, version, label = str(made.name), str(made.version), None
    if not name:
        raise click.UsageError("say which environment to build, with --name or --file")
    asked = f"azureml:{name}" + (f":{version}" if version else f"@{label or 'latest'}")
    job = CommandJob(command="true", environment=asked, display_name=f"build {name}", experiment_name="prepare_image")
    if not follow_job(ctx, str(ctx.client.jobs.create_or_update(job).name)):
        raise click.exceptions.Exit(1)
    ctx.print_note(f"environment '{name}' is built; jobs that use it start without a build")


_listing = environment.commands["list"]
_listing.params.insert(
    2, click.Option(["--built"], is_flag=True, help="List the environments built here: size, last use, content.")
)
_list_assets = _listing.callback


def _list_environments(ctx: Invocation, built: bool, **given: Any) -> Any:
    if built:
        return _list_built(ctx)
    assert _list_assets is not None
    return _list_assets(ctx, **given)


_listing.callback = _list_environments


def _list_built(ctx: Invocation) -> list[dict[str, Any]]:
    import time

    from smalt.cli.jobs.watch import format_duration

    rows: list[dict[str, Any]] = ctx.connection.get("/smalt/v1/environments")["value"]
    ctx.columns = ("name", "python", "image", "packages", "size", "last_used", "hash")
    if not ctx.is_table:
        return rows
    now = time.time()
    said = (
        {"size": format_bytes(row["size"]), "last_used": f"{format_duration(now - row['last_used'])} ago"}
        for row in rows
    )
    return [{**row, "hash": row["hash"][:12], **words} for row, words in zip(rows, said, strict=True)]


@environment.verb("prune", OPTIONS)
def prune_environments(ctx: Invocation, older_than: float, dry_run: bool, yes: bool) -> Any:
    """Remove built environments that no job has used for a while; a job that needs one builds it again."""
    return free_space(ctx, older_than, dry_run, yes, "remove built environments?", "environments")
