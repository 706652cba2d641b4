"""Jobs that are handed to the launcher before a slot is free, and follow a step that ends well."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from smalt.exceptions import Unavailable
from smalt.machine.home import Home
from smalt.service.composition import HAND_OVER
from smalt.service.compute.local.results import LocalResults
from smalt.service.compute.spec import StepSpec
from smalt.service.records import events, job_attempts, jobs
from smalt.service.records.jobs import Job
from tests.engine.bench import Workbench, workbench
from tests.helpers import eventually

HOST = "azureml:host"


class Gates:
    """Commands that wait until they are let through, with the code that they are given."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def command(self, name: str) -> dict[str, Any]:
        gate = self._folder / f"{name}.gate"
        os.mkfifo(gate)
        return {"command": f"touch {self._folder}/{name}; read code < {gate}; exit $code", "environment": HOST}

    def mark(self, name: str) -> dict[str, Any]:
        return {"command": f"echo {name} >> {self._folder}/marks", "environment": HOST}

    async def begun(self, *names: str) -> None:
        for name in names:
            await asyncio.to_thread(eventually, (self._folder / name).exists, name)

    async def open(self, name: str, code: int = 0) -> None:
        await asyncio.to_thread((self._folder / f"{name}.gate").write_text, f"{code}\n")

    @property
    def marks(self) -> list[str]:
        path = self._folder / "marks"
        return path.read_text().split() if path.exists() else []


@pytest.fixture
def gates(tmp_path: Path) -> Gates:
    return Gates(tmp_path)


def attempts(bench: Workbench, job: Job) -> list[str | None]:
    return [one.reason for one in job_attempts.list_attempts(bench.db, job.id)]


async def waits(bench: Workbench, job: Job) -> None:
    """Return once the job waits at the launcher; at once where the hand-over is off."""
    if os.environ.get(HAND_OVER) == "off":
        return
    await bench.until(job, lambda now: now.status == "Queued")
    assert attempts(bench, job) == [None]


@pytest.mark.handed_over
async def test_a_job_that_waits_is_queued_and_follows_the_one_before(gates: Gates) -> None:
    """Behind a long one a job is Queued, with its attempt recorded; it runs from when the launcher says."""
    async with workbench(cpus=1) as bench:
        first = bench.submit("first", gates.command("first"))
        then = bench.submit("then", gates.mark("then"))
        await waits(bench, then)
        await gates.begun("first")
        assert jobs.get_job(bench.db, then.id).started_at is None
        await gates.open("first")
        over = await bench.over(then)
        assert (over.status, gates.marks) == ("Completed", ["then"])
        states = [event.data for event in events.list_since(bench.db, then.id, 0) if event.job_id == then.id]
        assert states == ["NotStarted", "Queued", "Preparing", "Running", "Finalizing", "Completed"]
        (attempt,) = job_attempts.list_attempts(bench.db, then.id)
        assert over.started_at == attempt.started_at
        (before,) = job_attempts.list_attempts(bench.db, first.id)
        assert (before.ended_at or 0) <= (attempt.started_at or 0) <= (attempt.ended_at or 0)


async def test_jobs_run_in_the_order_in_which_they_became_ready() -> None:
    """With one slot, whatever waits at the launcher or in the queue."""
    async with workbench(cpus=1) as bench:
        nodes = {f"n{number:02}": {"command": "true", "environment": HOST} for number in range(30)}
        job = await bench.over(bench.submit("many", {"jobs": nodes}))
        assert job.status == "Completed"
        ran = sorted(jobs.list_children(bench.db, job.id), key=lambda one: one.started_at or 0)
        assert [one.node for one in ran] == sorted(nodes)


