"""Errors of environment builds, as sentences."""

from __future__ import annotations

import re
from collections.abc import Sequence

from smalt.exceptions import SmaltError

_LONGEST = 600
_ADVICE = (
    (
        r"os error 28|[Nn]o space left",
        "free disk space ('smalt prune' removes what is no longer used) and submit it again",
    ),
    (r"was killed by signal", "submit it again; if memory was short, while less is running"),
    (
        r"[Ff]ailed to fetch|error sending request|dns error",
        "check the network and the package index that pip is configured for",
    ),
    (r"[Pp]ermission denied|Read-only file system|Not a directory", "make the home writable"),
)


class EnvironmentFailed(SmaltError):
    """An environment could not be built; the job that needs it fails."""

    code = "EnvironmentFailed"


class ImageUnavailable(EnvironmentFailed):
    """An image that cannot be used here: no network, no such name, access denied, or another Python than asked for."""


def read_uv_error(lines: Sequence[str]) -> str:
    """Return uv's reason for giving up, from its output, on one line."""
    start = next((index for index, line in enumerate(lines) if _is_error(line)), None)
    if start is None:
        return " ".join(" ".join(lines[-3:]).split()) or "uv said nothing"
    words: list[str] = []
    for line in lines[start:]:
        if words and (not line.strip() or line.lstrip().startswith(("hint:", "[stdout]", "[stderr]"))):
            break
        words.append(_strip_marks(line))
    text = " ".join(" ".join(words).split()).replace(" : ", ": ").rstrip(".")
    return text if len(text) <= _LONGEST else text[:_LONGEST] + "…"


def find_advice(why: str) -> str | None:
    """Return what to do about a failure that the packages did not cause."""
    return next((words for pattern, words in _ADVICE if re.search(pattern, why)), None)


def _is_error(line: str) -> bool:
    return line.startswith("error:") or line.lstrip().startswith("× ")


def _strip_marks(line: str) -> str:
    line = re.sub(r"^\s*(error:|× |╰─▶|├─▶|│)\s*", "", line)
    return re.sub(r"^\s*cause:\s*", ": ", line)
