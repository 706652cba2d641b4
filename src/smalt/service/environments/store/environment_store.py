"""The store of built environments: $SMALT_HOME/environments/<declared hash>/{record.json, venv/ or image}."""

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
        return self.folder / declared_hash

    def read_record(self, declared_hash: str) -> EnvironmentRecord | None:
        """Return the record of an environment that is there and can run."""
        record = self._parse_record(declared_hash)
        return record if record is not None and self.is_usable(declared_hash) else None

    def is_usable(self, declared_hash: str) -> bool:
        """True if its Python, a link to one of the machine, still exists; the engine knows about images."""
        path = self.get_path(declared_hash)
        return (path / "venv" / "bin" / "python").exists() or (path / "image").exists()

    def list_records(self) -> list[EnvironmentRecord]:
        """Return the records of everything that was built, including what cannot run any more."""
        names = sorted(os.listdir(self.folder)) if self.folder.is_dir() else []
        return [
            record for name in names if not name.startswith(".") and (record := self._parse_record(name)) is not None
        ]

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

    def discard_record(self, declared_hash: str) -> None:
        """Make an environment one that is not there: the next job builds it, the next server removes what is left."""
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.get_path(declared_hash) / "record.json")

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
        """Return what ended processes left half built."""
        in_place = (path for path in self.folder.glob("[!.]*") if not (path / "record.json").exists())
        return [left for left in (*self.folder.glob(f"{_BUILDING}*"), *in_place) if not self.is_locked(_get_hash(left))]

    def list_finished(self) -> list[Path]:
        """Return every folder that has a record, even an unreadable one."""
        return [path.parent for path in sorted(self.folder.glob("[!.]*/record.json"))]

    def is_locked(self, declared_hash: str) -> bool:
        """True if a process builds or removes it now."""
        with self._open_lock(declared_hash) as handle:
            return not _try_lock(handle)

    def remove_unused(self, left: Path) -> None:
        """Remove a folder that is of no use, unless a process builds it again meanwhile."""
        with self._open_lock(_get_hash(left)) as handle:
            if _try_lock(handle):
                remove_folder(left, self.folder)

    def _parse_record(self, declared_hash: str) -> EnvironmentRecord | None:
        try:
            record = EnvironmentRecord(**json.loads((self.get_path(declared_hash) / "record.json").read_text()))
        except (OSError, ValueError, TypeError):
            return None
        return record if record.layout == LAYOUT else None

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


def _get_hash(left: Path) -> str:
    """Return the hash whose lock guards the folder: `.building-<hash>-…` that of its environment."""
    name = left.name
    return name.removeprefix(_BUILDING).rpartition("-")[0] if name.startswith(_BUILDING) else name


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
