"""The workspace that a program or command line means, and who names it.

Subscription, resource group and workspace are each named by the first of these that does: the caller (options,
arguments), the environment, a `config.json` here or above, `az configure --defaults`, the home's setting `defaults`.
A workspace whose resource group or subscription only a later source names is found by its name, if that is unique
in the home.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, NamedTuple

from smalt.client.scope.config_file import find_workspace_config, get_current_folder, read_scope
from smalt.entities.schema.typos import is_typo
from smalt.exceptions import NotFound, ValidationException
from smalt.wire.encoding import ids

if TYPE_CHECKING:
    from smalt.machine.home import Home

AZ_DEFAULTS = "programs/az.json"
"""The file of the home with the settings of `az configure --defaults` and `az account set`."""
WEAK = "SMALT_WORKSPACE_IS_DEFAULT"
"""Set by `smalt exec` to the id of the workspace that its variables name, where nobody had named one: they then say
where programs run, and do not go before what the programs themselves configure."""

_VARIABLES = {
    "subscription": "AZUREML_ARM_SUBSCRIPTION",
    "group": "AZUREML_ARM_RESOURCEGROUP",
    "workspace": "AZUREML_ARM_WORKSPACE_NAME",
}
_OPTIONS = {"subscription": "--subscription", "group": "-g", "workspace": "-w"}
_LAST = {
    "subscription": ids.DEFAULT_SUBSCRIPTION, "group": ids.DEFAULT_RESOURCE_GROUP, "workspace": ids.DEFAULT_WORKSPACE,
}  # fmt: skip

Names = Mapping[str, str | None]
"""`subscription`, `group` and `workspace`, as far as they are named."""
Known = Callable[[], Iterable[str]]
"""Gives the ids of all workspaces of the home."""


class WorkspaceChoice(NamedTuple):
    subscription: str
    group: str
    workspace: str
    why: str
    """The origin of the workspace's name."""
    is_named: bool
    """True if the caller or the environment names it."""

    @property
    def id(self) -> str:
        return ids.build_workspace_id(self.subscription, self.group, self.workspace)


def choose_workspace(
    given: Names,
    home: Home | None,
    *,
    by: str = "named by the program",
    known: Known | None = None,
    is_remote: bool = False,
) -> WorkspaceChoice:
    """Return the workspace that the names and their defaults mean; `known` lists workspaces to find one by name.

    The settings of this home do not apply to a remote server.
    """
    sources = _list_sources(given, home, by, is_remote)
    found, rank, why = {}, {}, ""
    for part in _LAST:
        rank[part] = next(at for at, (_, names) in enumerate(sources) if names.get(part))
        found[part] = str(sources[rank[part]][1][part])
        why = sources[rank[part]][0]
    loose = {part for part in ("subscription", "group") if rank[part] > rank["workspace"]}
    if loose and known is not None:
        found = _find_by_name(found, loose, list(known()))
    return WorkspaceChoice(found["subscription"], found["group"], found["workspace"], why, rank["workspace"] < 2)


def format_options(workspace: tuple[str, str, str], without: WorkspaceChoice) -> str:
    """Return the options by which a command means `workspace`; "" if it means that workspace without any."""
    subscription, group, name = workspace
    if [one.lower() for one in (subscription, group, name)] == [one.lower() for one in without[:3]]:
        return ""
    text = f" -g {shlex.quote(group)} -w {shlex.quote(name)}"
    if subscription.lower() != without.subscription.lower():
        text += f" --subscription {shlex.quote(subscription)}"
    return text


def read_az_defaults(home: Home) -> dict[str, str]:
    """Return the defaults stored by `az configure --defaults` and `az account set`."""
    found = home.read_json(AZ_DEFAULTS)
    return {key: value for key, value in found.items() if isinstance(value, str)} if isinstance(found, dict) else {}


def _list_sources(given: Names, home: Home | None, by: str, is_remote: bool) -> list[tuple[str, Names]]:
    """Return the sources of names in order of precedence, each with its description and names."""
    if all(given.get(part) for part in _LAST):
        return [(by, given)]
    here = get_current_folder()
    config = find_workspace_config(here) if here else None
    named = dict(zip(_LAST, read_scope(config), strict=True)) if config else {}
    return [
        (by, given),
        (f"named by {_VARIABLES['workspace']}", _read_environment()),
        (f"named by {config}", named),
        ("named by 'az configure --defaults'", read_az_defaults(home) if home else {}),
        ("the home's default (the setting 'defaults')", _read_setting(home) if home and not is_remote else {}),
        ("smalt's default", _LAST),
    ]


def _read_environment() -> dict[str, str]:
    found = {part: os.environ.get(name, "") for part, name in _VARIABLES.items()}
    weak = os.environ.get(WEAK)
    if weak and ids.build_workspace_id(found["subscription"], found["group"], found["workspace"]) == weak:
        return {}
    return found


def _read_setting(home: Home) -> dict[str, str]:
    config = home.read_json("config.json")
    defaults = config.get("defaults") if isinstance(config, dict) else None
    return {key: value for key, value in (defaults or {}).items() if isinstance(value, str)}


def _find_by_name(found: dict[str, str], loose: set[str], every: list[str]) -> dict[str, str]:
    """Return the names of the only workspace that `found` may mean; the `loose` parts are defaults.

    Raises ValidationException if several may be meant.
    """
    parsed = [ids.parse_id(each) for each in every]
    there = [
        {"subscription": one.subscription, "group": one.resource_group, "workspace": one.workspace}
        for one in parsed
        if one is not None
    ]
    meant = [one for one in there if all(_is_same_part(one, found, part) for part in _LAST if part not in loose)]
    if not meant and "group" in loose:
        _check_typo(found["workspace"], there)
    if any(all(_is_same_part(one, found, part) for part in _LAST) for one in meant) or not meant:
        return found
    if len(meant) > 1:
        subscriptions = {each["subscription"] for each in meant}
        choices = ", or ".join(_format_choice(one, len(subscriptions) > 1) for one in meant)
        raise ValidationException(
            f"there are {len(meant)} workspaces called '{found['workspace']}'; choose one: {choices}"
        )
    return meant[0]


def _check_typo(name: str, there: list[dict[str, str]]) -> None:
    """Raise NotFound if the name is unknown in the home and nearly the name of a workspace there."""
    meant = next((one for one in there if is_typo(name, one["workspace"])), None)
    if meant is not None:
        raise NotFound(
            f"there is no workspace '{name}'; did you mean '{meant['workspace']}' in resource group "
            f"'{meant['group']}'? to create a new one: smalt workspace create --name {shlex.quote(name)} -g GROUP"
        )


def _is_same_part(one: Names, other: Names, part: str) -> bool:
    return str(one[part]).lower() == str(other[part]).lower()


def _format_choice(one: Mapping[str, str], with_subscription: bool) -> str:
    parts = ("subscription", "group", "workspace") if with_subscription else ("group", "workspace")
    return " ".join(f"{_OPTIONS[part]} {shlex.quote(one[part])}" for part in parts)
