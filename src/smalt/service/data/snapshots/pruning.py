"""Clearing the store of snapshots."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Collection
from pathlib import Path

from smalt.service.data.files.copying import remove_tree
from smalt.service.data.snapshots import manifest
from smalt.service.data.snapshots.manifest import EXECUTABLE, FILE, Entry
from smalt.service.data.snapshots.object_store import Objects

_UPLOADING = 3600.0
"""A blob may wait this long for the manifest that names it."""


def prune(
    folder: Path, objects: Objects, keep: Collection[str], older_than: float, dry_run: bool
) -> list[tuple[str, int]]:
    """Trees go before the blobs that only they name, so that a crash leaves no tree without its blobs."""
    now = time.time()
    live: set[str] = set()
    doomed: dict[str, list[Entry]] = {}
    for tree in _files(folder / "trees"):
        entries = _blobs(tree)
        if tree.name in keep or now - tree.stat().st_mtime < older_than:
            live.update(entry.content for entry in entries)
        else:
            doomed[tree.name] = entries
    freed: list[tuple[str, int]] = []
    gone = set(live)
    for hash, entries in doomed.items():
        own = {entry.content: entry.size for entry in entries if entry.content not in gone}
        gone.update(own)
        freed.append((hash, sum(own.values())))
        if not dry_run:
            (folder / "trees" / hash).unlink()
            for sha in own:
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(objects.path(sha))
    if not dry_run:
        _sweep(folder, objects, live, now - max(older_than, _UPLOADING))
    return freed


def _sweep(folder: Path, objects: Objects, live: set[str], before: float) -> None:
    """Blobs that no tree names and no upload waits for, cut-off writes, and what is known of folders not seen since."""
    for shelf in _folders(objects.folder):
        if shelf.name == "incoming":
            for left in (*_folders(shelf), *_files(shelf)):
                if left.stat().st_mtime < before:
                    remove_tree(left)
            continue
        for blob in _files(shelf):
            if shelf.name + blob.name not in live and blob.stat().st_mtime < before:
                blob.unlink()
    for cache in _files(folder / "stat"):
        if cache.stat().st_mtime < before:
            cache.unlink()


def _blobs(tree: Path) -> list[Entry]:
    return [entry for entry in manifest.decode(tree.read_bytes()) if entry.kind in (FILE, EXECUTABLE)]


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.is_file()) if folder.is_dir() else []


def _folders(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else []
