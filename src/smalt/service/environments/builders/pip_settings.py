"""Settings of pip on this machine, translated for uv, which reads neither pip's files nor its variables."""

from __future__ import annotations

import configparser
import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import unquote, urlsplit

_UV_INDEXES = ("UV_INDEX", "UV_DEFAULT_INDEX", "UV_INDEX_URL", "UV_EXTRA_INDEX_URL", "UV_FIND_LINKS", "UV_NO_INDEX")


def make_uv_variables(variables: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that make uv look where pip would; variables of uv that are set already win."""
    pip = _read_settings(variables)
    told: dict[str, str] = {"UV_INDEX_STRATEGY": "unsafe-best-match"}  # as pip: the best of all indexes
    if not any(name in variables for name in _UV_INDEXES):
        told.update(_make_index_variables(pip))
    for name, option in (("SSL_CERT_FILE", "cert"), ("HTTPS_PROXY", "proxy"), ("HTTP_PROXY", "proxy")):
        if pip.get(option):
            told[name] = pip[option]
    if pip.get("trusted-host"):
        told["UV_INSECURE_HOST"] = " ".join(pip["trusted-host"].split())
    if pip.get("timeout", "").isdigit():
        told["UV_HTTP_TIMEOUT"] = pip["timeout"]
    return {name: value for name, value in told.items() if name not in variables}


def forbids_indexes(variables: Mapping[str, str]) -> bool:
    return _read_settings(variables).get("no-index", "").lower() in ("1", "true", "yes", "on")


def _make_index_variables(pip: Mapping[str, str]) -> dict[str, str]:
    told = {}
    default = _list_existing(pip.get("index-url", ""))
    if default:
        told["UV_DEFAULT_INDEX"] = default[0]
    extra = _list_existing(pip.get("extra-index-url", ""))
    if extra:
        told["UV_INDEX"] = " ".join(extra)
    links = _list_existing(pip.get("find-links", ""))
    if links:
        told["UV_FIND_LINKS"] = ",".join(links)
    return told


def _list_existing(value: str) -> list[str]:
    """Return the entries of a list except local folders that do not exist: pip skips those, uv stops at them."""
    return [entry for entry in value.split() if not _is_missing(entry)]


def _is_missing(entry: str) -> bool:
    parts = urlsplit(entry)
    if parts.scheme in ("http", "https"):
        return False
    path = unquote(parts.path) if parts.scheme == "file" else entry
    return not os.path.exists(os.path.expanduser(path))


def _read_settings(variables: Mapping[str, str]) -> dict[str, str]:
    """Return pip's settings, later sources over earlier ones: its files, then PIP_*."""
    settings: dict[str, str] = {}
    for path in _list_files(variables):
        parser = configparser.RawConfigParser()
        try:
            parser.read(path, encoding="utf-8")
        except (configparser.Error, UnicodeDecodeError):
            continue
        for section in ("global", "install"):
            if parser.has_section(section):
                settings.update({name.replace("_", "-"): value for name, value in parser.items(section)})
    for name, value in variables.items():
        if name.startswith("PIP_"):
            settings[name[4:].lower().replace("_", "-")] = value
    return settings


def _list_files(variables: Mapping[str, str]) -> Iterator[Path]:
    named = variables.get("PIP_CONFIG_FILE")
    if named == os.devnull:
        return
    home = Path(variables.get("HOME") or os.path.expanduser("~"))
    for folder in variables.get("XDG_CONFIG_DIRS", "/etc/xdg").split(os.pathsep):
        yield Path(folder, "pip", "pip.conf")
    yield Path("/etc/pip.conf")
    yield home / ".pip" / "pip.conf"
    if sys.platform == "darwin":
        yield home / "Library/Application Support/pip/pip.conf"
    yield Path(variables.get("XDG_CONFIG_HOME") or home / ".config", "pip", "pip.conf")
    if named:
        yield Path(named)
