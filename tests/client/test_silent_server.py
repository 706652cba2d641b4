"""A server that does not answer, and one that dies under a call."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from smalt.client.connection import connection as module
from smalt.client.connection.connection import ApiConnection, ServerNotResponding
from smalt.client.connection.errors import ServerUnreachable
from smalt.machine.home import Home
from smalt.machine.processes import read_stat
from tests.client.tiny import Tiny, answer
from tests.helpers import LONGEST, WORKSPACE, Server, begin_long_job, eventually, host_job, is_ended

PLACE = WORKSPACE.format("w")


def smalt(server: Server, *arguments: str) -> subprocess.CompletedProcess[str]:
    program = Path(sys.executable).with_name("smalt")
    environment = {**os.environ, "SMALT_HOME": str(server.home.root)}
    return subprocess.run([program, *arguments], env=environment, capture_output=True, text=True, timeout=LONGEST)


@pytest.fixture
def stopped(own_server: Server) -> Iterator[Server]:
    """A server that was sent SIGSTOP."""
    process = own_server.start()
    os.kill(process.pid, signal.SIGSTOP)
    eventually(lambda: (found := read_stat(process.pid)) and found.state == "T", "the stop")
    yield own_server
    if process.poll() is None:
        os.kill(process.pid, signal.SIGCONT)


def test_a_stopped_server_is_told_with_what_to_do(stopped: Server) -> None:
    """One sentence, for every method and for a stream."""
    connection = ApiConnection.open(home=stopped.home)
    connection.patience = 0.05
    pid = stopped.processes[0].pid
    for method in ("GET", "PUT", "POST", "DELETE"):
        with pytest.raises(ServerNotResponding, match=rf"server \(process {pid}\) is suspended.*kill -CONT {pid}$"):
            connection.request(method, "/smalt/v1/status")
    with pytest.raises(ServerNotResponding, match="is suspended"):
        connection.stream(f"/smalt/v1{PLACE}/jobs/j/stream")
    os.kill(pid, signal.SIGCONT)
    assert connection.get("/smalt/v1/status")["pid"] == pid


def test_status_and_stop_look_at_the_process(stopped: Server) -> None:
    """`server status` says that it does not answer; `server stop` lets it go on, so that it can end."""
    told = smalt(stopped, "server", "status")
    shown = json.loads(told.stdout)
    assert (told.returncode, shown["running"], shown["answers"]) == (1, True, False)
    assert shown["pid"] == stopped.processes[0].pid
    assert "is suspended" in shown["reason"]
    assert smalt(stopped, "server", "stop").stderr == "the server has stopped\n"
    assert stopped.processes[0].wait(LONGEST) == 0
    assert json.loads(smalt(stopped, "server", "status").stdout)["running"] is False


def test_a_server_that_hangs_is_killed_by_force_only(own_server: Server) -> None:
    """Its jobs are canceled by the next server."""
    hang = "import runpy, time\nfrom smalt.service.api.native.status import ROUTES as routes\n"
    hang += "routes[:] = [(m, p, hang) for m, p, _ in routes]\n"
    program = (
        f"async def hang(call):\n    time.sleep(3600)\n{hang}runpy.run_module('smalt.service', run_name='__main__')"
    )
    process = own_server.spawn(program=("-c", program))
    eventually(lambda: own_server.is_ready(process.pid), "the server")
    begin_long_job(own_server, PLACE, "long")
    ran = smalt(own_server, "server", "stop")
    assert (ran.returncode, ran.stderr.count("\n")) == (1, 1)
    assert "does not respond; to stop it: smalt server stop --force" in ran.stderr
    assert process.poll() is None
    ran = smalt(own_server, "server", "stop", "--force")
    assert ran.stderr.endswith("the server has stopped\n"), ran.stderr
    own_server.start()
    assert own_server.ask("GET", f"{PLACE}/jobs/long").body["properties"]["status"] == "Canceled"


def test_a_server_that_is_busy_is_waited_for(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """While it answers others; one that answers nobody is given up."""
    home.make_socket_folder()
    go = threading.Event()

    def late(sock: socket.socket) -> None:
        go.wait(LONGEST)
        with contextlib.suppress(OSError):
            sock.sendall(answer(b"1"))

    tiny = Tiny(home.socket_path("server"), [late, answer(b"2")])
    try:
        connection = ApiConnection.open(home=home)
        connection.patience = 0.05
        threading.Timer(0.5, go.set).start()
        assert connection.get("/x") == 1
        go.clear()
        monkeypatch.setattr(module, "_BOOT_SECONDS", 0.0)
        monkeypatch.setattr(module, "_PROBE_SECONDS", 0.05)
        tiny._replies = iter([late])
        with pytest.raises(ServerNotResponding, match="does not respond"):
            connection.get("/x")
        go.set()
    finally:
        tiny.close()
        home.socket_path("server").unlink()


@pytest.mark.parametrize("way", ["socket", "port"])
def test_calls_outlive_the_server(own_server: Server, way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed again and again under calls, over the Unix socket and over the port: no call fails, no job is doubled."""
    monkeypatch.setattr(module, "_LOST_SECONDS", LONGEST)  # a busy machine may start no server within ten seconds
    own_server.start()
    home = own_server.home
    url = f"http://127.0.0.1:{own_server.port}"
    connection = (
        ApiConnection.open(url=url, token=home.read_token()) if way == "port" else ApiConnection.open(home=home)
    )
    over, failed, done = threading.Event(), [], []

    def call() -> None:
        while not over.is_set():
            try:
                connection.put(f"{PLACE}/jobs/j{len(done)}", host_job("true"))
                done.append(connection.get(f"{PLACE}/jobs/j{len(done)}")["name"])
            except Exception as error:
                failed.append(error)
                return

    calling = threading.Thread(target=call)
    calling.start()
    try:
        for _ in range(3):
            before = len(done)
            eventually(lambda before=before: failed or len(done) > before, "a call")  # type: ignore[misc]
            pid = home.read_json("server.json")["pid"]
            os.kill(pid, signal.SIGKILL)
            eventually(lambda pid=pid: is_ended(pid), "its end")  # type: ignore[misc]
            own_server.spawn()
            eventually(lambda pid=pid: (home.read_json("server.json") or {"pid": pid})["pid"] != pid, "the next")  # type: ignore[misc]
    finally:
        over.set()
        calling.join(LONGEST)
        connection.close()
    assert not failed
    assert done == [f"j{number}" for number in range(len(done))]


