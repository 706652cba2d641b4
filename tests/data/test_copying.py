from __future__ import annotations

import ctypes
import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from smalt.exceptions import NotFound, RefusedError, Unavailable
from smalt.machine.mounts import list_mount_points
from smalt.service.data import copy_tree, remove_tree
from smalt.service.data.files.copy_cancellation import CopyStopped, stop_when
from smalt.service.data.files.copying import copy_file, format_bytes, make_write_error

from . import trees


def test_a_copied_tree_is_the_same_and_its_own(code: Path, tmp_path: Path) -> None:
    """Links are followed, exec bits stay, nothing is hard-linked."""
    trees.write(code, {"a": (b"1", False), "b/run": (b"#!", True), "c/d": None, "big": (b"x" * 300_000, False)})
    (code / "link").symlink_to("b")
    (code / "gone").symlink_to("nowhere")
    copied = copy_tree(code, tmp_path / "copy")
    there = trees.read(tmp_path / "copy")
    assert there["link/run"] == (b"#!", True)
    assert "gone" not in there
    assert {path: there[path] for path in ("a", "b/run", "c/d", "big")} == {
        path: trees.read(code)[path] for path in ("a", "b/run", "c/d", "big")
    }
    assert copied == 300_005
    assert (tmp_path / "copy" / "a").stat().st_nlink == 1


def test_a_circle_of_links_is_one_sentence(code: Path, tmp_path: Path) -> None:
    """A folder that links to itself is refused, not copied for ever."""
    (code / "a").mkdir()
    (code / "a" / "up").symlink_to("..")
    with pytest.raises(RefusedError, match="leads back to a folder that holds it"):
        copy_tree(code, tmp_path / "copy")


def test_a_missing_source_is_one_sentence(tmp_path: Path) -> None:
    """What is not there cannot be copied."""
    with pytest.raises(NotFound, match="does not exist"):
        copy_tree(tmp_path / "gone", tmp_path / "copy")


def test_read_only_trees_are_removed(code: Path) -> None:
    """Deleting works on what is write-protected, and on nothing at all."""
    trees.write(code, {"a/b": (b"1", False)})
    (code / "a" / "b").chmod(0o444)
    (code / "a").chmod(0o555)
    (code / "out").symlink_to("/")
    remove_tree(code)
    remove_tree(code)
    assert not code.exists()


@pytest.mark.parametrize("mode", [0o555, 0o300, 0o000])
def test_an_ordinary_user_removes_what_its_jobs_left(code: Path, mode: int) -> None:
    """Folders that cannot be written, or not be listed, go with all that is in them."""
    trees.write(code, {"a/b/c": (b"1", False), "a/d": (b"2", False)})
    for folder in (code / "a" / "b", code / "a"):
        folder.chmod(mode)
    _as_ordinary_user(f"remove_tree({str(code)!r})")
    assert not code.exists()


def test_what_is_mounted_in_a_folder_stays(code: Path, tmp_path: Path) -> None:
    """All else goes, also what cannot be written, and with a slash at the end of the path."""
    trees.write(code, {"a/point": None, "a/b": (b"1", False), "c/d": (b"2", False)})
    trees.write(tmp_path / "theirs", {"f": (b"3", False)})
    if subprocess.run(["mount", "--bind", tmp_path / "theirs", code / "a" / "point"], check=False).returncode:
        pytest.skip("only who may mount can make this mistake")
    try:
        for folder in ("a", "c"):
            (code / folder).chmod(0o555)
        assert list_mount_points(f"{code}/") == [str(code / "a" / "point")]
        _as_ordinary_user(f"remove_tree({str(code)!r} + '/')")
        assert sorted(str(path.relative_to(code)) for path in code.rglob("*")) == ["a", "a/point", "a/point/f"]
    finally:
        subprocess.run(["umount", code / "a" / "point"], check=True)


def test_a_link_is_removed_and_not_what_it_leads_to(code: Path, tmp_path: Path) -> None:
    """Whether or not a slash follows its name."""
    trees.write(code, {"a": (b"1", False)})
    for slash in ("", "/"):
        (tmp_path / "link").symlink_to(code)
        remove_tree(f"{tmp_path / 'link'}{slash}")
        assert not (tmp_path / "link").is_symlink()
    assert (code / "a").exists()


def _as_ordinary_user(statement: str) -> None:
    """Run it where modes of files count, whoever runs the tests."""
    program = f"from smalt.service.data import remove_tree; {statement}"

    def drop() -> None:
        for right in (1, 2):  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH
            ctypes.CDLL(None).prctl(24, right)  # PR_CAPBSET_DROP

    subprocess.run([sys.executable, "-c", program], check=True, preexec_fn=drop)


def test_a_full_disk_is_one_sentence(tmp_path: Path) -> None:
    """It says what to do about it."""
    error = make_write_error(tmp_path, OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)))
    assert str(error) == f"the disk that holds {tmp_path} is full; free space (smalt prune) and try again"
    assert isinstance(error, Unavailable)


@pytest.mark.parametrize(
    ("size", "text"), [(0, "0 bytes"), (999, "999 bytes"), (4600, "4.6 KB"), (1e8, "100 MB"), (2e12, "2.0 TB")]
)
def test_sizes_for_people(size: float, text: str) -> None:
    """As people write them."""
    assert format_bytes(size) == text


def test_a_copy_that_nobody_wants_any_more_ends_at_the_next_file(tmp_path: Path) -> None:
    """What a job no longer wants is copied no further; what others copy meanwhile is copied whole."""
    for number in range(20):
        (tmp_path / "from" / f"d{number // 5}").mkdir(parents=True, exist_ok=True)
        (tmp_path / "from" / f"d{number // 5}" / str(number)).write_text("x")
    asked: list[int] = []

    def stop() -> bool:
        asked.append(1)
        return len(asked) > 7

    with stop_when(stop), pytest.raises(CopyStopped):
        copy_tree(tmp_path / "from", tmp_path / "part")
    assert len([path for path in (tmp_path / "part").rglob("*") if path.is_file()]) == 7
    assert copy_tree(tmp_path / "from", tmp_path / "whole") == 20


def test_a_copy_of_a_large_file_ends_within_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One file may take minutes by itself."""
    monkeypatch.setattr("smalt.service.data.files.copying._CHUNK", 1 << 20)
    monkeypatch.setattr("smalt.service.data.files.copying._try_reflink", lambda *_: False)
    (tmp_path / "large").write_bytes(bytes(8 << 20))
    with stop_when(lambda: True), pytest.raises(CopyStopped):
        copy_file(tmp_path / "large", tmp_path / "copy")
    assert (tmp_path / "copy").stat().st_size < 8 << 20
