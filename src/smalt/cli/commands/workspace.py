"""`smalt workspace …`."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any

import click

from smalt.cli.framework import documents, edits, options
from smalt.cli.framework.verb import Invocation, Noun
from smalt.exceptions import NotFound

if TYPE_CHECKING:
    from smalt.client import MLClient

workspace = Noun(
    "workspace",
    "Workspaces: each has jobs, assets and datastores of its own.",
    ("name", "resource_group", "display_name", "location", "description"),
)

_NAME = options.make_name_options("The workspace's name; by default that of --workspace-name.", needed=False)
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
    options.make_file_option("The workspace's YAML file.", first=False),
    _NAME,
    _SETTINGS,
    _CLOUD,
    options.SET,
    options.NO_WAIT,
)
def create_workspace(ctx: Invocation, file: str | None, set: tuple[str, ...], **given: Any) -> Any:
    """Create a workspace."""
    entity = documents.read_document("workspace", file, set, _build_settings(ctx, given))
    return ctx.client.workspaces.begin_create(entity).result()


@workspace.verb("show", _NAME)
def show_workspace(ctx: Invocation, name: str | None) -> Any:
    """Show a workspace; without a name the one in effect, and who chose it (chosen_by)."""
    from smalt.cli.output import plain_data as plain

    client = _make_client(ctx, name)
    try:
        found = client.workspaces.get()
    except NotFound as error:
        raise NotFound(str(error) if name else f"{error} ({client.why})") from None
    return found if name else {**plain.to_plain_data(found), "chosen_by": client.why}


@workspace.verb("list", options.MAX_RESULTS)
def list_workspaces(ctx: Invocation, max_results: int | None) -> Any:
    """List all workspaces of the home, or those of the given subscription or resource group."""
    group = ctx.resource_group and ctx.resource_group.lower()
    found = (
        one
        for one in ctx.client.workspaces.list(scope="home" if ctx.subscription is None else "subscription")
        if group in (None, str(one.resource_group).lower())
    )
    return list(islice(found, max_results))


@workspace.verb(
    "update",
    options.make_file_option("A file with the whole workspace.", first=False),
    _NAME,
    _SETTINGS,
    _CLOUD,
    options.EDITS,
    options.NO_WAIT,
)
def update_workspace(ctx: Invocation, file: str | None, name: str | None, **given: Any) -> Any:
    """Change a workspace."""
    changes = {key: given.pop(key) for key in ("set", "add", "remove", "force_string")}
    if file is not None:
        documents.check_no_edits(changes)
        return create_workspace(ctx, file, changes["set"], name=name, **given)
    settings = _build_settings(ctx, {**given, "name": None})
    workspaces = _make_client(ctx, name).workspaces
    there = workspaces.get()
    return documents.update_entity(there, changes, lambda entity: workspaces.begin_update(entity).result(), settings)


@workspace.verb(
    "delete",
    options.make_name_options("The workspace's name."),
    options.YES,
    options.NO_WAIT,
    click.Option(["--all-resources"], is_flag=True, help="Accepted."),
    click.Option(["--permanently-delete"], is_flag=True, help="Accepted."),
)
def delete_workspace(ctx: Invocation, name: str, yes: bool, **_: Any) -> None:
    """Delete a workspace with its jobs, assets, secrets and files permanently."""
    ctx.confirm(yes, f"delete the workspace {name} and all that is in it? this cannot be undone")
    client = _make_client(ctx, name)
    client.workspaces.begin_delete(client.workspace_name)


@workspace.verb("list-keys", _NAME)
def list_keys(ctx: Invocation, name: str | None) -> Any:
    """Show the keys of a workspace; a workspace on this machine has none."""
    return _make_client(ctx, name).workspaces.get_keys()


@workspace.verb("sync-keys", _NAME, options.NO_WAIT)
def sync_keys(ctx: Invocation, name: str | None, no_wait: bool) -> None:
    """Do nothing: there are no keys to fetch again."""
    _make_client(ctx, name).workspaces.get()


workspace.add_refusal("diagnose", "smalt cannot diagnose a workspace; to see the server's state: smalt server status")
workspace.add_refusal("provision-network", "workspaces are on this machine and have no network of their own")
workspace.add_refusal("outbound-rule", "workspaces are on this machine and have no network of their own")


def _make_client(ctx: Invocation, name: str | None) -> MLClient:
    """Return the client of the workspace of that name, or of the one in effect."""
    return ctx.make_client(name or ctx.workspace_name, by="named on the command line")


def _build_settings(ctx: Invocation, given: dict[str, Any]) -> dict[str, Any]:
    kept = ("name", "display_name", "description", "location")
    settings: dict[str, Any] = {key: given[key] for key in kept if given.get(key) is not None}
    if ctx.workspace_name is not None:
        settings.setdefault("name", ctx.workspace_name)
    if given["tags"]:
        settings["tags"] = edits.parse_tags(given["tags"])
    return settings
