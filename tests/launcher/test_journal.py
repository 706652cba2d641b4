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
from smalt.launcher.record import Record
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


def record(name: str) -> Record:
    made = Record(name, f"/jobs/{name}", 3.5, 2.0)
    made.machine = MACHINE
    return made


def test_what_is_not_done_with_is_loaded(tmp_path: Path) -> None:
    """Started, stopped and ended steps come back as they were; acknowledged ones do not."""
    book = Journal(tmp_path / "j", MACHINE)
    running, ended, done = record("running"), record("ended"), record("done")
    running.pid, running.start_time, running.started, running.monotonic = 17, 18, 1.5, 2.5
    ended.code = 3
    book.write([{"t": "launcher", "machine": MACHINE}, *map(journal.intent, (running, ended, done))])
    stop = {"t": "stop", "id": "running", "reason": "stopped", "grace": 9.0}
    exits = [{"t": "exit", "exit": each.settle("exited", None, 5.0)} for each in (ended, done)]
    book.write([journal.started(running), stop, *exits])
    book.later([{"t": "ack", "ids": ["done"]}])
    book.write([])
    loaded = Journal(tmp_path / "j", MACHINE).load()
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
        book.write([journal.intent(record(name)), {"t": "ack", "ids": [name]}])
    kept = record("kept")
    kept.pid, kept.reason = 5, "timeout"
    before = (tmp_path / "j").stat().st_size
    book.compact({"kept": kept})
    book.write([{"t": "exit", "exit": kept.settle("timeout", None, 1.0)}])
    assert (tmp_path / "j").stat().st_size < before / 10
    loaded = Journal(tmp_path / "j", MACHINE).load()["kept"]
    assert (loaded.pid, loaded.reason, loaded.exit) == (5, "timeout", kept.exit)


def test_a_write_that_fails_leaves_nothing(tmp_path: Path) -> None:
    """On a full disk the journal stays as it was, and goes on when there is room again."""
    book = Journal(tmp_path / "j", MACHINE)
    book.write([journal.intent(record("a"))])
    before = (tmp_path / "j").read_bytes()
    with no_file_larger_than(len(before) + 10), pytest.raises(OSError, match="too large"):
        book.write([journal.intent(record("b"))])
    assert (tmp_path / "j").read_bytes() == before
    book.write([journal.intent(record("c"))])
    assert sorted(Journal(tmp_path / "j", MACHINE).load()) == ["a", "c"]


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
