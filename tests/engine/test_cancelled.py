"""What is cancelled is Canceled, whatever the exit code of its command: nothing of it counts."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Any

import pytest

from smalt.machine.home import Home
from smalt.service.compute.local.results import LocalResults
from smalt.service.records import assets, job_attempts
from smalt.service.records import reuse as reused
from smalt.service.records.jobs import Job
from tests.durability.test_hand_over import kill_launcher, opened
from tests.engine.bench import Workbench, workbench
from tests.helpers import eventually

HOST = "azureml:host"


class Polite:
    """A command that says that it runs, and on SIGTERM saves half of its work and exits with 0."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def step(self, name: str = "c", **more: Any) -> dict[str, Any]:
        begun = self.folder / f"{name}.begun"
        command = (
            f"trap 'echo half > ${{{{outputs.o}}}}/f; exit 0' TERM; sleep 600 & touch {begun}; wait\n"
            f"echo whole > ${{{{outputs.o}}}}/f"
        )
        return {"command": command, "environment": HOST, "outputs": {"o": {"type": "uri_folder"}}, **more}

    async def begun(self, name: str = "c") -> None:
        await asyncio.to_thread(eventually, (self.folder / f"{name}.begun").exists, "the start of the step")

    def user(self, node: str = "c") -> dict[str, Any]:
        used = self.folder / "used"
        inputs = {"i": f"${{{{parent.jobs.{node}.outputs.o}}}}"}
        return {"command": f"cat ${{{{inputs.i}}}}/f > {used}", "environment": HOST, "inputs": inputs}

    @property
    def is_used(self) -> bool:
        return (self.folder / "used").exists()


@pytest.fixture
def polite(tmp_path: Path) -> Polite:
    return Polite(tmp_path)


def named(polite: Polite) -> dict[str, Any]:
    """A pipeline of a polite step with a named output, promoted under another name, and one that reads it."""
    step = polite.step()
    step["outputs"] = {"o": "${{parent.outputs.p}}"}
    return {
        "outputs": {"p": {"type": "uri_folder", "name": "promoted"}},
        "jobs": {"c": step, "use": polite.user()},
    }


def registered(bench: Workbench) -> list[str]:
    return [one.name for one in assets.list_containers(bench.db, bench.workspace.id, "data")]


def serves(bench: Workbench, job: Job) -> bool:
    """Whether a later step may have the outputs of this one."""
    step = reused.get_step(bench.db, job.id)
    return step is not None and reused.has_candidate(bench.db, Job(**{**_fields(job), "root_id": 0}), step.partial)


def _fields(job: Job) -> dict[str, Any]:
    return {name: getattr(job, name) for name in Job.__slots__}


@pytest.mark.parametrize("whom", ["step", "pipeline"])
async def test_a_cancelled_step_that_exits_with_0(polite: Polite, whom: str) -> None:
    """It is Canceled and so is its pipeline, nothing is registered or reused, and what needs it does not run."""
    async with workbench() as bench:
        job = bench.submit("p", named(polite))
        await polite.begun()
        step = bench.child(job, "c")
        bench.engine.cancel(job if whom == "pipeline" else step)
        assert (await bench.over(job)).status == "Canceled"
        assert bench.states(job) == {"c": "Canceled", "use": "Canceled"}
        (attempt,) = job_attempts.list_attempts(bench.db, step.id)
        assert (attempt.exit_code, attempt.reason) == (0, "stopped")
        assert not registered(bench)
        assert not serves(bench, step)
        assert not polite.is_used


async def test_a_step_of_a_nested_pipeline_is_cancelled_with_that(polite: Polite) -> None:
    """A nested pipeline that is cancelled is Canceled with all below it, and what needs it does not run."""
    async with workbench() as bench:
        step = polite.step()
        step["outputs"] = {"o": "${{parent.outputs.o}}"}
        inner = {
            "type": "pipeline",
            "component": bench.register("inner", {"outputs": {"o": {"type": "uri_folder"}}, "jobs": {"c": step}}),
        }
        job = bench.submit("p", {"jobs": {"n": inner, "use": polite.user("n")}})
        await polite.begun()
        nested = bench.child(job, "n")
        bench.engine.cancel(nested)
        assert (await bench.over(job)).status == "Canceled"
        assert bench.states(job) == {"n": "Canceled", "use": "Canceled"}
        assert bench.states(nested) == {"c": "Canceled"}
        assert not polite.is_used


async def test_a_step_that_a_failed_sibling_stops(polite: Polite) -> None:
    """Without continue_on_step_failure the sibling of a step that failed is Canceled, and says which step failed."""
    async with workbench() as bench:
        gate = polite.folder / "gate"
        os.mkfifo(gate)
        bad = {"command": f"read line < {gate}; exit 3", "environment": HOST}
        job = bench.submit("p", {"jobs": {"c": polite.step(), "bad": bad, "use": polite.user()}})
        await polite.begun()
        await asyncio.to_thread(gate.write_text, "go\n")
        assert (await bench.over(job)).status == "Failed"
        assert bench.states(job) == {"c": "Canceled", "bad": "Failed", "use": "Canceled"}
        assert "'bad' failed" in str(bench.child(job, "c").error)
        assert not polite.is_used


