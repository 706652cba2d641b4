"""Who follows a job, or a part of one, is told what it waits for, and when that has ended."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from smalt.service.api.job_details import job_stream, job_waits
from smalt.service.compute.backend import Capacity
from smalt.service.engine.queues import LeafRun, Queues
from smalt.service.engine.slots import SlotRequest
from smalt.service.engine.wait_descriptions import describe_wait
from smalt.service.records import jobs, workspaces
from smalt.service.records.database import Database
from smalt.service.records.jobs import Job
from tests.engine.bench import LONGEST, Workbench, workbench

HOST = "azureml:host"
MANY = 300


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """A wait is looked for at once, and often."""
    monkeypatch.setattr(job_waits, "_FIRST", 0.02)
    monkeypatch.setattr(job_waits, "_AGAIN", 0.02)


@asynccontextmanager
async def follow(bench: Workbench, job: Job, kind: str = "wait") -> AsyncIterator[asyncio.Queue[dict[str, Any]]]:
    """The events of one kind of the job's stream, as they come."""
    service: Any = SimpleNamespace(
        db=bench.db, engine=bench.engine, home=bench.home, stopping=asyncio.Event(), readers=None
    )
    waits: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    gone: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def read() -> None:
        async with aclosing(job_stream._JobFollower(service, bench.workspace, job).render_bodies(gone)) as bodies:
            async for body in bodies:
                for event in map(json.loads, body.splitlines()):
                    if event["t"] == kind:
                        waits.put_nowait(event)

    reading = asyncio.ensure_future(read())
    try:
        yield waits
    finally:
        gone.set_result(None)
        await reading


async def read_wait(waits: asyncio.Queue[dict[str, Any]]) -> tuple[str, str]:
    event = await asyncio.wait_for(waits.get(), LONGEST)
    return event["name"], event["waits_for"]


def sleep_until(path: Path) -> dict[str, str]:
    return {"command": f"until [ -e {path} ]; do sleep 0.01; done", "environment": HOST}


async def begin_nested(bench: Workbench, folder: Path) -> tuple[Job, Job]:
    """Submit a pipeline whose first step runs beside a nested pipeline; return it and the nested one."""
    inner = {"type": "pipeline", "name": "inner", "jobs": {"x": sleep_until(folder / "x")}}
    nested = {"type": "pipeline", "component": bench.register("inner", inner)}
    job = bench.submit("w", {"jobs": {"long": sleep_until(folder / "long"), "sub": nested}})
    await bench.until(job, lambda one: bench.states(one).get("long") == "Running")
    sub = bench.child(job, "sub")
    await bench.until(sub, lambda one: "x" in bench.states(one))
    return job, sub


async def test_a_nested_pipeline_of_which_nothing_runs_says_what_it_waits_for(tmp_path: Path) -> None:
    """Also while another branch of the tree runs; and that the wait has ended, once it has."""
    async with workbench(cpus=1) as bench:
        job, sub = await begin_nested(bench, tmp_path)
        async with follow(bench, sub) as waits:
            assert await read_wait(waits) == ("w-sub-x", "a free CPU; the only one is taken by w-long")
            (tmp_path / "long").touch()
            assert await read_wait(waits) == ("w-sub-x", "")
            (tmp_path / "x").touch()
            await bench.over(job)
        assert waits.empty()


async def test_a_wait_ends_when_another_step_starts(tmp_path: Path) -> None:
    """What the pipeline does then is in that step's log, though the one that was named still waits."""
    async with workbench(cpus=1) as bench:
        other = bench.submit("z", {"jobs": {"z": sleep_until(tmp_path / "z")}})
        await bench.until(other, lambda one: bench.states(one).get("z") == "Running")
        job = bench.submit("w", {"jobs": {name: sleep_until(tmp_path / "go") for name in ("a", "b")}})
        await bench.until(job, lambda one: "a" in bench.states(one))
        async with follow(bench, job) as waits:
            assert await read_wait(waits) == ("w-a", "a free CPU; the only one is taken by z-z")
            (tmp_path / "z").touch()
            assert await read_wait(waits) == ("w-a", "")
            assert bench.states(job)["b"] != "Running"
            (tmp_path / "go").touch()
            await bench.over(job)
        assert waits.empty()


async def test_a_step_of_several_processes_waits_for_as_many_cpus(tmp_path: Path) -> None:
    """It is told how many it needs and how many are free, and so is the job after it, which does not overtake it."""
    async with workbench(cpus=2) as bench:
        other = bench.submit("z", {"jobs": {"z": sleep_until(tmp_path / "z")}})
        await bench.until(other, lambda one: bench.states(one).get("z") == "Running")
        two = {"distribution": {"type": "pytorch", "process_count_per_instance": 2}}
        job = bench.submit("w", {"jobs": {"a": {**sleep_until(tmp_path / "go"), **two}}})
        after = bench.submit("y", {"jobs": {"b": sleep_until(tmp_path / "go")}})
        await bench.until(after, lambda one: "b" in bench.states(one))
        async with follow(bench, job) as first, follow(bench, after) as second:
            assert await read_wait(first) == (
                "w-a", "2 free CPUs; 1 of 2 is free, the others are taken by z-z"
            )  # fmt: skip
            assert await read_wait(second) == ("y-b", "its turn; w-a is before it and waits for 2 free CPUs")
            (tmp_path / "z").touch()
            assert await read_wait(first) == ("w-a", "")
            (tmp_path / "go").touch()
            await bench.over(job)
            await bench.over(after)


