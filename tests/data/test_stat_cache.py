"""What is known of files from the last time must never be taken for what is in them now."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from smalt.machine import stat_cache
from smalt.machine.ignore_rules import IgnoreRules, WalkedFolder, walk_folders
from smalt.service.data import Snapshots
from smalt.service.data.snapshots import folder_scan
from smalt.service.data.snapshots.folder_scan import FolderScan

_LIBRARY = os.path.dirname(json.__file__)  # files that nobody has touched for longer than a clock's tick


def test_an_edit_that_keeps_size_and_mtime_is_seen(snapshots: Snapshots, code: Path) -> None:
    """However soon after a snapshot an edit comes, and though it puts the time back, the next snapshot has it."""
    file = code / "a.txt"
    file.write_text("0")
    status = file.stat()
    ids = []
    for turn in range(300):
        with open(file, "r+") as stream:
            stream.write(str(turn % 2))
        os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))
        ids.append(snapshots.add(code).hash)
    assert len(set(ids)) == 2
    assert ids == ids[:2] * 150


@pytest.mark.parametrize("resolution", [10_000_000, 1_000_000_000, 2_000_000_000])
def test_an_edit_within_one_tick_of_a_coarse_clock_is_seen(
    snapshots: Snapshots, code: Path, monkeypatch: pytest.MonkeyPatch, resolution: int
) -> None:
    """The same on a file system whose stamps are coarser than this machine's, where an edit may leave no trace."""
    real_walk, real_stat = walk_folders, os.stat

    def coarse(status: os.stat_result) -> os.stat_result:
        stamps = {name: getattr(status, name) // resolution * resolution for name in ("st_mtime_ns", "st_ctime_ns")}
        return os.stat_result(tuple(status)[:10], {**stamps, "st_atime_ns": 0})

    def coarse_walk(root: str, ignore: IgnoreRules | None) -> Iterator[WalkedFolder]:
        for folder in real_walk(root, ignore):
            yield folder._replace(files=[(name, coarse(status)) for name, status in folder.files])

    monkeypatch.setattr(folder_scan, "walk_folders", coarse_walk)
    file = code / "a.txt"
    ids = []
    for turn in range(40):
        file.write_text(str(turn % 2))
        monkeypatch.setattr(os, "stat", lambda *args, **named: coarse(real_stat(*args, **named)))
        ids.append(snapshots.add(code).hash)
        monkeypatch.setattr(os, "stat", real_stat)
    assert len(set(ids)) == 2
    assert ids == ids[:2] * 20


def test_a_replaced_file_is_seen(snapshots: Snapshots, code: Path) -> None:
    """Another file renamed into place, with the same size and time, is another content."""
    (code / "a").write_text("1")
    first = snapshots.add(code)
    (code / "b").write_text("2")
    os.utime(code / "b", ns=(0, (code / "a").stat().st_mtime_ns))
    (code / "b").rename(code / "a")
    assert snapshots.add(code) != first


def test_an_unchanged_folder_is_not_read_again(snapshots: Snapshots) -> None:
    """Of files that are older than the clock's resolution nothing but the status is looked at."""
    snapshots.add(_LIBRARY)
    place = stat_cache.find_path(snapshots.folder / "stat", _LIBRARY, True)
    assert FolderScan(_LIBRARY, True, place, lambda files, size: None).is_unchanged


def test_what_could_have_changed_unseen_is_not_kept() -> None:
    """A file whose stamps are as young as the reading is racy; whole seconds mean a coarse clock."""
    began = 1_000_000_000_123
    assert stat_cache.is_racy((1, began, 5, 1, 1, ""), began)
    assert stat_cache.is_racy((1, 5, began - 1_000_000, 1, 1, ""), began)
    assert not stat_cache.is_racy((1, 5, began - 100_000_000, 1, 1, ""), began)
    assert stat_cache.is_racy((1, 5, 999_000_000_000, 1, 1, ""), began)
    assert not stat_cache.is_racy((1, 5, 997_000_000_000, 1, 1, ""), began)


def test_a_torn_cache_is_no_cache(snapshots: Snapshots) -> None:
    """Whatever a crash leaves of the cache, the snapshot is right."""
    first = snapshots.add(_LIBRARY)
    place = stat_cache.find_path(snapshots.folder / "stat", _LIBRARY, True)
    whole = place.read_bytes()
    for torn in (b"", whole[: len(whole) // 2], b"\0" * len(whole), whole[:-1] + b"?"):
        place.write_bytes(torn)
        assert stat_cache.load_cache(place) is None
        assert snapshots.add(_LIBRARY) == first


def test_with_and_without_ignore_file_are_kept_apart(snapshots: Snapshots, code: Path) -> None:
    """The same folder taken with its ignore file and without gives two ids, again and again."""
    (code / ".gitignore").write_text("b\n")
    (code / "a").write_text("a")
    (code / "b").write_text("b")
    for _ in range(2):
        assert snapshots.add(code).files == 2
        assert snapshots.add(code, ignore=False).files == 3
