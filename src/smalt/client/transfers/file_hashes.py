"""The SHA-256 of each file of a folder; files unchanged since the last time are not read again."""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from smalt.exceptions import NotFound, Unavailable
from smalt.machine import stat_cache
from smalt.machine.ignore_rules import IgnoreRules, walk_folders
from smalt.machine.stat_cache import CacheEntry, StatCache

_PIECE = 1 << 20
_AT_ONCE = 64


class HashedFile(NamedTuple):
    path: str
    """Below the root, with `/`; "" for a root that is a file."""
    source: str
    size: int
    sha256: str
    mode: int
    changed: tuple[int, int]
    """mtime_ns and ctime_ns when it was read."""

    @property
    def is_executable(self) -> bool:
        """True if its owner may execute it; snapshots and registered copies keep that."""
        return bool(self.mode & stat.S_IXUSR)


class HashedTree(NamedTuple):
    files: list[HashedFile]
    links: dict[str, str]
    folders: list[str]
    """Empty ones."""


def hash_tree(root: str, ignore: bool) -> HashedTree:
    """Return the hashed files of a folder, without ignored files if `ignore`; or of a single file."""
    if not os.path.isdir(root):
        status = os.stat(root)
        stamps = status.st_mtime_ns, status.st_ctime_ns
        return HashedTree([HashedFile("", root, status.st_size, hash_file(root), status.st_mode, stamps)], {}, [])
    began, place = time.time_ns(), stat_cache.find_path(_find_cache_folder(), root, ignore)
    last = stat_cache.load_cache(place)
    known: dict[str, dict[str, CacheEntry]] = {}
    rest: dict[str, str] = {}
    changed: list[tuple[str, str]] = []
    for folder in walk_folders(root, IgnoreRules.read(root) if ignore else None):
        before = last.files.get(folder.prefix, {}) if last else {}
        here = known[folder.prefix] = {}
        for name, status in folder.files:
            was = before.get(name)
            if was is not None and was == stat_cache.make_entry(status, was[5]):
                here[name] = was
            else:
                changed.append((folder.prefix, name))
        rest.update((folder.prefix + name, target) for name, target in folder.links)
        if folder.empty and folder.prefix:
            rest[folder.prefix] = ""
    for (prefix, name), found in zip(changed, _hash_changed(root, changed), strict=True):
        known[prefix][name] = found
    if changed or last is None or last.rest != rest:
        _save_cache(place, known, rest, began)
    links = {path: target for path, target in rest.items() if target}
    return HashedTree(_sort_files(root, known), links, [path[:-1] for path, target in rest.items() if not target])


def read_whole(path: str) -> bytes:
    """Return the bytes of a small file, in one read. Raises NotFound if it cannot be read."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            size = os.fstat(handle).st_size
            data = os.read(handle, size + 1)
        finally:
            os.close(handle)
    except OSError as error:
        raise NotFound(f"cannot read {path}: {error.strerror}; allow it, or correct the path") from None
    return data if len(data) == size else b"".join(read_pieces(path))


def check_unchanged(file: HashedFile) -> None:
    """Raise Unavailable if the file changed after it was hashed; call it after reading the file again."""
    with contextlib.suppress(OSError):
        status = os.stat(file.source)
        if (status.st_size, status.st_mtime_ns, status.st_ctime_ns) == (file.size, *file.changed):
            return
    raise Unavailable(f"{file.source} changed while it was being uploaded; wait until it is written and try again")


def hash_file(path: str, size: int = _PIECE) -> str:
    if size < _PIECE:
        return hashlib.sha256(read_whole(path)).hexdigest()
    digest = hashlib.sha256()
    for piece in read_pieces(path):
        digest.update(piece)
    return digest.hexdigest()


def read_pieces(path: str) -> Iterator[bytes]:
    """Yield a file's bytes, one MiB at a time. Raises NotFound if it cannot be read."""
    try:
        with open(path, "rb", buffering=0) as file:
            while piece := file.read(_PIECE):
                yield piece
    except OSError as error:
        raise NotFound(f"cannot read {path}: {error.strerror}; allow it, or correct the path") from None


def _hash_changed(root: str, changed: list[tuple[str, str]]) -> list[CacheEntry]:
    paths = [os.path.join(root, prefix + name) for prefix, name in changed]
    if len(paths) < _AT_ONCE:
        return [_hash_entry(path) for path in paths]
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(min(4, os.cpu_count() or 1)) as pool:  # hashing lets other threads run
        return list(pool.map(_hash_entry, paths, chunksize=_AT_ONCE))


def _hash_entry(path: str) -> CacheEntry:
    status = os.stat(path)
    return stat_cache.make_entry(status, hash_file(path, status.st_size))


def _sort_files(root: str, known: dict[str, dict[str, CacheEntry]]) -> list[HashedFile]:
    found = [
        HashedFile(prefix + name, f"{root}/{prefix}{name}", file[0], file[5], file[4], (file[1], file[2]))
        for prefix, names in known.items()
        for name, file in names.items()
    ]
    found.sort()
    return found


def _save_cache(place: Path, known: dict[str, dict[str, CacheEntry]], rest: dict[str, str], began: int) -> None:
    safe = {
        prefix: {name: file for name, file in names.items() if not stat_cache.is_racy(file, began)}
        for prefix, names in known.items()
    }
    stat_cache.save_cache(place, StatCache(safe, rest, sum(map(len, known.values())), 0, ""))


def _find_cache_folder() -> Path:
    base = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return Path(base, "smalt", "stat")
