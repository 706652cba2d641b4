"""Jobs in real containers: a real engine, launcher and Podman, with an image made of this machine's own files."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from smalt.home import Home
from smalt.service.environments.container import sweep
from smalt.service.records.jobs import Job
from tests.engine.bench import Workbench
from tests.engine.bench import workbench as opened

from .conftest import eventually
from .podman import Podman, remove

SAVING = """
import pathlib, signal, sys, time
def end(*_):
    time.sleep(0.5)
    with open("saved", "a") as file:
        file.write("x")
    sys.exit(3)
signal.signal(signal.SIGTERM, end)
pathlib.Path("begun").touch()
time.sleep(60)
"""


@pytest.fixture
def marks(home: Home) -> Path:
    return home.path("run", "containers")


@pytest.fixture
def within(home: Home, podman: Podman) -> Callable[[Callable[[Workbench], Coroutine[Any, Any, None]]], None]:
    """Runs a test with an engine that uses Podman."""

    def run(test: Callable[[Workbench], Coroutine[Any, Any, None]]) -> None:
        async def go() -> None:
            async with opened(home) as bench:
                bench.settings.update({"container-command": podman.command, "container-arguments": podman.arguments})
                await test(bench)

        asyncio.run(go())

    return run


def environment(bench: Workbench, name: str, **properties: Any) -> str:
    from smalt.service.records import assets

    assets.put(bench.db, bench.workspace.id, "environments", name, "1", properties, "tester")
    return f"azureml:{name}:1"


def log(bench: Workbench, job: Job, name: str = "user_logs/std_log.txt") -> str:
    return Path(bench.engine.rooms.artifacts(bench.workspace, job.name), name).read_text()


def folder(bench: Workbench, job: Job) -> Path:
    return bench.home.path("workspaces", bench.workspace.folder, "jobs", job.name, "wd")


def test_a_job_runs_in_its_image(within: Any, podman: Podman, tmp_path: Path, marks: Path) -> None:
    """With its inputs and outputs at the paths that it is told, its variables, and its exit code; nothing is left."""
    (tmp_path / "x.txt").write_text("content")

    async def test(bench: Workbench) -> None:
        job = bench.submit(
            "inside",
            {
                "command": 'cat ${{inputs.x}} /proc/1/comm; echo made >${{outputs.o}}/f; echo "$WORD" $AZUREML_RUN_ID;'
                " echo no >>${{inputs.x}} || echo kept; ls /boot; exit 7",
                "environment": environment(bench, "own", image=podman.image),
                "environment_variables": {"WORD": "a  'b'\nc"},
                "inputs": {"x": {"type": "uri_file", "path": str(tmp_path / "x.txt")}},
                "outputs": {"o": {"path": f"file://{tmp_path}/out"}},
            },
        )
        over = await bench.over(job)
        said = log(bench, job)
        assert over.status == "Failed"
        assert "exited with code 7" in str(over.error)
        assert said.startswith("contentsh\na  'b'\nc inside\n")
        assert "kept\n" in said
        assert "ls: command not found" in said

    within(test)
    assert (tmp_path / "out" / "f").read_text() == "made\n"
    assert (tmp_path / "x.txt").read_text() == "content"
    assert list(marks.iterdir()) == []
    assert not any("inside" in name for name in podman.containers)


@pytest.mark.parametrize("how", ["cancel", "timeout"])
def test_what_ends_a_job_reaches_inside(within: Any, podman: Podman, marks: Path, how: str) -> None:
    """SIGTERM comes once, the job may save its work, and the container is gone."""

    async def test(bench: Workbench) -> None:
        asked: dict[str, Any] = {
            "command": f"python3 -c '{SAVING}'; echo after >>saved",
            "environment": environment(bench, "own", image=podman.image),
        }
        job = bench.submit(f"ends-{how}", asked | ({"limits": {"timeout": 2}} if how == "timeout" else {}))
        begun = folder(bench, job) / "begun"
        await asyncio.to_thread(eventually, begun.exists)
        if how == "cancel":
            bench.engine.cancel(job)
        over = await bench.over(job)
        assert over.status == ("Canceled" if how == "cancel" else "Failed")
        assert (folder(bench, job) / "saved").read_text() == "x"

    within(test)
    assert list(marks.iterdir()) == []
    assert not any("ends" in name for name in podman.containers)


def test_a_killed_keeper_leaves_no_container(within: Any, podman: Podman, marks: Path) -> None:
    """The server removes what a step that was killed by SIGKILL left running."""

    async def test(bench: Workbench) -> None:
        asked = {"command": "sleep 60", "environment": environment(bench, "own", image=podman.image)}
        job = bench.submit("killed", asked)
        await asyncio.to_thread(eventually, lambda: marks.is_dir() and any(marks.iterdir()))
        (mark,) = marks.iterdir()
        await asyncio.to_thread(eventually, lambda: mark.name in podman.containers)
        sweep(marks, [*podman.command.split(), "rm", "--force", "--time", "0"])
        assert mark.name in podman.containers  # its keeper lives
        os.kill(int(mark.name.rpartition("-")[2]), signal.SIGKILL)
        assert (await bench.over(job)).status == "Failed"
        await asyncio.to_thread(eventually, lambda: not any(marks.iterdir()))
        assert mark.name not in podman.containers

    within(test)


def test_a_build_context_is_built_once_for_each_content(within: Any, podman: Podman, tmp_path: Path) -> None:
    """The engine's words are in the job's log; what changes in the context makes another image."""
    context = tmp_path / "context"
    (context / "docker").mkdir(parents=True)
    (context / "docker" / "Own").write_text(f"FROM {podman.image}\nCOPY word /word\nENV PATH=/somewhere:$PATH\n")
    images: set[str] = set()

    async def test(bench: Workbench) -> None:
        build = {"contextUri": f"file://{context}", "dockerfilePath": "docker/Own"}
        asked = {"command": "cat /word; echo $PATH", "environment": environment(bench, "context", build=build)}
        for number, word in enumerate(("one\n", "one\n", "two\n")):
            (context / "word").write_text(word)
            job = bench.submit(f"built-{number}", asked)
            assert (await bench.over(job)).status == "Completed", log(bench, job, "system_logs/smalt.log")
            said = log(bench, job)
            assert said.startswith(word)
            assert ":/somewhere:" in said
            built = Path(bench.engine.rooms.artifacts(bench.workspace, job.name), "system_logs", "smalt.log")
            assert built.exists() == (number != 1)
            if built.exists():
                assert "COPY word /word" in built.read_text()
        found = bench.engine.rooms.environments.list()
        images.update(str(each.record.container and each.record.container["name"]) for each in found)
        assert len(images) == 2
        for each in found:
            await bench.engine.rooms.environments.remove(each.hash)

    try:
        within(test)
        assert not any(name in podman.run("images", "--format", "{{.Repository}}:{{.Tag}}") for name in images)
    finally:
        for name in images:
            remove(name)


def test_an_image_with_a_conda_file_has_its_packages_on_top(within: Any, podman: Podman, wheels: Path) -> None:
    """In an environment of the image's own Python; the image itself is left as it is."""

    async def test(bench: Workbench) -> None:
        conda = "dependencies:\n- pip:\n  - shade==1.0\n"
        asked = {
            "command": "shade; python -c 'import os, sys; print(sys.prefix, os.path.exists(\"/smalt/variables\"))'",
            "environment": environment(bench, "both", image=podman.image, condaFile=conda),
        }
        job = bench.submit("both", asked)
        assert (await bench.over(job)).status == "Completed", log(bench, job, "system_logs/smalt.log")
        assert log(bench, job).startswith("1.0 /opt/smalt-environment\n/opt/smalt-environment False\n")
        for each in bench.engine.rooms.environments.list():
            await bench.engine.rooms.environments.remove(each.hash)

    within(test)


