"""A step made again beside its job, to be looked into (`smalt job debug`). The job's records and files stay."""

from __future__ import annotations

import copy
import secrets
from dataclasses import dataclass, field
from typing import Any

from smalt.service.engine.context import EngineContext
from smalt.service.engine.kinds.leaf import Leaf, step_data, step_spec
from smalt.service.records import job_attempts

_PROCESS_VARIABLES = {
    "pytorch": "RANK, WORLD_SIZE, MASTER_ADDR and so on",
    "tensorflow": "TF_CONFIG",
    "mpi": "OMPI_COMM_WORLD_RANK, OMPI_COMM_WORLD_SIZE and so on",
}
"""By type of distribution, the variables that only the processes of the job have."""


@dataclass
class StepCopy(Leaf):
    """A step in a folder of its own beside the job's, which has its outputs, too."""

    mark: str = field(default_factory=lambda: secrets.token_hex(4))

    home: str = ""

    @property
    def folder(self) -> str:
        """A folder that no attempt has: those are numbered."""
        return f"{self.home}/workspaces/{self.workspace.folder}/jobs/{self.job.name}.debug-{self.mark}"


async def lay_out_copy(context: EngineContext, leaf: Leaf) -> dict[str, Any]:
    """Make the copy: its folder, the command as it would run in `cwd`, its variables, and what is to be told."""
    job = leaf.job
    entity = copy.copy(leaf.entity)
    twin = StepCopy(
        job,
        leaf.workspace,
        entity,
        leaf.environment,
        leaf.code,
        home=str(context.home.shell_safe_path),
        more_variables=leaf.more_variables,
    )
    entity.outputs = {name: _keep_here(name, output, twin.folder) for name, output in leaf.entity.outputs.items()}
    twin.locate(context)
    notes = _list_distribution_notes(leaf.entity.distribution)
    realised = context.environments.find_built(leaf.environment)
    if realised is None:
        realised = await context.environments.get_or_build(leaf.environment, notes.append)
    await step_data.fetch(context, twin, notes.append, 1, realised)
    layout = step_data.lay_out(context, twin, realised, 1)
    spec = step_spec.make_startable_spec(context, twin, 1)
    text, variables = twin.backend(context, realised).steps.fill_in(spec, layout, (), twin.fetched)
    return {
        "job": job.name,
        "attempts": job_attempts.get_last_attempt_number(context.db, job),
        "folder": layout.folders.folder,
        "cwd": layout.folders.cwd,
        "command": text,
        "python": layout.environment.python,
        "environment": variables,
        "notes": notes,
    }


def _list_distribution_notes(distribution: Any) -> list[str]:
    """Return the line about what the copy of a distributed job lacks."""
    kind = str(distribution.type).lower() if distribution is not None else ""
    if kind == "ray":
        return ["the copy has no Ray cluster, and no RAY_ADDRESS: its command runs as one process"]
    if kind not in _PROCESS_VARIABLES:
        return []
    names = _PROCESS_VARIABLES[kind]
    return [
        f"the copy runs as one process, without the variables of distribution '{kind}' ({names}); set what you need"
    ]


def _keep_here(name: str, output: Any, folder: str) -> Any:
    if name == "artifacts" and not output.path:
        return output
    here = copy.copy(output)
    here.path = f"file://{folder}/outputs/{name}"
    return here
