"""A home on a disk that becomes full: what must be written still is, and everybody says so."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from smalt.launcher.journal import Journal
from smalt.machine.disk_reserve import PORTION, RESERVED, DiskReserve, DiskSpace
from smalt.machine.home import Home
from tests.helpers import LONGEST, WORKSPACE, Server, eventually, host_job

WS = WORKSPACE.format("w")
FILL = host_job(
    "cat /dev/zero > ${{outputs.o}}/big", outputs={"o": {"jobOutputType": "uri_folder", "mode": "ReadWriteMount"}}
)


@pytest.fixture
def disk() -> Iterator[Path]:
    """A small disk of its own."""
    folder = tempfile.mkdtemp(prefix="smalt-")
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", folder], capture_output=True)
    if made.returncode:
        shutil.rmtree(folder)
        pytest.skip("only an administrator of Linux can make a small disk")
    yield Path(folder)
    subprocess.run(["umount", "-l", folder], check=True)
    os.rmdir(folder)


@pytest.fixture
def full(disk: Path) -> Iterator[Server]:
    """A server whose disk a job has filled."""
    server = Server(Home(disk / "home"))
    try:
        server.start()
        reserve = server.home.path("reserve")
        eventually(lambda: reserve.exists() and reserve.stat().st_size == RESERVED, "the reserve")
        assert server.ask("PUT", f"{WS}/jobs/fill", FILL).status == 201
        eventually(lambda: status(server, "fill") in ("Failed", "Completed"), "its end")
        yield server
    finally:
        server.end()


def status(server: Server, name: str) -> str:
    return str(server.ask("GET", f"{WS}/jobs/{name}").body["properties"]["status"])


def smalt(server: Server, *arguments: str) -> subprocess.CompletedProcess[str]:
    program = Path(sys.executable).with_name("smalt")
    environment = {**os.environ, "SMALT_HOME": str(server.home.root)}
    return subprocess.run([program, *arguments], env=environment, capture_output=True, text=True, timeout=LONGEST)


def test_a_full_disk_is_said_by_all_who_know(full: Server) -> None:
    """By the job's error, the launcher's log, `server status` and `doctor`; and new jobs are not taken."""
    sentence = f"the disk of {full.home.root} is full"
    tree = full.ask("GET", f"/smalt/v1{WS}/jobs/fill/tree").body["jobs"]
    assert "the command exited with code 1: " + sentence in tree[0]["error"]["message"]
    assert "smalt prune" in tree[0]["error"]["message"]
    assert full.home.path("launcher.log").read_text().count(sentence) == 1
    told = smalt(full, "server", "status")
    assert told.returncode == 0
    assert "are free; free some space: smalt prune" in told.stderr
    told = smalt(full, "doctor")
    assert told.returncode == 1
    assert f"disk {full.home.root}: it is full" in told.stderr
    refused = full.ask("PUT", f"{WS}/jobs/more", host_job("true"))
    assert refused.status == 507
    assert sentence in refused.body["error"]["message"]
    assert full.ask("PUT", f"{WS}/jobs/fill", FILL).status == 200  # it is there already


def test_prune_makes_room_on_a_full_disk(full: Server) -> None:
    """By what the failed job left; then jobs run, and the server says how much room there is."""
    pruned = full.ask("POST", "/smalt/v1/prune", {}).body
    assert {"unfinished output"} <= {item["kind"] for item in pruned["items"]}
    assert pruned["freed"] > 30_000_000
    assert not full.ask("GET", "/smalt/v1/status").body["disk"]["full"]
    assert "no problems found" in smalt(full, "doctor").stderr
    assert full.ask("PUT", f"{WS}/jobs/more", host_job("true")).status == 201
    eventually(lambda: status(full, "more") == "Completed", "the next job")


def test_the_reserve_is_given_back_by_portions_and_filled_again(disk: Path) -> None:
    """As often as it lasts; it is filled only where there is plenty."""
    reserve = DiskReserve(disk)
    reserve.fill()
    before = DiskSpace.measure(disk).free
    for number in range(RESERVED // PORTION):
        assert reserve.release()
        assert DiskSpace.measure(disk).free == before + (number + 1) * PORTION
    assert not reserve.release()
    (disk / "large").write_bytes(b"x" * (40 << 20))
    reserve.fill()
    assert DiskSpace.measure(disk).free > RESERVED
    (disk / "large").unlink()
    reserve.fill()
    assert DiskSpace.measure(disk).free == before
    assert not reserve.release_where_full()


def fill_up(disk: Path) -> None:
    with open(disk / "large", "ab") as file:
        os.posix_fallocate(file.fileno(), 0, os.fstat(file.fileno()).st_size + DiskSpace.measure(disk).free)
    assert not DiskSpace.measure(disk).free


def test_the_launcher_writes_its_journal_on_a_full_disk(disk: Path) -> None:
    """With the room that was kept; without any, nothing of an entry is there."""
    reserve = DiskReserve(disk)
    reserve.fill()
    folder = disk / "launcher"
    folder.mkdir()
    journal = Journal(folder / "journal", ["h", "b", "p"], make_room=reserve.release)
    fill_up(disk)
    entry = {"t": "start", "id": "a.1", "folder": "x" * 100_000, "timeout": None, "grace": 1.0}
    journal.write_entries([entry])
    assert list(journal.load_records()) == ["a.1"]
    assert reserve.release()
    fill_up(disk)
    while reserve.release():
        fill_up(disk)
    size = (folder / "journal").stat().st_size
    with pytest.raises(OSError, match="No space left") as caught:
        journal.write_entries([{**entry, "id": "b.1"}])
    assert caught.value.errno == errno.ENOSPC
    assert (folder / "journal").stat().st_size == size
    (disk / "large").unlink()
    journal.write_entries([{**entry, "id": "b.1"}])
    assert list(journal.load_records()) == ["a.1", "b.1"]