def test_an_image_that_cannot_be_had_is_stood_for(within: Any) -> None:
    """The warning tells why; strict refuses with the same words."""

    async def test(bench: Workbench) -> None:
        name = "127.0.0.1:9/nowhere/nothing:1"
        asked = {"command": "python -V", "environment": environment(bench, "far", image=name)}
        job = bench.submit("near", asked)
        assert (await bench.over(job)).status == "Completed"
        warning = log(bench, job, "system_logs/smalt.log")
        assert f"image '{name}' is not used (image '{name}' could not be pulled: " in warning
        bench.settings.update({"fidelity": "strict"})
        refused = await bench.over(bench.submit("strict", asked))
        assert refused.status == "Failed"
        assert f"image '{name}' could not be pulled: " in str(refused.error)
        assert "fidelity is strict" in str(refused.error)

    within(test)


def test_a_dockerfile_that_fails_is_the_jobs_failure(within: Any, podman: Podman, tmp_path: Path) -> None:
    """In one sentence, whatever the fidelity: nothing stands for what is wrong."""
    (tmp_path / "Dockerfile").write_text(f"FROM {podman.image}\nRUN no-such-program\n")

    async def test(bench: Workbench) -> None:
        build = {"contextUri": f"file://{tmp_path}"}
        job = bench.submit("wrong", {"command": "true", "environment": environment(bench, "wrong", build=build)})
        over = await bench.over(job)
        assert over.status == "Failed"
        assert "its Dockerfile could not be built" in str(over.error)
        assert "no-such-program" in log(bench, job, "system_logs/smalt.log")

    within(test)
