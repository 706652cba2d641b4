from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
from pathlib import Path

import pytest

from smalt._version import __version__
from smalt.machine.processes import find_process, read_boot_id
from tests.helpers import LONGEST, WORKSPACE, Server, begin_long_job, eventually, host_job, read_descriptors, refusal

pytestmark = pytest.mark.started_anew
SERVED = WORKSPACE.format("default")


def test_ready_means_a_server_json_that_tells_who_serves(own_server: Server) -> None:
    """server.json holds the process, its start, boot, port, version and socket."""
    process = own_server.start()
    facts = own_server.home.read_json("server.json")
    identity = find_process(process.pid)
    assert identity is not None
    assert facts == {
        "pid": process.pid,
        "start_time": identity.start_time,
        "boot_id": read_boot_id(),
        "port": int((own_server.home.read("port") or "").strip()),
        "version": __version__,
        "socket": str(own_server.home.socket_path("server")),
    }


def test_status_tells_version_process_home_port_and_unfinished_jobs(own_server: Server) -> None:
    """GET /smalt/v1/status answers over the Unix socket without a token."""
    process = own_server.start()
    answer = own_server.ask("GET", "/smalt/v1/status")
    assert answer.status == 200
    assert answer.body["pid"] == process.pid
    assert answer.body["version"] == __version__
    assert answer.body["home"] == str(own_server.home.root)
    assert answer.body["port"] == own_server.port
    assert answer.body["unfinished"] == 0


def test_of_several_starters_exactly_one_serves(own_server: Server) -> None:
    """Six processes start at once: one serves, five end with status 0 and say nothing."""
    processes = [own_server.spawn() for _ in range(6)]
    eventually(lambda: sum(process.poll() is None for process in processes) == 1, "one winner")
    winner = next(process for process in processes if process.poll() is None)
    eventually(lambda: own_server.is_ready(winner.pid), "the winner")
    losers = [process for process in processes if process is not winner]
    assert [process.returncode for process in losers] == [0] * 5
    assert [refusal(process) for process in losers] == [""] * 5


def test_what_a_killed_server_leaves_is_taken_over(own_server: Server) -> None:
    """After SIGKILL the stale socket and server.json are replaced, and port and token stay."""
    first = own_server.start()
    port, token = own_server.port, own_server.home.read_token()
    first.kill()
    first.wait()
    assert own_server.home.path("server.json").exists()
    second = own_server.start()
    assert own_server.home.read_json("server.json")["pid"] == second.pid
    assert own_server.port == port
    assert own_server.home.read_token() == token
    assert own_server.ask_tcp("GET", "/smalt/v1/status").status == 200


def test_sigterm_ends_it_gracefully(own_server: Server) -> None:
    """SIGTERM: exit status 0, and neither socket nor server.json is left."""
    process = own_server.start()
    process.send_signal(signal.SIGTERM)
    assert process.wait(LONGEST) == 0
    assert not own_server.home.path("server.json").exists()
    assert not own_server.home.socket_path("server").exists()


def test_a_body_that_never_ends_does_not_keep_it(own_server: Server) -> None:
    """SIGTERM during half an upload: it ends, and nothing of the upload is left."""
    process = own_server.start()
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(own_server.home.socket_path("server")))
        url = f"/smalt/v1{SERVED}/datastores/workspaceblobstore/files/half"
        client.sendall(f"PUT {url} HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nhalf".encode())
        stored = own_server.home.path("workspaces", "default", "datastores", "workspaceblobstore")
        eventually(lambda: stored.exists() and list(stored.iterdir()), "the beginning of the upload")
        process.terminate()
        assert process.wait(LONGEST) == 0
    assert list(stored.iterdir()) == []


def test_shutdown_ends_it_and_the_next_start_serves(own_server: Server) -> None:
    """A starter that comes while another server is ending waits for the lock and serves."""
    first = own_server.start()
    assert own_server.ask("POST", "/smalt/v1/shutdown", {}).status == 200
    second = own_server.spawn()
    eventually(lambda: own_server.is_ready(second.pid), "the second server")
    assert first.wait(LONGEST) == 0


def test_shutdown_waits_for_nobody_unless_forced(own_server: Server) -> None:
    """With an unfinished job shutdown is refused; with force the job is canceled first."""
    process = own_server.start()
    begin_long_job(own_server, SERVED, "long")
    refused = own_server.ask("POST", "/smalt/v1/shutdown", {})
    assert refused.status == 409
    assert "1 job is not finished" in refused.body["error"]["message"]
    assert own_server.ask("POST", "/smalt/v1/shutdown", {"force": True}).status == 200
    process.wait(LONGEST)
    own_server.start()
    assert own_server.ask("GET", f"{SERVED}/jobs/long").body["properties"]["status"] == "Canceled"


def test_an_older_server_gives_way_and_its_jobs_go_on(own_server: Server) -> None:
    """A newer version takes the home over; a running step is not disturbed and ends right."""
    older = own_server.start()
    body = host_job("while [ ! -e $SMALT_TEST_GO ]; do sleep 0.01; done; echo went on")
    go = own_server.home.path("go")
    body["properties"]["environmentVariables"] = {"SMALT_TEST_GO": str(go)}
    assert own_server.ask("PUT", f"{SERVED}/jobs/on", body).status == 201
    _until(own_server, "on", "Running")
    facts = {**own_server.home.read_json("server.json"), "version": "0.0.1"}
    own_server.home.write("server.json", json.dumps(facts))
    newer = own_server.spawn()
    eventually(lambda: own_server.is_ready(newer.pid), "the newer server")
    assert older.wait(LONGEST) == 0
    assert own_server.ask("GET", f"{SERVED}/jobs/on").body["properties"]["status"] == "Running"
    go.touch()
    _until(own_server, "on", "Completed")


