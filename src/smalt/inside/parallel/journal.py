"""The journal of a parallel job: a record for each mini-batch that succeeded, with the rows that `run` returned.

A record counts once it is on the disk. A record of another form says what the others belong to; after a crash the last
one may be incomplete, and is cut off. One process at a time has a journal.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import zlib
from collections.abc import Iterator
from typing import Any, BinaryIO, NamedTuple

from .channel import ENCODE
from .errors import ParallelError
from .rows import ReturnedRows

_FILE = "journal"
_CHUNK = 1 << 20


class Record(NamedTuple):
    """The place of a mini-batch's rows in the file, and what is counted of it."""

    at: int
    size: int
    returned: int
    head: int = 0
    """The length of the header that the rows begin with."""


class JournalBusy(Exception):
    """Another process writes the journal."""


class BatchJournal:
    """A journal, open and locked."""

    def __init__(self, folder: str) -> None:
        os.makedirs(folder, exist_ok=True)
        self.folder = folder
        self.about: dict[str, Any] = {}
        """The work that the journal belongs to."""
        self.records: dict[int, Record] = {}
        """By number, the mini-batches that succeeded."""
        self._path = os.path.join(folder, _FILE)
        self._file: BinaryIO = open(self._path, "a+b", buffering=0)  # noqa: SIM115
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self._file.close()
            raise JournalBusy from None
        self._end = 0
        self._pending: list[tuple[int, ReturnedRows]] = []
        self._read_records()

    @property
    def descriptor(self) -> int:
        return self._file.fileno()

    def start_over(self, about: dict[str, Any]) -> None:
        """Empty the journal and record the work that it belongs to."""
        self._file.truncate(0)
        self.records.clear()
        self._end = 0
        self._write_about(about)

    def hand_on(self, outputs: dict[str, str], job: str) -> None:
        """Record that another job goes on with it, which has its outputs elsewhere."""
        self._write_about(dict(self.about, outputs=outputs, job=job))

    def add_batch(self, number: int, rows: ReturnedRows) -> None:
        """Add a mini-batch that succeeded; it counts after `commit`."""
        self._pending.append((number, rows))

    def commit(self) -> list[int]:
        """Bring what was added to the disk, and return the numbers of these mini-batches."""
        pending, self._pending = self._pending, []
        if not pending:
            return []
        parts: list[bytes] = []
        end = self._end
        for number, (returned, text, head) in pending:
            line = self._make_line({"n": number, "returned": returned, **({"head": head} if head else {})}, text)
            self.records[number] = Record(end + len(line) - len(text) - 1, len(text), returned, head)
            parts.append(line)
            end += len(line)
        self._write_all(b"".join(parts))
        self._sync_file()
        self._end = end
        return [number for number, _ in pending]

    def _write_about(self, about: dict[str, Any]) -> None:
        line = self._make_line(dict(about, format=1), b"")
        self._write_all(line)
        self._end += len(line)
        self.about = about
        self._sync_file()

    def _sync_file(self) -> None:
        getattr(os, "fdatasync", os.fsync)(self._file.fileno())

    def write_rows(self, path: str, count: int) -> int:
        """Write the rows of the mini-batches below `count`, in order, to a file that is there whole or not at all."""
        partial = f"{path}.{os.getpid()}.tmp"
        try:
            os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
            with open(partial, "wb") as target:
                rows = self._write_in_order(target, count)
                target.flush()
                os.fsync(target.fileno())
            os.rename(partial, path)
        except OSError as error:
            with contextlib.suppress(OSError):
                os.unlink(partial)
            raise ParallelError(f"the rows cannot be written to {path}: {error.strerror or error}") from None
        _sync_folder(os.path.dirname(path) or ".")
        return rows

    def _write_in_order(self, target: BinaryIO, count: int) -> int:
        """Write the rows, each header only where it is another than the one before; return how many rows there are."""
        rows, header = 0, b""
        for record in filter(None, map(self.records.get, range(count))):
            rows += record.returned
            if record.head:
                own = b"".join(self._read_pieces(record._replace(size=record.head)))
                target.write(own if own != header else b"")
                header = own
            for piece in self._read_pieces(record._replace(at=record.at + record.head, size=record.size - record.head)):
                target.write(piece)
        return rows

    def remove_file(self) -> None:
        """Remove the journal, whose rows are where they belong."""
        with contextlib.suppress(OSError):
            os.unlink(self._path)
        self._file.close()

    def _read_pieces(self, record: Record) -> Iterator[bytes]:
        at, left = record.at, record.size
        while left:
            piece = os.pread(self._file.fileno(), min(left, _CHUNK), at)
            if not piece:
                raise OSError(f"{self._path} ends within the rows of a mini-batch")
            yield piece
            at, left = at + len(piece), left - len(piece)

    @staticmethod
    def _make_line(header: dict[str, Any], rows: bytes) -> bytes:
        header = dict(header, size=len(rows), crc=zlib.crc32(rows))
        return b"%s\n%s\n" % (ENCODE(header).encode("ascii"), rows)

    def _write_all(self, data: bytes) -> None:
        view = memoryview(data)
        try:
            while view:
                view = view[self._file.write(view) :]
        except OSError as error:
            words = f"what run() returned cannot be kept in {self._path}: {error.strerror or error}"
            raise ParallelError(f"{words}; finished mini-batches are not lost") from None

    def _read_records(self) -> None:
        """Read the records that are whole, and cut off what is after them."""
        size = os.fstat(self._file.fileno()).st_size
        with open(self._path, "rb") as file:
            while True:
                header = _read_record(file)
                if header is None:
                    break
                end = file.tell()
                if "n" in header:
                    place = end - header["size"] - 1, header["size"]
                    self.records[header["n"]] = Record(*place, header["returned"], header.get("head", 0))
                else:
                    self.about = header
                self._end = end
        if self._end < size:
            self._file.truncate(self._end)


def _read_record(file: BinaryIO) -> dict[str, Any] | None:
    """Read a record and return its header; None at the end, or where it is not whole."""
    line = file.readline()
    if not line.endswith(b"\n"):
        return None
    try:
        header = json.loads(line.decode("ascii"))
        size, crc = header["size"], header["crc"]
    except (ValueError, KeyError, TypeError):
        return None
    found, left = 0, size
    while left:
        piece = file.read(min(left, _CHUNK))
        if not piece:
            return None
        found, left = zlib.crc32(piece, found), left - len(piece)
    return header if found == crc and file.read(1) == b"\n" else None


def _sync_folder(path: str) -> None:
    with contextlib.suppress(OSError):  # some file systems cannot
        folder = os.open(path, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
