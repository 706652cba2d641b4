"""Whatever a job did to the commands of its overlay, by whatever way, no other job gets them."""

from __future__ import annotations

import mmap
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from smalt.machine import file_notices
from smalt.service.environments.views import command_watch, overlay_layout, overlay_pool
from smalt.service.environments.views.command_watch import CommandWatch
from smalt.service.environments.views.overlay_layout import OverlayTemplate
from smalt.service.environments.views.overlay_pool import OverlayPool

NAMES = [f"tool{number}" for number in range(20)]
on_linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux gives notices of files")


@pytest.fixture
def template() -> OverlayTemplate:
    scripts = dict.fromkeys(NAMES, b"#!/bin/sh\necho 0\n")
    return OverlayTemplate("/usr/bin/python3", "3.11.1", [], True, scripts, {"link": "/bin/true"})


@pytest.fixture
def pool(tmp_path: Path) -> OverlayPool:
    return OverlayPool(tmp_path / "spares")


@pytest.fixture
def job(pool: OverlayPool, template: OverlayTemplate, tmp_path: Path) -> Path:
    """The overlay of a job; the job before left it as it was."""
    return hand_on(pool, template, tmp_path)


def hand_on(pool: OverlayPool, template: OverlayTemplate, tmp_path: Path) -> Path:
    pool.make_overlay(template, f"{tmp_path}/first")
    assert pool.retain(f"{tmp_path}/first")
    os.rename(tmp_path / "first", tmp_path / "job")
    assert pool.move(f"{tmp_path}/first", f"{tmp_path}/job")
    return tmp_path / "job"


