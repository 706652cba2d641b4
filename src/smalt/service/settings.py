"""The home's settings: `config.json`, the defaults and the rules. docs/settings.md documents each for users."""

from __future__ import annotations

import json
import os
import re
import shlex
import socket
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from smalt.exceptions import LocatedProblem, Unavailable, ValidationException
from smalt.machine.home import Home

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}")


class SettingRule(NamedTuple):
    """The default of a setting and the check that converts a value, or raises a ValueError with the reason."""

    default: Any
    check: Callable[[Any], Any]
    try_out: Callable[[Any], None] | None = None
    """Raises a ValueError where this machine cannot do it now; asked before a change is kept, not at each start."""


class ServerSettings(Mapping[str, Any]):
    """The settings of one home, by name or as attributes (`idle_minutes` for `idle-minutes`).

    The server keeps one object for its life; all holders see a change through `update`.
    """

    idle_minutes: float
    compute: str
    fidelity: str
    url_map: dict[str, str]
    image_map: dict[str, str]
    registry: dict[str, str]
    host_python: str | None
    mlflow_python: str | None
    conda_channels: dict[str, str]
    container_command: str | None
    container_arguments: str
    defaults: dict[str, str]
    cpus: int | None
    max_body_mb: float
    listen: str
    port: int | None
    allowed_hosts: list[str]
    public_url: str | None
    snapshot_max_files: int | None
    snapshot_max_bytes: int | None
    remote_cache_max_bytes: int
    remote_login: str
    job_identity: str
    missed_ticks: str
    online_idle_minutes: float
    warm: str
    warm_idle_minutes: float
    online_memory_mb: int | None
    studio_folder: str | None

    def __init__(self, home: Home, *, lenient: bool = False) -> None:
        """Read the settings; if `lenient`, wrong values are kept, each with its sentence in `problems`, and can be
        unset."""
        self._home = home
        self.problems: dict[str, str] = {}
        self._stored = self._load(lenient)
        self._set_attributes()

    def __getitem__(self, name: str) -> Any:
        return self._stored.get(name, SETTINGS[name].default)

    def __iter__(self) -> Iterator[str]:
        return iter(SETTINGS)

    def __len__(self) -> int:
        return len(SETTINGS)

    def as_dict(self) -> dict[str, Any]:
        """Return every setting by its name, with defaults."""
        return dict(self)

    def check_changes(self, changes: Mapping[str, Any]) -> None:
        """Raise ValidationException for changes that are wrong or that this machine cannot make now; may take
        seconds."""
        self._merge_changes(changes, try_out=True)

    def update(self, changes: Mapping[str, Any]) -> None:
        """Change some settings, all or none, and write them down; null restores the default.

        The entries of a mapping are merged; null removes an entry. `check_changes` tells if the machine can do it.
        """
        stored = self._merge_changes(changes, try_out=False)
        stored = {name: value for name, value in stored.items() if value is not None}
        self._home.write("config.json", json.dumps(stored, indent=2) + "\n")
        self._stored = stored
        self.problems = {name: problem for name, problem in self.problems.items() if name not in changes}
        self._set_attributes()

    def _merge_changes(self, changes: Mapping[str, Any], *, try_out: bool) -> dict[str, Any]:
        """Return the stored settings with the changes; the error lists everything that is wrong with them."""
        stored, problems = dict(self._stored), []
        for name, value in changes.items():
            try:
                stored[name] = _merge_value(name, stored.get(name), value)
                if try_out:
                    _try_value(name, stored[name])
            except ValueError as error:
                problems.append(LocatedProblem("", 0, 0, str(error)))
        if problems:
            raise ValidationException(problems)
        return stored

    def _load(self, lenient: bool) -> dict[str, Any]:
        path = self._home.path("config.json")
        text = self._home.read("config.json")
        try:
            stored = json.loads(text) if text else {}
            if not isinstance(stored, dict):
                raise ValueError("it holds no JSON object")
            for name in stored.keys() & SETTINGS.keys():
                try:
                    stored[name] = _check_value(name, stored[name])
                except ValueError as error:
                    if not lenient:
                        raise ValueError(f"{error}; to remove it: smalt config unset {name}") from None
                    self.problems[name] = str(error)
        except ValueError as error:
            hint = "" if "smalt config unset" in str(error) else "; correct the file or remove it"
            raise Unavailable(f"{path}: {error}{hint}") from None
        return stored

    def _set_attributes(self) -> None:
        for name, value in self.items():
            setattr(self, name.replace("-", "_"), value)


