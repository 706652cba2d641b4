"""Long curves in files beside MLflow's database, from which they are read in a fraction of the time.

A file is a series of blocks: a line of JSON with the block's place in the file, the number of values, the row of the
run that was its newest when the block was written, and a checksum of all of it; then the values, the steps and the
times. The database has all of it as well, so a file that is damaged, or that cannot be written, costs time only.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import shutil
import zlib
from array import array
from collections.abc import Callable, Iterator, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote, unquote

from smalt.service.tracking.curves import Curve
from smalt.service.tracking.run_database import find_runs

log = logging.getLogger("smalt.tracking")

FOLDER = "curves"
_COLUMNS = 3
_LONGEST_NAME = 150

FindNames = Callable[[set[int]], Mapping[int, str]]
"""Returns id → name of those jobs of these ids that are still there."""


class RunKey(NamedTuple):
    """A run, and the record of its job, which a later job of the same name does not have; 0 for a run without one."""

    id: str
    job: int


class StoredCurve(NamedTuple):
    curve: Curve
    """The points in the order in which they were stored."""
    newest: tuple[Any, ...]
    """The row of the run that was its newest when the last of them were read."""
    size: int
    """Bytes of the file that are complete blocks."""


class CurveFiles:
    """The files of a workspace's long curves. Of a curve only one thread reads or writes at a time."""

    def __init__(self, database: Path) -> None:
        self._database = database
        self._folder = database.with_name(FOLDER)

    def has_run(self, key: RunKey) -> bool:
        with contextlib.suppress(OSError):
            return self._get_run_folder(key).is_dir()
        return False

    def load_curve(self, key: RunKey, metric: str) -> StoredCurve | None:
        """Load the complete blocks of a curve; None if there are none."""
        try:
            content = self._get_path(key, metric).read_bytes()
        except OSError:
            return None
        columns, newest, size = tuple(array("d") for _ in range(_COLUMNS)), None, 0
        for header, block, end in _read_blocks(content):
            width = len(block) // _COLUMNS
            for number, column in enumerate(columns):
                column.frombytes(block[number * width : (number + 1) * width])
            newest, size = tuple(header["newest"]), end
        return StoredCurve(Curve(*columns), newest, size) if newest else None

    def append_curve(self, key: RunKey, metric: str, size: int, curve: Curve, newest: tuple[Any, ...]) -> int | None:
        """Write a curve's next points behind `size` bytes of its file; return its new size, None if it has no room."""
        path, block = self._get_path(key, metric), b"".join(column.tobytes() for column in curve)
        facts = {"begin": size, "count": len(curve.values), "newest": newest}
        header = json.dumps({**facts, "checksum": _sum_block(facts, block)}).encode()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with open(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), "wb") as file:
                file.truncate(size)
                file.seek(size)
                file.write(header + b"\n" + block)
        except OSError as error:
            log.warning("the values of '%s' of run %s are not kept in a file: %s", metric, key.id, error)
            return None
        return size + len(header) + 1 + len(block)

    def remove_curve(self, key: RunKey, metric: str) -> None:
        with contextlib.suppress(OSError):
            self._get_path(key, metric).unlink()

    def remove_orphans(self, find_names: FindNames) -> None:
        """Remove the files of runs that the database does not have any more, or that another job has now."""
        if not self._folder.is_dir():
            return
        folders = list(self._folder.iterdir())
        parts = [folder.name.rpartition(".") for folder in folders]
        names = find_names({int(job) for _, _, job in parts if job.isdecimal()})
        keys = [RunKey(name, job) for job, name in names.items()]
        keys += [RunKey(unquote(run), 0) for run, _, job in parts if job == "0"]
        there = find_runs(self._database, [key.id for key in keys])
        kept = {_build_folder_name(key) for key in keys if key.id in there}
        for folder in folders:
            if folder.name not in kept:
                shutil.rmtree(folder, ignore_errors=True)

    def _get_run_folder(self, key: RunKey) -> Path:
        return self._folder / _build_folder_name(key)

    def _get_path(self, key: RunKey, metric: str) -> Path:
        return self._get_run_folder(key) / sha256(metric.encode()).hexdigest()[:32]


def _build_folder_name(key: RunKey) -> str:
    """Return the name of a run's folder; of a long one, for which file systems have no room, a hash is a part."""
    name = quote(key.id, safe="")
    if len(name) > _LONGEST_NAME:
        name = f"{name[:_LONGEST_NAME]}~{sha256(key.id.encode()).hexdigest()[:32]}"
    return f"{name}.{key.job}"


def _read_blocks(content: bytes) -> Iterator[tuple[dict[str, Any], memoryview, int]]:
    """Yield the header of each complete block, its numbers and its end, up to the first that is damaged."""
    view, place = memoryview(content), 0
    while (line := content.find(b"\n", place)) >= 0:
        try:
            header = json.loads(content[place:line])
            end = line + 1 + _COLUMNS * array("d").itemsize * header["count"]
            block = view[line + 1 : end]
            checksum = header.pop("checksum")
        except (ValueError, KeyError, TypeError, AttributeError):
            return
        if end > len(content) or header.get("begin") != place or _sum_block(header, block) != checksum:
            return
        yield header, block, end
        place = end


def _sum_block(facts: dict[str, Any], block: bytes | memoryview) -> int:
    """Return the checksum of a block and of what its header says, in which its place in the file is a part."""
    return zlib.crc32(block, zlib.crc32(json.dumps(facts, sort_keys=True).encode()))
