"""Scans: one walk over one folder, compared with what the last one knew."""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Callable
from pathlib import Path

from smalt.exceptions import RefusedError, Unavailable
from smalt.machine import stat_cache
from smalt.machine.ignore_rules import FILES, IgnoreRules, WalkedFolder, walk_folders
from smalt.machine.stat_cache import CacheEntry, StatCache
from smalt.service.data.snapshots.manifest import EXECUTABLE, FILE, FOLDER, LINK, ManifestEntry

_TRIES = 3

Reader = Callable[[str, int], str]
"""(path, size) → the sha256 of the bytes, after doing with them what is wanted."""


class FolderScan:
    def __init__(self, root: str, ignore: bool, place: Path, guard: Callable[[int, int], None]) -> None:
        self._root = root
        self._began = time.time_ns()
        self._place = place
        self._guard = guard
        self.last = stat_cache.load_cache(place)
        self._files: dict[str, dict[str, CacheEntry]] = {}
        self._rest: dict[str, str] = {}
        self._changed: list[tuple[str, str]] = []
        self._count = 0
        self._size = 0
        for folder in walk_folders(root, IgnoreRules.read(root) if ignore else None):
            self._compare_folder(folder)

    @property
    def is_unchanged(self) -> bool:
        """True if every file, link and empty folder is as it was at the last scan."""
        last = self.last
        return last is not None and not self._changed and self._count == last.total and self._rest == last.rest

    def read_changed(self, reader: Reader, is_kept: Callable[[str, int], bool]) -> None:
        """Read new files, and known ones if `is_kept` (sha256, size) says that the store no longer has them."""
        known = [(prefix, name) for prefix, names in self._files.items() for name in names]
        for prefix, name in known:
            file = self._files[prefix][name]
            if not is_kept(file[5], file[0]):
                self._changed.append((prefix, name))
        for prefix, name in self._changed:
            try:
                sha, status = read_steady(os.path.join(self._root, prefix + name), reader)
                self._files[prefix][name] = stat_cache.make_entry(status, sha)
            except FileNotFoundError:
                self._files[prefix].pop(name, None)  # deleted since the walk

    def list_entries(self) -> list[ManifestEntry]:
        entries = [
            ManifestEntry(prefix + name, EXECUTABLE if file[4] & stat.S_IXUSR else FILE, file[5], file[0])
            for prefix, names in self._files.items()
            for name, file in names.items()
        ]
        for path, target in self._rest.items():
            entries.append(ManifestEntry(path, LINK, target, 0) if target else ManifestEntry(path[:-1], FOLDER, "", 0))
        return entries

    def save(self, hash: str, files: int, size: int) -> None:
        """Save what is known for the next scan, except files that could have changed unseen since they were read."""
        safe = {
            prefix: {name: file for name, file in names.items() if not stat_cache.is_racy(file, self._began)}
            for prefix, names in self._files.items()
        }
        stat_cache.save_cache(self._place, StatCache(safe, self._rest, files, size, hash))

    def _compare_folder(self, folder: WalkedFolder) -> None:
        prefix = folder.prefix
        last = self.last.files.get(prefix) if self.last else None
        here: dict[str, CacheEntry] = {}
        size = 0
        for name, status in folder.files:
            length = status.st_size
            size += length
            was = last.get(name) if last else None
            if (
                was is not None
                and was[1] == status.st_mtime_ns
                and was[2] == status.st_ctime_ns
                and was[0] == length
                and was[3] == status.st_ino
                and was[4] == status.st_mode
            ):
                here[name] = was
            else:
                self._changed.append((prefix, name))
        if folder.files:
            self._files[prefix] = here
        for name, target in folder.links:
            self._rest[prefix + name] = target
        if folder.empty and prefix:
            self._rest[prefix] = ""
        self._count += len(folder.files)
        self._size += size
        self._guard(self._count, self._size)


def read_steady(path: str, reader: Reader) -> tuple[str, os.stat_result]:
    """Read a file, and return the status that belongs to the bytes; read again if it was written meanwhile."""
    for _ in range(_TRIES):
        try:
            before = os.stat(path)
            sha = reader(path, before.st_size)
            after = os.stat(path)
        except PermissionError:
            raise RefusedError(f"no permission to read {path}; allow it or name it in {FILES[0]}") from None
        except FileNotFoundError:
            raise
        except OSError as error:
            raise Unavailable(f"cannot read {path}: {error.strerror}") from None
        if stat_cache.make_entry(before, sha) == stat_cache.make_entry(after, sha):
            return sha, after
    raise Unavailable(f"{path} changes while it is being read; wait until it is written or name it in {FILES[0]}")
