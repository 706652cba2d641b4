"""An output that is written beside its place and moved there when all of it is on the disk.

A folder is staged in a hidden folder within it, which a lock marks as in use, so the moves stay on one file system. A
process that is killed leaves that hidden folder; the next transfer to the same place removes it, and whatever had been
moved out of it to where nothing was.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import uuid

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

PREFIX = ".smalt-transfer-"
_LOCK, _FILES, _MOVES = "lock", "files", "moves.json"


class StagedOutput:
    """A folder or file that gets all that was written to it at once, by `commit`; without that, nothing."""

    def __init__(self, path: str, is_file: bool) -> None:
        self.is_file = is_file
        self.path = os.path.realpath(path)
        self.folder = os.path.dirname(self.path) if is_file else self.path

    def __enter__(self) -> StagedOutput:
        os.makedirs(self.folder, exist_ok=True)
        for name in os.listdir(self.folder):
            if name.startswith(PREFIX):
                _remove_abandoned(self.folder, name)
        self._make_staging()
        self.files = os.path.join(self._staging, _FILES)
        os.mkdir(self.files)
        self.scratch = os.path.join(self._staging, "scratch")
        os.mkdir(self.scratch)
        return self

    def __exit__(self, *_: object) -> None:
        shutil.rmtree(self._staging, ignore_errors=True)
        os.close(self._lock)

    def _make_staging(self) -> None:
        while True:  # another transfer may take the folder for abandoned before it is locked
            self._staging = os.path.join(self.folder, PREFIX + uuid.uuid4().hex[:12])
            os.mkdir(self._staging, 0o700)
            try:
                self._lock = _lock_file(os.path.join(self._staging, _LOCK))
            except (BlockingIOError, FileNotFoundError):
                continue
            return

    def has_file(self, path: str) -> bool:
        """Return True if a file or link is at the path within the place already."""
        return os.path.lexists(self.find_place(path)) and not _is_folder(self.find_place(path))

    def find_obstacle(self, path: str) -> str | None:
        """Return the part of the path that a file takes where a folder is to be, or the other way round."""
        whole = self.find_place(path)
        if _is_folder(whole):
            return path
        parts = path.split(os.sep)[:-1]
        for count in range(1, len(parts) + 1):
            part = os.sep.join(parts[:count])
            if os.path.lexists(self.find_place(part)) and not _is_folder(self.find_place(part)):
                return part
        return None

    def commit(self, paths: Iterable[str], folders: Iterable[str] = ()) -> None:
        """Move the staged files to their places; all of them are on the disk before the first is moved."""
        paths = list(paths)
        new = {path: _read_mark(os.path.join(self.files, path)) for path in paths if not self.has_file(path)}
        with open(os.path.join(self._staging, _MOVES), "w", encoding="utf-8") as file:
            json.dump(new, file)
            file.flush()
            os.fsync(file.fileno())
        for folder in sorted({os.path.dirname(os.path.join(self.files, path)) for path in paths}):
            sync_path(folder)
        sync_path(self._staging)
        for folder in folders:
            os.makedirs(self.find_place(folder), exist_ok=True)
        touched = sorted({self.folder, *(os.path.dirname(self.find_place(path)) for path in paths)})
        for folder in touched:
            os.makedirs(folder, exist_ok=True)
        for path in paths:
            os.replace(os.path.join(self.files, path), self.find_place(path))
        for folder in touched:
            sync_path(folder)
        os.remove(os.path.join(self._staging, _MOVES))

    def find_place(self, path: str) -> str:
        return self.path if self.is_file else os.path.join(self.folder, path)


def _remove_abandoned(folder: str, name: str) -> None:
    """Undo what a killed transfer left, unless its process is at work."""
    staging = os.path.join(folder, name)
    try:
        lock = _lock_file(os.path.join(staging, _LOCK))
    except OSError:  # another transfer writes here at the same time
        return
    try:
        for path, mark in _read_moves(staging).items():
            place = os.path.join(folder, path)
            if os.path.lexists(place) and _read_mark(place) == mark:  # not what somebody put there since
                os.remove(place)
        shutil.rmtree(staging, ignore_errors=True)
    finally:
        os.close(lock)


def _read_moves(staging: str) -> dict[str, list[int]]:
    """Return the mark of each file that the transfer moved to where nothing was, or was about to move there."""
    try:
        with open(os.path.join(staging, _MOVES), encoding="utf-8") as file:
            found: dict[str, list[int]] = json.load(file)
            return found
    except (OSError, ValueError):  # killed before the first move
        return {}


def _read_mark(path: str) -> list[int]:
    """Return numbers that a file keeps when it is moved, and that no other file has."""
    state = os.lstat(path)
    return [state.st_ino, state.st_size, state.st_mtime_ns]


def _lock_file(path: str) -> int:
    handle = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(handle)
        raise
    return handle


def _is_folder(path: str) -> bool:
    return os.path.isdir(path)


def sync_path(path: str) -> None:
    """Bring a file, or the entries of a folder, to the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