def test_an_upload_goes_on_after_the_server_died(own_server: Server, tmp_path: Path) -> None:
    """Killed under it over the port: all of the data arrives, by one command line."""
    process = own_server.start()
    home, source = own_server.home, tmp_path / "large"
    source.mkdir()
    for number in range(6):
        (source / str(number)).write_bytes(os.urandom(20_000_000))
    program = Path(sys.executable).with_name("smalt")
    options = ["--name", "large", "--version", "1", "--type", "uri_folder", "--path", str(source)]
    remote = {"SMALT_URL": f"http://127.0.0.1:{own_server.port}", "SMALT_TOKEN": home.read_token()}
    line = [str(program), "data", "create", *options, "--query", "name", "-o", "tsv"]
    creating = subprocess.Popen(line, env={**os.environ, **remote}, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    arriving = home.root / "workspaces"
    eventually(lambda: creating.poll() is not None or [*arriving.rglob(".arriving-*/[0-9]")], "the upload")
    process.kill()
    process.wait()  # for all of its threads: until then it holds the lock of the home, and the next server leaves
    own_server.spawn()
    said, trouble = creating.communicate(timeout=LONGEST)
    assert (creating.returncode, said) == (0, b"large\n"), trouble
    found = {path.name: path.read_bytes() for path in arriving.rglob("LocalUpload/*/large/*")}
    assert found == {path.name: path.read_bytes() for path in source.iterdir()}


def test_a_call_waits_for_a_server_that_was_there(own_server: Server) -> None:
    """A server that went between two calls is waited for, also by calls not made twice; one never seen is not."""
    own_server.start()
    home, port = own_server.home, own_server.port
    url = f"http://127.0.0.1:{port}"
    connection = ApiConnection.open(url=url, token=home.read_token())
    connection.get("/smalt/v1/status")
    connection.close()
    process = own_server.processes[0]
    process.kill()
    process.wait()
    stranger = ApiConnection.open(url=url.replace("127.0.0.1", "localhost"), token=home.read_token())
    with pytest.raises(ServerUnreachable, match="cannot reach the smalt server"):
        stranger.get("/smalt/v1/status")
    threading.Timer(0.3, own_server.spawn).start()
    assert connection.post("/smalt/v1/prune", {"dry_run": True})["items"] == []