def _merge_value(name: str, before: Any, value: Any) -> Any:
    if name not in SETTINGS:
        known = ", ".join(SETTINGS)
        raise ValueError(f"there is no setting '{name}'; the settings are {known}")
    if value is None:
        return None
    if isinstance(SETTINGS[name].default, dict) and isinstance(value, dict):
        value = {key: entry for key, entry in {**(before or {}), **value}.items() if entry is not None}
    return _check_value(name, value)


def _try_value(name: str, value: Any) -> None:
    try_out = SETTINGS[name].try_out
    if value is None or try_out is None:
        return
    try:
        try_out(value)
    except ValueError as error:
        raise ValueError(f"setting '{name}' {error}") from None


def _check_value(name: str, value: Any) -> Any:
    try:
        return SETTINGS[name].check(value)
    except ValueError as error:
        raise ValueError(f"setting '{name}' {error}, not {json.dumps(value)}") from None


def _check_number(lowest: float) -> Callable[[Any], float]:
    def check(value: Any) -> float:
        try:
            number = float(value) if not isinstance(value, bool) else -1.0
        except (TypeError, ValueError):
            number = -1.0
        if not lowest <= number < 1e15:
            raise ValueError(f"must be a number of at least {lowest:g}")
        return number

    return check


def _check_whole_number(lowest: int) -> Callable[[Any], int]:
    number = _check_number(lowest)

    def check(value: Any) -> int:
        if number(value) != int(number(value)):
            raise ValueError("must be a whole number")
        return int(number(value))

    return check


def _check_choice(*choices: str) -> Callable[[Any], str]:
    def check(value: Any) -> str:
        if value not in choices:
            raise ValueError("must be " + " or ".join(f"'{choice}'" for choice in choices))
        return str(value)

    return check


def _check_text(value: Any) -> str:
    if not isinstance(value, str) or not value or "\0" in value:
        raise ValueError("must be a text")
    return value


def _check_words(value: Any) -> str:
    try:
        return value if value == "" or shlex.split(_check_text(value)) else ""
    except ValueError:
        raise ValueError("must be words of a command line") from None


def _check_texts(value: Any) -> list[str]:
    entries = [entry.strip() for entry in value.split(",")] if isinstance(value, str) else value
    if not isinstance(entries, list) or not all(isinstance(entry, str) and entry for entry in entries):
        raise ValueError("must be a list of texts")
    return entries


def _check_mapping(value: Any) -> dict[str, str]:
    if not isinstance(value, dict) or not all(isinstance(entry, str) for entry in value.values()):
        raise ValueError("must map texts to texts")
    return value


def _check_program(value: Any) -> str:
    path = os.path.abspath(os.path.expanduser(_check_text(value)))
    if not os.access(path, os.X_OK) or os.path.isdir(path):
        raise ValueError("must be the path of a Python program")
    return path


def _check_path(value: Any) -> str:
    return os.path.abspath(os.path.expanduser(_check_text(value)))


def _try_folder(path: str) -> None:
    if not os.path.isdir(path):
        raise ValueError(f"must be a folder of this machine, and there is none at '{path}'")


def _check_base_url(value: Any) -> str:
    from urllib.parse import urlsplit  # not needed where no server has a proxy before it

    if not _check_text(value).startswith(("http://", "https://")) or not urlsplit(value).hostname:
        raise ValueError("must be a URL that begins with http:// or https:// and a host")
    return str(value).rstrip("/")


def _check_address(value: Any) -> str:
    host = _check_text(value)
    if re.fullmatch(r"\[.*\](:\d+)?|[^:]+:\d+", host) or "/" in host:
        raise ValueError("must be an address or host name alone; the port has a setting of its own, 'port'")
    return host


def _check_port(value: Any) -> int:
    number = _check_whole_number(1)(value)
    if number > 65535:
        raise ValueError("must be a port, from 1 to 65535")
    return number


def _try_listening(host: str) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with socket.socket(family) as probe:
            probe.bind((host, 0))
    except OSError as error:
        reason = error.strerror or error
        raise ValueError(f"must be an address of this machine, and nothing can listen on '{host}': {reason}") from None


