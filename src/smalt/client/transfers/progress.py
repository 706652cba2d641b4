"""The progress of a transfer: one line, redrawn on a terminal, and nothing in a pipe."""

from __future__ import annotations

import sys
import threading
import time

_EVERY = 0.1
_WIDTH = 24


class TransferProgress:
    def __init__(self, what: str, files: int, size: int, shown: bool = True, verb: str = "uploading") -> None:
        self._what = f"{verb} {what}"
        self._files, self._size = files, size
        self._done_files = self._done_size = self._sent = 0
        self._began = time.monotonic()
        self._drawn = 0.0
        self._shown = shown and bool(files) and sys.stderr.isatty()
        self._lock = threading.Lock()

    def skip_present(self, files: int, size: int) -> None:
        """Count files that were there already."""
        self._done_files += files
        self._done_size += size

    def add_sent(self, files: int, size: int) -> None:
        """Count files that were sent; thread-safe."""
        with self._lock:
            self._done_files += files
            self._done_size += size
            self._sent += size
            now = time.monotonic()
            if self._shown and now - self._drawn >= _EVERY:
                self._drawn = now
                sys.stderr.write(f"\r{self.render_line()}\x1b[K")
                sys.stderr.flush()

    def render_line(self) -> str:
        share = self._done_size / self._size if self._size else 1.0
        bar = "█" * int(share * _WIDTH) + "░" * (_WIDTH - int(share * _WIDTH))
        rate = self._sent / max(time.monotonic() - self._began, 1e-3)
        files = f"{self._done_files:,}/{self._files:,} files"
        size = f"{format_bytes(self._done_size)} of {format_bytes(self._size)}"
        return f"{self._what} {bar} {files}, {size}, {format_bytes(rate)}/s"

    def close(self) -> None:
        """Erase the line, so that the next output stands alone."""
        if self._shown and self._drawn:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()


def format_bytes(size: float) -> str:
    """Return a number of bytes with a decimal unit, such as `1.5 MB`."""
    for unit in ("bytes", "KB", "MB", "GB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "bytes" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} TB"


def format_duration(seconds: float | None) -> str:
    """Return seconds as `3.2 s`, `2:05` or `1:00:05`; "" for None."""
    if seconds is None:
        return ""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