async def test_a_step_is_queued_as_soon_as_it_waits_for_no_other(tmp_path: Path) -> None:
    """And NotStarted before, wherever smalt has it wait: its own queue, or its launcher's."""
    async with workbench(cpus=1) as bench:
        other = bench.submit("z", {"jobs": {"z": sleep_until(tmp_path / "z")}})
        await bench.until(other, lambda one: bench.states(one).get("z") == "Running")
        steps: dict[str, Any] = {name: sleep_until(tmp_path / name) for name in "abc"}
        steps["a"]["outputs"] = {"o": {"type": "uri_folder"}}
        steps["c"]["inputs"] = {"i": {"type": "uri_folder", "path": "${{parent.jobs.a.outputs.o}}"}}
        job = bench.submit("w", {"jobs": steps})
        await bench.until(job, lambda one: "c" in bench.states(one))
        async with follow(bench, job, "job") as events:
            assert await read_states(events, 3) == {"a": "Queued", "b": "Queued", "c": "NotStarted"}
            (tmp_path / "z").touch()
            (tmp_path / "a").touch()
            event = {"node": "c", "status": "NotStarted"}
            while (event["node"], event["status"]) != ("c", "Queued"):
                assert event["node"] != "c" or event["status"] == "NotStarted"
                event = await asyncio.wait_for(events.get(), LONGEST)
            for name in "bc":
                (tmp_path / name).touch()
            await bench.over(job)


async def read_states(events: asyncio.Queue[dict[str, Any]], number: int) -> dict[str, str]:
    """Return the states of so many steps, as they are told first."""
    found: dict[str, str] = {}
    while len(found) < number:
        event = await asyncio.wait_for(events.get(), LONGEST)
        if event["parent"] is not None:
            found.setdefault(event["node"], event["status"])
    return found


async def test_a_step_does_not_wait_for_the_cpu_that_it_has(tmp_path: Path) -> None:
    """It is Queued until its start is reported, and another one waits for that CPU then."""
    db = Database(tmp_path / "smalt.db")
    place = workspaces.ensure_workspace(db, "s", "g", "w", "me")
    first, second = (jobs.add_job(db, place.id, jobs.NewJob(name, "command", {}, "e"), "me") for name in ("a", "b"))
    queues = Queues({"local": Capacity(1)}, lambda *_: "local")
    queues.runs[first.id] = LeafRun(first, queues.slots.take_any(SlotRequest()))
    assert describe_wait(db, queues, first) == ""
    assert describe_wait(db, queues, second) == "a free CPU; the only one is taken by a"


async def test_looking_for_a_wait_reads_few_rows(tmp_path: Path) -> None:
    """However many steps are ready: it is done on the event loop, for each who follows, again and again."""
    async with workbench(cpus=1) as bench:
        other = bench.submit("z", {"jobs": {"z": sleep_until(tmp_path / "z")}})
        await bench.until(other, lambda one: bench.states(one).get("z") == "Running")
        steps = {f"n{number}": {"command": "true", "environment": HOST} for number in range(MANY)}
        job = bench.submit("wide", {"jobs": steps})
        await bench.until(job, lambda one: "n0" in bench.states(one))
        async with follow(bench, job) as waits:
            assert (await read_wait(waits))[0] == "wide-n0"
            assert await count_instructions(bench, 10) < MANY
        bench.engine.cancel(job)
        (tmp_path / "z").touch()
        await bench.over(job)


async def count_instructions(bench: Workbench, looks: int) -> int:
    """Return the number of instructions that SQLite runs on the event loop for a look: the least of so many."""
    counted, seen, find = 0, list[int](), bench.engine.get_wait_reason

    def count() -> int:
        nonlocal counted
        counted += 1
        return 0

    def count_look(job: Job) -> str:
        seen.append(counted)
        return find(job)

    bench.engine.get_wait_reason = count_look  # type: ignore[method-assign]
    bench.db._connection.set_progress_handler(count, 1)
    deadline = time.monotonic() + LONGEST
    while len(seen) <= looks and time.monotonic() < deadline:
        await asyncio.sleep(0.01)
    bench.db._connection.set_progress_handler(None, 1)
    assert len(seen) > looks
    return min(after - before for before, after in pairwise(seen))


async def test_a_step_whose_slots_were_freed_waits_for_its_turn(tmp_path: Path) -> None:
    """Until slots are granted again it is still the one that was refused last."""
    db = Database(tmp_path / "smalt.db")
    place = workspaces.ensure_workspace(db, "s", "g", "w", "me")
    first, second = (jobs.add_job(db, place.id, jobs.NewJob(name, "command", {}, "e"), "me") for name in ("a", "b"))
    queues = Queues({"local": Capacity(2)}, lambda *_: "local")
    grant = queues.slots.take_any(SlotRequest())
    queues.runs[first.id] = LeafRun(first, grant)
    queues.local.ready.append(second.id)
    leaf: Any = SimpleNamespace(job=second, request=SlotRequest(2))
    assert queues.local.take_free(leaf) is None
    assert describe_wait(db, queues, second) == "2 free CPUs; 1 of 2 is free, the others are taken by a"
    del queues.runs[first.id]
    queues.slots.give_back(grant)
    assert describe_wait(db, queues, second) == "its turn"
