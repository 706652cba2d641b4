"""Sweeps as the engine leaves them in a home's records, at any size, without running a trial.

`python -m tests.sweeps.recorded HOME` records some in a home whose server does not run.
"""

from __future__ import annotations

import contextlib
import json
import math
import random
import sqlite3
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from smalt.machine.home import Home
from smalt.service.records import composite_state, jobs, workspaces
from smalt.service.records.database import Database
from smalt.service.records.jobs import Job, NewJob
from smalt.service.tracking.run_database import get_database_path

DEFAULT = ("00000000-0000-0000-0000-000000000000", "smalt", "default")
"""The workspace of a command line that names none."""
TERMINATED = "it was ended by the bandit policy: 0.61 at interval 5 is below 0.66"


class RecordedTrial(NamedTuple):
    """A trial that is over, or runs, with the last value of the primary metric."""

    point: dict[str, Any]
    value: float | None
    status: str = "Completed"
    error: dict[str, Any] | None = None
    seconds: float = 2.0


class RecordedHome:
    """The records of a home in which no server runs."""

    def __init__(self, home: Home) -> None:
        self.home = home
        home.create()
        self.db = Database(home.path("smalt.db"))
        self.workspace = workspaces.ensure_workspace(self.db, *DEFAULT, "tester")
        path = get_database_path(home, self.workspace.folder)
        path.parent.mkdir(parents=True, exist_ok=True)
        self.metrics = sqlite3.connect(path)
        self.metrics.executescript(
            "CREATE TABLE IF NOT EXISTS latest_metrics (run_uuid, key, value, is_nan, step, timestamp);"
            "CREATE TABLE IF NOT EXISTS metrics (run_uuid, key, value, is_nan, step, timestamp);"
            "CREATE TABLE IF NOT EXISTS params (run_uuid, key, value);"
            "CREATE TABLE IF NOT EXISTS tags (run_uuid, key, value);"
            "CREATE TABLE IF NOT EXISTS runs (run_uuid, name, status, start_time, lifecycle_stage);"
        )

    def close(self) -> None:
        self.metrics.commit()
        self.metrics.close()
        self.db.close()

    def add_pipeline(self, name: str) -> Job:
        return self._add(NewJob(name, "pipeline", {"jobType": "Pipeline", "jobs": {}}, "Default", is_composite=True))

    def add_sweep(self, name: str, trials: Sequence[RecordedTrial], parent: Job | None = None, **body: Any) -> Job:
        """Add a sweep with these trials; the sweep stays Running."""
        shape = {**make_body(len(trials)), **body}
        full = f"{parent.name}-{name}" if parent else name
        new = NewJob(full, "sweep", shape, "Default", full, node=name if parent else None, is_composite=True)
        sweep = self._add(new, parent)
        bodies = [
            {
                "jobType": "Command", "command": "python train.py", "environmentId": "azureml:host",
                "tags": {"hyperparameters": json.dumps(one.point)},
                "inputs": {key: {"jobInputType": "literal", "value": str(value)} for key, value in one.point.items()},
            }
            for one in trials
        ]  # fmt: skip
        news = [
            NewJob(f"{full}_{number}", "command", body, "Default", f"{full}_{number}", node=f"trial_{number}")
            for number, body in enumerate(bodies)
        ]
        with self.db.transaction():
            ids = jobs.add_jobs(self.db, self.workspace.id, news, "tester", sweep)
            for id, trial in zip(ids, trials, strict=True):
                self.end(jobs.get_job(self.db, id), trial.status, trial.error, trial.seconds)
            jobs.set_status(self.db, sweep, "Running")
        values = [(f"{full}_{number}", one.value) for number, one in enumerate(trials) if one.value is not None]
        rows = [
            (run, "accuracy", 0.0 if math.isnan(value) else value, math.isnan(value), 1, 1000) for run, value in values
        ]
        for table in ("latest_metrics", "metrics"):
            self.metrics.executemany(f"INSERT INTO {table} VALUES (?,?,?,?,?,?)", rows)
        return sweep

    def add_automl(self, name: str, trials: Sequence[RecordedTrial], **body: Any) -> Job:
        """Add an AutoML job with its search and these trials, whose values are recorded with them."""
        table = {"uri": "file:///nowhere", "jobInputType": "mltable"}
        task = {"taskType": "Regression", "trainingData": table, "targetColumnName": "y", **body}
        shape = {"jobType": "AutoML", "taskDetails": task}
        job = self._add(NewJob(name, "automl", shape, "Default", name, is_composite=True))
        news = [
            NewJob(f"{name}_search", "command", {"jobType": "Command", "command": "true"}, "Default", node="search")
        ]
        for number, one in enumerate(trials):
            child = {"jobType": "Command", "command": ":", "tags": {"hyperparameters": json.dumps(one.point)}}
            news.append(NewJob(f"{name}_{number}", "command", child, "Default", node=f"trial_{number}"))
        with self.db.transaction():
            ids = jobs.add_jobs(self.db, self.workspace.id, news, "tester", job)
            self.end(jobs.get_job(self.db, ids[0]), "Completed")
            for id, trial in zip(ids[1:], trials, strict=True):
                self.end(jobs.get_job(self.db, id), trial.status, trial.error, trial.seconds)
            jobs.set_status(self.db, job, "Running")
            values = {str(number): one.value for number, one in enumerate(trials) if one.value is not None}
            composite_state.write_state(self.db, job.id, {"values": values})
        return job

    def end(self, job: Job, status: str, error: dict[str, Any] | None = None, seconds: float = 2.0) -> None:
        states = ("Running",) if status == "Running" else ("Running", status)
        jobs.set_status(self.db, job, *states, error=error)
        if status != "Running":
            self.db.execute("UPDATE jobs SET ended_at=started_at+? WHERE id=?", (seconds, job.id))

    def _add(self, new: NewJob, parent: Job | None = None) -> Job:
        return jobs.add_job(self.db, self.workspace.id, new, "tester", parent)


