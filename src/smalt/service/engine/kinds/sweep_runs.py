"""A sweep that runs: what its records say of its trials, and how it chooses the next point and the best."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from smalt.entities.jobs.search_space import EarlyTerminationPolicy
from smalt.entities.jobs.sweep import SweepJob
from smalt.entities.schema.problems import join_words
from smalt.exceptions import ValidationException
from smalt.service.engine.kinds.properties import SEED
from smalt.service.engine.kinds.protocol import CompositeView, NewChild
from smalt.service.engine.kinds.sweep_trials import TrialPlanner, get_number, make_node_name, read_point
from smalt.service.engine.outcome import parse_message
from smalt.service.records import child_metrics, reuse
from smalt.service.records.jobs import Job
from smalt.service.sweeps.hyperband import HyperbandPolicy
from smalt.service.sweeps.optuna_process import OptunaProcess
from smalt.service.sweeps.policies import choose_policy
from smalt.service.sweeps.samplers import make_sampler
from smalt.service.sweeps.space import Point
from smalt.service.sweeps.trials import Sampler, Told
from smalt.service.tracking.run_database import (
    get_database_path,
    load_arrivals,
    load_last_arrived,
    load_metric_names,
)

_MOST_AT_ONCE = 100
"""Trials at a time where no number is given."""
MOST_NAMES = 5
"""Metrics that an error names."""


class TrialEnd(NamedTuple):
    """The facts about a trial's end that were read beside the loop."""

    value: float | None = None
    """The last value of the primary metric."""
    names: Sequence[str] = ()
    """The metrics that it logged, if that one is not among them."""
    point: Point | None = None
    """The point of the next trial, from a sampler that takes long."""


@dataclass
class SweepRun:
    """A sweep that runs: its settings, and what its records say of its trials."""

    view: CompositeView
    sweep: SweepJob = field(init=False)
    planner: TrialPlanner = field(init=False)
    sampler: Sampler = field(init=False)
    policy: EarlyTerminationPolicy | HyperbandPolicy | None = field(init=False)
    total: int = field(init=False)
    asked: dict[int, int] = field(default_factory=dict)
    """By id of a trial that has ended, the number of the one for which a point is looked for in a thread."""
    _next: int = field(init=False, default=0)
    """The first number that may be free: a number that was given out is not given out again."""

    def __post_init__(self) -> None:
        self.sweep = self.view.entity
        self.planner = TrialPlanner(self.view, self.sweep)
        algorithm, space = self.sweep.sampling_algorithm or "random", self.sweep.search_space or {}
        try:
            self.policy = choose_policy(algorithm, self.sweep.early_termination)
            self.sampler = make_sampler(algorithm, space, self.seed, self.goal, self._get_optuna)
        except ValueError as error:
            raise ValidationException(str(error)) from None
        self.total = int(self.sweep.limits.max_total_trials)
        count = self.sampler.count_points()
        if count is not None:
            self.total = min(self.total, count)

    @classmethod
    def from_view(cls, view: CompositeView) -> SweepRun:
        """Return what is known of the sweep of a view; it is read once, and again after a failed commit."""
        run: SweepRun | None = view.cache.get("sweep")
        if run is None:
            run = view.cache["sweep"] = cls(view)
        return run

    @property
    def metric(self) -> str:
        return str(self.sweep.objective.primary_metric)

    @property
    def goal(self) -> str:
        return str(self.sweep.objective.goal).lower()

    @property
    def seed(self) -> int:
        given = getattr(self.sweep.sampling_algorithm, "seed", None)
        return int(self.sweep.properties.get(SEED) or 0) if given is None else int(given)

    def _get_optuna(self) -> OptunaProcess:
        return self.view.context.optuna

    @property
    def at_once(self) -> int:
        return min(int(self.sweep.limits.max_concurrent_trials or _MOST_AT_ONCE), self.total)

    @cached_property
    def points(self) -> dict[int, Point]:
        """The points of the trials that are recorded, by number."""
        children = self.view.list_children()
        return {get_number(child.node): read_point(self.view.read_child_properties(child)) for child in children}

    @cached_property
    def ends(self) -> dict[int, str]:
        """The states of the trials whose ends the sweep was told, by number, in that order."""
        told = [child for child in self.view.list_children() if child.end_number is not None]
        told.sort(key=lambda child: child.end_number or 0)
        return {get_number(child.node): child.status for child in told}

    @cached_property
    def reports(self) -> dict[str, list[float]]:
        """The values of the primary metric that the sweep was told, by trial."""
        nodes = {child.id: str(child.node) for child in self.view.list_children()}
        found: dict[str, list[float]] = {node: [] for node in nodes.values()}
        for child, value in child_metrics.list_told_metrics(self.view.context.db, self.view.job.id, self.metric):
            found[nodes[child]].append(value)
        return found

    def find_last_report(self, child: Job) -> float | None:
        """Return the last value of the primary metric that a trial reported; None if no policy listens."""
        reports = self.reports.get(str(child.node)) if self.policy is not None else None
        return reports[-1] if reports else None

    def find_next_number(self) -> int | None:
        """Return the number of the trial that is to be added next; None if there is none."""
        asked = set(self.asked.values())
        while self._next in self.points or self._next in asked:
            self._next += 1
        return self._next if self._next < self.total else None

    def add_trial(self, number: int, point: Point, after: str | None = None) -> NewChild:
        """Return the trial of a number, which is among the sweep's from now on; it starts when `after` is over."""
        trial = self.planner.make_trial(number, point)
        trial.needs = {after} if after is not None else ()
        self.points[number] = point
        if "reports" in vars(self):
            self.reports[make_node_name(number)] = []
        return trial

    def list_told(self) -> list[Told]:
        values = self.view.state.get("values", {})
        return [
            Told(number, self.points[number], values.get(str(number)), status == "Completed")
            for number, status in self.ends.items()
        ]

    def find_best(self, children: Sequence[Job], more: Mapping[str, float] | None = None) -> tuple[Job, float] | None:
        """Return the completed trial with the best value, and that value; of equal ones, the first.

        `more` has values, by number, of trials whose ends the sweep was not told.
        """
        values = {**(more or {}), **self.view.state.get("values", {})}
        found = [(child, values[key]) for child in children if (key := str(get_number(child.node))) in values]
        found = [one for one in found if one[0].status == "Completed"]
        if not found:
            return None
        sign = 1 if self.goal == "minimize" else -1
        return min(found, key=lambda one: (sign * one[1], get_number(one[0].node)))


