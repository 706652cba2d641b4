"""Finds the output of a job by its name, never what a later job wrote in the same place."""

from __future__ import annotations

from smalt.exceptions import RefusedError
from smalt.service.engine.kinds import places
from smalt.service.engine.versions.contents import URIS
from smalt.service.records import assets, job_data, jobs, lineage
from smalt.service.records.database import Database
from smalt.service.records.jobs import Job


class OutputOverwritten(RefusedError):
    """Another job wrote where the job had its output."""


def find_output_uri(db: Database, job: Job, output: str) -> str | None:
    """Return where the content of a job's output is: that of its registered version, if it has one.

    None if the records have no such output. Raises OutputOverwritten if another job wrote there since.
    """
    written = job_data.read_data(db, job.id, "output").get(output)
    if written is None:
        return None
    uri = written[2] or ""
    version = _find_version_uri(db, job, written[3] or lineage.find_asset_at(db, job.root_id, uri))
    if version:
        return version
    if job.is_over and _is_path_given(db, job, output):
        _refuse_overwritten(db, job, output, uri)
    return uri


def _find_version_uri(db: Database, job: Job, asset: str | None) -> str | None:
    """Return where a version is now: its content is copied aside before a job writes over it."""
    kind, _, rest = (asset or "").partition("/")
    name, _, version = rest.partition("/versions/")
    found = assets.get_version(db, job.workspace_id, kind, name, version) if kind in URIS and version else None
    return str(found.properties.get(URIS[kind]) or "") if found is not None else None


def _is_path_given(db: Database, job: Job, output: str) -> bool:
    """Return True if the user gave the output's path, so that other jobs may write there."""
    properties = jobs.read_properties(db, job.id)
    if job.parent_id is not None:
        return places.read(properties.get("properties")).get(output, places.ALONE).given is not None
    given = (properties.get("outputs") or {}).get(output) or {}
    return bool(given.get("uri"))


def _refuse_overwritten(db: Database, job: Job, output: str, uri: str) -> None:
    place, ended_at = lineage.find_last_write(db, job, uri)
    later = lineage.find_write_after(db, job, place, ended_at) if place else None
    if later is None:
        return
    wrote, mine = "wrote" if later.is_over else "writes", f"job {job.name} had its output '{output}'"
    how = f"{wrote} over {place}, where {mine}" if later.place == place else (
        f"{wrote} to {later.place}, and {mine} at {place}"
    )  # fmt: skip
    if later.is_deleted:
        raise OutputOverwritten(f"job {later.job}, which has been deleted, {how}; run job {job.name} again")
    raise OutputOverwritten(
        f"job {later.job} {how}; read azureml://jobs/{later.job}/outputs/{later.output}, or run job {job.name} again. "
        "An output with a name is kept as a version of a data asset"
    )
