from __future__ import annotations

import os
import shutil
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings

from smalt.exceptions import NotFound, RefusedError, Unavailable
from smalt.service.data import Snapshots
from smalt.service.data.snapshots.snapshots import SnapshotLimits

from . import trees


@pytest.fixture(scope="module")
def scratch() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="smalt-test-"))
    yield folder
    shutil.rmtree(folder)


@settings(max_examples=60)
@given(trees.folders)
def test_what_is_materialised_is_what_was_added(scratch: Path, tree: dict[str, trees.Content | None]) -> None:
    """Any folder comes back with the same paths, bytes, exec bits and empty folders, and the same id."""
    snapshots, code, copy = Snapshots(scratch / "store"), scratch / "code", scratch / "copy"
    trees.write(code, tree)
    shutil.rmtree(copy, ignore_errors=True)
    snapshot = snapshots.add(code)
    snapshots.write_to(snapshot.hash, copy)
    assert trees.read(copy) == trees.read(code)
    assert snapshots.add(copy).hash == snapshot.hash == snapshots.add(code).hash
    assert snapshots.identify(code)[0] == snapshot


def test_the_id_changes_with_everything_that_counts(snapshots: Snapshots, code: Path) -> None:
    """Bytes, name, exec bit, an empty folder and a kept link each give another id."""
    seen = set()

    def look() -> None:
        seen.add(snapshots.add(code).hash)

    file = code / "a.py"
    look()
    file.write_text("1")
    look()
    file.write_text("2")
    look()
    file.chmod(0o755)
    look()
    file.rename(code / "b.py")
    look()
    (code / "empty").mkdir()
    look()
    (code / "link").symlink_to("nowhere")
    look()
    (code / "link").unlink()
    (code / "link").symlink_to("elsewhere")
    look()
    assert len(seen) == 8


def test_the_id_does_not_change_with_time_or_place(snapshots: Snapshots, code: Path, tmp_path: Path) -> None:
    """Times, owner's other mode bits and where the folder lies are not part of the id."""
    (code / "a").write_text("x")
    first = snapshots.add(code)
    os.utime(code / "a", (1, 1))
    (code / "a").chmod(0o640)
    moved = code.rename(tmp_path / "elsewhere")
    assert snapshots.add(moved) == first


def test_links_and_empty_folders_come_back(snapshots: Snapshots, code: Path, tmp_path: Path) -> None:
    """A followed link comes back as a file, one that cannot be followed as a link, an empty folder as one."""
    (code / "a").write_text("x")
    (code / "good").symlink_to("a")
    (code / "bad").symlink_to("nowhere")
    (code / "none").mkdir()
    snapshots.write_to(snapshots.add(code).hash, tmp_path / "copy")
    content = (b"x", False)
    assert trees.read(tmp_path / "copy") == {"a": content, "good": content, "bad": "nowhere", "none": None}


def test_a_single_file_is_a_folder_with_that_file(snapshots: Snapshots, code: Path, tmp_path: Path) -> None:
    """A file and a folder that holds only it are the same snapshot."""
    (code / "main.py").write_text("print()")
    snapshot = snapshots.add(code / "main.py")
    assert snapshot == snapshots.add(code)
    assert (snapshot.files, snapshot.bytes) == (1, 7)


def test_a_copy_is_the_jobs_own(snapshots: Snapshots, code: Path, tmp_path: Path) -> None:
    """Writing into a materialised copy changes neither the store nor the next copy."""
    (code / "a").write_text("x")
    snapshot = snapshots.add(code)
    snapshots.write_to(snapshot.hash, tmp_path / "one")
    with (tmp_path / "one" / "a").open("r+") as file:
        file.write("changed")
    snapshots.write_to(snapshot.hash, tmp_path / "two")
    assert (tmp_path / "two" / "a").read_text() == "x"
    assert (tmp_path / "one" / "a").stat().st_nlink == 1


