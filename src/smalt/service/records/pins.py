"""The versions that references without one mean: those of a top job since it was submitted, of an asset's version since
it was registered.

`{kind: {the reference as written: with its version}}`
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from smalt.service.records.assets import Version
from smalt.service.records.database import Database
from smalt.service.records.jobs import Job

Fixed = Mapping[str, Mapping[str, str]]


def put_of_job(db: Database, job: Job, pins: Fixed) -> None:
    db.execute(
        "INSERT OR REPLACE INTO job_pins (job_id, workspace_id, pins, created_by) VALUES (?,?,?,?)",
        (job.root_id, job.workspace_id, json.dumps(pins), job.created_by),
    )


def of_job(db: Database, job: Job) -> Fixed:
    """Those of the top job that it belongs to."""
    return _read(db.value("SELECT pins FROM job_pins WHERE job_id=?", (job.root_id,)))


def put_of_version(db: Database, workspace_id: int, version: Version, pins: Fixed) -> None:
    db.execute(
        "INSERT OR REPLACE INTO asset_pins (version_id, workspace_id, pins, created_by) VALUES (?,?,?,?)",
        (version.id, workspace_id, json.dumps(pins), version.created_by),
    )


def of_version(db: Database, version: Version) -> Fixed:
    return _read(db.value("SELECT pins FROM asset_pins WHERE version_id=?", (version.id,)))


def _read(text: str | None) -> Fixed:
    loaded: Fixed = json.loads(text) if text else {}
    return loaded
