"""The facts about sweeps and their trials: objectives and points from the records, metrics from MLflow's database."""

from __future__ import annotations

import asyncio
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from smalt import wire
from smalt.automl_program.words import PRIMARY_METRICS, find_primary_metric
from smalt.entities.jobs.search_space import get_sampling_type
from smalt.exceptions import ValidationException
from smalt.service.api.native.metrics import to_json_number
from smalt.service.records import composite_state, jobs, trials
from smalt.service.records.database import Database
from smalt.service.records.jobs import Job
from smalt.service.sweeps.grid import GridSampler
from smalt.service.sweeps.space import read_space
from smalt.service.tracking import run_database


class SweepGoal(NamedTuple):
    """The objective of a sweep or an AutoML job, and its number of trials."""

    primary_metric: str
    goal: str
    """"maximize" or "minimize"."""
    total_trials: int | None
    """As many trials as it is to have, and no more than it has once it is over; None if only time limits it."""

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
    """Return the objective of a job; None if it has no trials."""
    if job.type not in trials.SWEEPS:
        return None
    made = len(trials.list_trials(db, job.id))
    try:
        entity = read_entity(db, job)
    except ValidationException:  # it was recorded by another version, and what is not its objective can be shown
        return SweepGoal("", "maximize", made)
    metric, goal, most = _read_objective(entity)
    return SweepGoal(metric, goal, made if job.is_over else max(made, most) if most else None)


def _read_objective(entity: Any) -> tuple[str, str, int | None]:
    """Return the primary metric, its goal, and how many trials there may be."""
    if entity.type == "sweep":
        return str(entity.objective.primary_metric), str(entity.objective.goal).lower(), _count_trials(entity)
    metric = find_primary_metric(str(entity.task), entity.primary_metric)
    is_maximised = PRIMARY_METRICS.get(str(entity.task), {}).get(metric, True)
    return metric, "maximize" if is_maximised else "minimize", getattr(entity.limits, "max_trials", None)


def _count_trials(sweep: Any) -> int | None:
    """Return how many trials a sweep is to have: a grid may have fewer points than its limit allows."""
    most: int | None = sweep.limits.max_total_trials
    if get_sampling_type(sweep.sampling_algorithm) != "grid":
        return most
    points = GridSampler(read_space(sweep.search_space or {})).count_points()
    return points if most is None else min(most, points)


async def load_facts(db: Database, path: Path, goal: SweepGoal, rows: Sequence[Job]) -> dict[int, TrialFacts]:
    """Return the facts of these trials of a sweep by id; `path` is that of MLflow's database.

    A value that the sweep has recorded is the one by which it decides; MLflow has those of trials that are not over,
    and those that cannot be the best.
    """
    if not rows:
        return {}
    recorded = composite_state.read_state(db, int(rows[0].parent_id or 0)).get("values", {})
    ids = [row.id for row in rows]
    values = {row.id: float(recorded[key]) for row in rows if (key := _get_key(row)) in recorded}
    points = trials.read_points(db, ids)
    if rest := [row.id for row in rows if row.id not in values]:
        values.update(await asyncio.to_thread(_load_values, path, goal.primary_metric, trials.list_runs(db, rest)))
    return {row.id: TrialFacts(points.get(row.id, {}), values.get(row.id)) for row in rows}


def find_best(
    db: Database, job: Job, goal: SweepGoal, rows: Sequence[Job], facts: Mapping[int, TrialFacts]
) -> Job | None:
    """Return the best trial that a finished sweep names, or so far the completed trial with the best finite value.

    Of equal ones the earliest is the best. None if there is none.
    """
    named = (jobs.read_properties(db, job.id).get("properties") or {}).get(trials.BEST) if job.is_over else None
    best: Job | None = None
    highest = math.nan
    for row in rows:
        if row.name == named:
            return row
        value = facts[row.id].value if row.status == "Completed" else None
        if value is not None and math.isfinite(value) and (best is None or goal.is_better(value, highest)):
            best, highest = row, value
    return best


