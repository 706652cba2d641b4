"""`smalt config …`: the settings of the home."""

from __future__ import annotations

import json
import os
import sys
from typing import Any

import click

from smalt.cli.framework.verb import Invocation, Noun

config = Noun("config", "Settings of the home.", ("name", "value"))

_PATH = "/smalt/v1/config"
_FOLDERS = frozenset({"url-map", "registry", "image-map"})
_PROGRAMS = frozenset({"host-python", "mlflow-python"})


@config.verb("set", click.Argument(["name"]), click.Argument(["values"], nargs=-1, required=True, metavar="VALUE…"))
def set_setting(to: Invocation, name: str, values: tuple[str, ...]) -> Any:
    """Change a setting; one that is a mapping takes KEY=VALUE, such as url-map PREFIX=FOLDER."""
    settings = _known(_settings(to), name)
    change = _entries(name, values) if isinstance(settings[name], dict) else _single(name, values)
    return {name: _settings(to, {name: change})[name]}


@config.verb("get", click.Argument(["name"]))
def get_setting(to: Invocation, name: str) -> Any:
    """Show a setting."""
    return _known(_settings(to), name)[name]


@config.verb("list")
def list_settings(to: Invocation) -> Any:
    """Show all settings, those that are not set with their defaults."""
    return _settings(to)


@config.verb("unset", click.Argument(["name"]), click.Argument(["keys"], nargs=-1, metavar="[KEY…]"))
def unset(to: Invocation, name: str, keys: tuple[str, ...]) -> Any:
    """Make a setting the default again; of a mapping, remove only these keys."""
    _known(_settings(to), name)
    return {name: _settings(to, {name: dict.fromkeys(keys) if keys else None})[name]}


def _settings(to: Invocation, changes: dict[str, Any] | None = None) -> dict[str, Any]:
    """Return all settings, changed before; by the server where one runs, else by a process of their own.

    So they can be mended that keep the server from starting.
    """
    from smalt.client.connection import autostart

    if os.environ.get("SMALT_URL") or autostart.running(to.home):
        settings: dict[str, Any] = to.connection.patch(_PATH, changes) if changes else to.connection.get(_PATH)
        return settings
    return _without_server(to, changes)


def _without_server(to: Invocation, changes: dict[str, Any] | None) -> dict[str, Any]:
    import subprocess

    done = subprocess.run(
        [sys.executable, "-m", "smalt.service.offline_settings"],
        input=json.dumps(changes or {}),
        capture_output=True,
        text=True,
        env={**os.environ, "SMALT_HOME": str(to.home.root)},
    )
    if done.returncode:
        lines = done.stderr.strip().splitlines()
        raise click.ClickException(lines[-1] if lines else "the settings cannot be read")
    answer = json.loads(done.stdout)
    for name, problem in answer["problems"].items():
        to.note(f"warning: {problem}; to remove it: smalt config unset {name}")
    settings: dict[str, Any] = answer["settings"]
    return settings


def _known(settings: dict[str, Any], name: str) -> dict[str, Any]:
    if name not in settings:
        import difflib

        near = difflib.get_close_matches(name, settings, 1)
        hint = f"did you mean '{near[0]}'?" if near else f"the settings are {', '.join(settings)}"
        raise click.UsageError(f"there is no setting '{name}'; {hint}")
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
