"""Homes that were moved or copied: a moved home continues; a copy gives up the jobs with which the original
continues."""

from __future__ import annotations

import contextlib
import json
import logging
import time

from smalt.machine.home import Home
from smalt.machine.home_identity import HomeIdentity, Relocation, find_relocation
from smalt.service.engine import outcome
from smalt.service.engine.context import EngineContext
from smalt.service.records import job_attempts, jobs, schedules
from smalt.service.records.database import Database

logger = logging.getLogger("smalt")

_NOTE = "place"
_PORTS = ("port", "tls-port")


def check_relocation(home: Home) -> Relocation | None:
    """Return from where the home was moved or copied since it was last served; None if it is in its place."""
    found = find_relocation(home.read_json(_NOTE), home.root)
    if found is not None:
        how = "is a copy of" if found.is_copy else "was moved here from"
        logger.warning("this home %s %s", how, found.former.path)
    return found


def handle_relocation(home: Home, db: Database, context: EngineContext, found: Relocation | None) -> None:
    """Update the records that name the former place, then record the present one; after a crash both are done again.

    Call before anything of the home acts.
    """
    if found is not None:
        _remove_unmovable(home)
        with db.transaction():
            _update_places(db, found)
            if found.is_copy:
                _end_unfinished_jobs(db, context, found)
                schedules.disable_all(db, f"this home is a copy of {found.former.path}, which has the tick")
        if found.is_copy:  # the original has them
            for name in _PORTS:
                home.path(name).unlink(missing_ok=True)
    now = HomeIdentity.of_folder(home.root)
    if HomeIdentity.from_json(home.read_json(_NOTE)) != now:
        home.write(_NOTE, json.dumps(now.to_json) + "\n")


def _update_places(db: Database, found: Relocation) -> None:
    old, new = found.former.path, found.now.path
    for table in ("job_data", "deleted_writes"):
        db.execute(
            f"UPDATE OR REPLACE {table} SET place=?||substr(place,?) WHERE place=? OR substr(place,1,?)=?",
            (new, len(old) + 1, old, len(old) + 1, f"{old}/"),
        )


def _end_unfinished_jobs(db: Database, context: EngineContext, found: Relocation) -> None:
    """Fail all unfinished jobs: they continue in the original home and would write twice."""
    why = outcome.make_error(
        f"this home is a copy of {found.former.path}, made while the job was not over; it goes on there. "
        "Submit it again to run it here",
        "HomeCopied",
    )
    for attempt in job_attempts.list_open_attempts(db):
        job_attempts.end_attempt(db, attempt.step_id, None, None, "lost", time.time())
    for job in reversed(jobs.list_unfinished(db)):
        jobs.set_status(db, job, "Failed", error=why)
        context.tracking.runs.record_end(job)


def _remove_unmovable(home: Home) -> None:
    """Have conda environments rebuilt: their programs name the folder in which they were made."""
    for record in home.path("environments").glob("*/record.json"):
        if (record.parent / "venv" / "conda-meta").is_dir():
            with contextlib.suppress(FileNotFoundError):
                record.unlink()
