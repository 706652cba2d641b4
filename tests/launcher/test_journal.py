"""The journal on its own, and on a full disk."""

from __future__ import annotations

import resource
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from smalt.launcher import journal
from smalt.launcher.journal import Journal
from smalt.launcher.record import StepRecord
from tests.launcher.rig import Rig

MACHINE = ["host", "boot", "namespace"]


@contextmanager
def no_file_larger_than(size: int) -> Iterator[None]:
    """As on a full disk: a write beyond fails."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, before)


def record(name: str) -> StepRecord:
    made = StepRecord(name, f"/jobs/{name}", 3.5, 2.0)
    made.machine = MACHINE
    return made


def test_what_is_not_done_with_is_loaded(tmp_path: Path) -> None:
    """Started, stopped and ended steps come back as they were; acknowledged ones do not."""
    book = Journal(tmp_path / "j", MACHINE)
    running, ended, done = record("running"), record("ended"), record("done")
    running.pid, running.start_time, running.started, running.monotonic = 17, 18, 1.5, 2.5
    ended.code = 3
    book.write_entries([{"t": "launcher", "machine": MACHINE}, *map(journal.make_intent_entry, (running, ended, done))])
    stop = {"t": "stop", "id": "running", "reason": "stopped", "grace": 9.0}
    exits = [{"t": "exit", "exit": each.set_exit("exited", None, 5.0)} for each in (ended, done)]
    book.write_entries([journal.make_start_entry(running), stop, *exits])
    book.add_entries([{"t": "ack", "ids": ["done"]}])
    book.write_entries([])
    loaded = Journal(tmp_path / "j", MACHINE).load_records()
    assert sorted(loaded) == ["ended", "running"]
    found = loaded["running"]
    assert (found.pid, found.start_time, found.started, found.monotonic) == (17, 18, 1.5, 2.5)
    assert (found.timeout, found.reason, found.grace, found.machine) == (3.5, "stopped", 9.0, MACHINE)
    assert loaded["ended"].exit == ended.exit


def test_compacting_keeps_what_matters(tmp_path: Path) -> None:
    """A compacted journal says the same of every step that is left, in less space."""
    book = Journal(tmp_path / "j", MACHINE)
    for number in range(100):
        name = f"s{number}"
        book.write_entries([journal.make_intent_entry(record(name)), {"t": "ack", "ids": [name]}])
    kept = record("kept")
    kept.pid, kept.reason = 5, "timeout"
    before = (tmp_path / "j").stat().st_size
    book.compact_file({"kept": kept})
    book.write_entries([{"t": "exit", "exit": kept.set_exit("timeout", None, 1.0)}])
    assert (tmp_path / "j").stat().st_size < before / 10
    loaded = Journal(tmp_path / "j", MACHINE).load_records()["kept"]
    assert (loaded.pid, loaded.reason, loaded.exit) == (5, "timeout", kept.exit)


def test_a_write_that_fails_leaves_nothing(tmp_path: Path) -> None:
    """On a full disk the journal stays as it was, and goes on when there is room again."""
    book = Journal(tmp_path / "j", MACHINE)
    book.write_entries([journal.make_intent_entry(record("a"))])
    before = (tmp_path / "j").read_bytes()
    with no_file_larger_than(len(before) + 10), pytest.raises(OSError, match="too large"):
        book.write_entries([journal.make_intent_entry(record("b"))])
    assert (tmp_path / "j").read_bytes() == before
    book.write_entries([journal.make_intent_entry(record("c"))])
    assert sorted(Journal(tmp_path / "j", MACHINE).load_records()) == ["a", "c"]


def test_a_step_is_refused_when_the_journal_cannot_be_written(rig: Rig) -> None:
    """On a full disk nothing is started that could not be accounted for; the sentence says why."""
    with no_file_larger_than(200):
        rig.launch()
    client = rig.connect()
    client.start(rig.step("a" * 80, "true"))
    assert rig.home.path("launcher", "journal").stat().st_size < 200
    exit = client.exit("a" * 80)
    assert exit["reason"] == "refused"
    assert exit["message"] == "cannot write the launcher's journal: File too large"
