"""A command runs as one step."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from smalt.entities.rules.sentences import explain_missing_environment
from smalt.exceptions import RefusedError
from smalt.service.engine.context import EngineContext
from smalt.service.engine.deletion import removal
from smalt.service.engine.kinds.leaf import Leaf
from smalt.service.engine.kinds.leaf.step_spec import make_resources
from smalt.service.engine.kinds.properties import OUTPUT_FOLDER, RAN_IN
from smalt.service.engine.kinds.protocol import LeafKind
from smalt.service.records import jobs
from smalt.service.records.jobs import Job
from smalt.service.records.workspaces import Workspace

if TYPE_CHECKING:
    from smalt.service.engine.kinds.pipeline_plan import Planner
    from smalt.service.engine.kinds.step_jobs import PlannedStep
    from smalt.service.engine.submission.checks import Checker


class CommandKind(LeafKind):
    """A single command, which runs as a step."""

    type = "command"

    def check_job(self, checker: Checker, job: Any) -> None:
        if not job.environment:
            checker.add("", explain_missing_environment("this job"))
        checker.check_unknown_keys(job)
        checker.check_environment("", job.environment)
        checker.check_code("", job.code)
        checker.check_compute("", job.compute)
        for problem in checker.context.computes.find_backend(job.compute).steps.find_problems(make_resources(job)):
            checker.add("resources", problem)
        checker.note_idle("", job)
        checker.check_secrets("", job)
        checker.check_inputs("", job.inputs, job)
        checker.check_versions("", job.outputs)

    def check_step(self, checker: Checker, where: str, node: Any, component: Any, inputs: Mapping[str, Any]) -> None:
        checker.check_environment(where, getattr(node, "environment", None) or component.environment)
        checker.check_code(where, component.code)

    def make_step_job(self, planner: Planner, step: PlannedStep) -> Any:
        from smalt.service.engine.kinds.step_jobs import make_command_job

        return make_command_job(planner, step)

    def make_properties(self, context: EngineContext, workspace: Workspace, name: str) -> dict[str, str]:
        """Return the folder for its outputs, if the folder of its name is still that of a deleted job."""
        folder = removal.find_free_folder(context, workspace, name)
        return {} if folder == name else {OUTPUT_FOLDER: folder}

    def read_leaf(self, context: EngineContext, job: Job, workspace: Workspace, entity: Any = None) -> Leaf:
        return Leaf.read(context, job, workspace, entity)

    async def lay_out_copy(self, context: EngineContext, job: Job) -> dict[str, Any]:
        from smalt.service.engine.kinds.command_copy import lay_out_copy

        ran_in = (jobs.read_properties(context.db, job.id).get("properties") or {}).get(RAN_IN)
        if ran_in:
            raise RefusedError(f"job '{job.name}' had no process of its own; look into '{ran_in}', which ran it")
        return await lay_out_copy(context, self.read_leaf(context, job, context.workspace(job)))


KIND = CommandKind()
