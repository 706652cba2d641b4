"""Sweeps for tests: their documents, and what is recorded of their trials."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

from smalt.service.records import jobs
from smalt.service.records.jobs import Job
from smalt.service.tracking.run_database import LoggedMetric, get_database_path
from tests.engine.bench import Workbench
from tests.engine.watcher import store

HOST = "azureml:host"
UNIT = {"type": "uniform", "min_value": 0, "max_value": 1}


def make_sweep(command: str, *, total: int = 4, at_once: int = 2, **more: Any) -> dict[str, Any]:
    """Return a sweep over `x` that minimizes `loss`."""
    limits = {"max_total_trials": total, "max_concurrent_trials": at_once, **more.pop("limits", {})}
    return {
        "trial": {"command": command, "environment": HOST},
        "search_space": {"x": UNIT},
        "objective": {"goal": "minimize", "primary_metric": "loss"},
        "limits": limits,
        **more,
    }


def make_log_command(bench: Workbench, value: str = "${{search_space.x}}", name: str = "loss") -> str:
    """Return a command that logs a metric."""
    path = get_database_path(bench.home, bench.workspace.folder)
    return f"{sys.executable} -S -E {Path(__file__).with_name('log_metric.py')} {path} {name} {value}"


def read_points(bench: Workbench, sweep: Job) -> dict[str, dict[str, Any]]:
    """Return the point of each trial by its node, in the order in which they were added."""
    children = jobs.list_children(bench.db, sweep.id)
    bodies = {str(one.node): jobs.read_properties(bench.db, one.id) for one in children}
    return {node: json.loads(body["tags"]["hyperparameters"]) for node, body in bodies.items()}


def read_note(bench: Workbench, name: str) -> str:
    """Return smalt's own log of a job."""
    return (bench.artifacts(name) / "system_logs" / "smalt.log").read_text()


def read_properties(bench: Workbench, job: Job) -> dict[str, str]:
    found: dict[str, str] = jobs.read_properties(bench.db, job.id).get("properties") or {}
    return found


def find_job(bench: Workbench, name: str) -> Job:
    job = jobs.find_by_name(bench.db, bench.workspace.id, name)
    assert job is not None
    return job


async def log(bench: Workbench, run: str, *values: float) -> None:
    """Log values of the loss as a client does: MLflow has them when the engine is told."""
    for step, value in enumerate(values):
        metric = LoggedMetric("loss", value, step, 1000 + step)
        store(bench, run, metric)
        take = bench.engine.planner.find_metric_listener(bench.workspace, run)
        assert take is not None
        take([metric, LoggedMetric("other", 0, step, 1)])
        for _ in range(20):
            await asyncio.sleep(0)


async def until_running(bench: Workbench, sweep: Job, *nodes: str) -> None:
    def holds(_: Job) -> bool:
        states = bench.states(sweep)
        return all(states.get(node) == "Running" for node in nodes)

    await bench.until(sweep, holds)
