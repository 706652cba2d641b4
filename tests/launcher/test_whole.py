"""Server, launcher and steps together, all real: killed at random, and a machine that restarts."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from smalt.client import MLClient
from smalt.entities import CommandJob
from tests.helpers import Server, eventually
from tests.launcher.rig import Rig

ROOT = Path(__file__).parents[2]
SMALT = str(Path(sys.executable).with_name("smalt"))


@pytest.fixture
def whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Rig]:
    """A home whose server is started by the first client, and ended with the test."""
    made = Rig(tmp_path)
    monkeypatch.setenv("SMALT_HOME", str(made.home.root))
    monkeypatch.delenv("SMALT_URL", raising=False)
    yield made
    Server(made.home).end()
    left = made.close()
    assert not left, f"processes left behind: {left}"


def killed(rig: Rig) -> list[int]:
    """Whom it was sent to: all of the home's processes, of which one may just have started another."""
    found = []
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            environment = Path("/proc", name, "environ").read_bytes()
            if os.fsencode(rig.home.root) in environment and int(name) != os.getpid():
                os.kill(int(name), signal.SIGKILL)
                found.append(int(name))
        except OSError:
            continue
    return found


def test_nothing_is_lost_whatever_is_killed() -> None:
    """Ten SIGKILLs of server and launcher: every acknowledged job ends right, no step runs twice, nothing is left."""
    done = subprocess.run([sys.executable, ROOT / "bench" / "kill_loop.py", "10"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_restart_of_the_machine_settles_every_job(whole: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """All processes gone, another boot id: what ran is Failed and says why, what waited is run, what was done stays."""
    monkeypatch.setenv("SMALT_BOOT_ID", "before")
    client = MLClient()

    def submit(name: str, command: str) -> None:
        document = {"type": "command", "name": name, "command": command, "environment": "azureml:host"}
        client.jobs.create_or_update(CommandJob.from_dict(document))

    def state(name: str) -> str:
        return str(client.jobs.get(name).status)

    submit("done", "true")
    eventually(lambda: state("done") == "Completed", "the first job")
    cores = len(os.sched_getaffinity(0))
    for number in range(cores):
        submit(f"runs{number}", "sleep 1000")
    submit("waits", "true")
    eventually(lambda: all(state(f"runs{number}") == "Running" for number in range(cores)), "all cores to be busy")
    assert state("waits") in ("NotStarted", "Queued")
    eventually(lambda: not killed(whole), "the end of all processes")

    monkeypatch.setenv("SMALT_BOOT_ID", "after")
    client = MLClient()
    assert state("runs0") == "Failed", "settled before the first answer"
    tree = client.connection.get(f"/smalt/v1{client.workspace_id}/jobs/runs0/tree")
    assert "the machine was restarted" in str(tree)
    eventually(lambda: state("waits") == "Completed", "the job that had waited")
    assert state("done") == "Completed"
