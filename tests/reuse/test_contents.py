"""What is at a path, and what differs between two contents."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from smalt.machine.home import Home
from smalt.service.data import DataAccess, Snapshots
from smalt.service.data.snapshots import manifest
from smalt.service.data.snapshots.manifest import ManifestEntry
from smalt.service.records import workspaces
from smalt.service.records.database import Database
from smalt.service.records.reuse import KnownContent
from smalt.service.reuse import key_differences
from smalt.service.reuse.content_lookup import ContentLookup, LookupPlace
from smalt.service.reuse.contents import ABSENT, BudgetExceeded, PathContent, ReadBudget, UnknownContent, examine_path
from tests.helpers import eventually


@pytest.fixture
def snapshots(tmp_path: Path) -> Snapshots:
    return Snapshots(tmp_path / "store")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "data"
    (made / "sub").mkdir(parents=True)
    (made / "a").write_text("1")
    (made / "sub" / "b").write_text("2")
    (made / "empty").mkdir()
    return made


def see(path: Path, snapshots: Snapshots, last: KnownContent | None = None, type: str = "uri_folder") -> PathContent:
    return examine_path(path, type, last, snapshots, None)


def believed(path: Path, snapshots: Snapshots) -> PathContent:
    """Looked at once it is old enough for its times to be believed."""
    return eventually(lambda: (found := see(path, snapshots)).seen.stamp and found)


def test_a_content_is_the_same_wherever_it_lies(folder: Path, snapshots: Snapshots, tmp_path: Path) -> None:
    """The id is that of the snapshot of the folder, and another copy of it, made later, has the same."""
    twin = tmp_path / "twin"
    (twin / "sub").mkdir(parents=True)
    (twin / "empty").mkdir()
    for name in ("a", "sub/b"):
        (twin / name).write_bytes((folder / name).read_bytes())
    assert see(folder, snapshots).id == see(twin, snapshots).id == snapshots.add(folder, ignore=False).hash


def test_large_folders_have_the_same_ids(tmp_path: Path, snapshots: Snapshots) -> None:
    """Many files are read by way of the stat cache, to the same end."""
    many = tmp_path / "many"
    many.mkdir()
    for number in range(100):
        (many / str(number)).write_text(str(number))
    assert see(many, snapshots).id == snapshots.add(many, ignore=False).hash


def test_nothing_is_read_again_while_nothing_changes(folder: Path, snapshots: Snapshots) -> None:
    """An unchanged folder is known by its stamp; one whose file was written anew is read."""
    first = believed(folder, snapshots)
    lie = first.seen._replace(content="what was said the last time")
    assert see(folder, snapshots, lie).id == "what was said the last time"
    (folder / "sub" / "b").write_text("3")
    assert see(folder, snapshots, lie).id not in ("what was said the last time", first.id)


def test_what_is_young_is_not_believed(folder: Path, snapshots: Snapshots) -> None:
    """A file that could have been written again within the clock's tick has no stamp."""
    (folder / "a").write_text("4")
    soon = time.time() + 60  # so that it is young however late it is looked at
    os.utime(folder / "a", (soon, soon))
    assert see(folder, snapshots).seen.stamp == ""


def test_a_deleted_file_shows(folder: Path, snapshots: Snapshots) -> None:
    """That a file was deleted tells the time of its folder."""
    before = time.time()
    eventually(lambda: time.time() > before + 0.05)
    (folder / "sub" / "b").unlink()
    assert see(folder, snapshots).newest > before


def test_what_is_not_there_and_what_cannot_be_known(folder: Path, snapshots: Snapshots, tmp_path: Path) -> None:
    """Nothing has no content; a link that leads nowhere, and an MLTable that is wrong, cannot be known."""
    assert see(tmp_path / "absent", snapshots) == ABSENT
    (folder / "MLTable").write_text("paths:\n  - file: ./a\n")
    assert see(folder, snapshots, type="mltable").id
    (folder / "MLTable").write_text("paths:\n  - folder: ../elsewhere\n")
    assert [one.uri for one in see(folder, snapshots, type="mltable").named] == [str(tmp_path / "elsewhere")]
    (folder / "MLTable").write_text("paths: nowhere\n")
    assert see(folder, snapshots).named == ()
    with pytest.raises(UnknownContent, match="MLTable"):
        see(folder, snapshots, type="mltable")
    os.symlink("/nowhere", folder / "link")
    with pytest.raises(UnknownContent):
        see(folder, snapshots)


