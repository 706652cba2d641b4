"""Trials of sweeps: their points, and the runs that their metrics are in."""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Any

from smalt.service.records.database import Database

SWEEPS = frozenset({"sweep"})
"""The types of jobs whose children are trials."""
POINT = "hyperparameters"
"""The tag of a trial with its values of the search space, as JSON."""


def read_points(db: Database, ids: Collection[int]) -> dict[int, dict[str, Any]]:
    """Return job id → its values of the search space, as its tag has them."""
    rows = db.rows(
        f"SELECT job_id, json_extract(body, '$.tags.{POINT}') FROM job_bodies"
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


def _parse_point(text: Any) -> dict[str, Any]:
    """Return the point in a tag; {} for a tag that somebody wrote differently."""
    try:
        point = json.loads(text) if isinstance(text, str) else {}
    except ValueError:
        return {}
    return point if isinstance(point, dict) else {}
