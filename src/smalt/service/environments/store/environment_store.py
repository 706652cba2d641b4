"""Built environments on disk: $SMALT_HOME/environments/<declared hash>/{record.json, venv/ or image}."""

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
from smalt.service.environments.store.removal import discard, sweep

LAYOUT = 1
_BUILDING = ".building-"
_POLL_SECONDS = 0.05
_TOUCH_SECONDS = 60.0


@dataclass
class Record:
    """What is known of a built environment."""

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
    """What could not be installed as it was asked for, a sentence each."""
    container: dict[str, str] | None = None
    """For one in a container: its `image` (the id), the `name` by which the engine knows it, `path` (PATH inside)."""


class Store:
    """The folder of built environments. An environment is there whole or not at all."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._touched: dict[str, float] = {}

    def path(self, declared_hash: str) -> Path:
        return self.folder / declared_hash

    def record(self, declared_hash: str) -> Record | None:
        """What is known of that environment, where it is there and can run."""
        record = self._read(declared_hash)
        return record if record is not None and self.stands(declared_hash) else None

    def stands(self, declared_hash: str) -> bool:
        """Whether its Python, which is a link to one of the machine, is still there; of an image the engine knows."""
        path = self.path(declared_hash)
        return (path / "venv" / "bin" / "python").exists() or (path / "image").exists()

    def records(self) -> list[Record]:
        """All that was built, those that cannot run any more among them."""
        names = sorted(os.listdir(self.folder)) if self.folder.is_dir() else []
        return [record for name in names if not name.startswith(".") and (record := self._read(name)) is not None]

    def touch(self, declared_hash: str) -> None:
        """Remember that it was used, to the minute."""
        now = time.time()
        if now - self._touched.get(declared_hash, 0.0) > _TOUCH_SECONDS:
            self._touched[declared_hash] = now
            with contextlib.suppress(OSError):
                os.utime(self.path(declared_hash) / "record.json", (now, now))

    def last_used(self, declared_hash: str) -> float:
        return (self.path(declared_hash) / "record.json").stat().st_mtime

    @contextlib.asynccontextmanager
    async def locked(self, declared_hash: str, on_wait: Callable[[], None]) -> AsyncIterator[None]:
        """Hold the lock of one environment over all processes; `on_wait` is called once where another has it."""
        with self._handle(declared_hash) as handle:
            waited = False
            while not _lock(handle):
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
        self._clear(declared_hash)
        return Path(tempfile.mkdtemp(prefix=f"{_BUILDING}{declared_hash}-", dir=self.folder))

    def begin_in_place(self, declared_hash: str) -> Path:
        """Like `begin`, for what cannot be moved: without a record it counts as not there."""
        self.discard(declared_hash)
        self.path(declared_hash).mkdir(parents=True)
        return self.path(declared_hash)

    def give_up(self, building: Path) -> None:
        """Remove a build that did not come to its end."""
        if building.exists() and not (building / "record.json").exists():
            discard(building, self.folder)

    def publish(self, building: Path, record: Record) -> None:
        """Put a finished build in its place. Call with the lock held."""
        target = self.path(record.declared_hash)
        path = building / ("record.json" if building != target else ".record.json")
        with path.open("w") as file:
            json.dump(asdict(record), file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        building.chmod(0o755)
        if building == target:
            os.rename(path, target / "record.json")
            return
        self.discard(record.declared_hash)
        os.rename(building, target)

    def discard(self, declared_hash: str) -> None:
        """Remove an environment, so that nobody finds half of it meanwhile. Call with the lock held."""
        if self.path(declared_hash).exists():
            discard(self.path(declared_hash), self.folder)

    def rename(self, record: Record, name: str) -> None:
        """Note another name under which it is known."""
        record.names.append(name)
        target = self.path(record.declared_hash) / "record.json"
        temporary = target.with_suffix(f".{os.getpid()}")
        temporary.write_text(json.dumps(asdict(record), indent=1))
        os.replace(temporary, target)

    def sweep(self) -> None:
        """Remove what processes that are no more have left half built or half removed."""
        sweep(self.folder)
        for left in self.left_over():
            self.remove_left(left)

    def left_over(self) -> list[Path]:
        """What processes that are no more have left half built."""
        in_place = (path for path in self.folder.glob("[!.]*") if not (path / "record.json").exists())
        return [left for left in (*self.folder.glob(f"{_BUILDING}*"), *in_place) if not self.is_locked(_hash_of(left))]

    def finished(self) -> list[Path]:
        """Every folder that has a record, one that cannot be read any more among them."""
        return [path.parent for path in sorted(self.folder.glob("[!.]*/record.json"))]

    def is_locked(self, declared_hash: str) -> bool:
        """Whether somebody builds or removes it now."""
        with self._handle(declared_hash) as handle:
            return not _lock(handle)

    def remove_left(self, left: Path) -> None:
        """Remove what is of no use to anybody, unless somebody makes it again meanwhile."""
        with self._handle(_hash_of(left)) as handle:
            if _lock(handle):
                discard(left, self.folder)

    def _read(self, declared_hash: str) -> Record | None:
        try:
            record = Record(**json.loads((self.path(declared_hash) / "record.json").read_text()))
        except (OSError, ValueError, TypeError):
            return None
        return record if record.layout == LAYOUT else None

    def _clear(self, declared_hash: str) -> None:
        for left in self.folder.glob(f"{_BUILDING}{declared_hash}-*"):
            discard(left, self.folder)

    @contextlib.contextmanager
    def _handle(self, declared_hash: str) -> Iterator[int]:
        locks = self.folder / ".locks"
        locks.mkdir(parents=True, exist_ok=True)
        handle = os.open(locks / declared_hash, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            yield handle
        finally:
            os.close(handle)


def _hash_of(left: Path) -> str:
    """Whose lock guards it: `.building-<hash>-…` that of its environment."""
    name = left.name
    return name.removeprefix(_BUILDING).rpartition("-")[0] if name.startswith(_BUILDING) else name


def size_of(folder: Path) -> int:
    """Bytes on disk; a file shared by links with uv's cache counts whole."""
    total = 0
    for root, _, files in os.walk(folder):
        for name in files:
            with contextlib.suppress(OSError):
                total += os.lstat(os.path.join(root, name)).st_blocks * 512
    return total


def _lock(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