@pytest.mark.handed_over
async def test_the_first_steps_start_before_others_are_laid_out(gates: Gates, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those with a slot are sent in a turn of their own; those that wait follow in the next, and all of them run."""
    async with workbench(cpus=1) as bench:
        computes, sent = bench.engine.context.computes, []
        start = computes.start

        def record_start(steps: list[Any]) -> None:
            sent.append(len(steps))
            start(steps)

        monkeypatch.setattr(computes, "start", record_start)
        nodes = {"first": gates.command("first"), **{f"n{number}": gates.mark(f"n{number}") for number in range(4)}}
        job = bench.submit("many", {"jobs": nodes})
        await gates.begun("first")
        await waits(bench, bench.child(job, "n3"))
        assert sent == [1, 4]
        await gates.open("first")
        assert (await bench.over(job)).status == "Completed"
        assert gates.marks == ["n0", "n1", "n2", "n3"]


async def test_a_job_goes_on_after_one_that_failed(gates: Gates) -> None:
    """The launcher starts nothing after a failure; the engine lets the oldest that waits go."""
    async with workbench(cpus=1) as bench:
        first, then = bench.submit("first", gates.command("first")), bench.submit("then", gates.mark("then"))
        last = bench.submit("last", gates.mark("last"))
        await waits(bench, then)
        await gates.open("first", 3)
        assert (await bench.over(first)).status == "Failed"
        assert [(await bench.over(job)).status for job in (then, last)] == ["Completed"] * 2
        assert gates.marks == ["then", "last"]


async def test_the_sibling_of_a_step_that_failed_never_runs(gates: Gates) -> None:
    """A step that waited at the launcher when another failed is Canceled, saying why, and was not begun."""
    async with workbench(cpus=1) as bench:
        document = {
            "jobs": {"a": gates.command("a"), "b": gates.mark("b"), "c": gates.mark("c")},
            "settings": {"continue_on_step_failure": False},
        }
        job = bench.submit("stops", document)
        await gates.begun("a")
        await waits(bench, bench.child(job, "b"))
        await gates.open("a", 1)
        assert (await bench.over(job)).status == "Failed"
        assert bench.states(job) == {"a": "Failed", "b": "Canceled", "c": "Canceled"}
        assert "'a' failed" in json.loads(bench.child(job, "b").error or "{}")["message"]
        assert not gates.marks
        assert not job_attempts.list_open_attempts(bench.db)


@pytest.mark.handed_over
async def test_cancel_reaches_what_waits(gates: Gates) -> None:
    """A job cancelled while it waits never runs, and the one behind it takes its turn."""
    async with workbench(cpus=1) as bench:
        first, then = bench.submit("first", gates.command("first")), bench.submit("then", gates.mark("then"))
        last = bench.submit("last", gates.mark("last"))
        await waits(bench, then)
        bench.engine.cancel(jobs.get_job(bench.db, then.id))
        assert (await bench.over(then)).status == "Canceled"
        assert attempts(bench, then) == ["never started"]
        await gates.open("first")
        assert [(await bench.over(job)).status for job in (first, last)] == ["Completed"] * 2
        assert gates.marks == ["last"]


@pytest.mark.handed_over
async def test_cancel_of_a_step_that_has_just_followed(gates: Gates) -> None:
    """A cancel that comes when the launcher has started the step already ends it as any."""
    async with workbench(cpus=1) as bench:
        first, then = bench.submit("first", gates.command("first")), bench.submit("then", gates.command("then"))
        await waits(bench, then)
        bench.engine.pause()  # the engine does not learn of it
        await gates.open("first")
        await gates.begun("then")
        bench.engine.resume()
        bench.engine.cancel(jobs.get_job(bench.db, then.id))
        assert (await bench.over(then)).status == "Canceled"
        assert attempts(bench, then) == ["stopped"]
        assert (await bench.over(first)).status == "Completed"


async def test_the_end_of_a_large_step_makes_room_for_two(gates: Gates) -> None:
    """One follows it, the other is let go: they run at the same time."""
    async with workbench(cpus=2) as bench:
        wide = {**gates.command("wide"), "distribution": {"type": "ray"}, "resources": {"instance_count": 2}}
        bench.submit("wide", wide)
        small = [bench.submit(name, gates.command(name)) for name in ("one", "two")]
        await waits(bench, small[0])
        await gates.begun("wide")
        await gates.open("wide")
        await gates.begun("one", "two")
        for job in small:
            await gates.open(job.name)
            assert (await bench.over(job)).status == "Completed"


async def test_a_large_job_is_not_overtaken(gates: Gates) -> None:
    """A job that needs both slots does not wait at the launcher, nor does anyone who is ready after it."""
    async with workbench(cpus=2) as bench:
        first = [bench.submit(name, gates.command(name)) for name in ("one", "two")]
        large = {**gates.mark("large"), "distribution": {"type": "ray"}, "resources": {"instance_count": 2}}
        both, small = bench.submit("large", large), bench.submit("small", gates.mark("small"))
        await gates.begun("one", "two")
        await gates.open("one")
        await bench.over(first[0])
        assert [attempts(bench, job) for job in (both, small)] == [[], []]
        await gates.open("two")
        assert [(await bench.over(job)).status for job in (both, small)] == ["Completed"] * 2
        assert gates.marks == ["large", "small"]


async def test_a_copy_of_data_is_not_made_before_its_time(gates: Gates) -> None:
    """A job that downloads an input reads it as it is when its turn has come."""
    async with workbench(cpus=1) as bench:
        data = bench.store("x.txt")
        data.parent.mkdir(parents=True, exist_ok=True)
        data.write_text("old\n")
        first = bench.submit("first", gates.command("first"))
        path = "azureml://datastores/workspaceblobstore/paths/x.txt"
        then = bench.submit(
            "then",
            {
                "command": "cat ${{inputs.x}}",
                "environment": HOST,
                "inputs": {"x": {"type": "uri_file", "path": path, "mode": "download"}},
            },
        )
        await gates.begun("first")
        assert not attempts(bench, then)
        data.write_text("new\n")
        await gates.open("first")
        assert (await bench.over(first)).status == "Completed"
        assert (await bench.over(then)).status == "Completed"
        assert bench.log(then) == "new\n"


async def test_a_commit_that_fails_forgets_nothing_that_waits(gates: Gates, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk in the turn that would learn of a start: what waits, runs or has ended is known again afterwards."""
    async with workbench(cpus=1) as bench:
        names = ("first", "second", "third")
        asked = [bench.submit(name, gates.command(name)) for name in names]
        await waits(bench, asked[1])
        real, tries = bench.db.transaction, iter([True, False])

        @contextlib.contextmanager
        def transaction_on_full_disk() -> Iterator[None]:
            with real():
                yield
                if next(tries, False):
                    raise Unavailable("the disk is full")

        monkeypatch.setattr(bench.db, "transaction", transaction_on_full_disk)
        for job in asked:
            await gates.begun(job.name)
            await gates.open(job.name)
        assert [(await bench.over(job)).status for job in asked] == ["Completed"] * 3
        assert [attempts(bench, job) for job in asked] == [["exited"]] * 3
        assert not bench.engine.queues.is_busy
        assert bench.engine.queues.slots.any_free


async def test_what_one_end_upsets_does_not_hold_up_the_others(gates: Gates, monkeypatch: pytest.MonkeyPatch) -> None:
    """A fault of smalt's own in settling one job fails that job, saying so; what ends beside it is settled."""
    real = job_attempts.end_attempt

    def faulty(db: Any, step_id: str, *rest: Any, **more: Any) -> None:
        if step_id.startswith("1."):
            monkeypatch.setattr(job_attempts, "end_attempt", faulty_once)
            raise KeyError("unforeseen")
        real(db, step_id, *rest, **more)

    seen: list[str] = []

    def faulty_once(db: Any, step_id: str, *rest: Any, **more: Any) -> None:
        """Once more: in the turn, and when it is looked at apart; then the end can be recorded."""
        if step_id.startswith("1.") and not seen:
            seen.append(step_id)
            raise KeyError("unforeseen")
        real(db, step_id, *rest, **more)

    monkeypatch.setattr(job_attempts, "end_attempt", faulty)

    async with workbench(cpus=2) as bench:
        bad, good = [bench.submit(name, gates.command(name)) for name in ("bad", "good")]
        await gates.begun("bad", "good")
        bench.engine.pause()  # both ends in one turn
        await gates.open("bad")
        await gates.open("good")
        await asyncio.to_thread(eventually, lambda: bench.engine.pending_exits == 2, "both ends")
        bench.engine.resume()
        assert (await bench.over(good)).status == "Completed"
        over = await bench.over(bad)
        assert (over.status, seen) == ("Failed", [f"{bad.id}.1"])
        assert "smalt itself failed (KeyError" in json.loads(over.error or "{}")["message"]


def needs(node: str, command: dict[str, Any]) -> dict[str, Any]:
    """The same node, reading what another wrote."""
    return {**command, "inputs": {"i": f"${{{{parent.jobs.{node}.outputs.o}}}}"}, "outputs": {"o": None}}


def chain(gates: Gates, *rest: str) -> dict[str, Any]:
    """The node `a`, which waits at its gate, and others that leave a mark, each after the one before."""
    nodes = {"a": {**gates.command("a"), "outputs": {"o": None}}}
    for before, name in zip(("a", *rest), rest, strict=False):
        nodes[name] = needs(before, gates.mark(name))
    return {"jobs": nodes}


@pytest.mark.handed_over
async def test_what_needs_a_step_is_handed_over_while_it_runs(gates: Gates) -> None:
    """With slots free: the attempt is recorded, nothing runs before its time, and then in order."""
    async with workbench(cpus=2) as bench:
        job = bench.submit("chain", chain(gates, "b", "c"))
        await gates.begun("a")
        for node in "bc":
            await waits(bench, bench.child(job, node))
        assert not gates.marks
        await gates.open("a")
        assert (await bench.over(job)).status == "Completed"
        assert gates.marks == ["b", "c"]
        states = [event.data for event in events.list_since(bench.db, job.root_id, 0)]
        assert states.count("Running") == 4
        assert bench.engine.queues.slots.any_free
        assert not bench.engine.queues.is_busy


@pytest.mark.handed_over
async def test_what_needs_a_step_that_failed_never_runs(gates: Gates) -> None:
    """It is Canceled, saying which it needed; so is what needs it."""
    async with workbench(cpus=2) as bench:
        document = {**chain(gates, "b", "c"), "settings": {"continue_on_step_failure": True}}
        job = bench.submit("chain", document)
        await gates.begun("a")
        await waits(bench, bench.child(job, "c"))
        await gates.open("a", 1)
        assert (await bench.over(job)).status == "Failed"
        assert bench.states(job) == {"a": "Failed", "b": "Canceled", "c": "Canceled"}
        assert "needs 'a'" in json.loads(bench.child(job, "b").error or "{}")["message"]
        assert "needs 'b'" in json.loads(bench.child(job, "c").error or "{}")["message"]
        assert attempts(bench, bench.child(job, "b")) == ["never started"]
        assert not gates.marks


@pytest.mark.handed_over
async def test_what_needs_a_step_follows_its_next_attempt(gates: Gates) -> None:
    """A step that is tried again takes back what was to follow; that runs once, after the attempt that did well."""
    async with workbench(cpus=2) as bench:
        document = chain(gates, "b", "c")
        document["jobs"]["a"]["properties"] = {"smalt.retries": "1"}
        job = bench.submit("chain", document)
        await gates.begun("a")
        await waits(bench, bench.child(job, "b"))
        await gates.open("a", 1)
        await bench.until(job, lambda _: len(attempts(bench, bench.child(job, "a"))) == 2)
        await gates.open("a")
        assert (await bench.over(job)).status == "Completed"
        assert gates.marks == ["b", "c"]
        assert attempts(bench, bench.child(job, "b")) == ["never started", "exited"]


async def test_what_needs_a_step_whose_outputs_are_lost_is_ended(gates: Gates, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command did well and what it left cannot be stored: what has followed it already does not go on."""
    real = LocalResults.finish

    def full(results: LocalResults, spec: StepSpec, *arguments: Any) -> bool:
        if spec.job.endswith("-a"):
            raise OSError(28, "No space left on device")
        return real(results, spec, *arguments)

    monkeypatch.setattr(LocalResults, "finish", full)

    async with workbench(cpus=2) as bench:
        document = {**chain(gates, "b"), "settings": {"continue_on_step_failure": True}}
        document["jobs"]["b"] = needs("a", {"command": "sleep 1000", "environment": HOST})
        job = bench.submit("chain", document)
        await gates.begun("a")
        await waits(bench, bench.child(job, "b"))
        await gates.open("a")
        assert (await bench.over(job)).status == "Failed"
        assert bench.states(job) == {"a": "Failed", "b": "Canceled"}


async def test_a_value_is_not_read_before_it_is_written(gates: Gates, tmp_path: Path) -> None:
    """A step that reads the literal that another writes waits for its own turn, whatever an earlier run left there."""
    async with workbench(cpus=2) as bench:
        path = "azureml://datastores/workspaceblobstore/paths/number"
        bench.store("number").mkdir(parents=True)
        bench.store("number", "output").write_text("old")
        writes = gates.command("a")
        writes["command"] = writes["command"].replace("exit", "echo -n new > ${{outputs.o}}/output; exit")
        document = {
            "jobs": {
                "a": {**writes, "outputs": {"o": {"type": "string", "path": path}}},
                "b": {
                    "command": f"echo ${{{{inputs.i}}}} > {tmp_path}/seen",
                    "environment": HOST,
                    "inputs": {"i": "${{parent.jobs.a.outputs.o}}"},
                },
            }
        }
        job = bench.submit("chain", document)
        await gates.begun("a")
        assert not attempts(bench, bench.child(job, "b"))
        await gates.open("a")
        await bench.over(job)
        assert (tmp_path / "seen").read_text() == "new\n"


@pytest.mark.handed_over
async def test_a_server_that_leaves_takes_back_what_was_to_come(gates: Gates, tmp_path: Path) -> None:
    """The next one knows what has not started, and waits for what it needs before it starts it, once."""
    home = Home(tmp_path / "home")

    first = Workbench(home)
    await first.engine.open()
    job = first.submit("chain", chain(gates, "b", "c"))
    await gates.begun("a")
    await waits(first, first.child(job, "c"))
    await first.engine.close()
    first.db.close()
    async with workbench(home) as bench:
        assert attempts(bench, bench.child(job, "b")) == ["never started"]
        assert not gates.marks
        await gates.open("a")
        assert (await bench.over(job)).status == "Completed"
        assert gates.marks == ["b", "c"]


@pytest.mark.handed_over
async def test_a_server_finds_a_chain_that_went_on(gates: Gates, tmp_path: Path) -> None:
    """Killed, it learns afterwards of the steps that followed each other meanwhile; none runs twice."""
    home = Home(tmp_path / "home")

    first = Workbench(home)
    await first.engine.open()
    job = first.submit("chain", chain(gates, "b", "c"))
    await gates.begun("a")
    await waits(first, first.child(job, "c"))
    await first.kill()
    await gates.open("a")
    await asyncio.to_thread(eventually, lambda: gates.marks == ["b", "c"], "the chain")
    async with workbench(home) as bench:
        assert (await bench.over(job)).status == "Completed"
        assert gates.marks == ["b", "c"]
        for node in "abc":
            assert attempts(bench, bench.child(job, node)) == ["exited"]


async def test_artifacts_are_not_read_before_they_are_there(gates: Gates) -> None:
    """./outputs of a step is moved at its end: what reads its artifacts waits for that."""
    async with workbench(cpus=2) as bench:
        reads = {"command": "ls ${{inputs.i}}", "environment": HOST}
        document = {
            "jobs": {
                "a": {**gates.command("a"), "outputs": {"artifacts": None}},
                "b": {**reads, "inputs": {"i": "${{parent.jobs.a.outputs.artifacts}}"}},
                "c": {**reads, "inputs": {"i": "${{parent.jobs.b.outputs.artifacts}}"}},
            }
        }
        document["jobs"]["b"]["outputs"] = {"artifacts": None}
        job = bench.submit("chain", document)
        await gates.begun("a")
        assert [attempts(bench, bench.child(job, node)) for node in "bc"] == [[], []]
        await gates.open("a")
        assert (await bench.over(job)).status == "Completed"


def reader_of(*nodes: str) -> dict[str, Any]:
    inputs = {node: {"type": "uri_folder", "path": f"${{{{parent.jobs.{node}.outputs.o}}}}"} for node in nodes}
    return {"command": "true", "environment": HOST, "inputs": inputs}


@pytest.mark.handed_over
async def test_what_waited_for_two_is_laid_out_while_the_second_runs(gates: Gates) -> None:
    """A step that waits for two is laid out ahead of its turn once one of them has ended."""
    async with workbench() as bench:
        nodes: dict[str, Any] = {
            name: {**gates.command(name), "outputs": {"o": {"type": "uri_folder"}}} for name in "bc"
        }
        parent = bench.submit("diamond", {"type": "pipeline", "jobs": {**nodes, "d": reader_of("b", "c")}})
        await gates.begun("b", "c")
        last = bench.child(parent, "d")
        folder = bench.home.path("workspaces", bench.workspace.folder, "jobs", last.name)
        assert not folder.exists()
        await gates.open("b")
        await asyncio.to_thread(eventually, folder.exists, "d laid out")
        assert bench.states(parent)["c"] == "Running"
        await gates.open("c")
        assert (await bench.over(parent)).status == "Completed"


async def test_a_step_that_waits_for_many_names_three(gates: Gates) -> None:
    async with workbench() as bench:
        nodes = {f"s{n}": {**gates.command(f"s{n}"), "outputs": {"o": {"type": "uri_folder"}}} for n in range(5)}
        parent = bench.submit("many", {"type": "pipeline", "jobs": {**nodes, "last": reader_of(*nodes)}})
        await gates.begun("s0", "s1")
        said = bench.engine.get_wait_reason(bench.child(parent, "last"))
        assert [part[:9] for part in said.split(", ")] == ["step 's0'", "step 's1'", "step 's2'"]
        assert said.endswith(" and 2 more")