async def test_a_step_that_was_ended_by_its_time_limit(polite: Polite) -> None:
    """Code 0 after the SIGTERM of a time-out is a time-out: Failed, and nothing needs the half output."""
    async with workbench() as bench:
        step = polite.step(limits={"timeout": 1})
        job = bench.submit("p", {"jobs": {"c": step, "use": polite.user()}})
        assert (await bench.over(job)).status == "Failed"
        assert bench.states(job) == {"c": "Failed", "use": "Canceled"}
        assert "JobTimeout" in str(bench.child(job, "c").error)
        assert not serves(bench, bench.child(job, "c"))
        assert not polite.is_used


async def test_no_other_attempt_is_made_of_what_was_cancelled(polite: Polite) -> None:
    """A step with retries that is cancelled gets no other attempt."""
    async with workbench() as bench:
        job = bench.submit("one", polite.step(properties={"smalt.retries": "3"}))
        await polite.begun()
        bench.engine.cancel(job)
        assert (await bench.over(job)).status == "Canceled"
        assert len(job_attempts.list_attempts(bench.db, job.id)) == 1


@pytest.mark.parametrize("who", ["server", "launcher", "both"])
async def test_a_kill_between_the_cancellation_and_the_exit(polite: Polite, tmp_path: Path, who: str) -> None:
    """The cancellation was acknowledged, so the job is Canceled, whoever dies before its command exits with 0."""
    home = Home(tmp_path / "home")
    bench = await opened(home)
    gate, begun, told = tmp_path / "gate", tmp_path / "begun", tmp_path / "told"
    os.mkfifo(gate)
    command = f"trap 'touch {told}; read line < {gate}; exit 0' TERM; sleep 600 & touch {begun}; wait"
    document = {"jobs": {"c": {"command": command, "environment": HOST, "outputs": {"o": {"type": "uri_folder"}}},
                         "use": polite.user()}}  # fmt: skip
    job = bench.submit("p", document)
    await asyncio.to_thread(eventually, begun.exists, "the start of the step")
    bench.engine.cancel(bench.child(job, "c"))
    await asyncio.to_thread(eventually, told.exists, "the SIGTERM")
    if who == "launcher":
        kill_launcher(home)
        await asyncio.to_thread(gate.write_text, "go\n")
        assert (await bench.over(job)).status == "Canceled"
        await bench.engine.close()
        bench.db.close()
        return
    await bench.kill()
    if who == "both":
        kill_launcher(home)
    await asyncio.to_thread(gate.write_text, "go\n")
    async with workbench(home) as again:
        assert (await again.over(job)).status == "Canceled"
        assert again.states(job) == {"c": "Canceled", "use": "Canceled"}
    assert not polite.is_used


async def test_a_command_that_had_ended_by_itself_when_the_cancellation_came(polite: Polite, tmp_path: Path) -> None:
    """The order in the records decides: what was cancelled before its end was recorded is Canceled, code 0 or not."""
    async with workbench() as bench:
        begun, gate = tmp_path / "begun", tmp_path / "gate"
        os.mkfifo(gate)
        command = f"echo $$ > {begun}.new; mv {begun}.new {begun}; read line < {gate}"
        job = bench.submit("j", {"command": command, "environment": HOST})
        await asyncio.to_thread(eventually, begun.exists, "the start of the step")
        gate.write_text("go\n")  # the loop is not given back before the cancellation is recorded
        eventually(lambda: not _lives(int(begun.read_text())), "the end of the command")
        bench.engine.cancel(job)
        assert (await bench.over(job)).status == "Canceled"
        (attempt,) = job_attempts.list_attempts(bench.db, job.id)
        assert attempt.exit_code == 0


@pytest.mark.parametrize("crashes", [False, True])
async def test_a_cancellation_while_outputs_are_stored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, crashes: bool
) -> None:
    """A step that is Finalizing ends Canceled, nothing of it is registered, and it does not run again."""
    home = Home(tmp_path / "home")
    bench = await opened(home)
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    finish = LocalResults.finish

    def slowly(*arguments: Any) -> Any:
        gate.read_text()
        return finish(*arguments)

    monkeypatch.setattr(LocalResults, "finish", slowly)
    outputs = {"o": {"type": "uri_folder", "mode": "upload", "name": "made"}}
    document = {"command": "echo whole > ${{outputs.o}}/f", "environment": HOST, "outputs": outputs}
    job = bench.submit("j", document)
    await bench.until(job, lambda now: now.status == "Finalizing")
    bench.engine.cancel(job)
    if crashes:
        await bench.kill()
        monkeypatch.setattr(LocalResults, "finish", finish)
        await asyncio.to_thread(gate.write_text, "go\n")
        bench = await opened(home)
    else:
        await asyncio.to_thread(gate.write_text, "go\n")
    assert (await bench.over(job)).status == "Canceled"
    assert len(job_attempts.list_attempts(bench.db, job.id)) == 1
    assert job_attempts.list_attempts(bench.db, job.id)[0].exit_code == 0
    assert not registered(bench)
    await bench.engine.close()
    bench.db.close()


