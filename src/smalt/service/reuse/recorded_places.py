"""Places of inputs, outputs and artifacts as the records of a job tell them."""

from __future__ import annotations

import os
from pathlib import Path

from smalt.service.data import DataAccess, Location
from smalt.service.records.database import Database
from smalt.service.records.jobs import Job
from smalt.service.records.workspaces import Workspace, get_workspace
from smalt.service.reuse.content_lookup import LookupPlace
from smalt.service.reuse.contents import ContentFilter
from smalt.wire.encoding import artifact_paths

_LOGS = "user_logs"
_WITHOUT_LOGS = ContentFilter(without=(f"/{_LOGS}/", "/system_logs/"))


class RecordedPlaces:
    def __init__(self, db: Database, data: DataAccess) -> None:
        self._db = db
        self._data = data
        self._workspaces: dict[int, Workspace] = {}

    def get_workspace(self, job: Job) -> Workspace:
        known = self._workspaces.get(job.workspace_id)
        if known is None:
            known = self._workspaces[job.workspace_id] = get_workspace(self._db, job.workspace_id)
        return known

    def make_place(
        self, job: Job, row: tuple[str, str | None, str | None, str | None], noted: tuple[str, str] | None,
        name: str | None = None,
    ) -> LookupPlace:  # fmt: skip
        """Return the place of an input or output when the step started, or its present one if none was recorded."""
        uri = row[2] or ""
        location = None
        if noted is not None and noted[0] == uri and noted[1].startswith("/"):
            location = Location(uri, Path(noted[1]), name=name)
        return LookupPlace(uri, row[0], self.get_workspace(job), location, mode=row[1], run=job.root_id)

    def make_artifacts_place(self, job: Job) -> LookupPlace:
        """Return the place of the job's artifacts: ./outputs, ./logs and what it logged to MLflow, without the logs
        that smalt keeps of it.
        """
        uri, workspace = artifact_paths.URI.format(job=job.name), self.get_workspace(job)
        return LookupPlace(uri, "uri_folder", workspace, self._data.resolve(uri, workspace), _WITHOUT_LOGS)


def list_logs(artifacts: LookupPlace) -> list[str]:
    """Return the job's logs, by name and size."""
    path = artifacts.location.path if artifacts.location is not None else None
    try:
        return sorted(f"{each.name} {each.stat().st_size}" for each in os.scandir(f"{path}/{_LOGS}"))
    except OSError:
        return []
