"""What is known of files from the last time must never be taken for what is in them now."""

from __future__ import annotations

import json
import os
from pathlib import Path

from smalt.service.data import Snapshots, statcache
from smalt.service.data.scan import Scan

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
    place = statcache.place(snapshots.folder / "stat", _LIBRARY, True)
    assert Scan(_LIBRARY, True, place, lambda files, size: None).unchanged


def test_what_could_have_changed_unseen_is_not_kept() -> None:
    """A file whose stamps are as young as the reading is racy; whole seconds mean a coarse clock."""
    began = 1_000_000_000_123
    assert statcache.racy((1, began, 5, 1, 1, ""), began)
    assert statcache.racy((1, 5, began - 1_000_000, 1, 1, ""), began)
    assert not statcache.racy((1, 5, began - 100_000_000, 1, 1, ""), began)
    assert statcache.racy((1, 5, 999_000_000_000, 1, 1, ""), began)
    assert not statcache.racy((1, 5, 997_000_000_000, 1, 1, ""), began)


def test_a_torn_cache_is_no_cache(snapshots: Snapshots) -> None:
    """Whatever a crash leaves of the cache, the snapshot is right."""
    first = snapshots.add(_LIBRARY)
    place = statcache.place(snapshots.folder / "stat", _LIBRARY, True)
    whole = place.read_bytes()
    for torn in (b"", whole[: len(whole) // 2], b"\0" * len(whole), whole[:-1] + b"?"):
        place.write_bytes(torn)
        assert statcache.load(place) is None
        assert snapshots.add(_LIBRARY) == first


def test_with_and_without_ignore_file_are_kept_apart(snapshots: Snapshots, code: Path) -> None:
    """The same folder taken with its ignore file and without gives two ids, again and again."""
    (code / ".gitignore").write_text("b\n")
    (code / "a").write_text("a")
    (code / "b").write_text("b")
    for _ in range(2):
        assert snapshots.add(code).files == 2
        assert snapshots.add(code, ignore=False).files == 3
