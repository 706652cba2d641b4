"""A kind of job that hears metrics: it stops its children when a value passes a limit.

As a program it is an engine that dies at a commit after the first value was logged:
`python -m tests.engine.watcher HOME NUMBER before|after`.
"""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from smalt.machine.home import Home
from smalt.service.engine import kinds
from smalt.service.engine.kinds import Changes, CompositeKind, CompositeView, NewChild, Outcome, Plan, make_error
from smalt.service.records import jobs
from smalt.service.records.database import Database
from smalt.service.records.jobs import Job
from smalt.service.tracking.run_database import LoggedMetric, get_database_path
from tests.engine.bench import Workbench, workbench
from tests.engine.killed_commits import die_at_commit

LIMIT = 0.8
LOGGED = [LoggedMetric("score", value, step, 1000 + step) for step, value in enumerate((0.9, 0.1, 0.5))][::-1]
"""As they arrive, which is neither the order of their steps nor that of their times."""


class Watcher(CompositeKind):
    """Runs two steps that do not end by themselves, until a metric of one is above the limit."""

    type = "watcher"
    hears_metrics = True

    def plan(self, view: CompositeView, found: Any) -> Plan:
        body = {"jobType": "Command", "command": "exec sleep 300", "environmentId": "azureml:host"}
        return Plan(NewChild(node, f"{view.job.name}-{node}", "command", body) for node in ("a", "b"))

    def metric_logged(self, view: CompositeView, child: Job, metric: LoggedMetric) -> Changes:
        told = [*view.state.get("told", []), [child.node, metric.name, metric.value, metric.step]]
        why = make_error(f"{metric.name} of '{child.node}' is {metric.value:g}", "Canceled")
        children = view.list_children() if metric.value > LIMIT else []
        return Changes(state={"told": told}, cancel=[(one, why) for one in children if not one.is_over])

    def outcome(self, view: CompositeView) -> Outcome:
        return Outcome("Completed")


def submit(db: Database, workspace_id: int) -> Job:
    new = jobs.NewJob(name="w", type="watcher", body={"jobType": "Watcher"}, experiment="e", is_composite=True)
    return jobs.add_job(db, workspace_id, new, "tester")


def find(bench: Workbench, name: str) -> Job:
    job = jobs.find_by_name(bench.db, bench.workspace.id, name)
    assert job is not None
    return job


def store(bench: Workbench, run: str, metric: LoggedMetric) -> None:
    """Do what MLflow does before a client has its answer."""
    path = get_database_path(bench.home, bench.workspace.folder)
    with contextlib.closing(sqlite3.connect(path)) as db, db:
        db.execute("CREATE TABLE IF NOT EXISTS metrics (run_uuid, key, value, is_nan, step, timestamp)")
        db.execute(
            "INSERT INTO metrics VALUES (?,?,?,0,?,?)", (run, metric.name, metric.value, metric.step, metric.time)
        )


async def log(bench: Workbench, metrics: Iterable[LoggedMetric], *, turns: int = 20) -> None:
    """Log values of step `a`, each in turns of its own."""
    for metric in metrics:
        store(bench, "w-a", metric)
        take = bench.engine.planner.find_metric_listener(bench.workspace, "w-a")
        assert take is not None
        take([metric])
        for _ in range(turns):
            await asyncio.sleep(0)


async def until_running(bench: Workbench) -> None:
    await bench.until(find(bench, "w"), lambda _: list(bench.states(find(bench, "w")).values()) == ["Running"] * 2)


async def run_until_killed(home: str, number: int, when: str) -> None:
    kinds.add_kind(Watcher())
    async with workbench(Home(Path(home))) as bench:
        await until_running(bench)
        die_at_commit(number, when)
        await log(bench, LOGGED)
        await bench.over(find(bench, "w"))


if __name__ == "__main__":
    asyncio.run(run_until_killed(sys.argv[1], int(sys.argv[2]), sys.argv[3]))
