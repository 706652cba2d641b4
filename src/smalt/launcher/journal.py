"""The launcher's journal: one JSON object per line, only ever appended, and on disk before anyone is told.

SIGKILL cannot lose an entry after `write_entries` returned; only a power cut can, and a sync of the file keeps a power
cut from hiding a step's start (`background_sync.py`).
"""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from smalt.launcher.protocol import encode_message
from smalt.launcher.record import StepRecord
from smalt.machine.home_identity import HomeIdentity

COMPACT_AT = 4 << 20

FOREIGN = ["", "", ""]
"""Stands for the machine of what a launcher of another home started, from which this one was copied."""


class Journal:
    def __init__(
        self,
        path: Path,
        machine: list[str],
        place: HomeIdentity | None = None,
        make_room: Callable[[], bool] = lambda: False,
    ) -> None:
        self._path = path
        self._make_room = make_room
        """Called where the disk is full; True where it made some."""
        self._machine = machine
        self._place = place
        """The path of the journal's home."""
        path.parent.mkdir(mode=0o700, exist_ok=True)
        self._later: list[dict[str, Any]] = []
        self._open_file()

    @property
    def is_large(self) -> bool:
        return self._size > self._limit

    def load_records(self) -> dict[str, StepRecord]:
        """The steps that are not done with: those without an exit, and the exits nobody has acknowledged."""
        records: dict[str, StepRecord] = {}
        machine, written_at = self._machine, self._place
        for line in self._path.read_bytes().split(b"\n"):
            entry = _parse_line(line)
            if entry is None:
                continue
            if entry["t"] == "launcher":
                written_at = HomeIdentity.from_json(entry.get("home"))
                machine = entry["machine"] if self._is_ours(written_at) else FOREIGN
            else:
                self._move_folder(entry, written_at)
                _apply_entry(records, entry, machine)
        return records

    def add_entries(self, entries: list[dict[str, Any]]) -> None:
        """Add entries that may wait for the next write."""
        self._later += entries

    def write_entries(self, entries: list[dict[str, Any]]) -> None:
        """Append all of them or, with an OSError, none."""
        data = b"".join([encode_message(entry) for entry in self._later + entries])
        if not data:
            return
        try:
            self._write_data(data)
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EDQUOT) or not self._make_room():
                raise
            self._write_data(data)
        self._later = []
        self._size += len(data)

    def fileno(self) -> int:
        return self._file

    def _write_data(self, data: bytes) -> None:
        """Write all of it or, with an OSError, none."""
        try:
            written = os.write(self._file, data)
            if written < len(data):
                os.write(self._file, data[written:])
        except OSError:
            os.ftruncate(self._file, self._size)
            raise

    def compact_file(self, records: dict[str, StepRecord]) -> None:
        """Start again with what still matters."""
        self._limit += COMPACT_AT  # if it fails, not at once again
        head: dict[str, Any] = {"t": "launcher", "machine": self._machine}
        entries = [{**head, "home": self._place.to_json} if self._place else head]
        for record in records.values():
            entries += _list_entries(record)
        fresh = self._path.with_suffix(".new")
        with open(fresh, "wb") as file:
            file.writelines(encode_message(entry) for entry in entries)
            file.flush()
            os.fsync(file.fileno())
        os.replace(fresh, self._path)
        os.close(self._file)
        self._open_file()

    def _is_ours(self, place: HomeIdentity | None) -> bool:
        """Tell whether what was written there is of this home; earlier launchers did not say."""
        return place is None or self._place is None or not place.is_copied_to(self._place)

    def _move_folder(self, entry: dict[str, Any], written_at: HomeIdentity | None) -> None:
        """Have a step's folder be where a home that was moved has it now."""
        if "folder" in entry and self._place is not None and written_at is not None:
            entry["folder"] = written_at.move_path(entry["folder"], self._place)

    def _open_file(self) -> None:
        self._file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        self._size = os.fstat(self._file).st_size
        self._limit = self._size + COMPACT_AT
        if self._size and os.pread(self._file, 1, self._size - 1) != b"\n":  # torn by a power cut
            self._size += os.write(self._file, b"\n")


def make_start_entry(record: StepRecord) -> dict[str, Any]:
    return {
        "t": "started",
        "id": record.id,
        "pid": record.pid,
        "start_time": record.start_time,
        "started": record.started,
        "monotonic": record.monotonic,
    }


def make_intent_entry(record: StepRecord) -> dict[str, Any]:
    return {
        "t": "start",
        "id": record.id,
        "folder": record.folder,
        "timeout": record.timeout,
        "grace": record.grace,
    }


def make_stop_entry(record: StepRecord) -> dict[str, Any]:
    return {"t": "stop", "id": record.id, "reason": record.reason, "grace": record.grace, "kill_at": record.kill_at}


def _list_entries(record: StepRecord) -> list[dict[str, Any]]:
    entries = [make_intent_entry(record)]
    if record.pid:
        entries.append(make_start_entry(record))
    if record.reason:
        entries.append(make_stop_entry(record))
    if record.exit:
        entries.append({"t": "exit", "exit": record.exit})
    return entries


def _parse_line(line: bytes) -> dict[str, Any] | None:
    try:
        entry = json.loads(line)
    except ValueError:
        return None
    return entry if isinstance(entry, dict) and "t" in entry else None


def _apply_entry(records: dict[str, StepRecord], entry: dict[str, Any], machine: list[str]) -> None:
    kind = entry["t"]
    if kind == "start":
        record = StepRecord(entry["id"], entry["folder"], entry["timeout"], entry["grace"])
        record.machine, record.noted = machine, True
        records[record.id] = record
        return
    if kind == "ack":
        for step_id in entry["ids"]:
            records.pop(step_id, None)
        return
    known = records.get(entry["exit"]["id"] if kind == "exit" else entry["id"])
    if known is None:
        return
    if kind == "started":
        known.machine = machine
        known.pid, known.start_time = entry["pid"], entry["start_time"]
        known.started, known.monotonic = entry["started"], entry["monotonic"]
    elif kind == "stop":
        known.reason, known.grace, known.kill_at = entry["reason"], entry["grace"], entry.get("kill_at")
    elif kind == "exit":
        known.exit = entry["exit"]
