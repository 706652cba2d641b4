"""The setting image-map: files that describe images that cannot be pulled here."""

from __future__ import annotations

import re
from collections.abc import Mapping
from fnmatch import fnmatchcase
from pathlib import Path


def find_file(image: str, entries: Mapping[str, str]) -> Path | None:
    """Return the file for an image: by its name, with or without tag, else by the longest matching pattern."""
    names = [image, re.sub(r"(@[^/]*|:[^/:@]*(@[^/]*)?)$", "", image)]
    for name in names:
        if name in entries:
            return Path(entries[name])
    patterns = sorted(entries, key=len, reverse=True)
    found = next((each for each in patterns if any(fnmatchcase(name, each) for name in names)), None)
    return None if found is None else Path(entries[found])


def is_dockerfile(path: Path) -> bool:
    """True if a file is a Dockerfile by its name."""
    return path.name.lower().startswith("dockerfile") or path.suffix.lower() in (".dockerfile", ".docker")
