"""Which folders of deleted jobs stay, because jobs that were reused have what is in them, and which may go.

A folder is told as a path below the workspace's own folder.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from smalt.service.records import jobs
from smalt.service.records import reuse as records
from smalt.service.records.database import Database
from smalt.service.records.jobs import Job

_PLACE = re.compile(r"/(azureml/|ExperimentRun/dcid\.)([^/\s\"']+)")
_OF_JOB = re.compile(r"azureml://jobs/([^/\s\"']+)/")
_STORES = {
    "azureml/": "datastores/workspaceblobstore/azureml/",
    "ExperimentRun/dcid.": "datastores/workspaceartifactstore/ExperimentRun/dcid.",
}


def own(db: Database, tree: Sequence[Job]) -> set[str]:
    """The folders of these jobs' artifacts, and of their outputs in the places that are made for each job."""
    found = set()
    for job in tree:
        places = {name for kind, name in _PLACE.findall(_written(db, job)) if kind == "azureml/" and _is_of(name, job)}
        found |= {_STORES["azureml/"] + name for name in places or {job.name}}
        found.add(artifacts_of(job))
    return found


def artifacts_of(job: Job) -> str:
    """The folder of the job's artifacts."""
    return _STORES["ExperimentRun/dcid."] + job.name


def in_use(db: Database, tree: Sequence[Job]) -> set[str]:
    """The folders that jobs elsewhere have, as they were reused."""
    held = records.find_shared(db, {job.id for job in tree})
    return own(db, [job for job in tree if job.id in held]) | _folders(db, held)


def left(db: Database, tree: Sequence[Job]) -> set[str]:
    """The folders of jobs deleted before, whose outputs and artifacts only these jobs have."""
    ids = records.find_last_holders(db, [job.id for job in tree])
    names = filter(None, (records.find_origin(db, id) for id in ids))
    return _folders(db, ids) | {_STORES["ExperimentRun/dcid."] + name for name in names}


def named_in(body: str) -> set[str]:
    """The jobs whose outputs or artifacts a text names."""
    return {_job_of(name) for _, name in _PLACE.findall(body)} | set(_OF_JOB.findall(body))


def _folders(db: Database, ids: Iterable[int]) -> set[str]:
    uris = [row[2] or "" for id in ids for row in jobs.read_data(db, id, "output").values()]
    return {folder for uri in uris for folder in _places(uri)}


def _places(text: str) -> set[str]:
    return {_STORES[kind] + name for kind, name in _PLACE.findall(text)}


def _written(db: Database, job: Job) -> str:
    return " ".join(row[2] or "" for row in jobs.read_data(db, job.id, "output").values())


def _is_of(place: str, job: Job) -> bool:
    return _job_of(place) == job.name


def _job_of(place: str) -> str:
    """No job's name has a dot; a place has one where the plain one was taken."""
    return re.sub(r"\.\d+$", "", place)
