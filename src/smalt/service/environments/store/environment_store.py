"""The store of built environments: $SMALT_HOME/environments/<declared hash>/{record.json, venv/ or image}.

A folder that jobs changed keeps its files for those that still run in it. Its record is renamed to `changed`, and the
environment is built again beside it, in <declared hash>.again-2.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import json
import os
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from smalt.service.environments.builders.build_processes import LOCKS
from smalt.service.environments.store.removal import remove_folder, resume_removals

LAYOUT = 1
_BUILDING = ".building-"
_AGAIN = ".again-"
_CHANGED = "changed"
_POLL_SECONDS = 0.05
_TOUCH_SECONDS = 60.0


@dataclass
class EnvironmentRecord:
    """The record of a built environment."""

    declared_hash: str
    realised_hash: str
    names: list[str]
    parts: dict[str, Any]
    packages: list[str]
    python: str
    """The interpreter that it was made with."""
    version: str
    lib64: bool
    built: float
    seconds: float
    size: int
    layout: int = LAYOUT
    relaxed: list[str] = field(default_factory=list)
    """Sentences about the requirements that could not be installed as declared."""
    container: dict[str, str] | None = None
    """Facts of a container: its `image` (the id), the `name` by which the engine knows it, `path` (PATH inside)."""


class EnvironmentStore:
    """The folder of built environments. An environment is there whole or not at all."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._touched: dict[str, float] = {}

    def get_path(self, declared_hash: str) -> Path:
        """Return the folder of an environment: the first that was not changed."""
        path, count = self.folder / declared_hash, 1
        while (path / _CHANGED).exists():
            count += 1
            path = self.folder / f"{declared_hash}{_AGAIN}{count}"
        return path

    def read_record(self, declared_hash: str) -> EnvironmentRecord | None:
        """Return the record of an environment that is there and can run."""
        record = _parse_record(self.get_path(declared_hash))
        return record if record is not None and self.is_usable(declared_hash) else None

    def is_usable(self, declared_hash: str) -> bool:
        """True if its Python, a link to one of the machine, still exists; the engine knows about images."""
        path = self.get_path(declared_hash)
        return (path / "venv" / "bin" / "python").exists() or (path / "image").exists()

    def list_records(self) -> list[EnvironmentRecord]:
        """Return the records of everything that was built, including what cannot run any more."""
        names = sorted(os.listdir(self.folder)) if self.folder.is_dir() else []
        return [
            record
            for name in names
            if not name.startswith(".") and (record := _parse_record(self.folder / name)) is not None
        ]

    def list_changed(self) -> list[EnvironmentRecord]:
        """Return the records of environments that jobs changed, and that are there no longer."""
        marks = sorted(self.folder.glob(f"[!.]*/{_CHANGED}"))
        return [record for mark in marks if (record := _parse_record(mark.parent, _CHANGED)) is not None]

    def mark_used(self, declared_hash: str) -> None:
        """Record that it was used, to the minute."""
        now = time.time()
        if now - self._touched.get(declared_hash, 0.0) > _TOUCH_SECONDS:
            self._touched[declared_hash] = now
            with contextlib.suppress(OSError):
                os.utime(self.get_path(declared_hash) / "record.json", (now, now))

    def get_last_use(self, declared_hash: str) -> float:
        return (self.get_path(declared_hash) / "record.json").stat().st_mtime

    @contextlib.asynccontextmanager
    async def hold_lock(self, declared_hash: str, on_wait: Callable[[], None]) -> AsyncIterator[None]:
        """Hold the lock of one environment over all processes; `on_wait` is called once if another holds it."""
        with self._open_lock(declared_hash) as handle:
            waited = False
            while not _try_lock(handle):
                if not waited:
                    on_wait()
                waited = True
                await asyncio.sleep(_POLL_SECONDS)
            before = LOCKS.set((handle,))
            try:
                yield
            finally:
                LOCKS.reset(before)

    def begin(self, declared_hash: str) -> Path:
        """A new folder to build in. Call with the lock held: what an interrupted build left is removed."""
        self._remove_builds(declared_hash)
        return Path(tempfile.mkdtemp(prefix=f"{_BUILDING}{declared_hash}-", dir=self.folder))

    def begin_in_place(self, declared_hash: str) -> Path:
        """Like `begin`, for what cannot be moved: without a record it counts as not there."""
        self.remove(declared_hash)
        self.get_path(declared_hash).mkdir(parents=True)
        return self.get_path(declared_hash)

    def give_up(self, building: Path) -> None:
        """Remove a build that did not come to its end."""
        if building.exists() and not (building / "record.json").exists():
            remove_folder(building, self.folder)

    def publish(self, building: Path, record: EnvironmentRecord) -> None:
        """Put a finished build in its place. Call with the lock held."""
        target = self.get_path(record.declared_hash)
        path = building / ("record.json" if building != target else ".record.json")
        with path.open("w") as file:
            json.dump(asdict(record), file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        building.chmod(0o755)
        if building == target:
            os.rename(path, target / "record.json")
            return
        self.remove(record.declared_hash)
        os.rename(building, target)

    def remove(self, declared_hash: str) -> None:
        """Remove an environment, so that nobody finds half of it meanwhile. Call with the lock held."""
        if self.get_path(declared_hash).exists():
            remove_folder(self.get_path(declared_hash), self.folder)

    def mark_changed(self, declared_hash: str) -> None:
        """Make a changed environment one that is not there: the next job builds it; its files stay where they are."""
        place = self.get_path(declared_hash)
        with contextlib.suppress(FileNotFoundError):
            os.rename(place / "record.json", place / _CHANGED)

    def is_marked_changed(self, folder: str) -> bool:
        """True if the environment in that folder was found changed; it serves those that run in it, and nobody else."""
        return (self.folder / folder / _CHANGED).exists()

    def remove_changed(self) -> None:
        """Remove the files of changed environments; call while no job runs. Their marks stay: see `get_path`."""
        for mark in self.folder.glob(f"[!.]*/{_CHANGED}"):
            for path in [path for path in mark.parent.iterdir() if path != mark]:
                with contextlib.suppress(OSError):
                    path.chmod(0o755)  # a read-only folder could not be moved
                    remove_folder(path, self.folder)

    def add_name(self, record: EnvironmentRecord, name: str) -> None:
        """Record another name under which it is known."""
        record.names.append(name)
        target = self.get_path(record.declared_hash) / "record.json"
        temporary = target.with_suffix(f".{os.getpid()}")
        temporary.write_text(json.dumps(asdict(record), indent=1))
        os.replace(temporary, target)

    def remove_left_over(self) -> None:
        """Remove what ended processes left half built or half removed."""
        resume_removals(self.folder)
        for left in self.list_left_over():
            self.remove_unused(left)

    def list_left_over(self) -> list[Path]:
        """Return what ended processes left half built; changed environments, which jobs may use, are none of it."""
        in_place = (
            path
            for path in self.folder.glob("[!.]*")
            if not (path / "record.json").exists() and not (path / _CHANGED).exists()
        )
        return [left for left in (*self.folder.glob(f"{_BUILDING}*"), *in_place) if not self.is_locked(get_hash(left))]

    def list_finished(self) -> list[Path]:
        """Return every folder that has a record, even an unreadable one."""
        return [path.parent for path in sorted(self.folder.glob("[!.]*/record.json"))]

    def is_locked(self, declared_hash: str) -> bool:
        """True if a process builds or removes it now."""
        with self._open_lock(declared_hash) as handle:
            return not _try_lock(handle)

    def remove_unused(self, left: Path) -> None:
        """Remove a folder that is of no use, unless a process builds it again meanwhile."""
        with self._open_lock(get_hash(left)) as handle:
            if _try_lock(handle):
                remove_folder(left, self.folder)

    def _remove_builds(self, declared_hash: str) -> None:
        for left in self.folder.glob(f"{_BUILDING}{declared_hash}-*"):
            remove_folder(left, self.folder)

    @contextlib.contextmanager
    def _open_lock(self, declared_hash: str) -> Iterator[int]:
        locks = self.folder / ".locks"
        locks.mkdir(parents=True, exist_ok=True)
        handle = os.open(locks / declared_hash, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            yield handle
        finally:
            os.close(handle)


def get_hash(folder: Path) -> str:
    """Return the declared hash of what is in a folder of the store, be it built, being built or built again."""
    name = folder.name
    if name.startswith(_BUILDING):
        return name.removeprefix(_BUILDING).rpartition("-")[0]
    return name.partition(_AGAIN)[0]


def _parse_record(folder: Path, file: str = "record.json") -> EnvironmentRecord | None:
    try:
        record = EnvironmentRecord(**json.loads((folder / file).read_text()))
    except (OSError, ValueError, TypeError):
        return None
    return record if record.layout == LAYOUT else None


def get_size(folder: Path) -> int:
    """Return the bytes on disk; a file shared by links with uv's cache counts whole."""
    total = 0
    for root, _, files in os.walk(folder):
        for name in files:
            with contextlib.suppress(OSError):
                total += os.lstat(os.path.join(root, name)).st_blocks * 512
    return total


def _try_lock(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
