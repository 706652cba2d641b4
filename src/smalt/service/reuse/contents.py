"""What is at a path: its content id, without reading again what has not changed since it was last read."""

from __future__ import annotations

import hashlib
import os
import re
import stat
import time
from pathlib import Path
from typing import NamedTuple

from smalt.exceptions import SmaltError
from smalt.ignore import walk
from smalt.service.data import Snapshots, manifest
from smalt.service.data.manifest import EXECUTABLE, FILE, FOLDER, LINK, Entry
from smalt.service.data.objects import hash_file
from smalt.service.data.scan import read_steady
from smalt.service.records.reuse import Seen
from smalt.statcache import racy

_MANY = 64
"""Files; of more, which may change one by one, the stat cache of snapshots is kept."""
_MOST_KEPT = 1000
"""Entries of a content whose manifest is kept, to tell which file of it has changed."""
_MLTABLE = "MLTable"
_NAMES_DATA = re.compile(r"^\s*-?\s*(?:file|folder|pattern)\s*:\s*['\"]?([^'\"\n]+)", re.MULTILINE)


class Content(NamedTuple):
    seen: Seen
    newest: float
    """When anything of it last changed, by its file system; seconds."""
    modified: float
    """When one of its files was last written, as anyone may have set it."""
    manifest: bytes | None
    """What it consists of, where it was read now and is not large."""

    @property
    def id(self) -> str:
        """Empty where there is nothing."""
        return self.seen.content


class Budget(NamedTuple):
    """How much may be looked at without being noticed."""

    files: int
    bytes: int


class TooMuch(Exception):
    """The budget does not suffice."""


class Unknown(Exception):
    """What is there cannot be told; a sentence why."""

    def __init__(self, why: str, *, for_now: bool = False) -> None:
        super().__init__(why)
        self.for_now = for_now
        """Asked later, it may be told."""


ABSENT = Content(Seen("", "", 0, 0), 0.0, 0.0, None)


def look(path: Path, type: str | None, last: Seen | None, snapshots: Snapshots, budget: Budget | None) -> Content:
    """What is at `path` now; `last` is what was there when it was last read."""
    root = os.fspath(path)
    began = time.time_ns()
    try:
        status = os.stat(root)
        walked = _Walk(root, budget) if stat.S_ISDIR(status.st_mode) else _Walk.of_file(root, status)
        if last is not None and last.stamp and last.stamp == walked.stamp:
            return Content(last, walked.newest, walked.modified, None)
        if budget is not None and walked.bytes > budget.bytes:
            raise TooMuch
        if type == "mltable":
            _refuse_outside(root)
        entries = walked.entries(snapshots)
    except FileNotFoundError:
        return ABSENT
    except SmaltError as error:
        raise Unknown(str(error)) from None
    except OSError as error:
        raise Unknown(f"{error.filename or root} cannot be read: {error.strerror}") from None
    text = manifest.encode(entries)
    sizes = [entry.size for entry in entries if entry.kind in (FILE, EXECUTABLE)]
    stamp = "" if walked.is_young(began) else walked.stamp
    seen = Seen(stamp, manifest.content_id(text), len(sizes), sum(sizes))
    return Content(seen, walked.newest, walked.modified, text if len(entries) <= _MOST_KEPT else None)


class _Walk:
    """One walk over a folder: all that can be known without reading."""

    def __init__(self, root: str, budget: Budget | None = None) -> None:
        self._root = root
        self._files: list[tuple[str, os.stat_result]] = []
        self._rest: list[Entry] = []
        self._folders: list[os.stat_result] = []
        self._is_file = False
        self.bytes = 0
        for folder in walk(root, None):
            prefix = folder.prefix
            self._folders.append(os.stat(f"{root}/{prefix}"))
            for name, status in folder.files:
                self._files.append((prefix + name, status))
                self.bytes += status.st_size
            self._rest += [Entry(prefix + name, LINK, target, 0) for name, target in folder.links]
            if folder.empty and prefix:
                self._rest.append(Entry(prefix[:-1], FOLDER, "", 0))
            if budget is not None and len(self._files) + len(self._folders) > budget.files:
                raise TooMuch

    @classmethod
    def of_file(cls, path: str, status: os.stat_result) -> _Walk:
        """As a folder that holds only this file."""
        walked = cls.__new__(cls)
        walked._root, name = os.path.split(path)
        walked._files, walked._rest, walked._folders = [(name, status)], [], []
        walked._is_file = True
        walked.bytes = status.st_size
        return walked

    @property
    def newest(self) -> float:
        every = [status.st_ctime_ns for _, status in self._files] + [status.st_ctime_ns for status in self._folders]
        return max(every, default=0) / 1e9

    @property
    def modified(self) -> float:
        return max((status.st_mtime_ns for _, status in self._files), default=0) / 1e9

    @property
    def stamp(self) -> str:
        lines = [f"{entry.path}\0{entry.kind}{entry.content}" for entry in self._rest]
        lines += [
            f"{path}\0{status.st_size} {status.st_mtime_ns} {status.st_ctime_ns} {status.st_ino} {status.st_mode}"
            for path, status in self._files
        ]
        lines.sort()
        return hashlib.sha256("\n".join(lines).encode("utf-8", "surrogateescape")).hexdigest()[:32]

    def is_young(self, began: int) -> bool:
        """Whether something could have changed, without a trace, since it was read; `began` is when that began."""
        return any(
            racy((status.st_size, status.st_mtime_ns, status.st_ctime_ns, 0, 0, ""), began)
            for status in (*(status for _, status in self._files), *self._folders)
        )

    def entries(self, snapshots: Snapshots) -> list[Entry]:
        if len(self._files) > _MANY and not self._is_file:
            return snapshots.identify(self._root, ignore=False)[1]
        entries = list(self._rest)
        for path, _ in self._files:
            sha, status = read_steady(f"{self._root}/{path}", lambda name, size: hash_file(name))
            kind = EXECUTABLE if status.st_mode & stat.S_IXUSR else FILE
            entries.append(Entry(path, kind, sha, status.st_size))
        return entries


def _refuse_outside(root: str) -> None:
    """What an MLTable names beyond its own folder is no part of the folder's content."""
    try:
        text = Path(root, _MLTABLE).read_text()
    except (OSError, UnicodeDecodeError):
        return
    for named in _NAMES_DATA.findall(text):
        place = named.strip()
        if place.startswith(("/", "..")) or ":" in place or "/../" in place:
            raise Unknown(f"its MLTable names data outside of its folder ({place}), whose content is not looked at")
