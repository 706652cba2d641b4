from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from smalt.exceptions import NotFound
from smalt.service.data import Snapshot, Snapshots


def add(snapshots: Snapshots, code: Path, **files: str) -> Snapshot:
    for file in code.iterdir():
        file.unlink()
    for name, text in files.items():
        (code / name).write_text(text)
    return snapshots.add(code)


def age(snapshots: Snapshots, hash: str, seconds: float) -> None:
    then = time.time() - seconds
    os.utime(snapshots.folder / "trees" / hash, (then, then))


def test_what_is_old_and_not_kept_goes(snapshots: Snapshots, code: Path, tmp_path: Path) -> None:
    """Bytes that a kept snapshot shares stay; what only the dropped one had is freed, and told."""
    kept = add(snapshots, code, a="shared", b="kept")
    old = add(snapshots, code, a="shared", c="mine alone")
    young = add(snapshots, code, d="young")
    age(snapshots, kept.hash, 5000)
    age(snapshots, old.hash, 5000)
    assert snapshots.prune({kept.hash}, 1000, dry_run=True) == [(old.hash, 10)]
    snapshots.write_to(old.hash, tmp_path / "still")
    assert snapshots.prune({kept.hash}, 1000, dry_run=False) == [(old.hash, 10)]
    for snapshot in (kept, young):
        snapshots.write_to(snapshot.hash, tmp_path / snapshot.hash)
    with pytest.raises(NotFound):
        snapshots.write_to(old.hash, tmp_path / "gone")


def test_what_was_pruned_can_be_added_again(snapshots: Snapshots, code: Path, tmp_path: Path) -> None:
    """The stat cache does not claim what the store no longer has."""
    first = add(snapshots, code, a="x")
    snapshots.add(code)
    snapshots.prune(set(), 0, dry_run=False)
    assert not snapshots.has(first.hash)
    assert snapshots.add(code) == first
    snapshots.write_to(first.hash, tmp_path / "copy")
    assert (tmp_path / "copy" / "a").read_text() == "x"


def test_a_snapshot_in_use_is_young(snapshots: Snapshots, code: Path) -> None:
    """Submitting unchanged code makes its snapshot young again."""
    first = add(snapshots, code, a="x")
    age(snapshots, first.hash, 5000)
    snapshots.add(code)
    assert snapshots.prune(set(), 1000, dry_run=False) == []


def test_uploads_may_wait_for_their_manifest(snapshots: Snapshots) -> None:
    """A blob that no manifest names yet is left alone for a while, and goes after it."""
    sha = "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"
    snapshots.put_blob(sha, [b"x"])
    snapshots.prune(set(), 0, dry_run=False)
    assert snapshots.objects.has(sha, 1)
    then = time.time() - 7200
    os.utime(snapshots.objects.get_path(sha), (then, then))
    snapshots.prune(set(), 0, dry_run=False)
    assert not snapshots.objects.has(sha, 1)
