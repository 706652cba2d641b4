"""The workspace that a request names: found, created if the caller may create it, or refused.

Reading creates nothing. A missing workspace is created by any request that stores something in it, and by any request
of a program (smalt's own client or Azure's), as programs written for the cloud name workspaces of the cloud and begin
by reading them. The home's default workspace always exists.
"""

from __future__ import annotations

import difflib
import re
import shlex

from starlette.types import Scope

from smalt.entities.schema.typos import is_typo
from smalt.exceptions import NotFound, ValidationException
from smalt.service.api import workspace_paths
from smalt.service.api.server_context import ServerContext
from smalt.service.records import workspaces as records
from smalt.service.records.workspaces import Workspace
from smalt.wire.encoding import ids

MAKES = b"x-smalt-makes-workspaces"
"""The header by which smalt's client says that it runs for a program, or for a command that stores something."""
NOTE = "smalt.note"
"""The key in a request's scope of a line for the user, which the answer carries in the header `x-smalt-note`."""

_AZURE = re.compile(rb"\bazure-ai-ml/|\bazsdk-python-")
_MOST = 10
Names = tuple[str, str, str]
"""The names of a subscription, a resource group and a workspace."""


def open_workspace(scope: Scope, names: Names, *, is_put: bool = False) -> Workspace:
    """Return the workspace of these names for the request; `is_put` if the request stores the workspace itself."""
    check_names(names)
    service: ServerContext = scope["smalt.service"]
    found = records.find_workspace(service.db, *names)
    if found is not None:
        return found
    if is_put or _is_default(service, names):
        return records.ensure_workspace(service.db, *names, scope["smalt.principal"])
    if not _is_allowed_to_create(scope):
        raise make_not_found(service, names)
    return create_workspace(scope, names)


def find_workspace(service: ServerContext, names: Names, principal: str) -> Workspace:
    """Return the workspace of these names if it exists or is the home's default."""
    if _is_default(service, names):
        return records.ensure_workspace(service.db, *names, principal)
    found = records.find_workspace(service.db, *names)
    if found is None:
        raise make_not_found(service, names)
    return found


def create_workspace(scope: Scope, names: Names) -> Workspace:
    """Create a workspace for a request that stores something else; refuse a name that looks like a typing error."""
    service: ServerContext = scope["smalt.service"]
    every = records.list_workspaces(service.db)
    for one in every:
        if _is_typo(names, _get_names(one)):
            raise NotFound(
                f"{_render_missing(names)}; did you mean {_render_workspace(one, names)}? To create it anyway: "
                f"{_build_create_command(names)}"
            )
    made = records.ensure_workspace(service.db, *names, scope["smalt.principal"])
    same = [one for one in every if one.name.lower() == names[2].lower()]
    more = f"; another workspace of that name is in {_render_group(_get_names(same[0]), names)}" if same else ""
    scope[NOTE] = f"created workspace '{names[2]}' in resource group '{names[1]}', as it did not exist{more}"
    return made


def make_not_found(service: ServerContext, names: Names) -> NotFound:
    """Return the error for a missing workspace, with the most similar name."""
    every = records.list_workspaces(service.db)
    beside = [one for one in every if _is_within(one, names)]
    meant = _find_similar(names[2], beside) or _find_similar(names[2], every)
    if meant:
        return NotFound(f"{_render_missing(names)}; did you mean {_render_workspace(meant[0], names)}?")
    listed = ", ".join(sorted(one.name for one in beside)[:_MOST])
    there = f"there are: {listed}" if beside else "see: smalt workspace list"
    return NotFound(f"{_render_missing(names)}; {there}; to make it: {_build_create_command(names)}")


def _find_similar(name: str, workspaces: list[Workspace]) -> list[Workspace]:
    """Return the workspaces with the same name, else those with the most similar one."""
    near = difflib.get_close_matches(name.lower(), [one.name.lower() for one in workspaces], 1)
    return [one for one in workspaces if one.name.lower() in near]


def check_names(names: Names) -> None:
    for name in names:
        if not workspace_paths.is_valid_name(name):
            raise ValidationException(
                f"'{name[:100]}' cannot be the name of a subscription, resource group or workspace; "
                "use letters, digits, '-', '_' and '.'"
            )


def _is_allowed_to_create(scope: Scope) -> bool:
    headers = dict(scope["headers"])
    if scope["smalt.job"] is not None or scope["method"] == "DELETE":
        return False
    is_program = headers.get(MAKES) == b"1" or _AZURE.search(headers.get(b"user-agent", b"")) is not None
    return is_program or scope["method"] == "PUT"


def _is_default(service: ServerContext, names: Names) -> bool:
    defaults = service.settings.defaults
    default = (
        defaults.get("subscription") or ids.DEFAULT_SUBSCRIPTION,
        defaults.get("group") or ids.DEFAULT_RESOURCE_GROUP,
        defaults.get("workspace") or ids.DEFAULT_WORKSPACE,
    )
    return _to_lower(names) == _to_lower(default)


def _get_names(workspace: Workspace) -> Names:
    return workspace.subscription, workspace.resource_group, workspace.name


def _is_within(one: Workspace, names: Names) -> bool:
    return _to_lower(_get_names(one))[:2] == _to_lower(names)[:2]


def _to_lower(names: Names) -> list[str]:
    return [name.lower() for name in names]


def _is_typo(names: Names, known: Names) -> bool:
    """True if the names differ from a workspace's by a single typing error in one of them."""
    pairs = [pair for pair in zip(_to_lower(names), _to_lower(known), strict=True) if pair[0] != pair[1]]
    return len(pairs) == 1 and is_typo(*pairs[0])


def _render_missing(names: Names) -> str:
    subscription = "" if names[0].lower() == ids.DEFAULT_SUBSCRIPTION else f" of subscription '{names[0]}'"
    return f"there is no workspace '{names[2]}' in resource group '{names[1]}'{subscription}"


def _render_workspace(one: Workspace, names: Names) -> str:
    return f"'{one.name}'" if _is_within(one, names) else f"'{one.name}' in {_render_group(_get_names(one), names)}"


def _render_group(there: Names, names: Names) -> str:
    subscription = "" if there[0].lower() == names[0].lower() else f" of subscription '{there[0]}'"
    return f"resource group '{there[1]}'{subscription}"


def _build_create_command(names: Names) -> str:
    subscription = "" if names[0] == ids.DEFAULT_SUBSCRIPTION else f" --subscription {shlex.quote(names[0])}"
    return f"smalt workspace create --name {shlex.quote(names[2])} -g {shlex.quote(names[1])}{subscription}"
