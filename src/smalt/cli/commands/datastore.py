"""`smalt datastore …`."""

from __future__ import annotations

from itertools import islice
from typing import Any

import click

from smalt.cli.framework import documents, options
from smalt.cli.framework.verb import Invocation, Noun

datastore = Noun(
    "datastore",
    "Datastores: the folders, and the clouds' containers, where data, outputs and models are stored.",
    ("name", "type", "is_default", "account_name", "container_name", "description"),
)

_NAME = options.make_name_options("The datastore's name.")
_SECRETS = click.Option(["--include-secrets"], is_flag=True, help="Show its secrets.")


@datastore.verb(
    "create",
    options.make_file_option("The datastore's YAML file."),
    options.make_name_options("Its name, instead of the file's.", needed=False, argument="[FILE]"),
    options.SET,
)
def create_datastore(ctx: Invocation, file: str | None, name: str | None, set: tuple[str, ...]) -> Any:
    """Create a datastore from a YAML file."""
    if file is None:
        raise click.UsageError("say which file describes the datastore: smalt datastore create --file datastore.yml")
    return ctx.client.datastores.create_or_update(documents.read_document("datastore", file, set, {"name": name}))


@datastore.verb("show", _NAME, _SECRETS)
def show_datastore(ctx: Invocation, name: str, include_secrets: bool) -> Any:
    """Show a datastore."""
    return ctx.client.datastores.get(name, include_secrets=include_secrets)


@datastore.verb("list", _SECRETS, options.MAX_RESULTS)
def list_datastores(ctx: Invocation, include_secrets: bool, max_results: int | None) -> Any:
    """List datastores."""
    return list(islice(ctx.client.datastores.list(include_secrets=include_secrets), max_results))


@datastore.verb(
    "update", _NAME, options.make_file_option("A file with the whole datastore.", first=False), options.EDITS
)
def update_datastore(ctx: Invocation, name: str, file: str | None, **changes: Any) -> Any:
    """Change a datastore, by --set or from a file."""
    if file is not None:
        documents.check_no_edits(changes)
        return create_datastore(ctx, file, name, changes["set"])
    return documents.update_entity(ctx.client.datastores.get(name), changes, ctx.client.datastores.create_or_update)


@datastore.verb("delete", _NAME, options.YES)
def delete_datastore(ctx: Invocation, name: str, yes: bool) -> None:
    """Delete a datastore; its files stay."""
    ctx.client.datastores.get(name)
    ctx.confirm(yes, f"delete the datastore {name}? its files stay")
    ctx.client.datastores.delete(name)


@datastore.verb(
    "upload",
    click.Argument(["source"]),
    click.Argument(["target"], required=False, default=""),
    click.Option(["-n", "--name"], default="workspaceblobstore", metavar="NAME", help="The datastore."),
)
def upload_files(ctx: Invocation, source: str, target: str, name: str) -> Any:
    """Upload a local file or folder to a path of a datastore (or an azureml://datastores/… URI)."""
    name, target = _split_uri(name, target)
    return ctx.client.datastores.upload(name, source, target)


@datastore.verb(
    "download",
    click.Argument(["path"], required=False, default=""),
    click.Option(["-n", "--name"], default="workspaceblobstore", metavar="NAME", help="The datastore."),
    options.DOWNLOAD_PATH,
)
def download_files(ctx: Invocation, path: str, name: str, download_path: str) -> Any:
    """Download the files at a path of a datastore (or at an azureml://datastores/… URI)."""
    name, path = _split_uri(name, path)
    return ctx.client.datastores.download(name, path, download_path)


@datastore.verb(
    "ls",
    click.Argument(["path"], required=False, default=""),
    click.Option(["-n", "--name"], default="workspaceblobstore", metavar="NAME", help="The datastore."),
    click.Option(["-r", "--recursive"], is_flag=True, help="Include the content of its folders."),
    columns=("path", "size"),
)
def list_files(ctx: Invocation, path: str, name: str, recursive: bool) -> Any:
    """List the files at a path of a datastore (or at an azureml://datastores/… URI)."""
    name, path = _split_uri(name, path)
    return list(ctx.client.datastores.ls(name, path, recursive=recursive))


datastore.add_refusal(
    "mount", "datastores are not mounted; to list files: smalt datastore ls; to copy them: smalt datastore download"
)


def _split_uri(name: str, path: str) -> tuple[str, str]:
    """Return the datastore and the path in it; a URI names both."""
    if "://" not in path:
        return name, path
    from smalt.entities.syntax.references import DatastoreUri, parse_uri

    uri = parse_uri(path)
    if not isinstance(uri, DatastoreUri):
        raise click.UsageError(f"{path} is not a datastore path; write azureml://datastores/NAME/paths/PATH")
    return uri.datastore, uri.path
