"""A home that was moved goes on; a copy of one knows that it is not the original."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from smalt.client.connection import autostart
from smalt.machine import processes
from smalt.machine.home import Home
from tests.helpers import WORKSPACE, Server, begin_long_job, eventually, host_job
from tests.launcher.rig import Rig

SERVED = WORKSPACE.format("default")
FIXED = "azureml://datastores/workspaceblobstore/paths/fixed/"


def copy(home: Home, name: str = "copy") -> Home:
    target = home.root.with_name(name)
    subprocess.run(["cp", "-a", home.root, target], check=True)
    return Home(target)


def moved(home: Home) -> Home:
    target = home.root.with_name("moved")
    os.rename(home.root, target)
    return Home(target)


def restored(home: Home) -> Home:
    """As from another disk, or a backup: other inodes, and the former place is gone."""
    made = copy(home, "restored")
    shutil.rmtree(home.root)
    return made


@pytest.fixture
def other() -> Iterator[list[Server]]:
    """Servers of homes that a test made of another; they are ended with it."""
    servers: list[Server] = []
    yield servers
    for server in servers:
        server.end()


def at(server: Server, name: str) -> dict[str, Any]:
    body = server.ask("GET", f"{SERVED}/jobs/{name}").body["properties"]
    return dict(body)


def over(server: Server, name: str) -> dict[str, Any]:
    eventually(lambda: at(server, name)["status"] in ("Completed", "Failed", "Canceled"), name)
    return at(server, name)


def put(server: Server, name: str, command: str, **more: Any) -> None:
    assert server.ask("PUT", f"{SERVED}/jobs/{name}", host_job(command, **more)).status == 201


def writes(word: str, place: str | None = None) -> dict[str, Any]:
    output = {"jobOutputType": "uri_folder", **({"uri": place} if place else {})}
    return {"command": f"echo {word} >${{{{outputs.o}}}}/f", "outputs": {"o": output}}


def reads(server: Server, name: str, job: str) -> str:
    """What a new job reads of the output of another."""
    inputs = {"i": {"jobInputType": "uri_folder", "uri": f"azureml://jobs/{job}/outputs/o"}}
    put(server, name, "cat ${{inputs.i}}/f", inputs=inputs)
    assert over(server, name)["status"] == "Completed"
    [log] = server.home.root.rglob(f"dcid.{name}/user_logs/std_log.txt")
    return log.read_text()


def test_a_copy_of_a_home_that_runs(own_server: Server, other: list[Server]) -> None:
    """The original's jobs are Failed there with its path, finished ones are kept, and the original goes on."""
    own_server.start()
    put(own_server, "done", **writes("kept"))
    assert over(own_server, "done")["status"] == "Completed"
    begin_long_job(own_server, SERVED, "runs")
    served = Server(copy(own_server.home))
    assert autostart.find_server_process(served.home) is None
    served.start()
    other.append(served)
    found = at(served, "runs")
    assert found["status"] == "Failed"
    said = str(served.ask("GET", f"/smalt/v1{SERVED}/jobs/runs/tree").body)
    assert f"this home is a copy of {own_server.home.root}" in said
    assert reads(served, "again", "done") == "kept\n"
    assert served.port != own_server.port
    served.ask("POST", f"{SERVED}/jobs/runs/cancel")
    served.end()
    other.clear()
    assert at(own_server, "runs")["status"] == "Running"
    assert own_server.ask("POST", f"{SERVED}/jobs/runs/cancel").status in (200, 202)
    assert over(own_server, "runs")["status"] == "Canceled"


def test_a_launcher_leaves_alone_what_the_original_started(tmp_path: Path) -> None:
    """The journal of a copy says what the original's launcher started: it is not adopted, stopped or asked about."""
    rig, twin = Rig(tmp_path), Rig(tmp_path / "twin")
    try:
        rig.launch()
        client = rig.connect()
        client.start(rig.step("a", "echo $$ >pid; exec sleep 1000"))
        pid = rig.pid("a", "pid")
        shutil.rmtree(twin.home.root)
        subprocess.run(["cp", "-a", rig.home.root, twin.home.root], check=True)
        twin.launch()
        beside = twin.connect()
        assert "this home is a copy" in beside.exit("a")["message"]
        assert beside.exit("a")["reason"] == "lost"
        beside.stop("a", 0)
        beside.start(twin.step("b", "true"))
        assert beside.exit("b")["code"] == 0
        stat = processes.read_stat(pid)
        assert stat is not None
        assert not stat.is_dead
        client.stop("a", 0)
        assert client.exit("a")["reason"] == "stopped"
        eventually(lambda: not rig.marked(), "the end of the step's processes")
    finally:
        assert rig.close() == twin.close() == []


