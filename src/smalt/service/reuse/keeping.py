"""Which folders of deleted jobs stay, because other jobs have the outputs in them, and which may go at last."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from smalt.service.records import jobs
from smalt.service.records import reuse as records
from smalt.service.records.database import Database
from smalt.service.records.jobs import Job

_FOLDER = re.compile(r"/paths/(?:azureml/|ExperimentRun/dcid\.)([^/]+)/")


def in_use(db: Database, tree: Sequence[Job]) -> set[str]:
    """The folders, called after jobs, of these jobs' outputs that jobs elsewhere have."""
    ids = [job.id for job in tree]
    held = records.held(db, ids)
    return {job.name for job in tree if job.id in held} | _folders(db, held)


def left(db: Database, tree: Sequence[Job]) -> set[str]:
    """The folders of jobs deleted before, whose outputs only these jobs have."""
    return _folders(db, records.left_behind(db, [job.id for job in tree]))


def _folders(db: Database, ids: Iterable[int]) -> set[str]:
    uris = [row[2] or "" for id in ids for row in jobs.data(db, id, "output").values()]
    return {name for uri in uris for name in _FOLDER.findall(uri)}
