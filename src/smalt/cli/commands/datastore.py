"""`smalt datastore …`."""

from __future__ import annotations

from itertools import islice
from typing import Any

import click

from smalt.cli.framework import documents, options
from smalt.cli.framework.verb import Invocation, Noun

datastore = Noun(
    "datastore",
    "Datastores: the folders, and the clouds' containers, where data, outputs and models are kept.",
    ("name", "type", "is_default", "account_name", "container_name", "description"),
)

_NAME = options.name("The datastore's name.")
_SECRETS = click.Option(["--include-secrets"], is_flag=True, help="Show its secrets.")


@datastore.verb(
    "create",
    options.file("The datastore's YAML file."),
    options.name("Its name, instead of the file's.", needed=False, argument="[FILE]"),
    options.SET,
)
def create(to: Invocation, file: str | None, name: str | None, set: tuple[str, ...]) -> Any:
    """Create a datastore from a YAML file."""
    if file is None:
        raise click.UsageError("say which file describes the datastore: smalt datastore create --file datastore.yml")
    return to.client.datastores.create_or_update(documents.read("datastore", file, set, {"name": name}))


@datastore.verb("show", _NAME, _SECRETS)
def show(to: Invocation, name: str, include_secrets: bool) -> Any:
    """Show a datastore."""
    return to.client.datastores.get(name, include_secrets=include_secrets)


@datastore.verb("list", _SECRETS, options.MAX_RESULTS)
def list_datastores(to: Invocation, include_secrets: bool, max_results: int | None) -> Any:
    """List datastores."""
    return list(islice(to.client.datastores.list(include_secrets=include_secrets), max_results))


@datastore.verb("update", _NAME, options.file("A file with the whole datastore.", first=False), options.EDITS)
def update(to: Invocation, name: str, file: str | None, **changes: Any) -> Any:
    """Change a datastore, by --set or from a file."""
    if file is not None:
        documents.refuse_edits(changes)
        return create(to, file, name, changes["set"])
    return documents.update(to.client.datastores.get(name), changes, to.client.datastores.create_or_update)


@datastore.verb("delete", _NAME, options.YES)
def delete(to: Invocation, name: str, yes: bool) -> None:
    """Forget a datastore; its files stay."""
    to.client.datastores.get(name)
    to.confirm(yes, f"delete the datastore {name}? its files stay")
    to.client.datastores.delete(name)


@datastore.verb(
    "upload",
    click.Argument(["source"]),
    click.Argument(["target"], required=False, default=""),
    click.Option(["-n", "--name"], default="workspaceblobstore", metavar="NAME", help="The datastore."),
)
def upload(to: Invocation, source: str, target: str, name: str) -> Any:
    """Upload a local file or folder to a path of a datastore (or an azureml://datastores/… URI)."""
    name, target = _place(name, target)
    return to.client.datastores.upload(name, source, target)


@datastore.verb(
    "download",
    click.Argument(["path"], required=False, default=""),
    click.Option(["-n", "--name"], default="workspaceblobstore", metavar="NAME", help="The datastore."),
    options.DOWNLOAD_PATH,
)
def download(to: Invocation, path: str, name: str, download_path: str) -> Any:
    """Download what is at a path of a datastore (or at an azureml://datastores/… URI)."""
    name, path = _place(name, path)
    return to.client.datastores.download(name, path, download_path)


@datastore.verb(
    "ls",
    click.Argument(["path"], required=False, default=""),
    click.Option(["-n", "--name"], default="workspaceblobstore", metavar="NAME", help="The datastore."),
    click.Option(["-r", "--recursive"], is_flag=True, help="What is in its folders, too."),
    columns=("path", "size"),
)
def ls(to: Invocation, path: str, name: str, recursive: bool) -> Any:
    """List the files at a path of a datastore (or at an azureml://datastores/… URI)."""
    name, path = _place(name, path)
    return list(to.client.datastores.ls(name, path, recursive=recursive))


datastore.refuse(
    "mount", "nothing is mounted here; see datastores with: smalt datastore ls, or copy with: smalt datastore download"
)


def _place(name: str, path: str) -> tuple[str, str]:
    """The datastore and the path in it; a URI names both."""
    if "://" not in path:
        return name, path
    from smalt.entities.syntax.references import DatastoreUri, parse_uri

    uri = parse_uri(path)
    if not isinstance(uri, DatastoreUri):
        raise click.UsageError(f"{path} is not a datastore path; write azureml://datastores/NAME/paths/PATH")
    return uri.datastore, uri.path