def test_a_budget_ends_a_look(folder: Path, snapshots: Snapshots) -> None:
    """What would take long is left to who has time."""
    for budget in (ReadBudget(2, 100), ReadBudget(100, 1)):
        with pytest.raises(BudgetExceeded):
            examine_path(folder, "uri_folder", None, snapshots, budget)
    assert examine_path(folder, "uri_folder", None, snapshots, ReadBudget(100, 100)).id


def test_a_file_is_a_folder_that_holds_it(folder: Path, snapshots: Snapshots) -> None:
    """Its name and bytes count, its place does not."""
    assert see(folder / "a", snapshots, type="uri_file").id == snapshots.add(folder / "a").hash


def test_changes_of_files_name_lines() -> None:
    """Changed lines of a text with their numbers; of anything else the file, and what came and went."""
    texts = {"1": b"a\nb\nc\n", "2": b"a\nB\nc\nd\n", "3": b"\0\1", "4": b"\0\2\3"}
    before = [
        ManifestEntry("run.sh", "f", "1", 6),
        ManifestEntry("data.bin", "f", "3", 2),
        ManifestEntry("old", "f", "1", 6),
    ]
    now = [
        ManifestEntry("run.sh", "f", "2", 8),
        ManifestEntry("data.bin", "f", "4", 3),
        ManifestEntry("new", "x", "1", 6),
    ]
    found = key_differences.compare_files(before, now, lambda entry: texts.get(entry.content))
    assert [(one["where"], one["before"], one["now"]) for one in found] == [
        ("data.bin", "2 bytes, sha256 3", "3 bytes, sha256 4"),
        ("new", None, "6 bytes, executable, sha256 1"),
        ("old", "6 bytes, sha256 1", None),
        ("run.sh:2", "b", "B"),
        ("run.sh:4", None, "d"),
    ]


def test_changes_of_packages() -> None:
    """Another version, one more, one less."""
    found = key_differences.compare_packages(["a==1", "b==1", "python==3.10.1"], ["a==2", "c==1", "python==3.10.1"])
    assert found == [
        {"where": "a", "before": "1", "now": "2"},
        {"where": "b", "before": "1", "now": None},
        {"where": "c", "before": None, "now": "1"},
    ]


def test_manifests_are_kept_to_name_files(folder: Path, snapshots: Snapshots) -> None:
    """What was read is told file by file."""
    kept = see(folder, snapshots).manifest
    assert kept is not None
    assert [entry.path for entry in manifest.decode_manifest(kept)] == ["a", "empty", "sub/b"]


async def test_a_content_is_recorded_for_the_lookups_that_follow(folder: Path, tmp_path: Path) -> None:
    """What a lookup has read is in the records: the next server need not read it again."""
    home = Home(tmp_path / "home")
    home.create()
    db = Database(home.path("smalt.db"))
    workspace = workspaces.ensure_workspace(db, "sub", "rg", "ws", "me")
    data = DataAccess(home, {}, lambda *_: None, lambda *_: None)
    believed(folder, data.snapshots)
    place = LookupPlace(str(folder), "uri_folder", workspace)
    first = await ContentLookup(db, data).examine(folder, place)
    assert isinstance(first, PathContent)
    nothing = ReadBudget(files=200, bytes=0)
    assert await ContentLookup(db, data).examine(folder, place, nothing) == first._replace(manifest=None)
    (folder / "a").write_text("22")
    with pytest.raises(BudgetExceeded):
        await ContentLookup(db, data).examine(folder, place, nothing)
    db.close()
