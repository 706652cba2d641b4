"""How far an upload is: one line on a terminal, drawn again and again; nothing in a pipe."""

from __future__ import annotations

import sys
import threading
import time

_EVERY = 0.1
_WIDTH = 24


class Progress:
    def __init__(self, what: str, files: int, size: int, shown: bool = True, verb: str = "uploading") -> None:
        self._what = f"{verb} {what}"
        self._files, self._size = files, size
        self._done_files = self._done_size = self._sent = 0
        self._began = time.monotonic()
        self._drawn = 0.0
        self._shown = shown and bool(files) and sys.stderr.isatty()
        self._lock = threading.Lock()

    def skip(self, files: int, size: int) -> None:
        """Part of it was there already."""
        self._done_files += files
        self._done_size += size

    def add(self, files: int, size: int) -> None:
        """Part of it has been sent; may be called from any thread."""
        with self._lock:
            self._done_files += files
            self._done_size += size
            self._sent += size
            now = time.monotonic()
            if self._shown and now - self._drawn >= _EVERY:
                self._drawn = now
                sys.stderr.write(f"\r{self.line()}\x1b[K")
                sys.stderr.flush()

    def line(self) -> str:
        share = self._done_size / self._size if self._size else 1.0
        bar = "█" * int(share * _WIDTH) + "░" * (_WIDTH - int(share * _WIDTH))
        rate = self._sent / max(time.monotonic() - self._began, 1e-3)
        files = f"{self._done_files:,}/{self._files:,} files"
        return f"{self._what} {bar} {files}, {human(self._done_size)} of {human(self._size)}, {human(rate)}/s"

    def close(self) -> None:
        """The line goes, so that what comes next stands alone."""
        if self._shown and self._drawn:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()


def human(size: float) -> str:
    """A number of bytes for people."""
    for unit in ("bytes", "KB", "MB", "GB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "bytes" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} TB"


def duration(seconds: float | None) -> str:
    """`3.2 s`, `2:05`, `1:00:05`."""
    if seconds is None:
        return ""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
