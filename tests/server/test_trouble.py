"""A full disk and a read-only home: a sentence, and nothing that was acknowledged is lost."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Iterator

import pytest

from tests.helpers import WORKSPACE, Server, eventually, host_job, refusal

SERVED = WORKSPACE.format("default")


@pytest.fixture
def small_server(own_server: Server) -> Iterator[Server]:
    """Its home is a file system of its own, of 8 MB."""
    own_server.home.root.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=8m,mode=0700", "smalt-test", str(own_server.home.root)]
    if subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("mounting is not allowed here")
    try:
        yield own_server
    finally:
        _remount(own_server, "rw")
        own_server.end()
        subprocess.run(["umount", "-l", str(own_server.home.root)], check=True)


def test_on_a_full_disk_nothing_is_accepted_and_nothing_lost(small_server: Server) -> None:
    """507 with one sentence while it is full; then the same request is accepted, and earlier jobs are there."""
    small_server.start()
    assert small_server.ask("PUT", f"{SERVED}/jobs/first", host_job("true")).status == 201
    _until_over(small_server, "first")
    with _filled(small_server):
        answer = small_server.ask("PUT", f"{SERVED}/jobs/second", host_job("x" * 100_000))
        assert answer.status == 507
        assert "disk" in answer.body["error"]["message"] or "space" in answer.body["error"]["message"]
        assert "Traceback" not in answer.body["error"]["message"]
        upload = f"/smalt/v1{SERVED}/datastores/workspaceblobstore/files/x"
        assert small_server.ask("PUT", upload, raw=b"x" * 1_000_000).status == 507
        assert small_server.ask("PATCH", "/smalt/v1/config", {"url-map": {"a:" + "x" * 50_000: "/x"}}).status == 507
        assert small_server.ask("GET", f"{SERVED}/jobs/first").body["properties"]["status"] == "Completed"
    assert small_server.ask("PUT", f"{SERVED}/jobs/second", host_job("true")).status == 201
    _until_over(small_server, "second")
    assert small_server.ask("GET", "/smalt/v1/config").body["url-map"] == {}


def test_a_start_on_a_full_disk_is_one_sentence(small_server: Server) -> None:
    """Exit status 1, a line on standard error, and the next start on a disk with room serves."""
    with _filled(small_server):
        process = small_server.spawn()
        said = refusal(process)
        assert process.returncode == 1
        assert said.count("\n") == 0
        assert "No space left" in said or "disk" in said
    small_server.start()


def test_a_read_only_home_is_one_sentence(small_server: Server) -> None:
    """At the start, and for a server whose home becomes read-only."""
    _remount(small_server, "ro")
    process = small_server.spawn()
    said = refusal(process)
    assert process.returncode == 1
    assert said.count("\n") == 0
    assert "Read-only file system" in said
    _remount(small_server, "rw")
    small_server.start()


def _remount(server: Server, how: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{how}", str(server.home.root)], check=True)


@contextlib.contextmanager
def _filled(server: Server) -> Iterator[None]:
    filler = server.home.path("filler")
    with open(filler, "wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(b"x" * 4096)
    try:
        yield
    finally:
        filler.unlink()


def _until_over(server: Server, job: str) -> None:
    eventually(lambda: server.ask("GET", f"{SERVED}/jobs/{job}").body["properties"]["status"] == "Completed", job)
