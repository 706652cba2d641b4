"""Trials of sweeps: their points, and the runs that their metrics are in."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from typing import Any

from smalt.service.records.database import Database
from smalt.service.records.jobs import Job, list_children

SWEEPS = frozenset({"sweep", "automl"})
"""The types of jobs that have trials among their children."""
_TRIAL = "trial_"
POINT = "hyperparameters"
"""The tag of a trial with its values of the search space, as JSON."""

BEST = "best_child_run_id"
"""The tag and property of a sweep with the name of its best trial."""
_PROPERTY = "smalt.point"
"""The property of a trial that has the same as its tag, which people may change."""


def read_points(db: Database, ids: Collection[int]) -> dict[int, dict[str, Any]]:
    """Return job id → its values of the search space."""
    rows = db.rows(
        f"SELECT job_id, coalesce(json_extract(body, '$.properties.\"{_PROPERTY}\"'),"
        f" json_extract(body, '$.tags.{POINT}')) FROM job_bodies"
        " WHERE job_id IN (SELECT value FROM json_each(?))",
        (json.dumps(list(ids)),),
    )
    return {id: _parse_point(text) for id, text in rows}


def list_runs(db: Database, ids: Collection[int]) -> list[tuple[int, str]]:
    """Return a pair for each run of these trials: the trial's id and the run, its own or that of a job below it.

    The runs of a reused job are its own and that of the job whose outputs it has.
    """
    rows = db.rows(
        "WITH RECURSIVE below (trial, id, name) AS ("
        " SELECT id, id, name FROM jobs WHERE id IN (SELECT value FROM json_each(?))"
        " UNION ALL SELECT b.trial, j.id, j.name FROM below b JOIN jobs j ON j.parent_id=b.id)"
        " SELECT b.trial, b.name, s.of_name FROM below b LEFT JOIN reuse_steps s ON s.job_id=b.id",
        (json.dumps(list(ids)),),
    )
    return [(trial, run) for trial, name, origin in rows for run in (name, origin) if run is not None]


def split_trials(rows: Iterable[Job]) -> tuple[list[Job], list[Job]]:
    """Return the rows of a tree, parents first, in two parts: those outside of sweeps, and trials with their steps."""
    outside, below, sweeps, above = list[Job](), list[Job](), set[int](), set[int]()
    for row in rows:
        is_below = row.parent_id in above or (row.parent_id in sweeps and is_trial(row))
        (below if is_below else outside).append(row)
        if is_below:
            above.add(row.id)
        elif row.type in SWEEPS:
            sweeps.add(row.id)
    return outside, below


def is_trial(row: Job) -> bool:
    """Return True if a child of a sweep or of an AutoML job is a trial, and not the step that searches."""
    return str(row.node).startswith(_TRIAL)


def list_trials(db: Database, sweep_id: int) -> list[Job]:
    """Return the trials of a sweep or of an AutoML job, in the order in which they were added."""
    return [row for row in list_children(db, sweep_id) if is_trial(row)]


def _parse_point(text: Any) -> dict[str, Any]:
    """Return a point from its JSON; {} for a tag that somebody wrote differently."""
    try:
        point = json.loads(text) if isinstance(text, str) else {}
    except ValueError:
        return {}
    return point if isinstance(point, dict) else {}
