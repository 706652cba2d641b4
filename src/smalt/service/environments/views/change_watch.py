"""Tells whether a built environment, which all jobs share, was changed since it was first used.

Its files are read-only, and sealed in each step's mount namespace where the launcher can. This is for the rest: root in
a container that may make no namespaces, and jobs that give themselves the right to write. The kernel gives notice of
what happens in each folder; a step then costs one look for notices.
"""

from __future__ import annotations

import os
import threading
from pathlib import Path

from smalt.machine.file_notices import (
    ADDED,
    CLOSED_WRITTEN,
    LOST,
    MOVED,
    OVERFLOW,
    REMOVED,
    WRITTEN,
    FileNotices,
    read_most_files,
)
from smalt.service.data.files.write_protection import is_write_protected

_ANY = WRITTEN | CLOSED_WRITTEN | ADDED | LOST | REMOVED | MOVED
_BYTECODE = "__pycache__"
_NOTICE_DIVISOR = 8
"""The number by which the user's notices are divided: a server takes at most one of these parts for this."""


class WatchedEnvironment:
    """A built environment, and the first change of it that was noticed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.change: str | None = None
        """The words for the change; None as long as it is as it was built."""
        self.is_over = False
        """True once it is watched no longer, even if its folders are still being walked."""


class ChangeWatch:
    """Watches the folders of environments; without notices, or room for more of them, nothing is found."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._notices: FileNotices | None = None
        self._folders: dict[int, tuple[WatchedEnvironment, str]] = {}
        self._most = read_most_files() // _NOTICE_DIVISOR

    def add_environment(self, watched: WatchedEnvironment) -> None:
        """Watch every folder of an environment, unless it is about to be protected. It takes long: call in a thread."""
        if not is_write_protected(watched.folder):
            return
        numbers: list[int] = []
        try:
            for place, _, _ in os.walk(watched.folder):
                with self._lock:  # for each anew: who looks for changes meanwhile must not wait for the walk
                    numbers.append(self._add_folder(watched, place))
        except OSError:
            with self._lock:
                self._remove_folders(numbers)

    def _add_folder(self, watched: WatchedEnvironment, place: str) -> int:
        """Watch a folder; return its number."""
        if watched.is_over:  # what is there by now may be another one, which has its own watch
            raise OSError("the environment was removed meanwhile")
        if len(self._folders) >= self._most:
            raise OSError("no room for more notices")
        self._notices = self._notices or FileNotices()
        number = self._notices.add_file(place, _ANY)
        self._folders[number] = (watched, place)
        return number

    def remove_environment(self, watched: WatchedEnvironment) -> None:
        """Watch an environment no longer: smalt itself removes it, or builds it again."""
        self.read_changes()
        with self._lock:
            watched.is_over = True
            self._remove_folders([number for number, (one, _) in self._folders.items() if one is watched])

    def read_changes(self) -> None:
        """Note the changes of all environments until now."""
        with self._lock:
            for number, kinds, name in self._notices.read_named_notices() if self._notices else ():
                if kinds & OVERFLOW:
                    for watched, _ in self._folders.values():
                        watched.change = watched.change or "more was written than could be followed"
                elif number in self._folders and kinds & _ANY and name != _BYTECODE:
                    watched, place = self._folders[number]
                    path = os.path.relpath(os.path.join(place, name) if name else place, watched.folder)
                    watched.change = watched.change or f"{path} was {_describe_kinds(kinds)}"

    def _remove_folders(self, numbers: list[int]) -> None:
        for number in numbers:
            self._folders.pop(number, None)
            if self._notices is not None:
                self._notices.remove_file(number)


def _describe_kinds(kinds: int) -> str:
    if kinds & (LOST | REMOVED | MOVED):
        return "removed"
    return "added" if kinds & ADDED else "written"
