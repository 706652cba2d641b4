"""Installed packages of a site folder, read from its metadata folders; nothing is imported or started."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterable, Sequence
from pathlib import Path


class PackageHashes:
    """The hashes of packages' files, each read again only if its list of files changed."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[tuple[int, ...], str]] = {}

    def get_hash(self, metadata: Path) -> str:
        """Return the hash of a package by its metadata folder; empty if the folder has no list of files."""
        try:
            status = os.stat(metadata / "RECORD")
        except OSError:
            return ""
        mark = (status.st_mtime_ns, status.st_ctime_ns, status.st_size, status.st_ino)
        known = self._known.get(str(metadata))
        if known is None or known[0] != mark:
            known = self._known[str(metadata)] = (mark, (_hash_wheel(metadata) or "").removeprefix("sha256:")[:12])
        return known[1]


def list_packages(folders: Iterable[str | Path], contents: PackageHashes | None = None) -> list[str]:
    """Return `name==version` of every package, sorted; one from a URL with that URL's own identity.

    With `contents`, each has the hash of its files appended: the same version may be other code.
    """
    found: dict[str, str] = {}
    for folder in folders:
        for name in _list_folder(folder):
            match = re.fullmatch(r"(.+?)-(.+)\.(?:dist|egg)-info", name)
            if match:
                content = contents.get_hash(Path(folder, name)) if contents else ""
                said = match[2] + _read_origin(Path(folder, name))
                found.setdefault(_normalize(match[1]), f"{said} #{content}" if content else said)
    return sorted(f"{name}=={version}" for name, version in found.items())


def get_recorded_size(folder: Path) -> int:
    """Return the bytes of the packages in a virtual environment by their own lists: a walk takes as long as
    installing.
    """
    total = 0
    for record in folder.glob("lib/python*/site-packages/*.dist-info/RECORD"):
        for line in record.read_text(errors="replace").splitlines():
            size = line.rpartition(",")[2]
            total += int(size) if size.isdecimal() else 0
    return total


def make_realised_hash(version: str, installed: Sequence[str]) -> str:
    """Return the hash of what is installed, however it was declared: Python's version and the packages."""
    content = {"python": version, "packages": sorted(installed)}
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()[:32]


def _list_folder(folder: str | Path) -> list[str]:
    try:
        return os.listdir(folder)
    except OSError:
        return []


def _read_origin(metadata: Path) -> str:
    try:
        content = json.loads((metadata / "direct_url.json").read_text())
    except (OSError, ValueError):
        return ""
    archive = content.get("archive_info")
    identity = content.get("vcs_info", {}).get("commit_id") or (archive or {}).get("hash")
    if not identity and archive is not None and str(content.get("url")).startswith("file:"):
        identity = _hash_wheel(
            metadata
        )  # wherever the wheel lay: the one of smalt's own mltable in a folder of its own
    return f" @ {identity or content.get('url', '')}"


def _hash_wheel(metadata: Path) -> str | None:
    """Return the hash of what a wheel installed, by its RECORD; None if that lists nothing."""
    try:
        lines = (metadata / "RECORD").read_text().splitlines()
    except (OSError, UnicodeDecodeError):
        return None
    files = sorted(line for line in lines if ",sha256=" in line and ".dist-info/" not in line and line[:2] != "..")
    return "sha256:" + hashlib.sha256("\n".join(files).encode()).hexdigest()[:32] if files else None


def _normalize(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
