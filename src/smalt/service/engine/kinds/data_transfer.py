"""A data transfer is one step: smalt's own program, which copies folders, or reads and writes what is elsewhere."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from smalt import wire
from smalt.entities import CommandJob, DataTransferJob, Input
from smalt.entities.rules.data_transfer import COPY, EXPORT, IMPORT, SINK, SOURCE, find_copy_problem
from smalt.entities.schema.travel import build_job_values
from smalt.entities.syntax.expression import has_expression
from smalt.exceptions import SmaltError, ValidationException
from smalt.service.compute.spec import StepSpec
from smalt.service.engine.context import EngineContext
from smalt.service.engine.kinds.command import CommandKind
from smalt.service.engine.kinds.leaf import Leaf
from smalt.service.engine.kinds.properties import REUSE, remove_planned
from smalt.service.engine.kinds.step_jobs import find_compute, make_reuse_note
from smalt.service.engine.kinds.transfer_addresses import list_secrets, read_database, read_folder
from smalt.service.engine.outcome import PROGRAM_SENTENCE
from smalt.service.engine.submission.connections import find_connection
from smalt.service.records import jobs
from smalt.service.records.jobs import Job
from smalt.service.records.workspaces import Workspace

if TYPE_CHECKING:
    from smalt.service.engine.kinds.pipeline_plan import Planner
    from smalt.service.engine.kinds.step_jobs import PlannedStep
    from smalt.service.engine.submission.checks import Checker

VARIABLE = "SMALT_DATA_TRANSFER_CONNECTION"
"""The variable with the address and the secrets of a connection: they are in no command line and in no file."""
ORIGINS = "SMALT_DATA_TRANSFER_ORIGINS"
"""The variable with the places of the inputs: what the program reads may be a copy of them."""
ENVIRONMENT = "azureml:smalt-data-transfer"
"""The environment of tasks that read or write a database."""

_DEFAULT_MODE = "merge_with_overwrite"
_ENDS = {IMPORT: SOURCE, EXPORT: SINK}
_NEVER = {
    IMPORT: "never: what is imported may have changed where it comes from",
    EXPORT: "never: it sends its data elsewhere each time",
}


class TransferLeaf(Leaf):
    """A data transfer about to run."""

    sentence_file = PROGRAM_SENTENCE

    def complete_spec(self, spec: StepSpec) -> None:
        origins = {name: str(place.path) for name, place in self.places.items() if place.path is not None}
        self.more_variables[ORIGINS] = json.dumps(origins)


class DataTransferKind(CommandKind):
    """Data that is copied within the workspace, or brought into it, or sent out of it."""

    type = "data_transfer"

    def check_job(self, checker: Checker, job: Any) -> None:
        checker.check_unknown_keys(job)
        checker.check_compute("", job.compute)
        checker.note_idle("", job)
        checker.check_inputs("", job.inputs, job)
        checker.check_versions("", job.outputs)
        _check_end(checker, "", job.task, job)

    def check_step(self, checker: Checker, where: str, node: Any, component: Any, inputs: Mapping[str, Any]) -> None:
        _check_end(checker, where, component.task, node)

    def make_step_job(self, planner: Planner, step: PlannedStep) -> DataTransferJob:
        """Return the job of a step, with the inputs and places that the pipeline gives it."""
        node, component = step.node, step.component
        made = {"task": component.task, "inputs": step.inputs, "outputs": step.outputs}
        fields = build_job_values(DataTransferJob, node, component, made, step.scope.resolve_field)
        fields["compute"] = find_compute(planner, step, fields.get("compute"))
        job = DataTransferJob(**{**fields, **made})
        never = {REUSE: _NEVER[job.task]} if job.task in _NEVER else {}
        job.properties = {**remove_planned(job.properties), **make_reuse_note(planner, step), **never}
        if job.task == COPY and (problem := _find_type_problem(job, component)):
            raise ValidationException(f"step '{step.node_name}': {problem}")
        return job

    def read_leaf(self, context: EngineContext, job: Job, workspace: Workspace, entity: Any = None) -> Leaf:
        """Return the job as the command that runs smalt's program for it."""
        if entity is None:
            body = {"properties": jobs.read_properties(context.db, job.id)}
            entity = cast("DataTransferJob", wire.from_rest(body, "job"))
        leaf = TransferLeaf.read(context, job, workspace, _make_command(entity))
        end = getattr(entity, _ENDS.get(entity.task, ""), None)
        if end is not None:
            leaf.more_variables = {VARIABLE: json.dumps(_describe_end(context, workspace, end))}
        return leaf


