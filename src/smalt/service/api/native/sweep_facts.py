"""The facts about sweeps and their trials: objectives and points from the records, metrics from MLflow's database."""

from __future__ import annotations

import asyncio
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from smalt import wire
from smalt.exceptions import ValidationException
from smalt.service.api.native.metrics import to_json_number
from smalt.service.records import jobs, trials
from smalt.service.records.database import Database
from smalt.service.records.jobs import Job
from smalt.service.tracking import run_database


class SweepGoal(NamedTuple):
    """The objective of a sweep, and its number of trials."""

    primary_metric: str
    goal: str
    """"maximize" or "minimize"."""
    total_trials: int
    """As many trials as it is to have, and no more than it has once it is over."""

    def is_better(self, value: float, than: float) -> bool:
        return value > than if self.goal == "maximize" else value < than


class TrialFacts(NamedTuple):
    """The point of a trial, and the last value of its primary metric."""

    parameters: Mapping[str, Any]
    value: float | None

    def render(self) -> dict[str, Any]:
        return {"parameters": self.parameters, "value": None if self.value is None else to_json_number(self.value)}


def read_entity(db: Database, job: Job) -> Any:
    """Return the body of a sweep as an entity."""
    return wire.from_rest({"properties": jobs.read_properties(db, job.id)}, "job", is_answer=True)


def read_goal(db: Database, job: Job) -> SweepGoal | None:
    """Return the objective of a job; None if it is no sweep."""
    if job.type not in trials.SWEEPS:
        return None
    made = len(jobs.list_children(db, job.id))
    try:
        entity = read_entity(db, job)
    except ValidationException:  # it was recorded by another version, and what is not its objective can be shown
        return SweepGoal("", "maximize", made)
    total = made if job.is_over else max(made, entity.limits.max_total_trials or 0)
    return SweepGoal(entity.objective.primary_metric, entity.objective.goal, total)


async def load_facts(db: Database, path: Path, goal: SweepGoal, ids: Sequence[int]) -> dict[int, TrialFacts]:
    """Return the facts of these trials of a sweep by id; `path` is that of MLflow's database."""
    points, runs = trials.read_points(db, ids), trials.list_runs(db, ids)
    values = await asyncio.to_thread(_load_values, path, goal.primary_metric, runs)
    return {id: TrialFacts(points.get(id, {}), values.get(id)) for id in ids}


def find_best(goal: SweepGoal, rows: Iterable[Job], facts: Mapping[int, TrialFacts]) -> Job | None:
    """Return the completed trial with the best value, of equals the earliest; None if there is none."""
    best: Job | None = None
    highest = math.nan
    for row in rows:
        value = facts[row.id].value if row.status == "Completed" and row.id in facts else None
        if value is None or math.isnan(value):
            continue
        if best is None or goal.is_better(value, highest):
            best, highest = row, value
    return best


def summarise(goal: SweepGoal, rows: Sequence[Job], facts: Mapping[int, TrialFacts]) -> dict[str, Any]:
    """Return what a line about a sweep says: its objective, its trials by status, and its best trial."""
    best = find_best(goal, rows, facts)
    return {
        **goal._asdict(),
        "counts": dict(Counter(row.status for row in rows)),
        "best": {"name": best.name, "node": best.node, **facts[best.id].render()} if best else None,
    }


async def summarise_sweeps(db: Database, path: Path, rows: Iterable[Job]) -> dict[int, dict[str, Any]]:
    """Return the summary of each sweep among `rows` by id."""
    found = {}
    for row in rows:
        goal = read_goal(db, row)
        if goal is not None:
            children = jobs.list_children(db, row.id)
            found[row.id] = summarise(goal, children, await load_facts(db, path, goal, [one.id for one in children]))
    return found


class TrialTracker:
    """The sweeps and trials that a reader of a job's events has met so far."""

    def __init__(self, db: Database, path: Path) -> None:
        self._db = db
        self._path = path
        self._goals: dict[int, SweepGoal] = {}
        self._below: set[int] = set()

    def is_below_sweep(self, row: Job) -> bool:
        """Return True for a trial and for all below it, once its parent was met."""
        if row.parent_id in self._goals or row.parent_id in self._below:
            self._below.add(row.id)
        return row.id in self._below

    async def load_facts(self, rows: Iterable[Job]) -> dict[int, dict[str, Any]]:
        """Return what events of these jobs say of sweeps and trials, by id; parents come first."""
        found: dict[int, dict[str, Any]] = {}
        fresh, over = list[int](), dict[int, list[int]]()
        for row in rows:
            is_known = row.id in self._below
            goal = read_goal(self._db, row)
            if goal is not None:
                self._goals[row.id] = goal
                found[row.id] = {"sweep": goal._asdict()}
            if not self.is_below_sweep(row) or row.parent_id not in self._goals:
                continue
            if row.is_over:
                over.setdefault(row.parent_id, []).append(row.id)
            elif not is_known:
                fresh.append(row.id)
        points = trials.read_points(self._db, fresh) if fresh else {}
        facts = {id: TrialFacts(points.get(id, {}), None) for id in fresh}
        for sweep, ids in over.items():
            facts.update(await load_facts(self._db, self._path, self._goals[sweep], ids))
        return {**found, **{id: {"trial": one.render()} for id, one in facts.items()}}


def _load_values(path: Path, metric: str, runs: Sequence[tuple[int, str]]) -> dict[int, float]:
    """Return trial's id → the last value of the metric that one of its runs has."""
    latest = run_database.load_latest(path, {run for _, run in runs}, [metric])
    newest: dict[int, run_database.Point] = {}
    for trial, run in runs:
        point = latest.get(run, {}).get(metric)
        if point is not None and (trial not in newest or point.time > newest[trial].time):
            newest[trial] = point
    return {trial: point.value for trial, point in newest.items()}
