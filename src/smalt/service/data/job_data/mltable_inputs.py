"""What an MLTable names that is not beside it: for a job these are found, or fetched, before it starts."""

from __future__ import annotations

import os
import re
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from smalt.exceptions import ValidationException

VARIABLE = "SMALT_DATA"
"""Where a job is told; see mltable/locations.py."""
_FILE = "MLTable"


class Named(NamedTuple):
    """Data that an MLTable names and that is not in the MLTable's own folder."""

    written: str
    uri: str
    """A URI, or a path of this machine; of a pattern the folder in which it looks."""
    pattern: str = ""
    """A regular expression for the paths below that folder; empty for a file or folder."""
    is_remote: bool = False
    """It is named by a URI, and smalt tells the job where it is."""
    is_relative: bool = False


def referred(folder: Path) -> list[str]:
    """The URIs of the files and folders that the MLTable of a folder names, each once."""
    if not (folder / _FILE).is_file():
        return []
    return list(dict.fromkeys(one.uri for one in named(folder) if one.is_remote))


def named(folder: Path) -> list[Named]:
    """The data that the MLTable of a folder names outside of the folder; ValidationException where it is wrong."""
    path = folder / _FILE
    try:
        entries = _entries(path.read_text(encoding="utf-8", errors="replace"), str(path))
    except OSError as error:
        raise ValidationException(f"{path} cannot be read: {error.strerror}") from None
    found = [_named(kind, written, str(folder)) for kind, written in entries]
    return [one for one in found if one is not None]


@lru_cache(maxsize=64)
def _entries(text: str, path: str) -> list[tuple[str, str]]:
    """(file, folder or pattern; the path as it is written) of each entry."""
    from smalt.mltable import document, errors  # the parser is for jobs with tables only

    try:
        content = document.parse(text, path)
    except errors.UserErrorException as error:
        raise ValidationException(error.message) from None
    return [next(iter(entry.items())) for entry in content["paths"]]


def _named(kind: str, written: str, folder: str) -> Named | None:
    """None for what is in the folder."""
    from smalt.mltable import locations

    steady, pattern = written, ""
    if kind == "pattern":
        steady = _steady(written)
        pattern = locations.translated(locations.plain(written)[len(locations.plain(steady)) :].lstrip("/"))
    if locations.is_remote(written):
        return Named(written, steady, pattern, is_remote=True)
    path = locations.plain(steady)
    if os.path.isabs(locations.plain(written)):
        return Named(written, os.path.normpath(path or "/"), pattern)
    relative = os.path.normpath(path or ".")
    if relative.split("/")[0] != "..":
        return None
    return Named(written, os.path.normpath(os.path.join(folder, relative)), pattern, is_relative=True)


def _steady(pattern: str) -> str:
    """The folder in which a pattern looks."""
    return re.split(r"[*?\[]", pattern, maxsplit=1)[0].rpartition("/")[0]
