"""Copies of all that the processes print: in a log for each, and line by line in the log of the job."""

from __future__ import annotations

import contextlib
import os
import threading

_MOST_HELD = 1 << 16
"""Bytes of an unfinished line that are held back."""
_lock = threading.Lock()
"""Held while whole lines are written, so that the lines of two processes are not mixed."""


class RankOutput:
    """Copies what one process prints. It is shown by lines; those of processes other than 0 begin with the rank."""

    def __init__(self, rank: int, path: str) -> None:
        self._mark = f"[rank {rank}] ".encode() if rank else b""
        self._log = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        self._source, self.target = os.pipe()
        """`target` is the process's stdout and stderr."""
        self._thread = threading.Thread(target=self._copy_output, daemon=True)
        self._thread.start()

    def close_target(self) -> None:
        os.close(self.target)

    def wait_for_end(self) -> None:
        """Wait until all is copied; a process that was left behind may hold the pipe open, and is not waited for."""
        self._thread.join(1.0)

    def _copy_output(self) -> None:
        held = b""
        while data := self._read_data():
            with contextlib.suppress(OSError):
                _write_all(self._log, data)
            held += data
            whole = max(held.rfind(b"\n"), held.rfind(b"\r")) + 1  # a bar of progress ends its lines with a return
            _show_lines(self._mark_lines(held[:whole]))
            held = held[whole:]
            if len(held) > _MOST_HELD:
                _show_lines(self._mark_lines(held + b"\n"))
                held = b""
        if held:
            _show_lines(self._mark_lines(held + b"\n"))

    def _read_data(self) -> bytes:
        try:
            return os.read(self._source, 1 << 16)
        except OSError:
            return b""

    def _mark_lines(self, lines: bytes) -> bytes:
        return b"".join(self._mark + line for line in lines.splitlines(keepends=True))


def write_line(line: str) -> None:
    """Write a line of our own to stderr."""
    with _lock, contextlib.suppress(OSError):
        _write_all(2, f"{line}\n".encode("utf-8", "replace"))


def _show_lines(data: bytes) -> None:
    with _lock, contextlib.suppress(OSError):
        _write_all(1, data)


def _write_all(target: int, data: bytes) -> None:
    while data:
        data = data[os.write(target, data) :]
