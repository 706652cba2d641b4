"""Content ids of paths, computed without reading again the files that have not changed since they were last read."""

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
from smalt.machine.ignore_rules import IgnoreRules, walk_folders
from smalt.machine.stat_cache import is_racy
from smalt.service.data import Snapshots
from smalt.service.data.job_data import mltable_inputs
from smalt.service.data.job_data.mltable_inputs import TableReference
from smalt.service.data.snapshots import manifest
from smalt.service.data.snapshots.folder_scan import read_steady
from smalt.service.data.snapshots.manifest import EXECUTABLE, FILE, FOLDER, LINK, ManifestEntry
from smalt.service.data.snapshots.object_store import hash_file
from smalt.service.records.reuse import KnownContent
from smalt.service.reuse import composite_contents

_MANY = 64
"""Files; of more, which may change one by one, the stat cache of snapshots is kept."""
_MOST_KEPT = 1000
"""Entries of a content whose manifest is kept, to tell which file of it has changed."""
_MLTABLE = "MLTable"
_MOST_LINKS = 40
"""The most links followed one after the other, as in the kernel."""


class PathContent(NamedTuple):
    """The content of a path."""

    seen: KnownContent
    newest: float
    """The time of its last change, by its file system; seconds."""
    modified: float
    """The last modification time of its files, which anyone may set."""
    manifest: bytes | None
    """The manifest, if it was read now and is not large."""
    named: tuple[TableReference, ...] = ()
    """The data that its MLTable refers to elsewhere, which is not part of this content yet."""

    @property
    def id(self) -> str:
        """The content id; empty if nothing is there."""
        return self.seen.content


class ReadBudget(NamedTuple):
    """Limits on how much may be examined without being noticed."""

    files: int
    bytes: int


class BudgetExceeded(Exception):
    """More would have to be examined than the budget allows."""


class UnknownContent(Exception):
    """A content that cannot be determined, with a sentence that says why."""

    def __init__(self, why: str, *, for_now: bool = False) -> None:
        super().__init__(why)
        self.for_now = for_now
        """True if the content may be known later."""


ABSENT = PathContent(KnownContent("", "", 0, 0), 0.0, 0.0, None)


class ContentFilter(NamedTuple):
    """A selection from the files at a path."""

    name: str | None = None
    """The name of the file, if it differs from the end of its path."""
    pattern: str = ""
    """A regular expression; only files whose paths below the folder match it count."""
    without: tuple[str, ...] = ()
    """Patterns of an ignore file; matching files do not count."""


ALL = ContentFilter()


def examine_path(
    path: Path,
    type: str | None,
    last: KnownContent | None,
    snapshots: Snapshots,
    budget: ReadBudget | None,
    choice: ContentFilter = ALL,
    ways: dict[str, int] | None = None,
) -> PathContent:
    """Return the content of `path` now; `last` is the content when it was last read.

    `ways` caches, for folders passed on the way, when the newest link on the way to each was made.
    """
    root = os.fspath(path)
    began = time.time_ns()
    try:
        status = os.stat(root)
        is_folder = stat.S_ISDIR(status.st_mode)
        walked = _ContentWalk(root, budget, choice) if is_folder else _ContentWalk.from_file(root, status, choice.name)
        named = _list_references(path, type) if walked.has_table else ()
        newest = walked.get_last_change({} if ways is None else ways)
        if last is not None and last.stamp and last.stamp == walked.stamp:
            return PathContent(last, newest, walked.modified, None, named)
        if budget is not None and walked.bytes > budget.bytes:
            raise BudgetExceeded
        entries = walked.list_entries(snapshots)
    except FileNotFoundError:
        return ABSENT
    except SmaltError as error:
        raise UnknownContent(str(error)) from None
    except OSError as error:
        raise UnknownContent(f"{error.filename or root} cannot be read: {error.strerror}") from None
    text = manifest.encode_manifest(entries)
    sizes = [entry.size for entry in entries if entry.kind in (FILE, EXECUTABLE)]
    stamp = "" if walked.is_young(began) else walked.stamp
    seen = KnownContent(stamp, manifest.make_content_id(text), len(sizes), sum(sizes))
    return PathContent(seen, newest, walked.modified, text if len(entries) <= _MOST_KEPT else None, named)


