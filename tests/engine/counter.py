"""A kind of job of a few lines: a counter, which adds children until one says stop.

docs/internals/adding-a-job-kind.md goes through it. As a program it is an engine that dies at a commit:
`python -m tests.engine.counter HOME NUMBER before|after`.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Any

from smalt.machine.home import Home
from smalt.service.engine import kinds
from smalt.service.engine.kinds import Changes, CompositeKind, CompositeView, NewChild, Plan
from smalt.service.records import jobs
from smalt.service.records.database import Database
from smalt.service.records.jobs import Job
from tests.engine.bench import workbench
from tests.engine.killed_commits import die_at_commit


class Counter(CompositeKind):
    """Adds a step after each that completes, until one leaves the file `stop`."""

    type = "counter"

    def plan(self, view: CompositeView, found: Any) -> Plan:
        return Plan(iter([self._make_child(view, 1)]))

    def read_beside(self, view: CompositeView, child: Job | None) -> Any:
        return None if child is None else Path(view.body["folder"], "stop").exists

    def child_ended(self, view: CompositeView, child: Job, found: Any) -> Changes:
        count = view.state.get("count", 1)
        return Changes() if found else Changes(add=[self._make_child(view, count + 1)], state={"count": count + 1})

    def _make_child(self, view: CompositeView, number: int) -> NewChild:
        folder = view.body["folder"]
        command = f"echo {number} >> {folder}/log; [ {number} -lt 3 ] || touch {folder}/stop"
        body = {"jobType": "Command", "command": command, "environmentId": "azureml:host"}
        return NewChild(f"n{number}", f"{view.job.name}-{number}", "command", body)


def submit(db: Database, workspace_id: int, folder: Path) -> Job:
    """Record a counter: the engine finds it in the records when it opens."""
    body = {"jobType": "Counter", "folder": str(folder)}
    new = jobs.NewJob(name="count", type="counter", body=body, experiment="e", is_composite=True)
    return jobs.add_job(db, workspace_id, new, "tester")


async def run_until_killed(home: str, number: int, when: str) -> None:
    kinds.add_kind(Counter())
    die_at_commit(number, when)
    async with workbench(Home(home)) as bench:
        job = jobs.find_by_name(bench.db, bench.workspace.id, "count")
        assert job is not None
        await bench.over(job)


if __name__ == "__main__":
    asyncio.run(run_until_killed(sys.argv[1], int(sys.argv[2]), sys.argv[3]))
