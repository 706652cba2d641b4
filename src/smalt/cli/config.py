"""`smalt config …`: the settings of the home."""

from __future__ import annotations

import os
from typing import Any

import click

from smalt.cli.verb import Invocation, Noun

config = Noun("config", "Settings of the home.", ("name", "value"))

_PATH = "/smalt/v1/config"
_FOLDERS = frozenset({"url-map", "registry"})
_PROGRAMS = frozenset({"host-python", "mlflow-python"})


@config.verb("set", click.Argument(["name"]), click.Argument(["values"], nargs=-1, required=True, metavar="VALUE…"))
def set_setting(to: Invocation, name: str, values: tuple[str, ...]) -> Any:
    """Change a setting; one that is a mapping takes KEY=VALUE, such as url-map PREFIX=FOLDER."""
    settings = _known(to.connection.get(_PATH), name)
    change = _entries(name, values) if isinstance(settings[name], dict) else _single(name, values)
    return {name: to.connection.patch(_PATH, {name: change})[name]}


@config.verb("get", click.Argument(["name"]))
def get_setting(to: Invocation, name: str) -> Any:
    """Show a setting."""
    return _known(to.connection.get(_PATH), name)[name]


@config.verb("list")
def list_settings(to: Invocation) -> Any:
    """Show all settings, those that are not set with their defaults."""
    return to.connection.get(_PATH)


@config.verb("unset", click.Argument(["name"]), click.Argument(["keys"], nargs=-1, metavar="[KEY…]"))
def unset(to: Invocation, name: str, keys: tuple[str, ...]) -> Any:
    """Make a setting the default again; of a mapping, remove only these keys."""
    _known(to.connection.get(_PATH), name)
    return {name: to.connection.patch(_PATH, {name: dict.fromkeys(keys) if keys else None})[name]}


def _known(settings: dict[str, Any], name: str) -> dict[str, Any]:
    if name not in settings:
        raise click.UsageError(f"there is no setting '{name}'; the settings are {', '.join(settings)}")
    return settings


def _single(name: str, values: tuple[str, ...]) -> str:
    if len(values) > 1:
        raise click.UsageError(f"setting '{name}' takes one value, not {len(values)}")
    return os.path.abspath(os.path.expanduser(values[0])) if name in _PROGRAMS else values[0]


def _entries(name: str, values: tuple[str, ...]) -> dict[str, str]:
    """KEY=VALUE pairs; the key may be a URL with an equals sign in it, so the last one divides."""
    entries = {}
    for pair in values:
        key, equals, value = pair.rpartition("=")
        if not equals or not key:
            raise click.UsageError(f"setting '{name}' takes KEY=VALUE, and '{pair}' is not one")
        entries[key] = os.path.abspath(os.path.expanduser(value)) if name in _FOLDERS else value
    return entries
