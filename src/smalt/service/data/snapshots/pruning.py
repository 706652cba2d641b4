"""Pruning of the snapshot store."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Collection
from pathlib import Path

from smalt.service.data.files.copying import remove_tree
from smalt.service.data.snapshots import manifest
from smalt.service.data.snapshots.manifest import EXECUTABLE, FILE, ManifestEntry
from smalt.service.data.snapshots.object_store import ObjectStore

_UPLOADING = 3600.0
"""A blob may wait this long for the manifest that names it."""


def prune_snapshots(
    folder: Path, objects: ObjectStore, keep: Collection[str], older_than: float, dry_run: bool
) -> list[tuple[str, int]]:
    """Remove trees before the blobs that only they name, so that a crash leaves no tree without its blobs."""
    now = time.time()
    live: set[str] = set()
    doomed: dict[str, list[ManifestEntry]] = {}
    for tree in _list_files(folder / "trees"):
        entries = _list_blobs(tree)
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
                    os.unlink(objects.get_path(sha))
    if not dry_run:
        _remove_unnamed(folder, objects, live, now - max(older_than, _UPLOADING))
    return freed


def _remove_unnamed(folder: Path, objects: ObjectStore, live: set[str], before: float) -> None:
    """Remove blobs that no tree names and no upload waits for, cut-off writes, and caches of folders not seen since."""
    for shelf in _list_folders(objects.folder):
        if shelf.name == "incoming":
            for left in (*_list_folders(shelf), *_list_files(shelf)):
                if left.stat().st_mtime < before:
                    remove_tree(left)
            continue
        for blob in _list_files(shelf):
            if shelf.name + blob.name not in live and blob.stat().st_mtime < before:
                blob.unlink()
    for cache in _list_files(folder / "stat"):
        if cache.stat().st_mtime < before:
            cache.unlink()


def _list_blobs(tree: Path) -> list[ManifestEntry]:
    return [entry for entry in manifest.decode_manifest(tree.read_bytes()) if entry.kind in (FILE, EXECUTABLE)]


def _list_files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.is_file()) if folder.is_dir() else []


def _list_folders(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else []
