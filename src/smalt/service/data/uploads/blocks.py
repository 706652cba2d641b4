"""Uncommitted blocks of a blob.

They are kept in one file, each where its request began to arrive, which is nearly always the order of the block
list: then committing moves only the blocks that are out of place and renames the file, and a large blob is not
written twice. An index beside the file records the offset of each block, so that an upload continues after a
restart.
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

from smalt.exceptions import RefusedError, ValidationException
from smalt.service.data.files.copying import make_temporary_name, make_write_error, remove_tree
from smalt.service.data.files.durable_files import NewFile, sync_folders

_CHUNK = 1 << 20
_MOST = 100_000  # as the service
_known: dict[str, PendingBlocks] = {}
_known_lock = threading.Lock()


class WrongMd5(ValidationException):
    """The received bytes differ from those that were sent."""

    code = "Md5Mismatch"


class Extent(NamedTuple):
    """A range of bytes in the blocks' file."""

    offset: int
    size: int

    @property
    def end(self) -> int:
        return self.offset + self.size


def open_blocks(folder: Path) -> PendingBlocks:
    """Return the uncommitted blocks in a folder, which need not exist."""
    with _known_lock:
        path = os.fspath(folder)
        found = _known.get(path)
        if found is None or found.is_gone():
            found = _known[path] = PendingBlocks(folder)
        return found


class PendingBlocks:
    """The uncommitted blocks of one blob. All methods may be called from any thread."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._writers = 0
        self._over = False
        self._extents: dict[str, Extent] = {}
        for line in self._read_index():
            id, offset, size = json.loads(line)
            self._extents[id] = Extent(offset, size)
        self._end, self._free = 0, list[Extent]()
        for extent in sorted(self._extents.values()):
            if extent.offset > self._end:
                self._free.append(Extent(self._end, extent.offset - self._end))
            self._end = max(self._end, extent.end)

    def is_gone(self) -> bool:
        """True if the folder was deleted: pruned, or with its workspace."""
        return bool(self._extents) and not (self._folder / "index").exists()

    def list_sizes(self) -> dict[str, int]:
        """Return {id: size} of the blocks."""
        with self._lock:
            return {id: extent.size for id, extent in self._extents.items()}

    def put_block(self, id: str, size: int, pieces: Iterable[bytes], md5: str | None) -> None:
        """Store a block, whole or not at all, in place of an earlier one of its id."""
        extent = self._take_room(size)
        kept = None
        try:
            self._write_block(extent, pieces, md5)
            with self._lock:
                self._check_open()
                with open(self._folder / "index", "a") as index:
                    index.write(json.dumps([id, *extent]) + "\n")
                kept, self._extents[id] = extent, extent
        except OSError as error:
            raise make_write_error(self._folder, error) from None
        finally:
            with self._lock:
                self._writers -= 1
                if kept is None:
                    self._give_back(extent)

    def join_blocks(self, ids: list[str], target: Path) -> None:
        """Make a file from these blocks, which all are here, in this order; the others are removed."""
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary = make_temporary_name(target)
        try:
            with self._lock:
                parts = [self._extents[id] for id in ids]
                alone = self._writers == 0 and _count_displaced(parts) * 2 <= sum(part.size for part in parts)
                taken = alone and self._take_file(temporary)
            if taken:
                _arrange_file(temporary, parts)
                os.replace(temporary, target)
                sync_folders([os.fspath(target.parent)])
            else:
                self._copy_blocks(parts, temporary, target)
        except OSError as error:
            raise make_write_error(target, error) from None
        finally:
            temporary.unlink(missing_ok=True)

    def _take_file(self, temporary: Path) -> bool:
        """Move the blocks' file beside the target if both are on the same disk; this ends the list of blocks."""
        if not self._extents or self._folder.stat().st_dev != temporary.parent.stat().st_dev:
            return False
        os.replace(self._folder / "data", temporary)
        self._remove_folder()
        return True

    def _copy_blocks(self, parts: list[Extent], temporary: Path, target: Path) -> None:
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
            self._remove_folder()

    def _remove_folder(self) -> None:
        self._over = True
        with _known_lock:
            _known.pop(os.fspath(self._folder), None)
        remove_tree(self._folder)

    def _read_index(self) -> list[str]:
        """Return the complete lines of the index: the last may have been torn."""
        try:
            return (self._folder / "index").read_text().split("\n")[:-1]
        except FileNotFoundError:
            return []

    def _take_room(self, size: int) -> Extent:
        """Return room for a block: the first gap that is large enough, or the end."""
        with self._lock:
            self._check_open()
            if len(self._extents) >= _MOST:
                raise RefusedError(f"{_MOST} blocks are uncommitted already; send the block list, or use larger blocks")
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
            raise RefusedError("the blob was made of its blocks while this one was sent; send it again")

    def _give_back(self, extent: Extent) -> None:
        if extent.end == self._end:
            self._end = extent.offset
        else:
            self._free = sorted([*self._free, extent])

    def _write_block(self, extent: Extent, pieces: Iterable[bytes], md5: str | None) -> None:
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
            check_md5(digest.digest(), md5)
            os.fsync(handle)  # here, so that the list finds little left to write
        finally:
            os.close(handle)


def check_md5(digest: bytes, md5: str | None) -> None:
    """Raise WrongMd5 if the bytes do not have the MD5 (base64) that came with them."""
    if md5 and base64.b64encode(digest).decode() != md5.strip():
        raise WrongMd5("the MD5 of the bytes that arrived is not the one that was sent with them; send them again")


def _count_displaced(parts: list[Extent]) -> int:
    """Return the number of bytes that are not in the place that the order gives them."""
    at = displaced = 0
    for part in parts:
        displaced += part.size if part.offset != at else 0
        at += part.size
    return displaced


def _arrange_file(path: Path, parts: list[Extent]) -> None:
    """Put the parts of a file into this order: those out of place by way of its end."""
    handle = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    try:
        total = sum(part.size for part in parts)
        spare = max(total, os.fstat(handle).st_size)
        moves, at = list[tuple[Extent, int]](), 0
        for part in parts:
            if part.offset != at:
                _move_part(handle, part, spare)
                moves.append((Extent(spare, part.size), at))
                spare += part.size
            at += part.size
        for part, place in moves:
            _move_part(handle, part, place)
        os.ftruncate(handle, total)
        os.fsync(handle)
    finally:
        os.close(handle)


def _move_part(handle: int, part: Extent, to: int) -> None:
    for done in range(0, part.size, _CHUNK):
        _write_at(handle, os.pread(handle, min(_CHUNK, part.size - done), part.offset + done), to + done)


def _write_at(handle: int, piece: bytes, at: int) -> None:
    view = memoryview(piece)
    while view:
        written = os.pwrite(handle, view, at)
        view, at = view[written:], at + written
