"""A followed job whose remote server goes away: the command waits for it, and tells when it gives up."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.helpers import LONGEST, WORKSPACE, Server, eventually, host_job

PLACE = WORKSPACE.format("w")


@pytest.fixture
def server(own_server: Server) -> Server:
    own_server.start()
    return own_server


def follow(server: Server, patience: float) -> subprocess.Popen[str]:
    """Follow the job over the port, as from another machine, and wait until its first line was shown."""
    program = (
        "import sys\n"
        "from smalt.client.jobs import event_stream\n"
        f"event_stream.PATIENCE = {patience}\n"
        "from smalt.cli import app\n"
        "from smalt.cli.framework import failure\n"
        "sys.exit(failure.run_guarded(app.smalt, sys.argv[1:]))\n"
    )
    line = ("job", "stream", "j", "-g", "group", "-w", "w", "--subscription", "sub")
    remote = {"SMALT_URL": f"http://127.0.0.1:{server.port}", "SMALT_TOKEN": str(server.home.read_token())}
    process = subprocess.Popen(
        [sys.executable, "-c", program, *line],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **remote},
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "begun\n"
    return process


def kill(server: Server, *, launcher: bool) -> None:
    """Kill the server, and what would start it again."""
    if launcher:
        lock = server.home.path("launcher.lock").stat().st_ino
        held = [line.split() for line in Path("/proc/locks").read_text().splitlines()]
        for pid in [int(words[4]) for words in held if words[5].endswith(f":{lock}")]:
            os.kill(pid, signal.SIGKILL)
    server.processes[-1].kill()
    server.processes[-1].wait()


@pytest.mark.skipif(sys.platform != "linux", reason="finds the launcher by /proc/locks")
def test_a_stream_whose_server_does_not_come_back_ends_with_a_code_of_its_own(server: Server) -> None:
    """The exit code is not that of a job that failed, and the sentence says that the job goes on."""
    server.ask("PUT", f"{PLACE}/jobs/j", host_job("echo begun; sleep 600"))
    process = follow(server, patience=0.5)
    kill(server, launcher=True)
    _, said = process.communicate(timeout=LONGEST)
    assert process.returncode == 3
    assert "lost the server; waiting for it to come back\n" in said
    assert "did not come back within 0 s; the job continues to run; to follow it again: smalt job stream" in said
    server.start()


def test_a_stream_goes_on_when_its_server_is_back(server: Server) -> None:
    """Nothing of the log is lost or shown twice, and the exit code is that of the job."""
    gate = server.home.path("gate")
    server.ask("PUT", f"{PLACE}/jobs/j", host_job(f"echo begun; while [ ! -e {gate} ]; do sleep 0.1; done; echo done"))
    process = follow(server, patience=60)
    kill(server, launcher=False)
    eventually(lambda: server.home.read_json("server.json"), "the next server")
    gate.write_text("")
    out, said = process.communicate(timeout=LONGEST)
    assert (process.returncode, out) == (0, "done\n"), said
    assert said.index("lost the server") < said.index("the server is back\n")