@pytest.fixture
def looked(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """For each look at an overlay, whether its commands were looked at, too."""
    looks: list[bool] = []
    real = overlay_layout.make_stamp

    def look(template: OverlayTemplate, folder: str, *, with_commands: bool = True) -> tuple[object, ...]:
        looks.append(with_commands)
        return real(template, folder, with_commands=with_commands)

    monkeypatch.setattr(overlay_pool, "make_stamp", look)
    return looks


def edit(path: Path) -> None:
    with path.open("r+b") as file:
        file.write(b"#!/bin/sh\necho 1\n")


def edit_by_another_name(path: Path) -> None:
    other = path.parents[2] / "other"
    os.link(path, other)
    edit(other)
    other.unlink()


def edit_by_a_mapping(path: Path) -> None:
    with path.open("r+b") as file, mmap.mmap(file.fileno(), 0) as mapped:
        mapped[15:16] = b"1"


def edit_with_its_old_time(path: Path) -> None:
    before = path.stat()
    edit(path)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


DONE: dict[str, Callable[[Path], object]] = {
    "edited": edit,
    "edited by another name": edit_by_another_name,
    "edited by a mapping": edit_by_a_mapping,
    "edited, with its old time": edit_with_its_old_time,
    "cut": lambda path: os.truncate(path, 0),
    "another mode": lambda path: path.chmod(0o700),
    "an attribute": lambda path: os.utime(path, ns=(1, 1)),
    "another name": lambda path: os.link(path, path.parents[2] / "kept"),
    "renamed and back": lambda path: os.rename(os.rename(path, f"{path}.2") or f"{path}.2", path),
    "replaced": lambda path: (path.unlink(), path.write_bytes(b"#!/bin/sh\necho 1\n")),
    "removed": os.unlink,
    "one more": lambda path: (path.parent / "more").touch(),
}


def test_spares_of_an_earlier_server_with_this_pid_are_removed(template: OverlayTemplate, tmp_path: Path) -> None:
    """In a container servers often have the same pid; those of the server itself stay and are used again."""
    earlier, pool = OverlayPool(tmp_path / "spares"), OverlayPool(tmp_path / "spares")
    earlier.make_overlay(template, f"{tmp_path}/earlier")
    earlier.release(f"{tmp_path}/earlier")
    (left,) = (tmp_path / "spares").glob("[0-9]*/*")
    pool.make_overlay(template, f"{tmp_path}/first")
    inode = os.stat(tmp_path / "first").st_ino
    pool.release(f"{tmp_path}/first")
    pool.remove_left_over()
    assert not left.exists()
    pool.make_overlay(template, f"{tmp_path}/second")
    assert os.stat(tmp_path / "second").st_ino == inode


@pytest.mark.parametrize("done", DONE)
@pytest.mark.parametrize("name", [NAMES[0], NAMES[-1]])
def test_changed_commands_are_kept_from_others(pool: OverlayPool, job: Path, done: str, name: str) -> None:
    DONE[done](job / "bin" / name)
    assert not pool.retain(str(job))


@pytest.mark.parametrize("done", DONE)
def test_changed_commands_are_kept_from_others_without_notices(
    template: OverlayTemplate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, done: str
) -> None:
    """A system that gives none, or gives them only of a file's first name."""
    monkeypatch.setattr(CommandWatch, "open_at", lambda folder: None)
    pool = OverlayPool(tmp_path / "spares")
    job = hand_on(pool, template, tmp_path)
    DONE[done](job / "bin" / NAMES[0])
    assert not pool.retain(str(job))


@on_linux
def test_commands_that_nobody_opened_are_not_looked_at(pool: OverlayPool, job: Path, looked: list[bool]) -> None:
    assert pool.retain(str(job))
    assert looked == [False]


@on_linux
def test_commands_that_were_run_are_looked_at(pool: OverlayPool, job: Path, looked: list[bool]) -> None:
    """Whoever opened one may have kept a mapping, which is written to without a notice."""
    assert subprocess.run([job / "bin" / NAMES[0]], capture_output=True, check=True).stdout == b"0\n"
    assert pool.retain(str(job))
    assert pool.move(str(job), str(job))
    assert pool.retain(str(job))
    assert looked == [True, True]


def test_a_mapping_that_outlives_its_job(pool: OverlayPool, job: Path) -> None:
    """It is written to while the next job has the overlay."""
    with (job / "bin" / NAMES[0]).open("r+b") as file:
        mapped = mmap.mmap(file.fileno(), 0)
    assert pool.retain(str(job))
    assert pool.move(str(job), str(job))
    mapped[15:16] = b"1"
    mapped.close()
    assert not pool.retain(str(job))


@on_linux
def test_lost_notices(pool: OverlayPool, job: Path, looked: list[bool]) -> None:
    """More happened than the kernel keeps, and perhaps to this overlay."""
    most = int(Path("/proc/sys/fs/inotify/max_queued_events").read_text())
    other = job.parent / "other"
    pool.make_overlay(pool._out[str(job)].template, str(other))
    looked.clear()
    for number in range(most // 2 + 10):  # by turns: equal notices in a row are one
        os.chmod(other / "bin" / NAMES[number % 2], 0o755)
        os.truncate(other / "bin" / NAMES[number % 2], 5)
    assert pool.retain(str(job))
    assert looked == [True]


@on_linux
def test_mounts_are_looked_for_once(pool: OverlayPool, job: Path, looked: list[bool]) -> None:
    """A mount in the place of a command gives no notice of the command."""
    over = job / "bin" / NAMES[0]
    if subprocess.run(["mount", "--bind", "/bin/true", over], check=False, capture_output=True).returncode:
        pytest.skip("only who may mount can make this mistake")
    try:
        assert not pool.retain(str(job))
        assert not pool.retain(str(job)), "as it was"
    finally:
        subprocess.run(["umount", over], check=True)
    assert pool.retain(str(job))
    assert pool.move(str(job), str(job))
    assert pool.retain(str(job))
    assert looked == [True, True, True, False]


@on_linux
def test_no_more_notices_are_taken_than_others_can_spare(
    template: OverlayTemplate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Editors need some, too; what cannot be watched is looked at."""
    monkeypatch.setattr(command_watch, "read_most_files", lambda: 16 * 30)
    watch = CommandWatch.open_at(tmp_path)
    assert watch is not None
    for name in ("one", "two"):
        overlay_layout.write_overlay(template, tmp_path / name)
    assert watch.are_untouched(watch.add_commands(f"{tmp_path}/one/bin", template.commands))
    assert watch.add_commands(f"{tmp_path}/two/bin", template.commands) == 0
    assert not watch.are_untouched(0)
    (tmp_path / "one" / "bin" / NAMES[0]).read_bytes()
    assert watch.are_untouched(watch.add_commands(f"{tmp_path}/two/bin", template.commands)), "one has no more need"


@on_linux
def test_a_file_system_that_tells_of_one_name_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What its notices leave out is looked at."""

    class OneName(file_notices.FileNotices):
        def add_file(self, path: str, kinds: int) -> int:
            super().add_file(os.path.dirname(path), kinds)
            return 1

    assert CommandWatch.open_at(tmp_path) is not None
    monkeypatch.setattr(command_watch, "FileNotices", OneName)
    assert CommandWatch.open_at(tmp_path) is None
