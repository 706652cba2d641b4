"""The state that a composite job keeps between the ends of its children."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from smalt.service.records.database import Database

RUN_METRICS = "smalt.metrics"
"""The key of a job's recorded state with the metrics that smalt itself writes to its run."""


def read_state(db: Database, id: int) -> dict[str, Any]:
    """Return what a composite job remembers; empty at first."""
    text = db.value("SELECT state FROM jobs WHERE id=?", (id,))
    loaded: dict[str, Any] = json.loads(text) if text else {}
    return loaded


def write_state(db: Database, id: int, state: Mapping[str, Any]) -> None:
    db.execute("UPDATE jobs SET state=? WHERE id=?", (json.dumps(state), id))


def add_run_metrics(db: Database, id: int, metrics: Mapping[str, float]) -> None:
    """Record the metrics that smalt itself writes to the job's run, beside what a composite remembers."""
    if metrics:
        write_state(db, id, {**read_state(db, id), RUN_METRICS: dict(metrics)})