KIND = DataTransferKind()


def _check_end(checker: Checker, where: str, task: str, noun: Any) -> None:
    """Check that the connection of a source or sink is there, and leads to where it is said to lead."""
    key = _ENDS.get(task)
    end = vars(noun).get(key) if key else None
    if end is None:
        if key:
            checker.add(where.rstrip("."), f"a data transfer with 'task: {task}' needs '{key}'")
        return
    if has_expression(end.connection):
        return
    try:
        connection = find_connection(checker.context, checker.workspace, str(end.connection))
        if end.type == "database":
            read_database(connection)
        elif not has_expression(end.path):
            read_folder(checker.context, connection, end.path)
    except SmaltError as error:
        checker.add(f"{where}{key}.connection", str(error))


def _describe_end(context: EngineContext, workspace: Workspace, end: Any) -> dict[str, Any]:
    """Return how the program opens a source or sink, or the sentence about why it cannot, which the job fails with."""
    try:
        connection = find_connection(context, workspace, str(end.connection))
        if end.type != "database":
            return {"path": read_folder(context, connection, end.path), "secrets": list_secrets(connection)}
        address = read_database(connection)
        return {**address._asdict(), "secrets": list_secrets(connection, address)}
    except SmaltError as error:
        return {"problem": str(error)}


def _find_type_problem(job: Any, component: Any) -> str | None:
    """Return the sentence about a step's output whose type is not that of its inputs, which are known now.

    An input has the type that the step declares: a loop's gathered output, an mltable, may be read as a uri_folder.
    """
    if not all(isinstance(value, Input) for value in job.inputs.values()):
        return "copy_data copies files and folders, and an input is a value"
    declared = {name: getattr(port, "type", None) for name, port in component.inputs.items()}
    types = {name: str(declared.get(name) or value.type or "uri_folder") for name, value in job.inputs.items()}
    [(name, output)] = job.outputs.items()
    problem = find_copy_problem(types, output.type or "uri_folder")
    return f"outputs.{name}: {problem}" if problem else None


def _make_command(job: Any) -> CommandJob:
    """Return the command job that runs a data transfer."""
    fields = {
        name: value
        for name in ("name", "display_name", "experiment_name", "inputs", "outputs", "compute", "properties")
        if (value := getattr(job, name, None)) is not None
    }
    end = getattr(job, _ENDS.get(job.task, ""), None)
    environment = ENVIRONMENT if end is not None and end.type == "database" else "azureml:host"
    return CommandJob(**fields, command=_build_text(job), environment=environment)


def _build_text(job: Any) -> str:
    """Return the text that bash runs. A `$` is written as JSON's escape: nothing is filled in for one."""
    settings = json.dumps(_list_settings(job), sort_keys=True).replace("$", "\\u0024")
    return f"exec smalt-data-transfer {shlex.quote(settings)}"


def _list_settings(job: Any) -> dict[str, Any]:
    if job.task == IMPORT:
        return {"task": job.task, SOURCE: job.source.to_dict()}
    if job.task == EXPORT:
        return {"task": job.task, SINK: job.sink.to_dict(), "type": job.inputs[SOURCE].type or "uri_folder"}
    [(name, output)] = job.outputs.items()
    return {
        "task": job.task,
        "mode": job.data_copy_mode or _DEFAULT_MODE,
        "inputs": list(job.inputs),
        "output": name,
        "type": output.type or "uri_folder",
    }