def test_what_a_cut_off_copy_left_is_written_again(snapshots: Snapshots, code: Path, tmp_path: Path) -> None:
    """Materialising into a half-written folder completes it."""
    (code / "a").write_text("whole")
    snapshot = snapshots.add(code)
    (tmp_path / "copy").mkdir()
    (tmp_path / "copy" / "a").write_text("wh")
    snapshots.write_to(snapshot.hash, tmp_path / "copy")
    assert (tmp_path / "copy" / "a").read_text() == "whole"


def test_a_large_file_goes_by_the_kernel(snapshots: Snapshots, code: Path, tmp_path: Path) -> None:
    """A file too large for memory is stored and copied alike."""
    content = os.urandom(1 << 16) * 40
    (code / "weights.bin").write_bytes(content)
    snapshots.write_to(snapshots.add(code).hash, tmp_path / "copy")
    assert (tmp_path / "copy" / "weights.bin").read_bytes() == content


def test_equal_snapshots_may_be_taken_at_once(snapshots: Snapshots, code: Path, tmp_path: Path) -> None:
    """Many threads that add the same folder all get the one id, and it is whole."""
    for number in range(50):
        (code / f"{number}.txt").write_text(str(number % 7))
    hashes: list[str] = []
    threads = [threading.Thread(target=lambda: hashes.append(snapshots.add(code).hash)) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(hashes) == 6
    assert len(set(hashes)) == 1
    snapshots.write_to(hashes[0], tmp_path / "copy")
    assert trees.read(tmp_path / "copy") == trees.read(code)


def test_a_lost_blob_is_said_and_stored_again(snapshots: Snapshots, code: Path, tmp_path: Path) -> None:
    """When the store was damaged, the job says so in one sentence, and the next submission repairs it."""
    (code / "a").write_text("x")
    snapshot = snapshots.add(code)
    os.unlink(snapshots.objects.get_path(snapshots.read_entries(snapshot.hash)[0].content))
    with pytest.raises(Unavailable, match="submit the job again"):
        snapshots.write_to(snapshot.hash, tmp_path / "copy")
    assert snapshots.add(code) == snapshot
    snapshots.write_to(snapshot.hash, tmp_path / "copy")


def test_a_torn_blob_is_not_taken_for_whole(snapshots: Snapshots, code: Path) -> None:
    """An empty file that a crash left in a blob's place is written anew."""
    (code / "a").write_text("x")
    place = Path(snapshots.objects.get_path("2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"))
    place.parent.mkdir(parents=True)
    place.touch()
    snapshots.add(code)
    assert place.read_text() == "x"


def test_a_folder_that_is_too_large_is_refused(tmp_path: Path, code: Path) -> None:
    """Too many files or bytes are one sentence that names the ignore file and the setting."""
    for number in range(4):
        (code / str(number)).write_text("12345")
    with pytest.raises(RefusedError, match=r"more than 3 files; .*\.amlignore.* snapshot-max-files"):
        Snapshots(tmp_path / "store", lambda: SnapshotLimits(files=3)).add(code)
    with pytest.raises(RefusedError, match=r"more than 19 bytes; .* snapshot-max-bytes"):
        Snapshots(tmp_path / "store", lambda: SnapshotLimits(bytes=19)).add(code)
    assert not (tmp_path / "store" / "trees").exists()


def test_what_is_not_there_is_one_sentence(snapshots: Snapshots, tmp_path: Path) -> None:
    """A missing path and an unknown snapshot are said plainly."""
    with pytest.raises(NotFound, match="gone does not exist"):
        snapshots.add(tmp_path / "gone")
    with pytest.raises(NotFound, match="is not in this home"):
        snapshots.write_to("0" * 64, tmp_path / "copy")


def test_is_small(snapshots: Snapshots, code: Path) -> None:
    """Whether a copy can be made at once goes by files and bytes."""
    (code / "a").write_text("12345")
    hash = snapshots.add(code).hash
    assert snapshots.is_small(hash, 1, 5)
    assert not snapshots.is_small(hash, 1, 4)
    assert not snapshots.is_small(hash, 0, 5)
