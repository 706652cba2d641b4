"""What is at a path: its content id, without reading again what has not changed since it was last read."""

from __future__ import annotations

import hashlib
import os
import re
import stat
import time
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from smalt.exceptions import SmaltError, ValidationException
from smalt.machine.ignore_rules import Ignore, walk
from smalt.machine.stat_cache import racy
from smalt.service.data import Snapshots
from smalt.service.data.job_data import mltable_inputs
from smalt.service.data.job_data.mltable_inputs import Named
from smalt.service.data.snapshots import manifest
from smalt.service.data.snapshots.folder_scan import read_steady
from smalt.service.data.snapshots.manifest import EXECUTABLE, FILE, FOLDER, LINK, Entry
from smalt.service.data.snapshots.object_store import hash_file
from smalt.service.records.reuse import KnownContent
from smalt.service.reuse import composite_contents

_MANY = 64
"""Files; of more, which may change one by one, the stat cache of snapshots is kept."""
_MOST_KEPT = 1000
"""Entries of a content whose manifest is kept, to tell which file of it has changed."""
_MLTABLE = "MLTable"
_MOST_LINKS = 40
"""One after the other; as the kernel has it."""


class Content(NamedTuple):
    seen: KnownContent
    newest: float
    """When anything of it last changed, by its file system; seconds."""
    modified: float
    """When one of its files was last written, as anyone may have set it."""
    manifest: bytes | None
    """What it consists of, where it was read now and is not large."""
    named: tuple[Named, ...] = ()
    """What its MLTable names elsewhere, which is not part of this content yet."""

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


ABSENT = Content(KnownContent("", "", 0, 0), 0.0, 0.0, None)


class Choice(NamedTuple):
    """A part of what is at a path."""

    name: str | None = None
    """What the file there is called, if otherwise than its path ends."""
    pattern: str = ""
    """Only files whose paths below the folder match it."""
    without: tuple[str, ...] = ()
    """Not these, as an ignore file has them."""


ALL = Choice()


def look(
    path: Path,
    type: str | None,
    last: KnownContent | None,
    snapshots: Snapshots,
    budget: Budget | None,
    choice: Choice = ALL,
    ways: dict[str, int] | None = None,
) -> Content:
    """What is at `path` now; `last` is what was there when it was last read.

    `ways` has for folders that were passed before when the newest link on the way to them was made.
    """
    root = os.fspath(path)
    began = time.time_ns()
    try:
        status = os.stat(root)
        is_folder = stat.S_ISDIR(status.st_mode)
        walked = _Walk(root, budget, choice) if is_folder else _Walk.of_file(root, status, choice.name)
        named = _named(path, type) if walked.has_table else ()
        newest = walked.newest({} if ways is None else ways)
        if last is not None and last.stamp and last.stamp == walked.stamp:
            return Content(last, newest, walked.modified, None, named)
        if budget is not None and walked.bytes > budget.bytes:
            raise TooMuch
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
    seen = KnownContent(stamp, manifest.content_id(text), len(sizes), sum(sizes))
    return Content(seen, newest, walked.modified, text if len(entries) <= _MOST_KEPT else None, named)


def together(content: Content, named: Mapping[str, Content]) -> Content:
    """The content of a table with that of all it names, by the texts that name it."""
    text = composite_contents.encode([("", content.id), *((written, one.id) for written, one in named.items())])
    every = [content, *named.values()]
    seen = KnownContent(
        "", manifest.content_id(text), sum(one.seen.files for one in every), sum(one.seen.bytes for one in every)
    )
    newest, modified = max(one.newest for one in every), max(one.modified for one in every)
    return Content(seen, newest, modified, text)


class _Walk:
    """One walk over a folder: all that can be known without reading."""

    def __init__(self, root: str, budget: Budget | None = None, choice: Choice = ALL) -> None:
        self._root = root
        self._path = root
        self._files: list[tuple[str, os.stat_result]] = []
        self._rest: list[Entry] = []
        self._folders: list[os.stat_result] = []
        self._followed: list[str] = []
        self._is_chosen = choice != ALL
        self.bytes = 0
        self.has_table = False
        pattern = re.compile(choice.pattern) if choice.pattern else None
        for folder in walk(root, Ignore(choice.without) if choice.without else None):
            prefix = folder.prefix
            self._folders.append(os.stat(f"{root}/{prefix}"))
            self._followed += [f"{root}/{prefix}{name}" for name in folder.followed]
            for name, status in folder.files:
                if pattern is not None and not pattern.fullmatch(prefix + name):
                    continue
                self._files.append((prefix + name, status))
                self.bytes += status.st_size
                if name == _MLTABLE and not prefix and pattern is None:
                    self.has_table = True
            if pattern is None:
                self._rest += [Entry(prefix + name, LINK, target, 0) for name, target in folder.links]
                if folder.empty and prefix:
                    self._rest.append(Entry(prefix[:-1], FOLDER, "", 0))
            if budget is not None and len(self._files) + len(self._folders) > budget.files:
                raise TooMuch

    @classmethod
    def of_file(cls, path: str, status: os.stat_result, name: str | None) -> _Walk:
        """As a folder that holds only this file."""
        walked = cls.__new__(cls)
        walked._root, walked._path = os.path.dirname(path), path
        walked._files, walked._rest, walked._folders, walked._followed = [], [], [], []
        walked._files.append((name or os.path.basename(path), status))
        walked._is_chosen = True
        walked.bytes, walked.has_table = status.st_size, False
        return walked

    def newest(self, ways: dict[str, int]) -> float:
        """When anything of it, or a link on the way, last changed; seconds."""
        every = [status.st_ctime_ns for _, status in self._files] + [status.st_ctime_ns for status in self._folders]
        every += [_links_changed(path, ways) for path in (self._path, *self._followed)]
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
        if len(self._files) > _MANY and not self._is_chosen:
            return snapshots.identify(self._root, ignore=False)[1]
        entries = list(self._rest)
        is_file = not self._folders
        for path, _ in self._files:
            place = self._path if is_file else f"{self._root}/{path}"
            sha, status = read_steady(place, lambda name, size: hash_file(name))
            kind = EXECUTABLE if status.st_mode & stat.S_IXUSR else FILE
            entries.append(Entry(path, kind, sha, status.st_size))
        return entries


def _named(path: Path, type: str | None) -> tuple[Named, ...]:
    """What the MLTable in a folder names elsewhere; in a folder of another type it may be anything."""
    try:
        return tuple(mltable_inputs.named(path))
    except ValidationException as error:
        if type == "mltable":
            raise Unknown(str(error)) from None
        return ()


def _links_changed(path: str, known: dict[str, int], depth: int = 0) -> int:
    """When the newest link was made that lies on the way to `path`, in nanoseconds; 0 where there is none.

    `known` are the times of folders that others have passed.
    """
    above, name = os.path.split(path.rstrip("/"))
    if not name or depth > _MOST_LINKS:
        return 0
    if above not in known:
        known[above] = _links_changed(above, known, depth)
    try:
        status = os.lstat(path.rstrip("/"))
        if not stat.S_ISLNK(status.st_mode):
            return known[above]
        target = os.path.join(above, os.readlink(path.rstrip("/")))
    except OSError:
        return known[above]
    return max(known[above], status.st_ctime_ns, _links_changed(target, known, depth + 1))
