"""Blocks of a blob that wait for their list.

They lie in one file, each where its request began to arrive, which is nearly always the order of the list: then the
list moves what is out of place and renames the file, and a large blob costs no second writing. Which block is where
stands in an index beside, so that an upload goes on after a restart.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from smalt.exceptions import Refused, ValidationException
from smalt.service.data.files.copying import cannot_write, remove_tree, temporary_beside
from smalt.service.data.files.durable_files import NewFile, sync_folders

_CHUNK = 1 << 20
_MOST = 100_000  # as the service
_known: dict[str, Waiting] = {}
_known_lock = threading.Lock()


class WrongMd5(ValidationException):
    """The bytes that came are not those that were sent."""

    code = "Md5Mismatch"


class Extent(NamedTuple):
    offset: int
    size: int

    @property
    def end(self) -> int:
        return self.offset + self.size


def waiting(folder: Path) -> Waiting:
    """The blocks that wait in a folder, which need not be there."""
    with _known_lock:
        path = os.fspath(folder)
        found = _known.get(path)
        if found is None or found.is_gone():
            found = _known[path] = Waiting(folder)
        return found


class Waiting:
    """The blocks of one blob. All methods may be called from any thread."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._writers = 0
        self._over = False
        self._extents: dict[str, Extent] = {}
        for line in self._index_lines():
            id, offset, size = json.loads(line)
            self._extents[id] = Extent(offset, size)
        self._end, self._free = 0, list[Extent]()
        for extent in sorted(self._extents.values()):
            if extent.offset > self._end:
                self._free.append(Extent(self._end, extent.offset - self._end))
            self._end = max(self._end, extent.end)

    def is_gone(self) -> bool:
        """Whether the folder was deleted: pruned, or with its workspace."""
        return bool(self._extents) and not (self._folder / "index").exists()

    def sizes(self) -> dict[str, int]:
        """By id."""
        with self._lock:
            return {id: extent.size for id, extent in self._extents.items()}

    def put(self, id: str, size: int, pieces: Iterable[bytes], md5: str | None) -> None:
        """Keep a block, whole or not at all, in place of an earlier one of its id."""
        extent = self._take(size)
        kept = None
        try:
            self._write(extent, pieces, md5)
            with self._lock:
                self._check_open()
                with open(self._folder / "index", "a") as index:
                    index.write(json.dumps([id, *extent]) + "\n")
                kept, self._extents[id] = extent, extent
        except OSError as error:
            raise cannot_write(self._folder, error) from None
        finally:
            with self._lock:
                self._writers -= 1
                if kept is None:
                    self._give(extent)

    def join(self, ids: list[str], target: Path) -> None:
        """Make the file of these blocks, which all are here, in this order; the others are forgotten."""
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary = temporary_beside(target)
        try:
            with self._lock:
                parts = [self._extents[id] for id in ids]
                alone = self._writers == 0 and _displaced(parts) * 2 <= sum(part.size for part in parts)
                taken = alone and self._take_file(temporary)
            if taken:
                _arrange(temporary, parts)
                os.replace(temporary, target)
                sync_folders([os.fspath(target.parent)])
            else:
                self._copy(parts, temporary, target)
        except OSError as error:
            raise cannot_write(target, error) from None
        finally:
            temporary.unlink(missing_ok=True)

    def _take_file(self, temporary: Path) -> bool:
        """Move the blocks' file beside the target, where that is on the same disk; what waited here is over."""
        if not self._extents or self._folder.stat().st_dev != temporary.parent.stat().st_dev:
            return False
        os.replace(self._folder / "data", temporary)
        self._end_here()
        return True

    def _copy(self, parts: list[Extent], temporary: Path, target: Path) -> None:
        with NewFile(temporary) as file:
            if parts:
                handle = os.open(self._folder / "data", os.O_RDONLY | os.O_CLOEXEC)
                try:
                    for part in parts:
                        for at in range(part.offset, part.end, _CHUNK):
                            file.write(os.pread(handle, min(_CHUNK, part.end - at), at))
                finally:
                    os.close(handle)
            file.finish(target)
        with self._lock:
            self._end_here()

    def _end_here(self) -> None:
        self._over = True
        with _known_lock:
            _known.pop(os.fspath(self._folder), None)
        remove_tree(self._folder)

    def _index_lines(self) -> list[str]:
        """Whole ones: the last may have been torn."""
        try:
            return (self._folder / "index").read_text().split("\n")[:-1]
        except FileNotFoundError:
            return []

    def _take(self, size: int) -> Extent:
        """Room for a block: the first gap that is large enough, or the end."""
        with self._lock:
            self._check_open()
            if len(self._extents) >= _MOST:
                raise Refused(f"{_MOST} blocks wait for their list already; send the list, or larger blocks")
            self._writers += 1
            for number, gap in enumerate(self._free):
                if gap.size >= size:
                    rest = Extent(gap.offset + size, gap.size - size)
                    self._free[number : number + 1] = [rest] if rest.size else []
                    return Extent(gap.offset, size)
            extent = Extent(self._end, size)
            self._end = extent.end
            return extent

    def _check_open(self) -> None:
        if self._over:
            raise Refused("the blob was made of its blocks while this one was sent; send it again")

    def _give(self, extent: Extent) -> None:
        if extent.end == self._end:
            self._end = extent.offset
        else:
            self._free = sorted([*self._free, extent])

    def _write(self, extent: Extent, pieces: Iterable[bytes], md5: str | None) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        handle = os.open(self._folder / "data", os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o666)
        digest, at = hashlib.md5(usedforsecurity=False), extent.offset
        try:
            for piece in pieces:
                digest.update(piece)
                if at + len(piece) <= extent.end:
                    _write_at(handle, piece, at)
                at += len(piece)
            if at != extent.end:
                raise ValidationException(f"the block has {at - extent.offset} bytes, not {extent.size} as it said")
            check(digest.digest(), md5)
            os.fsync(handle)  # here, so that the list finds little left to write
        finally:
            os.close(handle)


def check(digest: bytes, md5: str | None) -> None:
    """Refuse bytes that are not those of the MD5 (base64) that came with them."""
    if md5 and base64.b64encode(digest).decode() != md5.strip():
        raise WrongMd5("the MD5 of the bytes that arrived is not the one that was sent with them; send them again")


def _displaced(parts: list[Extent]) -> int:
    """Bytes that are not where the order wants them."""
    at = displaced = 0
    for part in parts:
        displaced += part.size if part.offset != at else 0
        at += part.size
    return displaced


def _arrange(path: Path, parts: list[Extent]) -> None:
    """Put the parts of a file into this order: those out of place by way of its end."""
    handle = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    try:
        total = sum(part.size for part in parts)
        spare = max(total, os.fstat(handle).st_size)
        moves, at = list[tuple[Extent, int]](), 0
        for part in parts:
            if part.offset != at:
                _move(handle, part, spare)
                moves.append((Extent(spare, part.size), at))
                spare += part.size
            at += part.size
        for part, place in moves:
            _move(handle, part, place)
        os.ftruncate(handle, total)
        os.fsync(handle)
    finally:
        os.close(handle)


def _move(handle: int, part: Extent, to: int) -> None:
    for done in range(0, part.size, _CHUNK):
        _write_at(handle, os.pread(handle, min(_CHUNK, part.size - done), part.offset + done), to + done)


def _write_at(handle: int, piece: bytes, at: int) -> None:
    view = memoryview(piece)
    while view:
        written = os.pwrite(handle, view, at)
        view, at = view[written:], at + written
