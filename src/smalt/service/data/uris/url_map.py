"""The URL map: prefixes of any scheme, served from folders or files of this machine."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import unquote

from smalt.service.data.files.path_containment import resolve_inside

_PLAIN = ("azureml:", "/")
"""Beginnings of URIs that are never percent-encoded."""


def find_mapped(table: Mapping[str, str], spellings: list[str]) -> Path | None:
    """Return the path to which the longest prefix of any spelling of a URI leads; None if none is mapped."""
    best: tuple[int, str, str, bool] | None = None
    for prefix, target in table.items():
        for uri in spellings:
            rest = _remove_prefix(prefix, uri)
            if rest is not None and (best is None or len(prefix) > best[0]):
                best = (len(prefix), target, rest, not uri.startswith(_PLAIN))
    if best is None:
        return None
    _, target, rest, encoded = best
    root = Path(os.path.expanduser(target.removeprefix("file://")))
    relative = unquote(rest) if encoded else rest
    return resolve_inside(root, relative.lstrip("/"), links=False)


def _remove_prefix(prefix: str, uri: str) -> str | None:
    """Return the rest of `uri` after `prefix`, if that ends at a boundary; without query and fragment."""
    if not prefix:
        return None
    plain, wanted = _lower_host(uri), _lower_host(prefix)
    if not uri.startswith(_PLAIN):
        plain = plain.partition("#")[0]
        if "?" not in wanted:
            plain = plain.partition("?")[0]
    if plain.rstrip("/") == wanted.rstrip("/"):
        return ""
    if plain.startswith(wanted) and (wanted.endswith("/") or plain[len(wanted)] == "/"):
        return plain[len(wanted) :]
    return None


def _lower_host(uri: str) -> str:
    """Return a URI with scheme and host in lower case, for comparison."""
    scheme, separator, rest = uri.partition("://")
    if not separator:
        return uri
    host, slash, path = rest.partition("/")
    return f"{scheme.lower()}://{host.lower()}{slash}{path}"