@pytest.mark.parametrize("how", [moved, restored])
def test_a_step_that_ended_before_its_home_was_moved(tmp_path: Path, how: Any) -> None:
    """Its exit code is found where the step's folder is now, also on another file system."""
    rig = Rig(tmp_path)
    try:
        rig.launch()
        client = rig.connect()
        client.start(rig.step("a", "echo 1 >ready; until [ -e go ]; do sleep 0.01; done; exit 7"))
        eventually(lambda: rig.file("a", "ready"), "the step")
        rig.kill_launcher()
        rig.home.path("jobs", "a", "go").touch()
        eventually(lambda: not rig.marked(), "the end of the step")
        rig.home = how(rig.home)
        rig.launch()
        found = rig.connect().exit("a")
        assert (found["code"], found["reason"]) == (7, "exited")
    finally:
        rig.close()


@pytest.mark.parametrize("how", [moved, restored])
def test_a_home_that_was_moved_goes_on(own_server: Server, other: list[Server], how: Any) -> None:
    """Finished jobs' outputs are read, new jobs run, and what was written over at a given path is known there, too."""
    own_server.start()
    put(own_server, "own", **writes("own"))
    put(own_server, "fixed", **writes("first", FIXED))
    assert [over(own_server, name)["status"] for name in ("own", "fixed")] == ["Completed"] * 2
    port = own_server.port
    own_server.end()
    served = Server(how(own_server.home))
    served.start()
    other.append(served)
    assert served.port == port
    assert reads(served, "one", "own") == "own\n"
    assert reads(served, "two", "fixed") == "first\n"
    put(served, "later", **writes("second", FIXED))
    assert over(served, "later")["status"] == "Completed"
    inputs = {"i": {"jobInputType": "uri_folder", "uri": "azureml://jobs/fixed/outputs/o"}}
    refused = served.ask("PUT", f"{SERVED}/jobs/three", host_job("cat ${{inputs.i}}/f", inputs=inputs))
    assert "job later wrote over" in str(refused.body)


def test_a_copy_of_a_home_reads_what_azures_client_stored(own_server: Server, other: list[Server]) -> None:
    """Its folder's name is a hash that smalt does not know, and its times of change are those of the copy."""
    own_server.start()
    digest = hashlib.sha256(b"Initialize for october 2021 AML CLI version").hexdigest()
    uri = f"azureml://datastores/workspaceblobstore/paths/LocalUpload/{digest}/d/"
    folder = own_server.home.path(f"workspaces/default/datastores/workspaceblobstore/LocalUpload/{digest}/d")
    folder.mkdir(parents=True)
    (folder / "f").write_text("sent\n")
    version = {"properties": {"dataType": "uri_folder", "dataUri": uri}}
    assert own_server.ask("PUT", f"{SERVED}/data/d/versions/1", version).status in (200, 201)
    own_server.end()
    served = Server(copy(own_server.home))
    served.start()
    other.append(served)
    inputs = {"i": {"jobInputType": "uri_folder", "uri": f"{SERVED}/data/d/versions/1"}}
    for name in ("one", "two"):
        put(served, name, "cat ${{inputs.i}}/f", inputs=inputs)
        assert over(served, name)["status"] == "Completed"


def test_a_home_that_is_reached_by_two_paths_is_one(own_server: Server, other: list[Server]) -> None:
    """By a link to it, a home is what it is: its jobs stay as they are."""
    own_server.start()
    put(own_server, "own", **writes("own"))
    assert over(own_server, "own")["status"] == "Completed"
    own_server.end()
    link = own_server.home.root.with_name("link")
    link.symlink_to(own_server.home.root)
    served = Server(Home(link))
    served.start()
    other.append(served)
    assert reads(served, "one", "own") == "own\n"
    assert "moved" not in served.home.path("server.log").read_text()


def test_a_copy_of_a_home_runs_no_schedules(own_server: Server, other: list[Server]) -> None:
    """They go on in the original; in the copy each is disabled until somebody enables it."""
    own_server.start()
    job = host_job("true")["properties"]
    trigger = {"triggerType": "Cron", "expression": "0 0 1 1 *"}
    body = {"properties": {"trigger": trigger, "action": {"actionType": "CreateJob", "jobDefinition": job}}}
    assert own_server.ask("PUT", f"{SERVED}/schedules/s", body).status == 200
    served = Server(copy(own_server.home))
    other.append(served)
    served.start()
    found = served.ask("GET", f"{SERVED}/schedules/s").body["properties"]
    assert (found["isEnabled"], found["nextTimes"]) == (False, [])
    found = own_server.ask("GET", f"{SERVED}/schedules/s").body["properties"]
    assert (found["isEnabled"], len(found["nextTimes"])) == (True, 5)
