"""What jobs made and left where it lies is protected when it is registered afterwards."""

from __future__ import annotations

import asyncio
import os
import re

from smalt.exceptions import SmaltError
from smalt.service.data import Location
from smalt.service.data.rights import forbid_writing, is_forbidden
from smalt.service.engine.rooms import Rooms
from smalt.service.records import jobs
from smalt.service.records.workspaces import Workspace
from smalt.service.reuse import Reuse

_ARTIFACTS = re.compile(r"ExperimentRun/dcid\.([^/]+)/.")


async def protect_made(rooms: Rooms, reuse: Reuse, workspace: Workspace, uri: str) -> None:
    """Forbid writing to the output of a job that is over, which is about to become a version of an asset.

    A folder of the user's own stays as it is, and so does what a job that runs may still write.
    """
    try:
        location = rooms.data.resolve(uri, workspace)
    except SmaltError:
        return
    place = location.path
    if place is None or not os.path.lexists(place) or is_forbidden(place) or not _is_made(rooms, workspace, location):
        return
    await reuse.settle(lambda: True)  # another mode is another time of change: what steps wrote is looked at before
    await asyncio.to_thread(forbid_writing, place)


def _is_made(rooms: Rooms, workspace: Workspace, location: Location) -> bool:
    """Whether a job wrote it, and none that is not over."""
    relative = (location.relative or "").strip("/")
    if location.datastore == "workspaceartifactstore" and (found := _ARTIFACTS.match(relative)):
        job = jobs.by_name(rooms.db, workspace.id, found[1])
        return job is None or job.is_over
    parts = relative.split("/")
    start = f"azureml://datastores/{location.datastore}/paths/"
    above = [start + "/".join(parts[:end]) for end in range(1, len(parts) + 1)]
    writers = jobs.writers(rooms.db, workspace.id, [*above, *(f"{uri}/" for uri in above)])
    return bool(writers) and all(job.is_over for job in writers)
