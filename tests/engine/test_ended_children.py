"""Children that are over when a composite adds them, and what a composite's end adds to its job."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from smalt.machine.home import Home
from smalt.service.engine import kinds
from smalt.service.engine.kinds import (
    Changes,
    ChildEnd,
    CompositeKind,
    CompositeView,
    NewChild,
    Outcome,
    Plan,
    make_error,
)
from smalt.service.records import job_attempts, jobs, tracked_runs
from smalt.service.records.jobs import Job
from tests.engine.bench import workbench

BODY = {"jobType": "Command", "command": "exit 3", "environmentId": "azureml:host"}


class Recorder(CompositeKind):
    """Runs one step, and adds two that it takes as over when that has ended."""

    type = "recorder"

    def plan(self, view: CompositeView, found: Any) -> Plan:
        return Plan(iter([NewChild("work", f"{view.job.name}-work", "command", {**BODY, "command": "true"})]))

    def child_ended(self, view: CompositeView, child: Job, found: Any) -> Changes:
        if child.node != "work":
            return Changes()
        ends = {
            "good": ChildEnd("Completed", 10.0, 12.5),
            "bad": ChildEnd("Failed", 12.5, 13.0, make_error("it broke")),
        }
        return Changes(
            add=[NewChild(node, f"{view.job.name}-{node}", "command", BODY, end=ends[node]) for node in ends]
        )

    def outcome(self, view: CompositeView) -> Outcome:
        return Outcome("Completed", properties={"best": "good"}, tags={"winner": "good"})


@pytest.fixture(autouse=True)
def recorder() -> Iterator[None]:
    kinds.add_kind(Recorder())
    yield
    kinds.remove_kind("recorder")


def test_a_child_that_is_over_is_recorded_and_never_runs(tmp_path: Path) -> None:
    """Its state, times and error are those that it was added with, and the parent completes beside a failed one."""

    async def scenario() -> None:
        async with workbench(Home(tmp_path / "home")) as bench:
            new = jobs.NewJob("r", "recorder", {"jobType": "Recorder"}, "e", is_composite=True)
            job = jobs.add_job(bench.db, bench.workspace.id, new, "tester")
            bench.engine.queues.add(job)
            bench.engine.resume()
            over = await bench.over(job)
            assert over.status == "Completed"
            good, bad = (bench.child(job, node) for node in ("good", "bad"))
            assert (good.status, good.started_at, good.ended_at) == ("Completed", 10.0, 12.5)
            assert (bad.status, bad.started_at, bad.ended_at) == ("Failed", 12.5, 13.0)
            assert (bad.ended_by or {})["message"] == "it broke"
            assert [one.end_number for one in jobs.list_children(bench.db, job.id)] == [1, 2, 3]
            assert job_attempts.list_attempts(bench.db, good.id) == []
            assert set(tracked_runs.list_written(bench.db, [good.id, bad.id])) == {good.id, bad.id}
            body = jobs.read_properties(bench.db, job.id)
            assert (body["properties"], body["tags"]) == ({"best": "good"}, {"winner": "good"})

    asyncio.run(scenario())
