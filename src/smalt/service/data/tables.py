"""What an MLTable names that is not beside it: for a job these are found, or fetched, before it starts."""

from __future__ import annotations

import re
from pathlib import Path

from smalt.exceptions import ValidationException

VARIABLE = "SMALT_DATA"
"""Where a job is told; see mltable/locations.py."""


def referred(folder: Path) -> list[str]:
    """The URIs of the files and folders that the MLTable of a folder names, each once."""
    from smalt.mltable import document, errors, locations  # the parser is for jobs with tables only

    if not (folder / document.NAME).is_file():
        return []
    try:
        content = document.load(str(folder))
    except errors.UserErrorException as error:
        raise ValidationException(error.message) from None
    found: dict[str, None] = {}
    for entry in content["paths"]:
        kind, path = next(iter(entry.items()))
        if locations.is_remote(path):
            found[_steady(path) if kind == "pattern" else path] = None
    return list(found)


def _steady(pattern: str) -> str:
    """The folder in which a pattern looks."""
    return re.split(r"[*?\[]", pattern, maxsplit=1)[0].rpartition("/")[0]
