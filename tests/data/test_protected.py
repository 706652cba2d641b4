"""What smalt keeps for versions is read-only from the moment that it has its name, also after a kill -9."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from smalt.machine.home import Home
from smalt.service.data import DataAccess
from smalt.service.data.files.write_protection import allow_writing, copy_aside, forbid_writing, is_write_protected
from smalt.service.data.uploads.batch_uploads import _HEAD as HEAD
from smalt.service.data.uploads.batch_uploads import BatchUpload, UploadRequest
from smalt.service.records.workspaces import Workspace

FILES = {"a": b"1", "sub/b": b"2", "sub/deep/c": b"3"}


def tree(folder: Path) -> Path:
    for name, content in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


def writable(folder: Path) -> list[str]:
    """What at and below the folder has a right to write."""
    return [str(path) for path in (folder, *folder.rglob("*")) if path.lstat().st_mode & 0o222]


def die_after(call: str, times: int, act: Callable[[], object]) -> bool:
    """Whether a process that does this was killed right after the call of `os` that it makes so many times."""
    pid = os.fork()
    if pid:
        return os.WIFSIGNALED(os.waitpid(pid, 0)[1])
    real, left = getattr(os, call), [times]

    def calling(*arguments: object, **named: object) -> object:
        found = real(*arguments, **named)
        left[0] -= 1
        if not left[0]:
            os.kill(os.getpid(), signal.SIGKILL)
        return found

    setattr(os, call, calling)
    try:
        act()
    finally:
        os._exit(0)


def copied(folder: Path) -> tuple[Path, Callable[[], object]]:
    source, target = tree(folder / "source"), folder / "Versions" / "data" / "x" / "1" / "source"
    return target, lambda: copy_aside(source, target)


def uploaded(folder: Path) -> tuple[Path, Callable[[], object]]:
    upload = BatchUpload(folder / "LocalUpload" / "id" / "up")
    upload.receive_pieces([HEAD.pack(len(name), len(data), 0) + name.encode() + data for name, data in FILES.items()])
    return upload.target, lambda: upload.finish([UploadRequest(name, len(data)) for name, data in FILES.items()])


def imported(folder: Path) -> tuple[Path, Callable[[], object]]:
    source, home = tree(folder / "source"), Home(folder / "home")
    home.create()
    data, workspace = (
        DataAccess(home, {}, lambda *_: None, lambda *_: None),
        Workspace(1, "s", "g", "w", "w", "", "me", 0.0),
    )
    data.datastores.create_defaults("w")
    hash = data.snapshots.identify(os.fspath(source))[0].hash
    target = home.path("workspaces/w/datastores/workspaceblobstore/LocalUpload", hash, "source")
    return target, lambda: data.import_local(os.fspath(source), workspace)


@pytest.mark.parametrize("made", [copied, uploaded, imported])
def test_a_kill_right_after_it_got_its_name(
    tmp_path: Path, made: Callable[[Path], tuple[Path, Callable[[], object]]]
) -> None:
    """A copy, an upload and an import that have their name have no right to write, wherever a kill came."""
    target, act = made(tmp_path)
    for times in range(1, 20):
        was_killed = die_after("replace", times, act)
        if target.exists():
            assert writable(target) == []
            assert {name: (target / name).read_bytes() for name in FILES} == FILES
            return
        assert was_killed, "it was not made at all"
    raise AssertionError("it never got its name")


@pytest.mark.parametrize("made", [copied, uploaded, imported])
def test_a_power_cut_right_after_it_got_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, made: Callable[[Path], tuple[Path, Callable[[], object]]]
) -> None:
    """Files and folders are on the disk before they have their name, and the name before it is acknowledged."""
    target, act = made(tmp_path)
    before, after = set[int](), set[int]()

    def syncing(handle: int) -> None:
        (after if target.exists() else before).add(os.fstat(handle).st_ino)

    monkeypatch.setattr(os, "fsync", syncing)
    act()
    content = {path.stat().st_ino for path in target.rglob("*")}
    assert content
    assert content <= before
    assert target.parent.stat().st_ino in after


@pytest.mark.skipif(sys.platform != "linux", reason="two names are exchanged at once on Linux only")
def test_a_kill_while_a_changed_content_is_replaced(tmp_path: Path) -> None:
    """The version is there after a kill at whatever moment: as somebody changed it, or as it was registered."""
    target, act = imported(tmp_path)
    act()
    for times in range(1, 20):
        allow_writing(target)
        (target / "a").write_bytes(b"changed")
        was_killed = die_after("replace", times, act)
        assert sorted(path.name for path in target.iterdir()) == ["a", "sub"]
        if not was_killed:
            assert (target / "a").read_bytes() == FILES["a"]
            return
    raise AssertionError("it was killed each time")


def test_the_folder_itself_is_protected_last(tmp_path: Path) -> None:
    """Where a kill came while rights were taken, a folder that is read-only holds nothing that is not."""
    for times in range(1, 20):
        folder = tree(tmp_path / str(times))
        was_killed = die_after("chmod", times, lambda folder=folder: forbid_writing(folder))  # type: ignore[misc]
        assert is_write_protected(folder) == (writable(folder) == [])
        if not was_killed:
            return
    raise AssertionError("it was killed each time")


def test_an_upload_that_an_earlier_smalt_left_half_protected(tmp_path: Path) -> None:
    """The same upload again protects what has its name and may be written."""
    target, finish = uploaded(tmp_path)
    tree(target)
    (target / "sub").chmod(0o555)
    finish()
    assert writable(target) == []
