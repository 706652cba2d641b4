"""Jobs and assets whose bodies name a version of an asset; call with a reader's connection, beside the event loop."""

from __future__ import annotations

from typing import NamedTuple

from smalt.service.records.database import Database


class JobUser(NamedTuple):
    name: str
    display_name: str | None
    experiment: str
    status: str
    created: float


class AssetUser(NamedTuple):
    kind: str
    name: str
    version: str


def find_job_users(
    db: Database, workspace_id: int, kind: str, name: str, version: str, *, searched: int, limit: int
) -> tuple[list[JobUser], int]:
    """Return the top jobs among the newest jobs that name the version, the newest first, and how many were searched."""
    newest = "SELECT id, root_id FROM jobs WHERE workspace_id=? ORDER BY id DESC LIMIT ?"
    texts = _build_texts(kind, name, version)
    found = " OR ".join("instr(b.body, ?)>0" for _ in texts)
    rows = db.rows(
        "SELECT t.name, t.display_name, t.experiment, t.status, t.created_at FROM jobs t WHERE t.id IN"
        f" (SELECT j.root_id FROM ({newest}) j JOIN job_bodies b ON b.job_id=j.id WHERE {found})"
        " ORDER BY t.id DESC LIMIT ?",
        (workspace_id, searched, *texts, limit),
    )
    count = int(db.value(f"SELECT count(*) FROM ({newest})", (workspace_id, searched)))
    return [JobUser(*row) for row in rows], count


def find_asset_users(
    db: Database, workspace_id: int, kind: str, name: str, version: str, *, limit: int
) -> list[AssetUser]:
    """Return the components that name the version, the newest first."""
    texts = _build_texts(kind, name, version)
    found = " OR ".join("instr(v.body, ?)>0" for _ in texts)
    rows = db.rows(
        "SELECT a.kind, a.name, v.version FROM assets a JOIN asset_versions v ON v.asset_id=a.id"
        f" WHERE a.workspace_id=? AND a.kind='components' AND a.is_anonymous=0 AND ({found})"
        " ORDER BY v.id DESC LIMIT ?",
        (workspace_id, *texts, limit),
    )
    return [AssetUser(*row) for row in rows]


def _build_texts(kind: str, name: str, version: str) -> list[str]:
    """Return the spellings of a reference in a body, each with the quote that ends it."""
    return [f'/{kind}/{name}/versions/{version}"', f'"azureml:{name}:{version}"']
