"""Uploads of many files in few requests: gathered beside their place, then made durable and put there at once.

An upload has a name (a folder, or one file, that is there whole or not at all). What arrived of an interrupted
upload is kept, and trusted until the machine restarts: only then could bytes be missing from a file that has
its size.
"""

from __future__ import annotations

import contextlib
import os
import struct
from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from smalt.exceptions import Conflict, RefusedError, ValidationException
from smalt.machine import processes
from smalt.service.data.files.copying import make_write_error, remove_tree
from smalt.service.data.files.durable_files import sync_files, sync_folders
from smalt.service.data.files.path_containment import normalize_relative
from smalt.service.data.files.write_protection import forbid_writing, is_write_protected, replace_durably

_HEAD = struct.Struct(">IQQ")
"""The lengths of the path and of the bytes, and where in the file they belong."""
_VECTORS = 64
_MARK = ".arriving-"


class UploadRequest(NamedTuple):
    """A request to upload one file."""

    path: str
    """The path in the folder; "" for an upload of one file."""
    size: int


class BatchUpload:
    """The files on their way to `target`."""

    def __init__(self, target: Path) -> None:
        self.target = target
        self._prefix = f"{_MARK}{target.name[:100]}-"
        self._folder = target.with_name(self._prefix + processes.read_boot_id()[:8])

    @property
    def is_done(self) -> bool:
        return self.target.exists()

    def list_missing(self, files: Sequence[UploadRequest]) -> list[tuple[int, int]]:
        """Return the files that have not arrived completely: their index in the list, and the bytes that arrived."""
        self._remove_older()
        found = []
        for index, file in enumerate(files):
            try:
                there = os.stat(self._get_place(file.path)).st_size
            except OSError:
                there = -1
            if there != file.size:
                found.append((index, max(there, 0) if there < file.size else 0))
        return found

    def receive_pieces(self, body: list[bytes]) -> int:
        """Write the pieces of files in `body`, which comes in parts; return their number."""
        count = 0
        made: set[str] = set()
        try:
            for path, start, data in _split_pieces(body):
                place = self._get_place(path)
                folder = os.path.dirname(place)
                if folder not in made:
                    os.makedirs(folder, exist_ok=True)
                    made.add(folder)
                _write_piece(place, start, data)
                count += 1
        except OSError as error:
            raise make_write_error(self.target, error) from None
        return count

    def finish(
        self,
        files: Sequence[UploadRequest],
        folders: Sequence[str] = (),
        executable: Collection[str] = frozenset(),
        *,
        replace_if: Callable[[Path], bool] | None = None,
    ) -> None:
        """Make the upload durable and read-only, with its empty folders, and give it its name; safe to repeat.

        `executable` are the paths of executable files. With `replace_if`, an existing target is replaced if it
        returns True for what arrived.
        """
        if self.is_done and replace_if is None:
            if not is_write_protected(self.target):  # an earlier smalt gave it its name first, and was killed
                forbid_writing(self.target)
            return
        absent = self.list_missing(files)
        if absent:
            raise Conflict(f"{len(absent)} files of the upload have not arrived, {files[absent[0][0]].path!r} for one")
        try:
            made = self._complete_folder(files, folders, executable)
            if replace_if is not None and not replace_if(Path(made)):
                remove_tree(self._folder)
                raise Conflict(
                    f"the files that arrived are not what {self.target.parent.name} stands for; send them again"
                )
            if replace_if is None:
                os.replace(made, self.target)
            else:
                replace_durably(made, self.target)
            sync_folders([os.fspath(self.target.parent)])
        except OSError as error:
            if replace_if is not None or not self.is_done:  # else another client, with the same content, was first
                raise make_write_error(self.target, error) from None
        remove_tree(self._folder)

    def _complete_folder(
        self, files: Sequence[UploadRequest], folders: Sequence[str], executable: Collection[str]
    ) -> str:
        """Make what arrived durable and read-only, with its empty folders, and return its path."""
        self._folder.mkdir(parents=True, exist_ok=True)
        for folder in folders:
            os.makedirs(self._get_place(folder), exist_ok=True)
        places = [self._get_place(file.path) for file in files]
        for file, place in zip(files, places, strict=True):
            os.chmod(place, 0o555 if file.path in executable else 0o444)
        is_file = len(files) == 1 and not files[0].path
        made = places[0] if is_file else os.fspath(self._folder)
        forbid_writing(made)
        sync_files(places)
        sync_folders({os.path.dirname(place) for place in places})
        return made

    def _get_place(self, path: str) -> str:
        if path and normalize_relative(path) != path:
            raise RefusedError(f"path {path!r} of the upload is not a plain relative path")
        return f"{self._folder}/{path or '_'}"

    def _remove_older(self) -> None:
        """Remove what arrived before the machine restarted."""
        with contextlib.suppress(FileNotFoundError), os.scandir(self.target.parent) as entries:
            for entry in entries:
                if entry.name.startswith(self._prefix) and entry.name != self._folder.name:
                    remove_tree(entry.path)


def parse_requests(items: Any) -> list[UploadRequest]:
    """Parse a client's list of [path, size]."""
    if not isinstance(items, list):
        raise ValidationException('"files" must be a list of [path, size]')
    found = []
    for item in items:
        path, size = item if isinstance(item, list) and len(item) == 2 else (None, None)
        if not isinstance(path, str) or not isinstance(size, int) or isinstance(size, bool) or size < 0:
            raise ValidationException('"files" must be a list of [path, size]')
        found.append(UploadRequest(path, size))
    return found


def is_left_over(name: str) -> bool:
    """True if a file or folder of this name is an unfinished upload."""
    return name.startswith(_MARK)


def _split_pieces(body: list[bytes]) -> Iterator[tuple[str, int, list[memoryview]]]:
    """Yield the path, offset, and bytes of each piece; the bytes are not copied."""
    reader = _PartReader(body)
    while head := b"".join(reader.read(_HEAD.size)):
        if len(head) < _HEAD.size:
            raise ValidationException("the body ends within the head of a file")
        length, size, start = _HEAD.unpack(head)
        path, data = b"".join(reader.read(length)), reader.read(size)
        if len(path) < length or sum(map(len, data)) < size:
            raise ValidationException("the body ends within a file")
        try:
            yield path.decode("utf-8", "surrogateescape"), start, data
        except UnicodeError:
            raise ValidationException("a path of the body is not UTF-8") from None


class _PartReader:
    """A reader of bytes that lie in several parts."""

    def __init__(self, parts: list[bytes]) -> None:
        self._parts = [memoryview(part) for part in reversed(parts) if part]

    def read(self, size: int) -> list[memoryview]:
        """Return the next `size` bytes, or as many as there are."""
        found = []
        while size and self._parts:
            part = self._parts.pop()
            if len(part) > size:
                self._parts.append(part[size:])
                part = part[:size]
            found.append(part)
            size -= len(part)
        return found


def _write_piece(place: str, start: int, data: list[memoryview]) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | (0 if start else os.O_TRUNC)
    handle = os.open(place, flags, 0o644)
    try:
        if start:
            if os.fstat(handle).st_size < start:
                raise Conflict("pieces of a file arrived in the wrong order; send the upload again")
            os.lseek(handle, start, os.SEEK_SET)
        written = os.writev(handle, data) if len(data) <= _VECTORS else 0
        for part in data:
            rest = part[written:]
            written = max(written - len(part), 0)
            while rest:
                rest = rest[os.write(handle, rest) :]
    finally:
        os.close(handle)
