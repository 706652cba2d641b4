"""Versions that references without one are pinned to: those of a top job at its submission, of an asset version at
its registration.

`{kind: {the reference as written: with its version}}`
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from smalt.service.records.assets import AssetVersion
from smalt.service.records.database import Database
from smalt.service.records.jobs import Job

PinnedReferences = Mapping[str, Mapping[str, str]]


def put_job_pins(db: Database, job: Job, pins: PinnedReferences) -> None:
    db.execute(
        "INSERT OR REPLACE INTO job_pins (job_id, workspace_id, pins, created_by) VALUES (?,?,?,?)",
        (job.root_id, job.workspace_id, json.dumps(pins), job.created_by),
    )


def get_job_pins(db: Database, job: Job) -> PinnedReferences:
    """Return the pins of the top job that the job belongs to."""
    return _parse_pins(db.value("SELECT pins FROM job_pins WHERE job_id=?", (job.root_id,)))


def put_version_pins(db: Database, workspace_id: int, version: AssetVersion, pins: PinnedReferences) -> None:
    db.execute(
        "INSERT OR REPLACE INTO asset_pins (version_id, workspace_id, pins, created_by) VALUES (?,?,?,?)",
        (version.id, workspace_id, json.dumps(pins), version.created_by),
    )


def get_version_pins(db: Database, version: AssetVersion) -> PinnedReferences:
    return _parse_pins(db.value("SELECT pins FROM asset_pins WHERE version_id=?", (version.id,)))


def _parse_pins(text: str | None) -> PinnedReferences:
    loaded: PinnedReferences = json.loads(text) if text else {}
    return loaded
