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
    MOVED,
    OPENED,
    OVERFLOW,
    REMOVED,
    WRITTEN,
    FileNotices,
    read_most_files,
)

_ANY = OPENED | WRITTEN | ATTRIBUTES | CLOSED_WRITTEN | REMOVED | MOVED
_NOTICE_DIVISOR = 16
"""The number by which the user's notices are divided: a server takes one part at most, as editors need some, too."""
_MOUNTS = "/proc/self/mountinfo"


class CommandWatch:
    """Watches the commands of overlays, where the system gives certain notices."""

    def __init__(self, notices: FileNotices, mounts: int) -> None:
        """Take the notices, and a descriptor of the file that tells of mounts."""
        self._notices = notices
        self._mounts = mounts
        self._poll = select.poll()
        self._poll.register(notices.fileno(), select.POLLIN)
        self._poll.register(mounts, select.POLLPRI)
        self._poll.poll(0)
        weakref.finalize(self, os.close, mounts)
        self._mounted = 0
        """The number of times that something was mounted or unmounted."""
        self._most = read_most_files() // _NOTICE_DIVISOR
        self._overlays: dict[int, int] = {}
        """By number of a file, the overlay that it belongs to."""
        self._files: dict[int, list[int]] = {}
        """The overlays of which there was no notice, each with the numbers of its files."""
        self._looked: dict[int, int] = {}
        """For each of them the mounts when its files were last found as they were made."""
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
        self._take_notices()
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
        self._files[self._last], self._looked[self._last] = numbers, self._mounted
        return self._last

    def are_untouched(self, overlay: int) -> bool:
        """Return True if the commands of an overlay are certainly as they were when it was made."""
        self._take_notices()
        return self._looked.get(overlay) == self._mounted

    def note_unchanged(self, overlay: int) -> None:
        """Take note that all commands of an overlay were looked at after `are_untouched`, and are as they were made."""
        if overlay in self._looked:
            self._looked[overlay] = self._mounted

    def _take_notices(self) -> None:
        for source, _ in self._poll.poll(0):
            if source == self._mounts:
                self._mounted += 1
                continue
            for number, kinds in self._notices.read_notices():
                if kinds & OVERFLOW:
                    for overlay in list(self._files):
                        self._end_watch(overlay)
                elif number in self._overlays:
                    self._end_watch(self._overlays[number])

    def _end_watch(self, overlay: int) -> None:
        """Leave an overlay to be looked at from now on, and its notices to others."""
        del self._looked[overlay]
        for number in self._files.pop(overlay):
            del self._overlays[number]
            self._notices.remove_file(number)


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