def _leads_to(path: Path, large: Path) -> bool:
    """Tell a link to the large folder, and a copy of a file of it."""
    return os.path.realpath(path) == str(large) or (path.is_file() and path.read_bytes() == b"large")


LINKS = {
    "outputs": "rmdir outputs; ln -s {large} outputs",
    "logs": "rmdir logs; ln -s {large} logs",
    "in outputs": "ln -s {large} outputs/in",
    "an output": "rmdir ${{{{outputs.o}}}}; ln -s {large} ${{{{outputs.o}}}}",
    "in an output": "ln -s {large} ${{{{outputs.o}}}}/in",
}


@pytest.mark.parametrize("mode", ["rw_mount", "upload"])
@pytest.mark.parametrize("what", LINKS)
@pytest.mark.parametrize("when", ["while it runs", "while outputs are stored"])
async def test_what_a_link_leads_to_is_not_copied_for_a_cancelled_job(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, when: str, what: str, mode: str
) -> None:
    """A cancellation ends all copying; no half of it and no link is left, and a line of the log says so."""
    home = Home(tmp_path / "home")
    bench = await opened(home)
    gate, begun, large = tmp_path / "gate", tmp_path / "begun", tmp_path / "large"
    os.mkfifo(gate)
    large.mkdir()
    for number in range(10):
        (large / str(number)).write_text("large")
    finish = LocalResults.finish

    def slowly(*arguments: Any) -> Any:
        gate.read_text()
        return finish(*arguments)

    monkeypatch.setattr(LocalResults, "finish", slowly)
    command = f"{LINKS[what].format(large=large)}; echo kept >kept.txt; touch {begun}"
    command += "; exec sleep 600" if when == "while it runs" else ""
    outputs = {"o": {"type": "uri_folder", "mode": mode, "name": "made"}}
    job = bench.submit("j", {"command": command, "environment": HOST, "outputs": outputs})
    if when == "while it runs":
        await asyncio.to_thread(eventually, begun.exists, "the command")
        bench.engine.cancel(job)
    await bench.until(job, lambda now: now.status == "Finalizing")
    bench.engine.cancel(job)
    await asyncio.to_thread(gate.write_text, "go\n")
    assert (await bench.over(job)).status == "Canceled"
    assert not registered(bench)
    places = (home.path("workspaces/default/jobs/j"), home.path("workspaces/default/datastores"))
    assert not [path for place in places for path in place.rglob("*") if _leads_to(path, large)]
    assert "the job was canceled" in (bench.artifacts("j") / "system_logs" / "smalt.log").read_text()
    await bench.engine.close()
    bench.db.close()


@pytest.mark.handed_over
async def test_what_was_handed_over_behind_a_cancelled_step(polite: Polite, tmp_path: Path) -> None:
    """A chain waits at the launcher; its first step is cancelled and exits with 0: the others are Canceled, too."""
    async with workbench() as bench:
        marks = tmp_path / "marks"
        later = {
            "command": f"echo b >> {marks}", "environment": HOST, "inputs": {"i": "${{parent.jobs.c.outputs.o}}"},
            "outputs": {"o": {"type": "uri_folder"}},
        }  # fmt: skip
        last = {
            "command": f"echo d >> {marks}", "environment": HOST, "inputs": {"i": "${{parent.jobs.b.outputs.o}}"},
        }  # fmt: skip
        job = bench.submit("p", {"jobs": {"c": polite.step(), "b": later, "d": last}})
        await polite.begun()
        await bench.until(job, lambda _: bench.child(job, "d").status == "Queued")
        bench.engine.cancel(bench.child(job, "c"))
        assert (await bench.over(job)).status == "Canceled"
        assert bench.states(job) == {"c": "Canceled", "b": "Canceled", "d": "Canceled"}
        assert not marks.exists()


@pytest.mark.handed_over
async def test_what_follows_before_the_cancellation_reaches_the_launcher(tmp_path: Path) -> None:
    """A step ended with 0 and the next one started before the first's cancellation is recorded: both are Canceled."""
    async with workbench() as bench:
        begun, second, gate = tmp_path / "begun", tmp_path / "second", tmp_path / "gate"
        os.mkfifo(gate)
        first = {
            "command": f"touch {begun}; read line < {gate}", "environment": HOST,
            "outputs": {"o": {"type": "uri_folder"}},
        }  # fmt: skip
        then = {"command": f"touch {second}", "environment": HOST, "inputs": {"i": "${{parent.jobs.a.outputs.o}}"}}
        job = bench.submit("p", {"jobs": {"a": first, "b": then}})
        await asyncio.to_thread(eventually, begun.exists, "the start of the step")
        await bench.until(job, lambda _: bench.child(job, "b").status == "Queued")
        gate.write_text("go\n")  # the loop is not given back before the cancellation is recorded
        eventually(second.exists, "the second step")
        bench.engine.cancel(bench.child(job, "a"))
        assert (await bench.over(job)).status == "Canceled"
        assert bench.states(job) == {"a": "Canceled", "b": "Canceled"}


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
        return True
    except ProcessLookupError:
        return False
