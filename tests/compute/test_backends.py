"""The contract of a backend, over each there is: a real engine, its processes, and Podman where it runs."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from smalt.exceptions import SmaltError
from smalt.machine.home import Home
from smalt.service.compute.spec import StepResources
from smalt.service.engine.kinds.leaf import Leaf, step_spec
from smalt.service.records import assets, job_attempts, jobs
from smalt.service.records.jobs import Job
from tests.engine.bench import Workbench, workbench
from tests.environments import podman as podman_engine
from tests.helpers import LIMITS, eventually

LATE = 'trap "echo ended >ended; exit 0" TERM; : >begun; sleep 600 & wait'


@dataclass
class Place:
    """A backend, and how a job comes to run on it."""

    name: str
    runner: str
    compute: str
    home: Home
    supervisor: str
    """A word in the command line of the processes that look after its steps."""
    settings: dict[str, str] = field(default_factory=dict)
    image: str = ""
    workspace: Path = Path()

    def submit(self, bench: Workbench, name: str, text: str, **fields: Any) -> Job:
        bench.settings.update(self.settings)
        self.workspace = self.home.path("workspaces", bench.workspace.folder)
        environment = "azureml:host"
        if self.image:
            version = bench.workspace.id, "environments", "own", "1"
            with contextlib.suppress(SmaltError):  # it is there
                assets.put_version(bench.db, *version, {"image": self.image}, "tester")
            environment = "azureml:own:1"
        return bench.submit(name, {"command": text, "environment": environment, "compute": self.compute, **fields})

    def folder(self, job: Job) -> Path:
        return self.workspace / "jobs" / job.name / "wd"

    def kill_supervisors(self) -> None:
        for process in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                words = (process / "cmdline").read_bytes().split(b"\0")
                is_ours = any(word.startswith(os.fsencode(self.home.root)) for word in words)
                if is_ours and any(self.supervisor.encode() in word for word in words):
                    os.kill(int(process.name), signal.SIGKILL)


@pytest.fixture(scope="module")
def podman(tmp_path_factory: pytest.TempPathFactory) -> Iterator[podman_engine.Podman | str]:
    """Podman with an image, or the reason why there is none."""
    started = podman_engine.start(tmp_path_factory.mktemp("image"))
    yield started
    if not isinstance(started, str):
        podman_engine.remove(started.image)


@pytest.fixture(params=["local", "containers", "spool"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    home = Home(tmp_path / "home")
    if request.param == "containers":
        engine = request.getfixturevalue("podman")
        if isinstance(engine, str):
            pytest.skip(f"no containers: {engine}")
        settings = {"container-command": engine.command, "container-arguments": engine.arguments}
        return Place("containers", "local", "cpu-cluster", home, "launcher", settings, engine.image)
    if request.param == "spool":
        request.getfixturevalue("spool_backend")
        return Place("spool", "spool", "azureml:spool", home, "spool_queue.py")
    return Place("local", "local", "cpu-cluster", home, "launcher")


def attempts(bench: Workbench, job: Job) -> list[tuple[str, str | None]]:
    return [(one.compute, one.reason) for one in job_attempts.list_attempts(bench.db, job.id)]


async def begun(place: Place, job: Job) -> None:
    await asyncio.to_thread(eventually, (place.folder(job) / "begun").exists)


async def run_until_stopped(place: Place, bench: Workbench, how: str) -> Job:
    """Return a job that had begun when it was stopped."""
    if how == "cancel":
        job = place.submit(bench, "stopped", LATE)
        await begun(place, job)
        bench.engine.cancel(job)
        return await bench.over(job)
    for limit in LIMITS:
        job = await bench.over(place.submit(bench, f"stopped-{limit}", LATE, limits={"timeout": limit}))
        if (place.folder(job) / "begun").exists():
            break
    return job


async def test_a_step_runs_where_its_compute_and_environment_say(place: Place, tmp_path: Path) -> None:
    """With its inputs, outputs and variables; its log and its exit code come back, and its files are stored."""
    (tmp_path / "x").write_text("content\n")

    async with workbench(place.home) as bench:
        job = place.submit(
            bench, "whole",
            'cat ${{inputs.x}}; echo "$WORD ${{inputs.n}}"; echo made >${{outputs.o}}/f; echo z >outputs/z',
            inputs={"x": {"type": "uri_file", "path": str(tmp_path / "x")}, "n": 7},
            outputs={"o": {"path": f"file://{tmp_path}/out"}}, environment_variables={"WORD": "a 'b'"},
        )  # fmt: skip
        assert (await bench.over(job)).status == "Completed", bench.log(job)
        said = [line for line in bench.log(job).splitlines() if "Found incomplete layer" not in line]
        assert said == ["content", "a 'b' 7"], "Podman tells of images that others were killed while they made them"
        assert (tmp_path / "out" / "f").read_text() == "made\n"
        assert (bench.artifacts(job.name) / "outputs" / "z").read_text() == "z\n"
        assert attempts(bench, job) == [(place.runner, "exited")]
        failed = await bench.over(place.submit(bench, "fails", "exit 5"))
        assert failed.status == "Failed"
        assert "5" in str(failed.error)


async def test_a_step_that_runs_is_followed(place: Place) -> None:
    """It is Running from the moment its process exists, and the runner knows that process."""
    async with workbench(place.home) as bench:
        job = place.submit(bench, "long", ": >begun; until [ -e go ]; do sleep 0.05; done")
        await begun(place, job)
        await bench.until(job, lambda now: now.status == "Running")
        await asyncio.to_thread(eventually, lambda: list(bench.engine.context.computes.running) == [f"{job.id}.1"])
        (place.folder(job) / "go").touch()
        assert (await bench.over(job)).status == "Completed"
        assert not bench.engine.context.computes.running


@pytest.mark.parametrize("how", ["cancel", "timeout"])
async def test_a_step_is_stopped(place: Place, how: str) -> None:
    """It gets SIGTERM and time to save its work; why it ended is recorded."""
    async with workbench(place.home) as bench:
        job = await run_until_stopped(place, bench, how)
        assert job.status == ("Canceled" if how == "cancel" else "Failed")
        assert attempts(bench, job) == [(place.runner, "stopped" if how == "cancel" else "timeout")]
        assert (place.folder(job) / "ended").read_text() == "ended\n"


@pytest.mark.parametrize("killed", ["server", "backend", "both"])
async def test_a_step_outlives_what_looks_after_it(place: Place, killed: str) -> None:
    """It runs once, and its exit counts once, whichever of the processes around it is killed."""
    bench = Workbench(place.home)
    await bench.engine.open()
    job = place.submit(bench, "kept", "echo x >>runs; : >begun; until [ -e go ]; do sleep 0.05; done; exit 0")
    await begun(place, job)
    await bench.until(job, lambda now: now.status == "Running")
    if killed != "backend":
        await bench.kill()
    if killed != "server":
        place.kill_supervisors()
    if killed == "backend":
        await bench.kill()
    async with workbench(place.home) as again:
        again.settings.update(place.settings)
        (place.folder(job) / "go").touch()
        assert (await again.over(job)).status == "Completed"
        assert attempts(again, job) == [(place.runner, "exited")]
        assert (place.folder(job) / "runs").read_text() == "x\n"


async def test_each_exit_is_told_once(place: Place) -> None:
    """Of many quick steps each has one attempt with one end, though some end while others start."""
    async with workbench(place.home) as bench:
        asked = [place.submit(bench, f"quick{number}", f"exit {number % 2}") for number in range(6)]
        states = [(await bench.over(job)).status for job in asked]
        assert states == ["Completed", "Failed"] * 3
        assert [attempts(bench, job) for job in asked] == [[(place.runner, "exited")]] * 6


async def test_a_runner_without_a_capacity_queues_by_itself(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is handed all that is ready; what has not started there is Queued, says so, and takes no slot here."""
    if place.name != "spool":
        pytest.skip("this backend has a capacity: its steps wait in the engine's queue")

    async with workbench(place.home) as bench:
        text = ": >begun; until [ -e go ]; do sleep 0.05; done"
        first = place.submit(bench, "a", text)
        await begun(place, first)
        await bench.until(first, lambda now: now.status == "Running")
        second, third = (place.submit(bench, name, text) for name in ("b", "c"))
        here = bench.submit("here", {"command": "true", "environment": "azureml:host"})
        assert (await bench.over(here)).status == "Completed"
        for job in (second, third):
            now = jobs.get_job(bench.db, job.id)
            assert now.status == "Queued"
            assert bench.engine.get_wait_reason(now) == "its turn in the queue of compute 'spool'"
        bench.engine.cancel(third)
        assert (await bench.over(third)).status == "Canceled"
        for job in (first, second):
            await begun(place, job)
            (place.folder(job) / "go").touch()
            assert (await bench.over(job)).status == "Completed"


async def test_a_backend_refuses_what_could_never_run(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """The job is not accepted, and the sentence is the backend's."""
    async with workbench(place.home) as bench:
        steps = bench.engine.context.computes.find_backend(place.compute).steps

        def find_problems(resources: StepResources) -> list[str]:
            return [f"there is no {resources.instance_type} here"] if resources.instance_type else []

        monkeypatch.setattr(steps, "find_problems", find_problems)
        with pytest.raises(SmaltError, match="there is no Standard_X here"):
            place.submit(bench, "large", "true", resources={"instance_type": "Standard_X"})
        assert (await bench.over(place.submit(bench, "small", "true"))).status == "Completed"


async def test_a_log_is_where_its_backend_says(place: Place) -> None:
    """The folder that the backend names has the step's output."""
    async with workbench(place.home) as bench:
        job = await bench.over(place.submit(bench, "says", "echo hello"))
        leaf = Leaf.read(bench.engine.context, job, bench.workspace)
        folder = leaf.backend(bench.engine.context).steps.get_log_folder(step_spec.make_spec(leaf, 1))
        assert Path(folder, "std_log.txt").read_text() == "hello\n"