def _try_python(path: str) -> None:
    import subprocess  # slow to import, and seldom needed

    try:
        done = subprocess.run([path, "-c", "print('smalt')"], capture_output=True, timeout=10, check=False)
    except (OSError, subprocess.SubprocessError):
        done = None
    if done is None or done.stdout.strip() != b"smalt":
        raise ValueError(f"must be the path of a Python program, and {path} does not run a line of Python")


def _check_host_names(value: Any) -> list[str]:
    names = _check_texts(value)
    for name in names:
        if re.search(r"[\s/]", name):
            raise ValueError("must be host names, without scheme and path")
    return names


def _check_channels(value: Any) -> dict[str, str]:
    entries = _check_mapping(value)
    for place in entries.values():
        if "://" not in place and not os.path.isabs(place):
            raise ValueError("must map names of channels to URLs or absolute folders")
    return entries


def _check_url_map(value: Any) -> dict[str, str]:
    entries = _check_mapping(value)
    for prefix, folder in entries.items():
        if not prefix or not os.path.isabs(folder):
            raise ValueError("must map URL prefixes to absolute folders")
    return entries


def _check_image_map(value: Any) -> dict[str, str]:
    entries = _check_mapping(value)
    for image, file in entries.items():
        if not image or re.search(r"\s", image) or not os.path.isabs(file):
            raise ValueError("must map names or patterns of images to files by their whole paths")
    return entries


def _try_files(entries: dict[str, str]) -> None:
    for image, file in entries.items():
        if not os.path.isfile(file):
            raise ValueError(
                f"must map '{image}' to a conda file, requirements.txt or Dockerfile; '{file}' is not a file"
            )


def _check_registries(value: Any) -> dict[str, str]:
    entries = _check_mapping(value)
    for name, folder in entries.items():
        if not _NAME.fullmatch(name) or name.lower() in ("azureml", "smalt"):
            raise ValueError(
                "must map names of registries (letters, digits, '-' and '_'; 'azureml' and 'smalt' are smalt's own) to "
                "folders"
            )
        if not os.path.isabs(folder):
            raise ValueError("must map names of registries to absolute folders")
    return entries


SETTINGS: dict[str, SettingRule] = {
    "idle-minutes": SettingRule(30.0, _check_number(0)),
    "compute": SettingRule("any", _check_choice("any", "strict")),
    "fidelity": SettingRule("nearest", _check_choice("nearest", "strict")),
    "url-map": SettingRule({}, _check_url_map),
    "image-map": SettingRule({}, _check_image_map, _try_files),
    "registry": SettingRule({}, _check_registries),
    "host-python": SettingRule(None, _check_program, _try_python),
    "mlflow-python": SettingRule(None, _check_program, _try_python),
    "conda-channels": SettingRule({}, _check_channels),
    "container-command": SettingRule(None, _check_words),
    "container-arguments": SettingRule("", _check_words),
    "defaults": SettingRule({}, _check_mapping),
    "cpus": SettingRule(None, _check_whole_number(1)),
    "max-body-mb": SettingRule(64.0, _check_number(1)),
    "listen": SettingRule("127.0.0.1", _check_address, _try_listening),
    "port": SettingRule(None, _check_port),
    "allowed-hosts": SettingRule([], _check_host_names),
    "public-url": SettingRule(None, _check_base_url),
    "snapshot-max-files": SettingRule(None, _check_whole_number(1)),
    "snapshot-max-bytes": SettingRule(None, _check_whole_number(1)),
    "remote-cache-max-bytes": SettingRule(50_000_000_000, _check_whole_number(0)),
    "online-idle-minutes": SettingRule(0.0, _check_number(0)),
    "warm": SettingRule("on", _check_choice("on", "off")),
    "warm-idle-minutes": SettingRule(10.0, _check_number(0)),
    "online-memory-mb": SettingRule(None, _check_whole_number(64)),
    "studio-folder": SettingRule(None, _check_path, _try_folder),
    "job-identity": SettingRule("on", _check_choice("on", "off")),
    "missed-ticks": SettingRule("skip", _check_choice("skip", "once", "all")),
    "remote-login": SettingRule("anonymous", _check_choice("anonymous", "environment")),
}
