"""Tells which overlays have commands that nobody has opened or changed since they were made, without looking at each.

A job may edit a script of bin/ in place, which changes no folder. The kernel gives notice of every opening, before
anything can be written or mapped, by whatever name; so an overlay of whose commands there was no notice is as it was.
One of which there was any is looked at for the rest of its life: a mapping is written to without a notice.
docs/internals/folders.md has what goes unnoticed.
"""

from __future__ import annotations

import contextlib
import os
import select
import tempfile
import weakref
from collections.abc import Sequence
from pathlib import Path

from smalt.machine.file_notices import (
    ATTRIBUTES,
    CLOSED_WRITTEN,
    IGNORED,
    MOVED,
    OPENED,
    OVERFLOW,
    REMOVED,
    WRITTEN,
    FileNotices,
    read_most_files,
)

_ANY = OPENED | WRITTEN | ATTRIBUTES | CLOSED_WRITTEN | REMOVED | MOVED
_SHARE = 16
"""The inverse of the share of the user's notices that a server takes at most: editors need some, too."""
_MOUNTS = "/proc/self/mountinfo"


class CommandWatch:
    """Watches the commands of overlays, where the system gives certain notices."""

    def __init__(self, notices: FileNotices, mounts: int) -> None:
        """Take the notices, and a descriptor of the file that tells of mounts."""
        self._notices = notices
        self._mounts = mounts
        self._news = select.poll()
        self._news.register(notices.fileno(), select.POLLIN)
        self._news.register(mounts, select.POLLPRI)
        self._news.poll(0)
        weakref.finalize(self, os.close, mounts)
        self._mounted = 0
        """The number of times that something was mounted or unmounted."""
        self._most = read_most_files() // _SHARE
        self._overlays: dict[int, int] = {}
        """By number of a file, the overlay that it belongs to."""
        self._quiet: dict[int, int] = {}
        """The overlays of which there was no notice, each with the mounts at the last look at its files."""
        self._last = 0

    @classmethod
    def open_at(cls, folder: Path) -> CommandWatch | None:
        """Return a watch for overlays on the file system of a folder; None where notices are not certain there."""
        try:
            notices = FileNotices()
            mounts = os.open(_MOUNTS, os.O_RDONLY)
        except OSError:
            return None
        if not _are_certain(notices, folder):
            os.close(mounts)
            return None
        return cls(notices, mounts)

    def add_commands(self, folder: str, names: Sequence[str]) -> int:
        """Watch the commands in a folder; return a number for them, 0 if they cannot be watched."""
        if len(self._overlays) + len(names) > self._most:
            return 0
        numbers: list[int] = []
        try:
            for name in names:
                numbers.append(self._notices.add_file(f"{folder}/{name}", _ANY))
        except OSError:
            for number in numbers:
                self._notices.remove_file(number)
            return 0
        self._last += 1
        self._overlays.update(dict.fromkeys(numbers, self._last))
        self._quiet[self._last] = self._mounted
        return self._last

    def are_untouched(self, overlay: int) -> bool:
        """Return True if the commands of an overlay are certainly as they were when it was last looked at."""
        if overlay not in self._quiet:
            return False
        self._take_news()
        looked = self._quiet.get(overlay)
        if looked is None:
            return False
        self._quiet[overlay] = self._mounted  # the caller looks at them now
        return looked == self._mounted

    def _take_news(self) -> None:
        for source, _ in self._news.poll(0):
            if source == self._mounts:
                self._mounted += 1
                continue
            for number, kinds in self._notices.read_notices():
                self._take_notice(number, kinds)

    def _take_notice(self, number: int, kinds: int) -> None:
        if kinds & OVERFLOW:
            self._quiet.clear()
            return
        overlay = self._overlays.pop(number, 0) if kinds & IGNORED else self._overlays.get(number, 0)
        self._quiet.pop(overlay, None)


def _are_certain(notices: FileNotices, folder: Path) -> bool:
    """Try on a file of the folder whether what is done by a second name of it is noticed."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder) as place:
            first, second = f"{place}/first", f"{place}/beside/second"
            Path(first).touch()
            os.mkdir(f"{place}/beside")
            os.link(first, second)
            numbers = [notices.add_file(first, _ANY)]
            with open(second, "ab"):
                opened = dict(notices.read_notices())
            os.chmod(second, 0o755)
            changed = dict(notices.read_notices())
            notices.remove_file(numbers[0])
    except OSError:
        return False
    with contextlib.suppress(OSError):
        list(notices.read_notices())
    return bool(opened.get(numbers[0], 0) & OPENED and changed.get(numbers[0], 0) & ATTRIBUTES)
