"""The URL map: prefixes of any scheme, served from folders or files of this machine."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import unquote

from smalt.service.data.files.path_containment import contained

_PLAIN = ("azureml:", "/")
"""What is never percent-encoded."""


def lookup(table: Mapping[str, str], spellings: list[str]) -> Path | None:
    """Where the longest prefix of any of the spellings of a URI leads, or None where none is mapped."""
    best: tuple[int, str, str, bool] | None = None
    for prefix, target in table.items():
        for uri in spellings:
            rest = _rest(prefix, uri)
            if rest is not None and (best is None or len(prefix) > best[0]):
                best = (len(prefix), target, rest, not uri.startswith(_PLAIN))
    if best is None:
        return None
    _, target, rest, encoded = best
    root = Path(os.path.expanduser(target.removeprefix("file://")))
    relative = unquote(rest) if encoded else rest
    return contained(root, relative.lstrip("/"), links=False)


def _rest(prefix: str, uri: str) -> str | None:
    """What follows `prefix` in `uri`, where it ends at a boundary; without query and fragment."""
    if not prefix:
        return None
    plain, wanted = _lowered(uri), _lowered(prefix)
    if not uri.startswith(_PLAIN):
        plain = plain.partition("#")[0]
        if "?" not in wanted:
            plain = plain.partition("?")[0]
    if plain.rstrip("/") == wanted.rstrip("/"):
        return ""
    if plain.startswith(wanted) and (wanted.endswith("/") or plain[len(wanted)] == "/"):
        return plain[len(wanted) :]
    return None


def _lowered(uri: str) -> str:
    """Scheme and host in lower case, as they compare."""
    scheme, separator, rest = uri.partition("://")
    if not separator:
        return uri
    host, slash, path = rest.partition("/")
    return f"{scheme.lower()}://{host.lower()}{slash}{path}"