def test_it_ends_when_idle(own_server: Server) -> None:
    """Without a request for `idle-minutes` it ends by itself with status 0."""
    own_server.set(idle_minutes=0.005)
    process = own_server.spawn()
    assert process.wait(LONGEST) == 0


def test_it_does_not_end_while_jobs_are_unfinished(own_server: Server) -> None:
    """A job that takes several idle times, without any client, is seen to its end first."""
    before = own_server.start()
    go = own_server.home.path("go")
    body = host_job(f"while [ ! -e {go} ]; do sleep 0.01; done")
    assert own_server.ask("PUT", f"{SERVED}/jobs/held", body).status == 201
    before.kill()  # a server with so short a time could end before it is asked for the job
    before.wait()
    own_server.set(idle_minutes=0.003)
    process = own_server.start()
    _held_for(process, 0.6)
    go.touch()
    assert process.wait(LONGEST) == 0
    own_server.set()
    own_server.start()
    assert own_server.ask("GET", f"{SERVED}/jobs/held").body["properties"]["status"] == "Completed"


def test_the_port_of_the_home_is_kept_unless_it_is_taken(own_server: Server) -> None:
    """When another program has the port, this run listens on another one, says so, and the home keeps its own."""
    own_server.start().terminate()
    own_server.processes[0].wait()
    kept = int((own_server.home.read("port") or "").strip())
    with socket.create_server(("127.0.0.1", kept)):
        own_server.start()
        assert own_server.port != kept
        assert own_server.ask_tcp("GET", "/smalt/v1/status").body["port"] == own_server.port
    assert int((own_server.home.read("port") or "").strip()) == kept
    assert f"port {kept} of this home is taken" in (own_server.home.read("server.log") or "")


def test_it_keeps_nothing_of_its_caller(own_server: Server, tmp_path: Path) -> None:
    """Its own session, the root folder, a short list of variables, and no descriptor of the caller's."""
    with open(tmp_path / "held", "w") as held:
        os.set_inheritable(held.fileno(), True)
        process = own_server.spawn(
            environment={"MY_SECRET": "x", "HTTPS_PROXY": "p"}, cwd=tmp_path, close_fds=False, start_new_session=False
        )
    eventually(lambda: own_server.is_ready(process.pid), "the server")
    assert os.getsid(process.pid) == process.pid
    assert os.readlink(f"/proc/{process.pid}/cwd") == "/"
    assert str(tmp_path / "held") not in read_descriptors(process.pid)
    launcher = eventually(lambda: _children(process.pid), "the launcher")[0]
    environment = Path(f"/proc/{launcher}/environ").read_text()
    assert "MY_SECRET" not in environment
    assert "HTTPS_PROXY=p" in environment


def test_a_server_whose_home_was_deleted_ends_and_leaves_the_next_one_alone(own_server: Server) -> None:
    """After `rm -r` another server may be started on the same path; the old one ends without touching it."""
    old = own_server.start()
    root = own_server.home.root

    def is_removed() -> bool:
        shutil.rmtree(root, ignore_errors=True)  # the server may be making a file just then
        return not root.exists()

    eventually(is_removed, "its home is gone")
    new = own_server.start()
    assert old.wait(LONGEST) == 0
    assert own_server.home.read_json("server.json")["pid"] == new.pid
    assert own_server.ask("GET", "/smalt/v1/status").body["pid"] == new.pid


def test_in_the_foreground_it_talks_and_ends_on_interrupt(own_server: Server) -> None:
    """--foreground: the log is on standard error too, a second one says that one runs, Ctrl-C ends it."""
    process = own_server.start("--foreground")
    second = own_server.spawn("--foreground")
    assert refusal(second) == f"a server of {own_server.home.root} runs already"
    assert second.returncode == 0
    process.send_signal(signal.SIGINT)
    said = refusal(process)
    assert process.returncode == 0
    assert f"serves {own_server.home.root} on http://127.0.0.1:" in said
    assert "Traceback" not in said


def test_whoever_started_it_sees_the_end_of_its_standard_error_when_it_is_ready(own_server: Server) -> None:
    """Standard error ends without a word once it serves, so a pipe tells readiness."""
    process = own_server.spawn()
    assert process.stderr is not None
    assert process.stderr.read() == b""
    assert own_server.is_ready(process.pid)


@pytest.mark.parametrize("file", ["smalt.db", "config.json"])
def test_a_damaged_file_is_one_sentence(own_server: Server, file: str) -> None:
    """A database or settings file that cannot be read ends the start with status 1 and a sentence."""
    own_server.home.create()
    own_server.home.path(file).write_text("this is none" * 1000)
    process = own_server.spawn()
    assert process.wait(LONGEST) == 1
    said = refusal(process)
    assert file in said
    assert said.count("\n") == 0
    assert "Traceback" not in said


def _held_for(process: subprocess.Popen[bytes], seconds: float) -> None:
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(seconds)


def _until(server: Server, job: str, status: str) -> None:
    def reached() -> bool:
        return bool(server.ask("GET", f"{SERVED}/jobs/{job}").body["properties"]["status"] == status)

    eventually(reached, f"{job} {status}")


def _children(pid: int) -> list[int]:
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            process = Path(entry, "stat")
            try:
                fields = process.read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if int(fields[1]) == pid:
                found.append(int(entry.name))
    return found
