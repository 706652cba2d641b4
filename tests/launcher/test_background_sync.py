"""Syncing the journal beside the launcher's loop."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from smalt.launcher import background_sync
from smalt.launcher.background_sync import BackgroundSync
from tests.helpers import LONGEST, eventually


@pytest.fixture
def file(tmp_path: Path) -> Iterator[int]:
    handle = os.open(tmp_path / "journal", os.O_WRONLY | os.O_CREAT)
    yield handle
    os.close(handle)


def test_a_slow_disk_holds_up_nobody(file: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A request returns while the disk still writes what was asked before; what comes meanwhile is synced together."""
    slow, synced = threading.Event(), []

    def sync(handle: int) -> None:
        assert os.path.samestat(os.fstat(handle), os.fstat(file))
        synced.append(handle)
        slow.wait(LONGEST)
        slow.set()

    monkeypatch.setattr(background_sync, "sync_file", sync)
    sync_beside = BackgroundSync(pytest.fail)
    sync_beside.request_sync(file, 1.0)
    eventually(lambda: synced, "the first sync")
    for when in (2.0, 3.0, 4.0):
        sync_beside.request_sync(file, when)
    assert not slow.is_set(), "the first sync is still under way"
    assert sync_beside.covered == 4.0
    assert len(synced) == 1
    slow.set()
    eventually(lambda: len(synced) == 2, "the second sync")
    sync_beside.request_sync(file, 5.0)
    eventually(lambda: len(synced) == 3, "the third sync")


def test_what_the_disk_refused_is_synced_again(file: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A failed sync is said, and what it was to cover counts as not covered."""
    said: list[str] = []

    def sync(handle: int) -> None:
        if not said:
            raise OSError(5, "Input/output error")

    monkeypatch.setattr(background_sync, "sync_file", sync)
    sync_beside = BackgroundSync(said.append)
    sync_beside.request_sync(file, 1.0)
    eventually(lambda: said == ["cannot sync the journal: [Errno 5] Input/output error"], "the sentence")
    assert sync_beside.covered == 0.0
    sync_beside.request_sync(file, 2.0)
    assert sync_beside.covered == 2.0
    eventually(lambda: not sync_beside.is_pending(), "the second sync")


def test_a_request_that_fails_covers_nothing() -> None:
    """Where there is no descriptor left, nothing is waited for, and the next request may succeed."""
    sync_beside = BackgroundSync(pytest.fail)
    with pytest.raises(OSError, match="Bad file descriptor"):
        sync_beside.request_sync(-1, 1.0)
    assert (sync_beside.covered, sync_beside.is_pending()) == (0.0, False)


def test_a_closed_journal_is_synced(file: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file may be replaced, and closed, before its turn comes; no descriptor is left open."""
    before = len(os.listdir("/proc/self/fd"))
    synced: list[int] = []
    monkeypatch.setattr(background_sync, "sync_file", lambda handle: synced.append(os.fstat(handle).st_ino))
    sync_beside = BackgroundSync(pytest.fail)
    other = os.open(tmp_path / "other", os.O_WRONLY | os.O_CREAT)
    inode = os.fstat(other).st_ino
    sync_beside.request_sync(other, 1.0)
    os.close(other)
    eventually(lambda: inode in synced, "the sync")
    eventually(lambda: len(os.listdir("/proc/self/fd")) <= before, "the closed descriptor")
