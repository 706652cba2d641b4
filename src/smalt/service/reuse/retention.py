"""Retention of deleted jobs' folders: those whose contents other jobs reuse stay, the rest may be removed.

A folder is given as a path below the workspace's own folder.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from smalt.service.records import job_data
from smalt.service.records import reuse as records
from smalt.service.records.database import Database
from smalt.service.records.jobs import Job
from smalt.wire.encoding.artifact_paths import PREFIX, STORE

_PLACE = re.compile(rf"/(azureml/|{re.escape(PREFIX)})([^/\s\"']+)")
_OF_JOB = re.compile(r"azureml://jobs/([^/\s\"']+)/")
_STORES = {
    "azureml/": "datastores/workspaceblobstore/azureml/",
    PREFIX: f"datastores/{STORE}/{PREFIX}",
}


def list_own_folders(db: Database, tree: Sequence[Job]) -> set[str]:
    """Return the folders of these jobs' artifacts, and of their outputs in the places that are made for each job."""
    found = set()
    for job in tree:
        places = {
            name
            for kind, name in _PLACE.findall(_join_output_uris(db, job))
            if kind == "azureml/" and _belongs_to(name, job)
        }
        found |= {_STORES["azureml/"] + name for name in places or {job.name}}
        found.add(get_artifacts_folder(job))
    return found


def get_artifacts_folder(job: Job) -> str:
    """Return the folder of the job's artifacts."""
    return _STORES[PREFIX] + job.name


def list_folders_in_use(db: Database, tree: Sequence[Job]) -> set[str]:
    """Return the folders whose contents jobs elsewhere reuse."""
    held = records.find_shared(db, {job.id for job in tree})
    return list_own_folders(db, [job for job in tree if job.id in held]) | _list_output_folders(db, held)


def list_released_folders(db: Database, tree: Sequence[Job]) -> set[str]:
    """Return the folders of jobs deleted before, whose outputs and artifacts only these jobs still reuse."""
    ids = records.find_last_holders(db, [job.id for job in tree])
    names = filter(None, (records.find_origin(db, id) for id in ids))
    return _list_output_folders(db, ids) | {_STORES[PREFIX] + name for name in names}


def find_job_names(body: str) -> set[str]:
    """Return the jobs whose outputs or artifacts a text names."""
    return {_get_job_name(name) for _, name in _PLACE.findall(body)} | set(_OF_JOB.findall(body))


def _list_output_folders(db: Database, ids: Iterable[int]) -> set[str]:
    uris = [row[2] or "" for id in ids for row in job_data.read_data(db, id, "output").values()]
    return {folder for uri in uris for folder in _find_folders(uri)}


def _find_folders(text: str) -> set[str]:
    return {_STORES[kind] + name for kind, name in _PLACE.findall(text)}


def _join_output_uris(db: Database, job: Job) -> str:
    return " ".join(row[2] or "" for row in job_data.read_data(db, job.id, "output").values())


def _belongs_to(place: str, job: Job) -> bool:
    return _get_job_name(place) == job.name


def _get_job_name(place: str) -> str:
    """Return the job that a place is named after. A job's name has no dot; a place has one if the plain name was
    taken.
    """
    return re.sub(r"\.\d+$", "", place)
