"""What is installed in a site folder, read from its metadata folders; nothing is imported or started."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterable, Sequence
from pathlib import Path


def packages(folders: Iterable[str | Path]) -> list[str]:
    """`name==version` of every package, sorted; one from a URL with that URL's own identity."""
    found: dict[str, str] = {}
    for folder in folders:
        for name in _entries(folder):
            match = re.fullmatch(r"(.+?)-(.+)\.(?:dist|egg)-info", name)
            if match:
                found.setdefault(_normal(match[1]), match[2] + _origin(Path(folder, name)))
    return sorted(f"{name}=={version}" for name, version in found.items())


def realised_hash(version: str, installed: Sequence[str]) -> str:
    """The hash of what is there, whatever it was asked for as: Python's version and the packages."""
    content = {"python": version, "packages": sorted(installed)}
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()[:32]


def _entries(folder: str | Path) -> list[str]:
    try:
        return os.listdir(folder)
    except OSError:
        return []


def _origin(metadata: Path) -> str:
    try:
        content = json.loads((metadata / "direct_url.json").read_text())
    except (OSError, ValueError):
        return ""
    identity = content.get("vcs_info", {}).get("commit_id") or content.get("archive_info", {}).get("hash")
    return f" @ {identity or content.get('url', '')}"


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