async def summarise(
    db: Database, path: Path, job: Job, goal: SweepGoal
) -> tuple[dict[str, Any], list[Job], dict[int, TrialFacts]]:
    """Return what a line about a sweep says (its objective, its trials by status, its best one), its trials and their
    facts.
    """
    rows = trials.list_trials(db, job.id)
    facts = await load_facts(db, path, goal, rows)
    best = find_best(db, job, goal, rows, facts)
    found = {
        **goal._asdict(),
        "counts": dict(Counter(row.status for row in rows)),
        "best": {"name": best.name, "node": best.node, **facts[best.id].render()} if best else None,
    }
    return found, rows, facts


async def summarise_sweeps(db: Database, path: Path, rows: Iterable[Job]) -> dict[int, dict[str, Any]]:
    """Return the summary of each sweep among `rows` by id."""
    found = {}
    for row in rows:
        goal = read_goal(db, row)
        if goal is not None:
            found[row.id], _, _ = await summarise(db, path, row, goal)
    return found


class TrialTracker:
    """The sweeps and trials that a reader of a job's events has met so far."""

    def __init__(self, db: Database, path: Path) -> None:
        self._db = db
        self._path = path
        self._goals: dict[int, SweepGoal] = {}
        self._below: dict[int, bool] = {}
        """Trials and the jobs below them, by id; True for those of the first trial of a sweep."""
        self._begun: set[int] = set()
        """Sweeps with a trial."""

    def is_below_sweep(self, row: Job) -> bool:
        """Return True for a trial and for all below it, once its parent was met."""
        if row.id in self._below or row.parent_id is None:
            return row.id in self._below
        if row.parent_id in self._below:
            self._below[row.id] = self._below[row.parent_id]
        elif row.parent_id in self._goals and trials.is_trial(row):
            self._below[row.id] = row.parent_id not in self._begun
            self._begun.add(row.parent_id)
        return row.id in self._below

    def is_first_trial(self, row: Job) -> bool:
        """Return True for the first trial of a sweep, whose log tells how the environment of all was built."""
        return self._below.get(row.id, False)

    async def load_facts(self, rows: Iterable[Job]) -> dict[int, dict[str, Any]]:
        """Return what events of these jobs say of sweeps and trials, by id; parents come first."""
        found: dict[int, dict[str, Any]] = {}
        fresh, over = list[int](), dict[int, list[Job]]()
        for row in rows:
            is_known = row.id in self._below
            goal = read_goal(self._db, row)
            if goal is not None:
                self._goals[row.id] = goal
                summary = (await summarise(self._db, self._path, row, goal))[0] if row.is_over else goal._asdict()
                found[row.id] = {"sweep": summary}
            if not self.is_below_sweep(row) or row.parent_id not in self._goals:
                continue
            if row.is_over:
                over.setdefault(row.parent_id, []).append(row)
            elif not is_known:
                fresh.append(row.id)
        points = trials.read_points(self._db, fresh) if fresh else {}
        facts = {id: TrialFacts(points.get(id, {}), None) for id in fresh}
        for sweep, ended in over.items():
            facts.update(await load_facts(self._db, self._path, self._goals[sweep], ended))
        return {**found, **{id: {"trial": one.render()} for id, one in facts.items()}}


def _load_values(path: Path, metric: str, runs: Sequence[tuple[int, str]]) -> dict[int, float]:
    """Return trial's id → the value of the metric that arrived last in one of its runs."""
    arrived = run_database.load_arrivals(path, {run for _, run in runs}, metric)
    last: dict[int, tuple[int, float]] = {}
    for trial, run in runs:
        if run in arrived:
            last[trial] = max(last.get(trial, arrived[run]), arrived[run], key=lambda found: found[0])
    return {trial: value for trial, (_, value) in last.items()}


def _get_key(trial: Job) -> str:
    """Return the key of a trial's value in the state of its sweep: its number."""
    return str(trial.node).rpartition("_")[2]
