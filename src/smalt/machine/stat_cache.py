"""A cache of the digests of a folder's files, by their stat results.

git's racy rule: a file whose time stamps are as young as the moment at which reading began could be changed again
without a visible trace, so nothing is cached for it and it is read again the next time.
"""

from __future__ import annotations

import contextlib
import hashlib
import marshal
import os
import zlib
from pathlib import Path
from typing import NamedTuple

CacheEntry = tuple[int, int, int, int, int, str]
"""size, mtime_ns, ctime_ns, inode, mode, sha256."""

_MAGIC = b"smalt-stat 1\n"
_TICK = 50_000_000  # kernels stamp files with a clock that lags by up to 10 ms
_COARSE_TICK = 2_100_000_000  # whole seconds (old ext, NFS, HFS+) or two (FAT)


class StatCache(NamedTuple):
    files: dict[str, dict[str, CacheEntry]]
    """By the folder's prefix, then by name."""
    rest: dict[str, str]
    """Links with their targets, and empty folders (path ending in `/`) with nothing."""
    total: int
    """The number of files of the snapshot, kept above or not."""
    size: int
    hash: str


def make_entry(status: os.stat_result, sha: str) -> CacheEntry:
    return (status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino, status.st_mode, sha)


def is_racy(file: CacheEntry, began: int) -> bool:
    """Return True if a file that was read from `began` (time.time_ns) on could since have changed unseen."""
    tick = _TICK if file[2] % 1_000_000_000 else _COARSE_TICK
    return max(file[1], file[2]) >= began - tick


def find_path(folder: Path, root: str, ignore: bool) -> Path:
    name = hashlib.sha256(os.fsencode(os.path.realpath(root)) + (b"\0i" if ignore else b"\0")).hexdigest()
    return folder / name[:40]


def load_cache(path: Path) -> StatCache | None:
    """The cache, or None where it is absent, torn or of another version."""
    try:
        data = path.read_bytes()
    except OSError:
        return None
    start = len(_MAGIC) + 4
    if not data.startswith(_MAGIC) or data[len(_MAGIC) : start] != _compute_checksum(memoryview(data)[start:]):
        return None
    return StatCache(*marshal.loads(memoryview(data)[start:]))


def save_cache(path: Path, cache: StatCache) -> None:
    """Written whole or not at all; not synced, because a torn one is seen and only costs time."""
    body = marshal.dumps(tuple(cache), 2)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{os.urandom(4).hex()}")
    with contextlib.suppress(OSError):  # a full disk must not fail an unchanged snapshot
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_bytes(_MAGIC + _compute_checksum(memoryview(body)) + body)
        os.replace(temporary, path)


def _compute_checksum(body: memoryview) -> bytes:
    return zlib.crc32(body).to_bytes(4, "big")
