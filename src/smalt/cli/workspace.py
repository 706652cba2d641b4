"""`smalt workspace …`."""

from __future__ import annotations

from itertools import islice
from typing import Any

import click

from smalt.cli import documents, edits, options
from smalt.cli.verb import Invocation, Noun

workspace = Noun(
    "workspace",
    "Workspaces: each has jobs, assets and datastores of its own.",
    ("name", "display_name", "location", "resource_group", "description"),
)

_NAME = options.name("The workspace's name; by default that of --workspace-name.", needed=False)
_CLOUD = [
    click.Option(names, metavar="VALUE", hidden=True)
    for names in (
        ["-a", "--application-insights"], ["-c", "--container-registry"], ["-k", "--key-vault"],
        ["-s", "--storage-account"], ["-m", "--managed-network"],
        ["--public-network-access", "--pna"], ["-i", "--image-build-compute"],
        ["-p", "--primary-user-assigned-identity"], ["--network-isolation"], ["--hub-id"], ["--kind"],
    )
] + [
    click.Option(names, is_flag=True, hidden=True)
    for names in (["-u", "--update-dependent-resources"], ["--enable-data-isolation"], ["--provision-network-now"])
]  # fmt: skip
_SETTINGS = [
    click.Option(["-d", "--display-name"], metavar="NAME", help="The name that people see."),
    options.DESCRIPTION,
    options.LOCATION,
    options.TAGS,
]


@workspace.verb(
    "create",
    options.file("The workspace's YAML file.", first=False),
    _NAME,
    _SETTINGS,
    _CLOUD,
    options.SET,
    options.NO_WAIT,
)
def create(to: Invocation, file: str | None, set: tuple[str, ...], **given: Any) -> Any:
    """Create a workspace."""
    entity = documents.read("workspace", file, set, _settings(to, given))
    return to.client.workspaces.begin_create(entity).result()


@workspace.verb("show", _NAME)
def show(to: Invocation, name: str | None) -> Any:
    """Show a workspace."""
    return to.client.workspaces.get(name or to.workspace_name)


@workspace.verb("list", options.MAX_RESULTS)
def list_workspaces(to: Invocation, max_results: int | None) -> Any:
    """List workspaces: of the subscription, or of the resource group that is named."""
    scope = "resource_group" if to.resource_group else "subscription"
    return list(islice(to.client.workspaces.list(scope=scope), max_results))


@workspace.verb(
    "update",
    options.file("A file with the whole workspace.", first=False),
    _NAME,
    _SETTINGS,
    _CLOUD,
    options.EDITS,
    options.NO_WAIT,
)
def update(to: Invocation, file: str | None, name: str | None, **given: Any) -> Any:
    """Change a workspace."""
    changes = {key: given.pop(key) for key in ("set", "add", "remove", "force_string")}
    if file is not None:
        documents.refuse_edits(changes)
        return create(to, file, changes["set"], name=name, **given)
    settings = _settings(to, {**given, "name": None})
    workspaces = to.client.workspaces
    there = workspaces.get(name or to.workspace_name)
    return documents.update(there, changes, lambda entity: workspaces.begin_update(entity).result(), settings)


@workspace.verb(
    "delete",
    options.name("The workspace's name."),
    options.YES,
    options.NO_WAIT,
    click.Option(["--all-resources"], is_flag=True, help="Accepted."),
    click.Option(["--permanently-delete"], is_flag=True, help="Accepted."),
)
def delete(to: Invocation, name: str, yes: bool, **_: Any) -> None:
    """Delete a workspace, where the server allows it."""
    to.confirm(yes, f"delete the workspace {name}?")
    to.client.workspaces.begin_delete(name)


@workspace.verb("list-keys", _NAME)
def list_keys(to: Invocation, name: str | None) -> Any:
    """Show the keys of a workspace; one on this machine has none."""
    return to.client.workspaces.get_keys(name or to.workspace_name)


@workspace.verb("sync-keys", _NAME, options.NO_WAIT)
def sync_keys(to: Invocation, name: str | None, no_wait: bool) -> None:
    """Fetch keys again; locally there is nothing to do."""
    to.client.workspaces.get(name or to.workspace_name)


workspace.refuse("diagnose", "smalt cannot diagnose a workspace; the server's state is shown by: smalt server status")
workspace.refuse("provision-network", "workspaces are on this machine and have no network of their own")
workspace.refuse("outbound-rule", "workspaces are on this machine and have no network of their own")


def _settings(to: Invocation, given: dict[str, Any]) -> dict[str, Any]:
    kept = ("name", "display_name", "description", "location")
    settings: dict[str, Any] = {key: given[key] for key in kept if given.get(key) is not None}
    if to.workspace_name is not None:
        settings.setdefault("name", to.workspace_name)
    if given["tags"]:
        settings["tags"] = edits.tags(given["tags"])
    return settings
