"""Lineage: the sources and users of data and models, from what each job read and wrote."""

from __future__ import annotations

from typing import NamedTuple

from smalt.service.records.database import Database
from smalt.service.records.jobs import Job

Row = tuple[int, str, "str | None", "str | None"]
"""A job's id, the name of its input or output, the URI and the asset."""


def list_of_job(db: Database, job_id: int, direction: str) -> list[Row]:
    """Return the rows of a job's inputs ('input') or outputs ('output')."""
    rows = db.rows(
        "SELECT job_id, name, uri, asset FROM job_data WHERE job_id=? AND direction=? ORDER BY name",
        (job_id, direction),
    )
    return [(int(job), str(name), uri, asset) for job, name, uri, asset in rows]


def list_of_steps(db: Database, root_id: int, direction: str) -> list[Row]:
    """Return the rows of the steps of a pipeline, at all levels."""
    rows = db.rows(
        "SELECT d.job_id, d.name, d.uri, d.asset FROM jobs j JOIN job_data d ON d.job_id=j.id"
        " WHERE j.root_id=? AND j.is_composite=0 AND d.direction=? ORDER BY d.job_id, d.name",
        (root_id, direction),
    )
    return [(int(job), str(name), uri, asset) for job, name, uri, asset in rows]


def list_of_asset(db: Database, workspace_id: int, asset: str, direction: str) -> list[Row]:
    """Return the rows of jobs that read or wrote `data/n/versions/1` under this name; pipelines only through their
    steps.
    """
    return _list_rows(db, "d.workspace_id=? AND d.asset=? AND d.direction=?", (workspace_id, asset, direction))


def list_of_uris(db: Database, workspace_id: int, uris: list[str], direction: str) -> list[Row]:
    """Return the rows of jobs that read or wrote one of these URIs, with or without a final slash."""
    spellings = [spelling for uri in uris for spelling in (uri.rstrip("/"), uri.rstrip("/") + "/")]
    marks = ",".join("?" * len(spellings))
    return _list_rows(
        db, f"d.workspace_id=? AND d.uri IN ({marks}) AND d.direction=?", (workspace_id, *spellings, direction)
    )


def find_asset_at(db: Database, root_id: int, uri: str) -> str | None:
    """Return the version as which a job of this tree registered the data at a URI."""
    asset = db.value(
        "SELECT d.asset FROM jobs j JOIN job_data d ON d.job_id=j.id"
        " WHERE j.root_id=? AND d.direction='output' AND d.uri=? AND d.asset IS NOT NULL LIMIT 1",
        (root_id, uri),
    )
    return None if asset is None else str(asset)


def find_last_write(db: Database, job: Job, uri: str) -> tuple[str | None, float]:
    """Return the place of a job's output at a URI, on this machine or the network, and when its writing ended.

    A pipeline's output is written by its steps. A reused step has no place of its own: the job that wrote there
    has.
    """
    ended_at = job.ended_at
    if job.is_composite:
        ended_at = db.value(
            "SELECT max(j.ended_at) FROM jobs j JOIN job_data d ON d.job_id=j.id"
            " WHERE j.root_id=? AND j.is_composite=0 AND d.direction='output' AND d.uri=?",
            (job.root_id, uri),
        ) or ended_at  # fmt: skip
    place = db.value(
        "SELECT place FROM job_data WHERE workspace_id=? AND direction='output' AND uri=? AND place IS NOT NULL"
        " ORDER BY job_id=? DESC LIMIT 1",
        (job.workspace_id, uri, job.id),
    )
    return (None if place is None else str(place).rstrip("/")), float(ended_at or 0)


class OutputWrite(NamedTuple):
    """A job's output at a place that an output of another job has, too."""

    job: str
    output: str
    place: str
    is_over: bool
    is_deleted: bool