def combine_contents(content: PathContent, named: Mapping[str, PathContent]) -> PathContent:
    """Return the content of a table together with everything it refers to, by the texts that refer to it."""
    text = composite_contents.encode_parts([("", content.id), *((written, one.id) for written, one in named.items())])
    every = [content, *named.values()]
    seen = KnownContent(
        "", manifest.make_content_id(text), sum(one.seen.files for one in every), sum(one.seen.bytes for one in every)
    )
    newest, modified = max(one.newest for one in every), max(one.modified for one in every)
    return PathContent(seen, newest, modified, text)


class _ContentWalk:
    """A walk over a folder that collects all that can be known without reading files."""

    def __init__(self, root: str, budget: ReadBudget | None = None, choice: ContentFilter = ALL) -> None:
        self._root = root
        self._path = root
        self._files: list[tuple[str, os.stat_result]] = []
        self._rest: list[ManifestEntry] = []
        self._folders: list[os.stat_result] = []
        self._followed: list[str] = []
        self._is_chosen = choice != ALL
        self.bytes = 0
        self.has_table = False
        pattern = re.compile(choice.pattern) if choice.pattern else None
        for folder in walk_folders(root, IgnoreRules(choice.without) if choice.without else None):
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
                self._rest += [ManifestEntry(prefix + name, LINK, target, 0) for name, target in folder.links]
                if folder.empty and prefix:
                    self._rest.append(ManifestEntry(prefix[:-1], FOLDER, "", 0))
            if budget is not None and len(self._files) + len(self._folders) > budget.files:
                raise BudgetExceeded

    @classmethod
    def from_file(cls, path: str, status: os.stat_result, name: str | None) -> _ContentWalk:
        """Return the walk of a folder that holds only this file."""
        walked = cls.__new__(cls)
        walked._root, walked._path = os.path.dirname(path), path
        walked._files, walked._rest, walked._folders, walked._followed = [], [], [], []
        walked._files.append((name or os.path.basename(path), status))
        walked._is_chosen = True
        walked.bytes, walked.has_table = status.st_size, False
        return walked

    def get_last_change(self, ways: dict[str, int]) -> float:
        """Return when any file, folder or link on the way last changed; seconds."""
        every = [status.st_ctime_ns for _, status in self._files] + [status.st_ctime_ns for status in self._folders]
        every += [_get_last_link_change(path, ways) for path in (self._path, *self._followed)]
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
        """True if something could have changed, without a trace, since it was read; `began` is when reading began."""
        return any(
            is_racy((status.st_size, status.st_mtime_ns, status.st_ctime_ns, 0, 0, ""), began)
            for status in (*(status for _, status in self._files), *self._folders)
        )

    def list_entries(self, snapshots: Snapshots) -> list[ManifestEntry]:
        if len(self._files) > _MANY and not self._is_chosen:
            return snapshots.identify(self._root, ignore=False)[1]
        entries = list(self._rest)
        is_file = not self._folders
        for path, _ in self._files:
            place = self._path if is_file else f"{self._root}/{path}"
            sha, status = read_steady(place, lambda name, size: hash_file(name))
            kind = EXECUTABLE if status.st_mode & stat.S_IXUSR else FILE
            entries.append(ManifestEntry(path, kind, sha, status.st_size))
        return entries


def _list_references(path: Path, type: str | None) -> tuple[TableReference, ...]:
    """Return the data that the MLTable in a folder refers to elsewhere; errors count only if the input is a table."""
    try:
        return tuple(mltable_inputs.list_references(path))
    except ValidationException as error:
        if type == "mltable":
            raise UnknownContent(str(error)) from None
        return ()


def _get_last_link_change(path: str, known: dict[str, int], depth: int = 0) -> int:
    """Return when the newest link on the way to `path` was made, in nanoseconds; 0 if there is none.

    `known` caches the times of folders already passed.
    """
    above, name = os.path.split(path.rstrip("/"))
    if not name or depth > _MOST_LINKS:
        return 0
    if above not in known:
        known[above] = _get_last_link_change(above, known, depth)
    try:
        status = os.lstat(path.rstrip("/"))
        if not stat.S_ISLNK(status.st_mode):
            return known[above]
        target = os.path.join(above, os.readlink(path.rstrip("/")))
    except OSError:
        return known[above]
    return max(known[above], status.st_ctime_ns, _get_last_link_change(target, known, depth + 1))
