"""A step made again beside its job, to be looked into (`smalt job debug`). The job's records and files stay."""

from __future__ import annotations

import copy
import secrets
from dataclasses import dataclass, field
from typing import Any

from smalt.service.compute.local.attempt_folders import Folders
from smalt.service.engine.context import Rooms
from smalt.service.engine.kinds import command
from smalt.service.engine.kinds.command import Leaf
from smalt.service.engine.slots import Grant
from smalt.service.records import jobs
from smalt.service.records.jobs import Job


@dataclass
class _Copy(Leaf):
    """The same step in a folder of its own, where its outputs go, too."""

    mark: str = field(default_factory=lambda: secrets.token_hex(4))

    def folders(self, rooms: Rooms, number: int) -> Folders:
        """No attempt is called so: those have numbers."""
        folder = f"{rooms.home.plain}/workspaces/{self.workspace.folder}/jobs/{self.job.name}.debug-{self.mark}"
        return Folders(folder, f"{folder}/wd", f"{folder}/artifacts")


async def lay_out_copy(rooms: Rooms, job: Job) -> dict[str, Any]:
    """Make the copy: its folder, the command as it would run in `cwd`, its variables, and what is to be told."""
    leaf = Leaf.read(rooms, job, rooms.workspace(job))
    entity = copy.copy(leaf.entity)
    twin = _Copy(leaf.job, leaf.workspace, entity, leaf.environment, leaf.code)
    folders = twin.folders(rooms, 1)
    entity.outputs = {name: _kept_here(name, output, folders) for name, output in leaf.entity.outputs.items()}
    twin.locate(rooms)
    notes: list[str] = []
    realised = rooms.environments.cached(leaf.environment)
    if realised is None:
        realised = await rooms.environments.realise(leaf.environment, notes.append)
    await command.fetch(rooms, twin, notes.append, 1)
    laid_out = command.lay_out(rooms, twin, realised, 1)
    given = command.read_inputs(rooms, twin, folders)
    text, variables = command.filled_in(rooms, twin, laid_out, Grant(1, ()), given)
    return {
        "job": job.name,
        "attempts": jobs.get_last_attempt_number(rooms.db, job),
        "folder": folders.folder,
        "cwd": folders.cwd,
        "command": text,
        "python": laid_out.view.python,
        "environment": variables,
        "notes": notes,
    }


def _kept_here(name: str, output: Any, folders: Folders) -> Any:
    if name == "artifacts" and not output.path:
        return output
    here = copy.copy(output)
    here.path = f"file://{folders.folder}/outputs/{name}"
    return here
