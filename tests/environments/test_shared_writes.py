"""What a job writes into the environment that all jobs share never reaches another job."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from smalt.service.data.files.write_protection import allow_writing
from tests.helpers import Server, eventually

from .conftest import conda

WS = "/subscriptions/s/resourceGroups/g/providers/Microsoft.MachineLearningServices/workspaces/default"

WRITES = {
    "append": "printf 'x = 1\\n' >> $package/__init__.py",
    "in place": "sed -i s/1.0/9.9/ $package/__init__.py",
    "program": "printf x >> $venv/bin/shade",
    "link": "ln -s $package here && printf 'x = 1\\n' >> here/__init__.py",
    "remove": "rm -rf $package",
}


def run_job(server: Server, name: str, command: str) -> tuple[str, str]:
    """Run a job in an environment with the package shade; return its status and log."""
    body = {"jobType": "Command", "command": command, "environmentId": "azureml:shades:1"}
    assert server.ask("PUT", f"{WS}/jobs/{name}", {"properties": body}).status == 201

    def get_status() -> str:
        answer: Any = server.ask("GET", f"{WS}/jobs/{name}").body
        return str(answer["properties"]["status"])

    eventually(lambda: get_status() in ("Completed", "Failed"), 60)
    place = f"workspaces/default/datastores/workspaceartifactstore/ExperimentRun/dcid.{name}/user_logs/std_log.txt"
    return get_status(), Path(server.home.path(place)).read_text()


@pytest.mark.parametrize("way", WRITES)
def test_a_job_that_writes_to_its_environment_changes_no_other(own_server: Server, wheels: Path, way: str) -> None:
    """The write fails with a sentence of the system, for root too; the next job finds the package as it was."""
    own_server.start(environment={"PIP_FIND_LINKS": str(wheels)})
    properties = {"condaFile": conda("shade==1.0")["condaFile"]}
    assert own_server.ask("PUT", f"{WS}/environments/shades/versions/1", {"properties": properties}).status == 201
    find = "package=$(python -c 'import shade; print(*shade.__path__)') && venv=${package%/lib/*}"
    status, log = run_job(own_server, "writer", f"{find} && {WRITES[way]}")
    assert status == "Failed"
    assert "Read-only file system" in log or "Permission denied" in log
    assert run_job(own_server, "reader", "shade && python -c 'import shade; shade.x' 2>&1 | tail -n 1")[1] == (
        f"1.0 {own_server.home.root}/workspaces/default/jobs/reader/environment\n"
        "AttributeError: module 'shade' has no attribute 'x'\n"
    )


def start_reader(server: Server, wheels: Path, tmp_path: Path) -> tuple[Path, Path, int]:
    """Start a job that waits in an environment, then another server.

    Return a file of the package, the gate that the job waits for, and the server's process.
    """
    server.start(environment={"PIP_FIND_LINKS": str(wheels)})
    properties = {"condaFile": conda("shade==1.0")["condaFile"]}
    assert server.ask("PUT", f"{WS}/environments/shades/versions/1", {"properties": properties}).status == 201
    ready, go = tmp_path / "ready", tmp_path / "go"
    find = "python -c 'import shade; print(shade.__file__)'"
    command = f"{find} > {ready}; until [ -e {go} ]; do sleep 0.02; done; shade"
    body = {"jobType": "Command", "command": command, "environmentId": "azureml:shades:1"}
    assert server.ask("PUT", f"{WS}/jobs/reader", {"properties": body}).status == 201
    eventually(lambda: ready.exists() and ready.read_text().endswith("\n"), 60)
    server.kill()
    return Path(ready.read_text().strip()), go, server.start_again()


def end_reader(server: Server, go: Path) -> dict[str, Any]:
    """Let the job go on to its end; return its body."""

    def get_body() -> dict[str, Any]:
        answer: Any = server.ask("GET", f"{WS}/jobs/reader").body
        return dict(answer["properties"])

    go.touch()
    eventually(lambda: get_body()["status"] in ("Completed", "Failed"), 60)
    return get_body()


def is_watched(process: int, folder: Path) -> bool:
    """True if a process has notices of a folder."""
    mark = f"ino:{folder.stat().st_ino:x} "
    for description in Path(f"/proc/{process}/fdinfo").iterdir():
        with contextlib.suppress(FileNotFoundError):  # closed meanwhile
            if mark in description.read_text():
                return True
    return False


@pytest.mark.skipif(sys.platform != "linux", reason="needs inotify")
def test_a_change_after_the_servers_restart_is_noticed(own_server: Server, wheels: Path, tmp_path: Path) -> None:
    """The next server watches the environments of steps that run, before any other step uses them."""
    file, go, process = start_reader(own_server, wheels, tmp_path)
    eventually(lambda: is_watched(process, file.parent))
    allow_writing(file.parent)
    file.write_text("x = 1\n" + file.read_text())
    body = end_reader(own_server, go)
    assert body["status"] == "Failed"
    assert "site-packages/shade/__init__.py was written" in body["properties"]["smalt.error"]


def test_prune_keeps_the_environment_of_a_step_that_outlived_its_server(
    own_server: Server, wheels: Path, tmp_path: Path
) -> None:
    """The next server knows from its records which one that is; once the job is over it is removed."""
    file, go, _ = start_reader(own_server, wheels, tmp_path)

    def prune() -> list[str]:
        answer: Any = own_server.ask("POST", "/smalt/v1/prune", {"only": "environments"}).body
        return [item["name"] for item in answer["items"]]

    assert prune() == []
    assert file.exists()
    assert end_reader(own_server, go)["status"] == "Completed"
    assert prune() == ["shades"]
    assert not file.exists()


CHANGES = {
    "write": ("printf \"__version__ = '9.9'\\n\" >> {file}", "site-packages/shade/__init__.py was written", ""),
    "remove": ("rm -r {folder}", "was removed", "ModuleNotFoundError: No module named 'shade'"),
}


@pytest.mark.skipif(sys.platform != "linux", reason="needs inotify")
@pytest.mark.parametrize("way", CHANGES)
def test_a_job_whose_environment_is_changed_meanwhile_fails(
    own_server: Server, wheels: Path, tmp_path: Path, way: str
) -> None:
    """Whoever changed it, nobody knows what the job ran, and one that dies by it is told so; the next one has an
    environment as it is declared.
    """
    command, words, log_line = CHANGES[way]
    own_server.start(environment={"PIP_FIND_LINKS": str(wheels)})
    properties = {"condaFile": conda("shade==1.0")["condaFile"]}
    assert own_server.ask("PUT", f"{WS}/environments/shades/versions/1", {"properties": properties}).status == 201
    ready, go = tmp_path / "ready", tmp_path / "go"
    find = "python -c 'import shade; print(shade.__file__)'"
    wait = f"until [ -e {go} ]; do sleep 0.02; done"

    def change() -> None:
        eventually(lambda: ready.exists() and ready.read_text().endswith("\n"), 60)
        file = Path(ready.read_text().strip())
        allow_writing(file.parent.parent)
        subprocess.run(["bash", "-ec", command.format(file=file, folder=file.parent)], check=True)
        go.touch()

    changer = threading.Thread(target=change)
    changer.start()
    status, _ = run_job(own_server, "reader", f"{find} > {ready}; {wait}; shade")
    changer.join()
    assert status == "Failed"
    answer: Any = own_server.ask("GET", f"{WS}/jobs/reader").body
    said = answer["properties"]["properties"]["smalt.error"]
    assert "its environment was changed while it ran" in said
    assert words in said
    assert log_line in said
    assert run_job(own_server, "next", "shade")[1].startswith("1.0 ")
