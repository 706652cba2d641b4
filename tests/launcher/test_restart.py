"""A server that dies with jobs unfinished is started again."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from smalt.machine import processes
from tests.helpers import LONGEST, eventually
from tests.launcher.rig import Client, Rig

SERVER = """
import json, os, socket, sys
from smalt.machine.home import Home
connection = socket.socket(socket.AF_UNIX)
connection.connect(str(Home.find().socket_path("launcher")))
connection.sendall(json.dumps({"t": "hello", "restart": sys.orig_argv}).encode() + b"\\n")
with open(sys.argv[1], "a") as file:
    print(os.getpid(), os.getsid(0) == os.getpid(), file=file)
connection.recv(1)
connection.sendall(b'{"t": "unfinished", "n": 0}\\n')
while connection.recv(4096):
    pass
"""


def _server(folder: Path) -> tuple[list[str], Path]:
    (folder / "server.py").write_text(SERVER)
    return [sys.executable, str(folder / "server.py"), str(folder / "servers")], folder / "servers"


def test_a_dead_server_is_started_again_while_jobs_are_unfinished(rig: Rig, tmp_path: Path) -> None:
    """The command that the server named is run, for the same home, in a session of its own."""
    command, seen = _server(tmp_path)
    rig.launch()
    client = rig.connect(restart=command)
    client.send({"t": "unfinished", "n": 3})
    client.start(rig.step("a", "true"))
    client.exit("a")
    client.close()
    eventually(seen.exists, "the server")
    assert eventually(seen.read_text, "its words").split()[1] == "True"


def test_a_server_started_again_is_no_steps(rig: Rig, tmp_path: Path) -> None:
    """Nor are its children: the end of a step that leaves something behind does not end them."""
    pids = tmp_path / "pids"
    rig.launch()
    client = rig.connect(restart=["bash", "-c", f"(setsid sleep 1000 & echo $! >{pids}); echo $$ >>{pids}; sleep 1000"])
    client.send({"t": "unfinished", "n": 1})
    client.start(rig.step("b", "sleep 1000"))
    client.pid("b")
    client.close()
    server = eventually(lambda: pids.exists() and len(pids.read_text().split()) == 2 and pids.read_text(), "the server")
    again = rig.connect()
    again.stop("b", 1)
    again.exit("b")
    again.start(rig.step("a", "setsid sleep 1000 & true"))
    again.exit("a")
    again.send({"t": "unfinished", "n": 0})
    for pid in map(int, server.split()):
        assert processes.find_process(pid) is not None
        os.kill(pid, 9)


def test_a_server_that_leaves_nothing_behind_is_not_started_again(rig: Rig, tmp_path: Path) -> None:
    """With no jobs unfinished the launcher ends with its server."""
    command, seen = _server(tmp_path)
    rig.launch()
    client = rig.connect(restart=command)
    client.send({"t": "unfinished", "n": 1}, {"t": "unfinished", "n": 0})
    client.close()
    assert rig.launchers[0].wait(LONGEST) == 0
    assert not seen.exists()


def test_a_server_that_dies_at_once_is_started_again_later(rig: Rig, tmp_path: Path) -> None:
    """The second try comes, after a longer wait; a step that runs meanwhile is not disturbed."""
    marks = tmp_path / "tries"
    rig.launch()
    client = rig.connect(restart=["bash", "-c", f"echo try >>{marks}"])
    client.send({"t": "unfinished", "n": 1})
    client.start(rig.step("a", "sleep 1000"))
    client.pid("a")
    client.close()
    eventually(lambda: marks.exists() and marks.read_text().count("try") >= 2, "a second try")
    again = rig.connect()
    assert "a" not in again.exits
    again.send({"t": "unfinished", "n": 0})
    again.stop("a", 1)
    again.exit("a")


def test_what_a_dead_server_left_is_no_steps(rig: Rig, client: Client, tmp_path: Path) -> None:
    """Processes of a server that the launcher started are not taken for a step's when the server is gone."""
    pid_file = tmp_path / "pid"
    command = ["bash", "-c", f"setsid sleep 1000 & echo $! >{pid_file}"]
    client.send({"t": "hello", "restart": command}, {"t": "unfinished", "n": 1})
    client.close()
    eventually(lambda: pid_file.exists() and pid_file.read_text().endswith("\n"), "the server")
    again = rig.connect()
    again.send({"t": "unfinished", "n": 0})
    again.start(rig.step("a", "setsid sleep 1000 & true"))
    again.exit("a")
    pid = int(pid_file.read_text())
    assert Path(f"/proc/{pid}").exists()
    os.kill(pid, 9)


def test_a_server_is_started_for_a_time_that_is_near(rig: Rig, tmp_path: Path) -> None:
    """With no jobs unfinished: a schedule has a tick then."""
    command, seen = _server(tmp_path)
    rig.launch()
    client = rig.connect(restart=command)
    client.send({"t": "unfinished", "n": 0}, {"t": "wake", "at": time.time() + 1})
    client.close()
    eventually(seen.exists, "the server")


def test_a_launcher_waits_for_a_time_that_is_far(rig: Rig, tmp_path: Path) -> None:
    """It starts no server yet, and ends once the time is taken back."""
    command, seen = _server(tmp_path)
    process = rig.launch()
    client = rig.connect(restart=command)
    client.send({"t": "wake", "at": time.time() + 3600})
    client.close()
    again = rig.connect(restart=command)  # it is there, some turns of its loop later
    assert process.poll() is None
    assert not seen.exists()
    again.send({"t": "wake", "at": None})
    again.close()
    assert process.wait(LONGEST) == 0