def propose_lazily(run: SweepRun) -> Iterator[Point]:
    for number in range(run.at_once):
        yield run.sampler.propose(number, (), ())


def propose_first(run: SweepRun) -> list[Point]:
    """Return the points of the first trials, each chosen while those before it run."""
    points: list[Point] = []
    for number in range(run.at_once):
        points.append(run.sampler.propose(number, (), list(enumerate(points))))
    return points


def find_runs(view: CompositeView, child: Job) -> list[str]:
    """Return the runs whose metrics are a trial's: its own and those below it, or those that were reused."""
    db = view.context.db
    names = child_metrics.list_below(db, child.id, view.job.type) if child.is_composite else [child.name]
    origins = reuse.find_origins(db, child.workspace_id, names)
    return [origins.get(name, name) for name in names]


def load_untold_values(run: SweepRun, children: Sequence[Job]) -> dict[str, float]:
    """Load the values of trials that completed while the sweep was being canceled, by number: it was not told them."""
    known = run.view.state.get("values", {})
    path = get_database_path(run.view.context.home, run.view.workspace.folder)
    untold = [one for one in children if one.status == "Completed" and str(get_number(one.node)) not in known]
    runs = {one.id: find_runs(run.view, one) for one in untold}
    arrivals = load_arrivals(path, [name for names in runs.values() for name in names], run.metric)
    found: dict[str, float] = {}
    for one in untold:
        last = max((arrivals[name] for name in runs[one.id] if name in arrivals), default=None)
        if last is not None and to_finite(last[1]) is not None:
            found[str(get_number(one.node))] = last[1]
    return found


def read_end(path: Path, runs: Sequence[str], metric: str) -> TrialEnd:
    value = load_last_arrived(path, runs, metric)
    return TrialEnd(value, load_metric_names(path, runs, MOST_NAMES) if value is None else ())


def to_finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def describe_end(run: SweepRun, child: Job, value: float | None, names: Sequence[str]) -> str | None:
    """Return the line of the sweep's log about a trial's end."""
    if child.status != "Completed":
        return f"{child.node} is {child.status}"
    if value is None:
        others = f"; it logged {', '.join(names)}" if names else ""
        return f"{child.node} completed and never logged the primary metric '{run.metric}'{others}"
    if to_finite(value) is None:
        return f"{child.node} completed, and {run.metric} is {value:g}, so it cannot be the best"
    return f"{child.node} completed: {run.metric} is {value:g}"


def explain_failure(run: SweepRun, children: Sequence[Job]) -> str:
    """Return why no trial can be the best one."""
    if any(child.status == "Completed" for child in children):
        names, unusable = run.view.state.get("names", []), run.view.state.get("unusable", [])
        if unusable:
            return (
                f"no trial that completed has a finite value of the primary metric '{run.metric}': it is "
                f"{join_words(unusable, 'and')}; see why the trials log it, or name another in objective.primary_metric"
            )
        logged = f"they logged {', '.join(names)}" if names else "they logged no metric"
        return (
            f"no trial that completed has a value of the primary metric '{run.metric}': {logged}; "
            "log it with mlflow.log_metric, or name another in objective.primary_metric"
        )
    failed = [child for child in children if child.status == "Failed"]
    count = len(children)
    if len(failed) == count:
        return f"all {count} trials failed; the first: {parse_message(failed[0].error)}"
    first = parse_message((failed or list(children))[0].error)
    canceled = count - len(failed)
    return f"no trial completed: {len(failed)} of {count} failed, and {canceled} were canceled; the first: {first}"
