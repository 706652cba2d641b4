"""A job's log files, read in pieces as they grow. Call nothing here on the event loop."""

from __future__ import annotations

import codecs
import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from smalt.service.secrets.masks import SecretMask

SMALT_LOG = "system_logs/smalt.log"
NAMES = (SMALT_LOG, "user_logs/std_log.txt")

_PIECE = 64 * 1024
_TAIL_BYTES = 16 * 1024
_TAIL_LINES = 20


class LogFile:
    """A log file that is read on from the end of the last read."""

    def __init__(self, job: str, name: str, folder: Path, mask: Callable[[], SecretMask | None]) -> None:
        self._job = job
        self._name = name
        self._path = folder / name
        self._mask = mask
        self._offset = 0
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")

    def read_new(self) -> Iterator[dict[str, Any]]:
        """Yield what was written since the last read; at most one piece, so that no log delays the others."""
        if text := self._decoder.decode(self._read_piece(final=False)):
            yield self._make_message(text)

    def read_rest(self) -> Iterator[dict[str, Any]]:
        """Yield the rest of a log that grows no more."""
        while piece := self._read_piece(final=True):
            if text := self._decoder.decode(piece):
                yield self._make_message(text)
        if text := self._decoder.decode(b"", final=True):
            yield self._make_message(text)

    def _read_piece(self, *, final: bool) -> bytes:
        """Read a piece; unless the log is final, a possible first half of a secret stays until its second half is
        written."""
        try:
            with open(self._path, "rb", buffering=0, opener=_open_nonblocking) as file:
                if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                    return b""
                mask = self._mask()
                if mask is None:
                    file.seek(self._offset)
                    piece = file.read(_PIECE)
                else:
                    piece = mask.read_piece(file, self._offset, _PIECE)
                    piece = piece if final else piece[: len(piece) - mask.count_held(piece)]
        except OSError:
            return b""
        self._offset += len(piece)
        return piece

    def _make_message(self, text: str) -> dict[str, Any]:
        return make_log_message(self._job, self._name, text)


class LogTail:
    """The last lines of what a job wrote; of smalt's own log of it where it wrote nothing."""

    def __init__(self, job: str, folder: Path, mask: Callable[[], SecretMask | None]) -> None:
        self._job = job
        self._folder = folder
        self._mask = mask

    def read_rest(self) -> Iterator[dict[str, Any]]:
        for name in reversed(NAMES):
            if lines := read_last_lines(self._folder / name, self._mask()):
                yield make_log_message(self._job, name, "".join(f"{line}\n" for line in lines))
                return


def make_log_message(job: str, file: str, text: str) -> dict[str, Any]:
    """Return the message with a piece of a job's log."""
    return {"t": "log", "name": job, "file": file, "text": text}


def read_last_lines(path: Path, mask: SecretMask | None) -> list[str]:
    """Return the last lines of a log; a line redrawn with carriage returns (a progress bar) counts by its last
    drawing."""
    try:
        with open(path, "rb", buffering=0, opener=_open_nonblocking) as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                return []
            start = max(0, status.st_size - _TAIL_BYTES)
            data = (mask or SecretMask(())).read_piece(file, start, _TAIL_BYTES)
    except OSError:
        return []
    lines = data.decode("utf-8", "replace").rstrip("\n").split("\n")
    whole = lines[1:] if start and len(lines) > 1 else lines
    return [line.rstrip("\r").rpartition("\r")[2] for line in whole[-_TAIL_LINES:] if data]


def _open_nonblocking(path: str, flags: int) -> int:
    """Open without waiting: a job may have put a pipe in the place of its log."""
    return os.open(path, flags | os.O_NONBLOCK)
