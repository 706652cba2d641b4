"""Where data and models come from and who uses them: from what each job read and wrote."""

from __future__ import annotations

from smalt.service.records.database import Database

Row = tuple[int, str, "str | None", "str | None"]
"""A job's id, the name of its input or output, the URI and the asset."""


def of_job(db: Database, job_id: int, direction: str) -> list[Row]:
    """What a job reads ('input') or writes ('output')."""
    rows = db.rows(
        "SELECT job_id, name, uri, asset FROM job_data WHERE job_id=? AND direction=? ORDER BY name",
        (job_id, direction),
    )
    return [(int(job), str(name), uri, asset) for job, name, uri, asset in rows]


def of_steps(db: Database, root_id: int, direction: str) -> list[Row]:
    """What the steps of a pipeline, at all levels, read or write."""
    rows = db.rows(
        "SELECT d.job_id, d.name, d.uri, d.asset FROM jobs j JOIN job_data d ON d.job_id=j.id"
        " WHERE j.root_id=? AND j.type<>'pipeline' AND d.direction=? ORDER BY d.job_id, d.name",
        (root_id, direction),
    )
    return [(int(job), str(name), uri, asset) for job, name, uri, asset in rows]


def of_asset(db: Database, workspace_id: int, asset: str, direction: str) -> list[Row]:
    """The jobs that read or wrote `data/n/versions/1` under this name; pipelines only by way of their steps."""
    return _rows(db, "d.workspace_id=? AND d.asset=? AND d.direction=?", (workspace_id, asset, direction))


def of_uris(db: Database, workspace_id: int, uris: list[str], direction: str) -> list[Row]:
    """The jobs that read or wrote one of these places, however a slash ends it."""
    spellings = [spelling for uri in uris for spelling in (uri.rstrip("/"), uri.rstrip("/") + "/")]
    marks = ",".join("?" * len(spellings))
    return _rows(
        db, f"d.workspace_id=? AND d.uri IN ({marks}) AND d.direction=?", (workspace_id, *spellings, direction)
    )


def _rows(db: Database, where: str, values: tuple[object, ...]) -> list[Row]:
    rows = db.rows(
        "SELECT d.job_id, d.name, d.uri, d.asset FROM job_data d JOIN jobs j ON j.id=d.job_id"
        f" WHERE {where} AND j.type<>'pipeline' ORDER BY d.job_id, d.name",
        values,
    )
    return [(int(job), str(name), uri, asset) for job, name, uri, asset in rows]
