"""The steps of a tree share one look at a version, and none of them takes a changed one for what it was."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from smalt.exceptions import RefusedError
from smalt.service.data import Location
from smalt.service.engine.versions import integrity_cache as verified
from smalt.service.engine.versions.integrity import VersionIntegrity
from smalt.service.engine.versions.integrity_cache import IntegrityCache
from smalt.service.records.database import Database

TREE, OTHER = 1, 2
SMALL, LARGE = 3, 300


@pytest.fixture
def seen(tmp_path: Path) -> Iterator[IntegrityCache]:
    db = Database(tmp_path / "smalt.db")
    yield IntegrityCache(VersionIntegrity(db, str(tmp_path)))
    db.close()


def version(seen: IntegrityCache, folder: Path, files: int) -> Location:
    """Return a version that was noted when it was stored, which nobody may write."""
    place = folder / "workspaces/default/datastores/workspaceblobstore/LocalUpload/d/kept"
    place.mkdir(parents=True)
    for number in range(files):
        (place / f"f{number}").write_text("as it was")
    asyncio.run(seen._intact.record_stamp(str(place)))
    return Location("azureml:kept:1", place)


def change(location: Location) -> None:
    assert location.path is not None
    (location.path / "f0").write_text("other")


def is_refused(seen: IntegrityCache, location: Location, root_id: int) -> bool:
    if seen.is_stamped(location, root_id):
        return False
    try:
        asyncio.run(seen.refuse_changed(location, root_id))
    except RefusedError:
        return True
    return False


@pytest.mark.parametrize("files", [SMALL, LARGE])
def test_a_tree_looks_once_and_another_for_itself(
    seen: IntegrityCache, tmp_path: Path, files: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A step that failed, perhaps by what was changed, makes its tree look again."""
    monkeypatch.setattr(verified, "_SECONDS", 1e9)
    location = version(seen, tmp_path, files)
    assert not is_refused(seen, location, TREE)
    change(location)
    assert not is_refused(seen, location, TREE)
    assert is_refused(seen, location, OTHER)
    seen.forget_all()
    assert is_refused(seen, location, TREE)


def test_a_small_version_is_looked_at_after_each_end(seen: IntegrityCache, tmp_path: Path) -> None:
    location = version(seen, tmp_path, SMALL)
    assert not is_refused(seen, location, TREE)
    change(location)
    seen.forget_small()
    assert is_refused(seen, location, TREE)


def test_a_large_version_is_looked_at_after_its_time(
    seen: IntegrityCache, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verified, "_SECONDS", 0.0)
    location = version(seen, tmp_path, LARGE)
    assert not is_refused(seen, location, TREE)
    change(location)
    assert is_refused(seen, location, TREE)


def test_steps_that_start_at_once_share_the_look(seen: IntegrityCache, tmp_path: Path) -> None:
    """All are refused where the content was changed, and none where it was not."""
    location = version(seen, tmp_path, LARGE)

    async def all_at_once() -> list[BaseException | None]:
        looks = (seen.refuse_changed(location, TREE) for _ in range(8))
        return await asyncio.gather(*looks, return_exceptions=True)

    assert asyncio.run(all_at_once()) == [None] * 8
    seen.forget_all()
    change(location)
    assert all(isinstance(one, RefusedError) for one in asyncio.run(all_at_once()))