def make_body(total: int) -> dict[str, Any]:
    return {
        "jobType": "Sweep",
        "objective": {"goal": "Maximize", "primaryMetric": "accuracy"},
        "limits": {"jobLimitsType": "Sweep", "maxTotalTrials": total, "maxConcurrentTrials": 4},
        "samplingAlgorithm": {"samplingAlgorithmType": "Random", "seed": 7},
        "searchSpace": {
            "lr": ["loguniform", [-7, -1]],
            "depth": ["choice", [[2, 3, 5, 8]]],
            "booster": ["choice", [["tree", "linear", "dart"]]],
            "noise": ["uniform", [0, 1]],
        },
        "trial": {"command": "python train.py", "environmentId": "azureml:host"},
    }


def make_trials(count: int, seed: int = 7) -> list[RecordedTrial]:
    """Return trials of which some failed, some were terminated, one logged nothing, and one NaN."""
    chance = random.Random(seed)
    found = []
    for number in range(count):
        point = {
            "lr": math.exp(chance.uniform(-7, -1)),
            "depth": chance.choice([2, 3, 5, 8]),
            "booster": chance.choice(["tree", "linear", "dart"]),
            "noise": chance.random(),
        }
        value = 0.95 - 0.03 * (math.log(point["lr"]) + 3.5) ** 2 - 0.02 * abs(point["depth"] - 5)
        value += -0.08 * (point["booster"] == "linear") + chance.gauss(0, 0.01)
        found.append(_make_trial(number, point, value, chance))
    return found


def _make_trial(number: int, point: dict[str, Any], value: float, chance: random.Random) -> RecordedTrial:
    if number % 11 == 3:
        error = {"code": "UserError", "message": "the command exited with code 3", "exit_code": 3}
        return RecordedTrial(point, None, "Failed", error, 0.4)
    if number % 7 == 5:
        error = {"code": "EarlyTermination", "message": TERMINATED}
        return RecordedTrial(point, value - 0.2, "Canceled", error, 1.1)
    if number == 8:
        return RecordedTrial(point, None)
    return RecordedTrial(point, math.nan if number == 9 else value, seconds=chance.uniform(1, 300))


def record(folder: Path, fill: Callable[[RecordedHome], object]) -> None:
    with contextlib.closing(RecordedHome(Home(folder))) as home:
        fill(home)


def _fill(home: RecordedHome) -> None:
    for name, count in (("small", 20), ("large", 1000)):
        home.end(home.add_sweep(name, make_trials(count)), "Completed", seconds=3000.0)
    pipe = home.add_pipeline("pipe")
    home.end(home.add_sweep("tune", make_trials(20), pipe), "Completed", seconds=30.0)
    home.end(pipe, "Completed")


if __name__ == "__main__":
    record(Path(sys.argv[1]), _fill)
