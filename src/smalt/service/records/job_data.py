"""The data of jobs: the paths that they read and write, and where those lead."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from smalt.service.records.database import Database
from smalt.service.records.jobs import COLUMNS, Job


class DataRow(NamedTuple):
    """A path that a job reads or writes."""

    direction: str
    """"input" or "output"."""
    name: str
    type: str
    mode: str | None
    uri: str | None
    asset: str | None = None
    """"data/n/versions/1", where it is one."""
    place: str | None = None
    """The real path or URL that the URI led to when the step started."""


def put_data(db: Database, job: Job, rows: Sequence[DataRow]) -> None:
    """Record the paths that a job reads and writes."""
    if rows:
        db.execute_many(
            "INSERT OR REPLACE INTO job_data"
            " (workspace_id, job_id, created_by, direction, name, type, mode, uri, asset, place)"
            " VALUES (?,?,?,?,?,?,?,?,?,?)",
            ((job.workspace_id, job.id, job.created_by, *row) for row in rows),
        )


def read_data(db: Database, job_id: int, direction: str) -> dict[str, tuple[str, str | None, str | None, str | None]]:
    """Return {name: (type, mode, uri, asset)} of a job's inputs or outputs."""
    rows = db.rows(
        "SELECT name, type, mode, uri, asset FROM job_data WHERE job_id=? AND direction=?",
        (job_id, direction),
    )
    return {name: (type, mode, uri, asset) for name, type, mode, uri, asset in rows}


def remove_outputs(db: Database, job: Job, names: Iterable[str]) -> None:
    """Record that the job did not write these outputs."""
    db.execute_many(
        "DELETE FROM job_data WHERE job_id=? AND direction='output' AND name=?", [(job.id, name) for name in names]
    )


def list_unwritten_outputs(db: Database, job: Job, gathering: str) -> list[str]:
    """Return the recorded outputs of a composite that no completed step below it wrote.

    A composite of the type `gathering` writes its outputs itself.
    """
    rows = db.rows(
        "WITH RECURSIVE below(id) AS"
        " (SELECT id FROM jobs WHERE parent_id=? UNION ALL SELECT j.id FROM jobs j JOIN below b ON j.parent_id=b.id)"
        " SELECT name FROM job_data o WHERE o.job_id=? AND o.direction='output' AND o.uri NOT IN"
        " (SELECT d.uri FROM below b JOIN jobs j ON j.id=b.id JOIN job_data d ON d.job_id=j.id"
        " WHERE j.status='Completed' AND (NOT j.is_composite OR j.type=?)"
        " AND d.direction='output' AND d.uri IS NOT NULL)",
        (job.id, job.id, gathering),
    )
    return [name for (name,) in rows]


def find_writers(db: Database, workspace_id: int, uris: Sequence[str], places: Sequence[str] = ()) -> list[Job]:
    """Return the jobs of the workspace with an output at one of `uris`, and those of any with one at one of
    `places`.
    """
    marks, others = ",".join("?" * len(uris)), ",".join("?" * len(places))
    rows = db.rows(
        f"SELECT {COLUMNS} FROM jobs WHERE id IN (SELECT job_id FROM job_data"
        f" WHERE direction='output' AND ((workspace_id=? AND uri IN ({marks})) OR place IN ({others})))",
        (workspace_id, *uris, *places),
    )
    return [Job(*row) for row in rows]


def list_written_places(db: Database, besides: int | None = None) -> list[tuple[int, str]]:
    """Return (job id, place) of every recorded output, except those of the workspace `besides`."""
    rows = db.rows(
        "SELECT job_id, place FROM job_data WHERE direction='output' AND place IS NOT NULL AND workspace_id IS NOT ?",
        (besides,),
    )
    return [(job_id, place.rstrip("/")) for job_id, place in rows]


def move_place(db: Database, workspace_id: int, asset: str, old: str, new: str) -> None:
    """Record that the asset that jobs read at `old` is at `new` now.

    Running jobs go on reading at `old`, and keep that place: the check at their end looks at the place that
    they read.
    """
    db.execute(
        "UPDATE job_data SET place=? WHERE workspace_id=? AND asset=? AND direction='input' AND place=?"
        " AND job_id NOT IN (SELECT job_id FROM job_attempts WHERE ended_at IS NULL)",
        (new, workspace_id, asset, old),
    )


def read_places(db: Database, job_id: int, direction: str = "input") -> dict[str, tuple[str, str]]:
    """Return {name: (uri, place it led to when the step started)} of the inputs or outputs whose place is known."""
    rows = db.rows(
        "SELECT name, uri, place FROM job_data WHERE job_id=? AND direction=? AND place IS NOT NULL",
        (job_id, direction),
    )
    return {name: (uri or "", place) for name, uri, place in rows}