_OVERLAPS = (
    "(substr(rtrim({0},'/')||'/',1,length(?)+1)=?||'/'"
    " OR substr(?||'/',1,length(rtrim({0},'/'))+1)=rtrim({0},'/')||'/')"
)


def find_write_after(db: Database, job: Job, place: str, moment: float) -> OutputWrite | None:
    """Return the newest job of another tree that wrote at a place, in it or around it, and ended after that
    moment.

    It may be of another workspace, as a place of this machine is the same for all, or have been deleted since.
    Reused steps write nothing, and have no place.
    """
    row = db.row(
        "SELECT j.name, d.name, d.place, j.ended_at IS NOT NULL, 0 FROM job_data d JOIN jobs j ON j.id=d.job_id"
        " WHERE d.direction='output' AND d.place IS NOT NULL AND j.root_id<>?"
        f" AND (j.ended_at IS NULL OR j.ended_at>?) AND {_OVERLAPS.format('d.place')} ORDER BY j.id DESC LIMIT 1",
        (job.root_id, moment, place, place, place),
    ) or db.row(
        "SELECT job, output, place, 1, 1 FROM deleted_writes"
        f" WHERE ended_at>? AND {_OVERLAPS.format('place')} ORDER BY ended_at DESC LIMIT 1",
        (moment, place, place, place),
    )  # fmt: skip
    return OutputWrite(row[0], row[1], str(row[2]).rstrip("/"), bool(row[3]), bool(row[4])) if row else None


def find_active_writer(db: Database, place: str) -> str | None:
    """Return a job that is not over and may write at, in or around a place: it runs, or waits at the launcher."""
    name = db.value(
        "SELECT j.name FROM jobs j CROSS JOIN job_data d ON d.job_id=j.id AND d.direction='output'"
        " WHERE d.place IS NOT NULL AND j.ended_at IS NULL AND j.is_composite=0"
        f" AND {_OVERLAPS.format('d.place')} ORDER BY j.id LIMIT 1",
        (place, place, place),
    )
    return None if name is None else str(name)


def list_writes(db: Database, job_id: int) -> list[tuple[str, str]]:
    """Return (output, place) of what a job wrote itself."""
    rows = db.rows(
        "SELECT name, place FROM job_data WHERE job_id=? AND direction='output' AND place IS NOT NULL", (job_id,)
    )
    return [(output, place.rstrip("/")) for output, place in rows]


def keep_write(db: Database, job: Job, output: str, place: str) -> None:
    """Keep the place that a job wrote at before the job is deleted."""
    db.execute(
        "INSERT INTO deleted_writes VALUES (?,?,?,?) ON CONFLICT (place) DO UPDATE"
        " SET job=excluded.job, output=excluded.output, ended_at=excluded.ended_at WHERE excluded.ended_at>ended_at",
        (place, job.name, output, job.ended_at or 0.0),
    )


def keep_writes(db: Database, workspace_id: int) -> None:
    """Keep the places that a workspace's jobs wrote at before it is deleted: others may read them."""
    db.execute(
        "INSERT INTO deleted_writes SELECT rtrim(d.place, '/'), j.name, d.name, coalesce(j.ended_at, 0.0)"
        " FROM job_data d JOIN jobs j ON j.id=d.job_id"
        " WHERE d.workspace_id=? AND d.direction='output' AND d.place IS NOT NULL ON CONFLICT (place) DO UPDATE"
        " SET job=excluded.job, output=excluded.output, ended_at=excluded.ended_at WHERE excluded.ended_at>ended_at",
        (workspace_id,),
    )


def _list_rows(db: Database, where: str, values: tuple[object, ...]) -> list[Row]:
    rows = db.rows(
        "SELECT d.job_id, d.name, d.uri, d.asset FROM job_data d JOIN jobs j ON j.id=d.job_id"
        f" WHERE {where} AND j.is_composite=0 ORDER BY d.job_id, d.name",
        values,
    )
    return [(int(job), str(name), uri, asset) for job, name, uri, asset in rows]
