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
_READ_AT_START = frozenset({"cpus", "listen", "port"})
_PROGRAMS = frozenset({"host-python", "mlflow-python"})


@config.verb("set", click.Argument(["name"]), click.Argument(["values"], nargs=-1, required=True, metavar="VALUE…"))
def set_setting(ctx: Invocation, name: str, values: tuple[str, ...]) -> Any:
    """Change a setting; a mapping takes KEY=VALUE, such as url-map PREFIX=FOLDER."""
    settings = _check_known(_change_settings(ctx), name)
    change = _parse_entries(name, values) if isinstance(settings[name], dict) else _parse_single(name, values)
    changed = {name: _change_settings(ctx, {name: change})[name]}
    _note_start(ctx, name, settings[name] != changed[name])
    return changed


def _note_start(ctx: Invocation, name: str, is_changed: bool) -> None:
    """Say when a changed setting takes effect, if the server that runs has read the old value."""
    from smalt.client.connection import autostart

    if name in _READ_AT_START and is_changed and (os.environ.get("SMALT_URL") or autostart.is_running(ctx.home)):
        ctx.print_note(f"note: '{name}' takes effect when the server starts again: smalt server stop")


@config.verb("get", click.Argument(["name"]))
def get_setting(ctx: Invocation, name: str) -> Any:
    """Show a setting."""
    return _check_known(_change_settings(ctx), name)[name]


@config.verb("list")
def list_settings(ctx: Invocation) -> Any:
    """Show all settings, with the defaults of those that are not set."""
    return _change_settings(ctx)


@config.verb("unset", click.Argument(["name"]), click.Argument(["keys"], nargs=-1, metavar="[KEY…]"))
def unset_setting(ctx: Invocation, name: str, keys: tuple[str, ...]) -> Any:
    """Reset a setting to its default; of a mapping, remove only these keys."""
    _check_known(_change_settings(ctx), name)
    return {name: _change_settings(ctx, {name: dict.fromkeys(keys) if keys else None})[name]}


def _change_settings(ctx: Invocation, changes: dict[str, Any] | None = None) -> dict[str, Any]:
    """Change and return the settings: through the server if one runs, else in a process of its own.

    So a setting that keeps the server from starting can be corrected.
    """
    from smalt.client.connection import autostart

    if os.environ.get("SMALT_URL") or autostart.is_running(ctx.home):
        settings: dict[str, Any] = ctx.connection.patch(_PATH, changes) if changes else ctx.connection.get(_PATH)
        return settings
    return _change_offline(ctx, changes)


def _change_offline(ctx: Invocation, changes: dict[str, Any] | None) -> dict[str, Any]:
    import subprocess

    done = subprocess.run(
        [sys.executable, "-m", "smalt.service.offline_settings"],
        input=json.dumps(changes or {}),
        capture_output=True,
        text=True,
        env={**os.environ, "SMALT_HOME": str(ctx.home.root)},
    )
    if done.returncode:
        lines = done.stderr.strip().splitlines()
        raise click.ClickException(lines[-1] if lines else "the settings cannot be read")
    answer = json.loads(done.stdout)
    for name, problem in answer["problems"].items():
        ctx.print_note(f"warning: {problem}; to remove it: smalt config unset {name}")
    settings: dict[str, Any] = answer["settings"]
    return settings


def _check_known(settings: dict[str, Any], name: str) -> dict[str, Any]:
    if name not in settings:
        import difflib

        near = difflib.get_close_matches(name, settings, 1)
        hint = f"did you mean '{near[0]}'?" if near else f"the settings are {', '.join(settings)}"
        raise click.UsageError(f"there is no setting '{name}'; {hint}")
    return settings


def _parse_single(name: str, values: tuple[str, ...]) -> str:
    if len(values) > 1:
        raise click.UsageError(f"setting '{name}' takes one value, not {len(values)}")
    return os.path.abspath(os.path.expanduser(values[0])) if name in _PROGRAMS else values[0]


def _parse_entries(name: str, values: tuple[str, ...]) -> dict[str, str]:
    """Return the KEY=VALUE pairs, split at the last equals sign, as the key may be a URL with one."""
    entries = {}
    for pair in values:
        key, equals, value = pair.rpartition("=")
        if not equals or not key:
            raise click.UsageError(f"setting '{name}' takes KEY=VALUE, and '{pair}' is not one")
        entries[key] = os.path.abspath(os.path.expanduser(value)) if name in _FOLDERS else value
    return entries
