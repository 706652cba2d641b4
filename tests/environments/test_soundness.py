"""What is killed while it builds leaves nothing that is used; `smalt doctor` finds and repairs what is wrong."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from smalt.machine.home import Home
from smalt.service.data.integrity import IntegrityProblem
from smalt.service.environments import EnvironmentFailed, Environments
from tests.helpers import LONGEST, WORKSPACE, Server, eventually

from .conftest import Settings, conda, run
from .test_processes import process
from .wheels import make_slow_package, make_wheel

WS = WORKSPACE.format("default")
SINCE = time.time()


def troubles(environments: Environments, thorough: bool = False) -> list[IntegrityProblem]:
    return asyncio.run(environments.find_problems(thorough, SINCE))


def repair(found: list[IntegrityProblem]) -> None:
    for trouble in found:
        assert trouble.repair is not None
        trouble.repair()


def test_what_a_killed_build_left_is_found(home: Home, settings: Settings) -> None:
    """And removed; nothing of it is listed or used."""
    dying = process(home, "Installed")
    dying.communicate("go\n", timeout=LONGEST)
    environments = Environments(home, settings)
    assert environments.find_built(conda("hue")) is None
    eventually(lambda: bool(troubles(environments)))  # once its uv has ended, too
    (found,) = troubles(environments)
    assert (found.check, Path(found.what).name[:10]) == ("left over", ".building-")
    repair([found])
    assert troubles(environments) == []
    assert run(asyncio.run(environments.get_or_build(conda("hue"), lambda line: None)), "hue").startswith("1.0 ")
    assert troubles(environments, thorough=True) == []


@pytest.mark.parametrize("before", [b"", b"# "])
def test_a_file_that_was_changed_is_found_and_mended(
    home: Home, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, before: bytes
) -> None:
    """By the thorough examination; the mended one has not the changed file of uv's cache, which was the same file."""
    make_wheel(tmp_path / "own", "clay", "1.0")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "own"))
    monkeypatch.setenv("UV_CACHE_DIR", str(home.path("uv-cache")))
    environments = Environments(home, settings)
    realised = asyncio.run(environments.get_or_build(conda("clay"), lambda line: None))
    venv = home.path("environments", realised.declared_hash, "venv")
    (file,) = venv.glob("lib/python*/site-packages/clay/__init__.py")
    if before:
        with file.open("r+b") as opened:  # in place: whatever shares the file has it, too
            opened.write(before)
    else:
        file.unlink()
    assert troubles(environments) == []
    (found,) = troubles(environments, thorough=True)
    assert (found.check, found.what) == ("environment", "colours")
    assert "1 of its files are not as they were installed" in found.problem
    repair([found])
    assert environments.find_built(conda("clay")) is None
    assert run(asyncio.run(environments.get_or_build(conda("clay"), lambda line: None)), "clay").startswith("1.0 ")
    assert troubles(environments, thorough=True) == []


def test_one_that_a_job_uses_is_not_removed(environments: Environments, home: Home) -> None:
    """Its repair says so."""
    realised = asyncio.run(environments.get_or_build(conda("shade==1.0"), lambda line: None))
    own = realised.clone(home.path("view"))
    (home.path("environments", realised.declared_hash, "venv", "bin") / "python").unlink()
    (found,) = troubles(environments)
    assert found.problem.endswith("is gone")
    with pytest.raises(Exception, match="a job uses it now"):
        repair([found])
    assert own.folder is not None
    environments.release_view(own.folder)
    repair(troubles(environments))
    assert (troubles(environments), environments.list_stored()) == ([], [])


def test_a_record_that_cannot_be_read(environments: Environments, home: Home) -> None:
    """No job uses it, and nobody would ever remove it."""
    realised = asyncio.run(environments.get_or_build(conda("shade==1.0"), lambda line: None))
    home.path("environments", realised.declared_hash, "record.json").write_text("{")
    (found,) = troubles(environments)
    assert found.problem == "its record cannot be read; no job uses it"
    repair([found])
    assert troubles(environments) == []


def test_a_server_that_is_killed_while_it_builds(own_server: Server, tmp_path: Path, wheels: Path) -> None:
    """What it had started goes on; the next server waits for that, builds anew, and the job runs, once."""
    begun, go = tmp_path / "begun", tmp_path / "go"
    make_slow_package(tmp_path, "slowly", begun, go)
    told = {"PIP_FIND_LINKS": str(tmp_path)}
    first = own_server.start(environment=told)
    properties = {"condaFile": conda("slowly")["condaFile"]}
    assert own_server.ask("PUT", f"{WS}/environments/slow/versions/1", {"properties": properties}).status == 201
    body = {"jobType": "Command", "command": "slowly", "environmentId": "azureml:slow:1"}
    assert own_server.ask("PUT", f"{WS}/jobs/waiting", {"properties": body}).status == 201
    eventually(begun.exists)
    first.send_signal(signal.SIGKILL)
    first.wait()
    folder = own_server.home.path("environments")
    (half,) = folder.glob(".building-*")
    own_server.start(environment=told)  # unless the launcher was quicker
    log = own_server.home.path(
        "workspaces/default/datastores/workspaceartifactstore/ExperimentRun/dcid.waiting/system_logs/smalt.log"
    )
    eventually(lambda: "waiting for another process that builds environment 'slow'" in log.read_text())
    assert half.exists(), "its uv still builds there"
    go.touch()
    eventually(lambda: _status(own_server) in ("Completed", "Failed"), "the end of the job")
    assert _status(own_server) == "Completed", log.read_text()
    answer: Any = own_server.ask("POST", "/smalt/v1/doctor", {"full": True, "repair": True}).body
    assert answer["troubles"] == []
    assert [name for name in os.listdir(folder) if name.startswith(".building")] == []
    assert [each["name"] for each in own_server.ask("GET", "/smalt/v1/environments").body["value"]] == ["slow"]


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_builder_that_is_killed(environments: Environments, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The job fails saying so, nothing is left, and the next one builds."""
    begun, go = tmp_path / "begun", tmp_path / "go"
    make_slow_package(tmp_path, "slowly", begun, go)
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))

    async def killed() -> None:
        build = asyncio.ensure_future(environments.get_or_build(conda("slowly"), lambda line: None))
        await asyncio.to_thread(eventually, begun.exists)
        (children,) = Path(f"/proc/{os.getpid()}/task").glob(f"{os.getpid()}/children")
        for pid in children.read_text().split():
            if "pip" in Path(f"/proc/{pid}/cmdline").read_text():
                os.killpg(int(pid), signal.SIGKILL)
        await build

    with pytest.raises(EnvironmentFailed, match=r"uv was killed by signal 9; submit it again"):
        asyncio.run(killed())
    assert (troubles(environments), environments.list_stored()) == ([], [])
    go.touch()
    assert run(asyncio.run(environments.get_or_build(conda("slowly"), lambda line: None)), "slowly").startswith("1.0 ")


def _status(server: Server) -> str:
    return str(server.ask("GET", f"{WS}/jobs/waiting").body["properties"]["status"])
