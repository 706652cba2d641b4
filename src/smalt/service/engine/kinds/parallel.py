"""parallel: a step whose program has worker processes call `run` for each mini-batch of an input.

It is a leaf like a command, with smalt's own program for the command: src/smalt/inside/parallel. What belongs to it
alone is the folder of its journal, which outlives an attempt, and the key by which another job finds that.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from smalt.entities import CommandJob
from smalt.entities.jobs.parallel import ParallelTask
from smalt.entities.schema.travel import build_job_values
from smalt.entities.syntax.expression import parse_binding
from smalt.exceptions import SmaltError, ValidationException
from smalt.service.compute.spec import StepSpec
from smalt.service.compute.step import Say
from smalt.service.data.job_data import mltable_inputs
from smalt.service.engine.context import EngineContext
from smalt.service.engine.kinds.leaf import Leaf
from smalt.service.engine.kinds.parallel_settings import (
    VARIABLE,
    find_conflicts,
    make_settings,
    merge_values,
    read_settings,
    select_work,
    split_arguments,
    write_settings,
)
from smalt.service.engine.kinds.protocol import LeafKind
from smalt.service.engine.slots import SlotRequest
from smalt.service.environments import BuiltEnvironment
from smalt.service.records import reuse
from smalt.service.records.jobs import Job
from smalt.service.records.workspaces import Workspace
from smalt.service.reuse.keys import Parts

if TYPE_CHECKING:
    from smalt.service.engine.kinds.pipeline_plan import Planner
    from smalt.service.engine.kinds.step_jobs import PlannedStep
    from smalt.service.engine.submission.checks import Checker

COMMAND = "python -m _smalt_parallel"
MARK = {"azureml.parallelrunstep": "true"}
"""The property by which the service tells such a job from other commands."""
_FOLDERS = "parallel"
"""The folder of a workspace with the journals of parallel jobs."""
_FOLDER_VARIABLE = "SMALT_PARALLEL_FOLDER"
_CHANGED_VARIABLE = "SMALT_PARALLEL_CHANGED"
_OWN_VARIABLE = "SMALT_PARALLEL_OWN"
"""The outputs with a place of the job's own, which the program empties where it takes nothing over."""
_INPUT_VARIABLE = "AZURE_ML_INPUT_"
_OWN_FOLDER = ".parallel"
"""The folder of the journal in the working directory of a copy, which takes nothing over."""
_TABLE = "table.json"
"""A file beside the journal that says what an MLTable names: the program has no reader of YAML."""
_USERS = "jobs"
"""A file beside the journal with the names of the jobs that wrote it."""
_KEPT_SECONDS = 14 * 86_400
"""Seconds after which a journal that nobody went on with is removed."""


class ParallelLeaf(Leaf):
    """A parallel job about to run."""

    sentence_file = "logs/job_result.txt"

    @property
    def settings(self) -> dict[str, Any]:
        return read_settings(str(self.entity.environment_variables[VARIABLE]))

    @property
    def request(self) -> SlotRequest:
        settings = self.settings
        workers = int(settings.get("instances") or 1) * int(settings.get("per_instance") or os.cpu_count() or 1)
        return SlotRequest(cpus=workers, gpus=workers if self.wants_gpu else 0)

    def is_quick(self, context: EngineContext) -> bool:
        """Return False: what its inputs hold is looked at beside the loop."""
        return False

    @property
    def work_parts(self) -> Parts | None:
        if self.asked is None:
            return None
        parts = {name: value for name, value in self.asked.parts.items() if name != "resources"}
        settings = json.dumps(select_work(self.settings), sort_keys=True)
        return {**parts, "environment_variables": {**parts.get("environment_variables", {}), VARIABLE: settings}}

    def complete_spec(self, spec: StepSpec) -> None:
        """Give the program its folder, and keep what earlier attempts wrote: mini-batches that ended count on."""
        own = [name for name, output in spec.outputs.items() if output.is_private and not output.is_artifacts]
        self.more_variables[_OWN_VARIABLE] = ",".join(own)
        for output in spec.outputs.values():
            output.is_private = False
        spec.reads_tables = True
        if self.own_folder is not None:
            spec.lasting_folders = {_FOLDER_VARIABLE: str(self.own_folder)}

    own_folder: Path | None = None

    async def fetch_inputs(
        self, context: EngineContext, say: Say, number: int, environment: BuiltEnvironment
    ) -> dict[str, Path]:
        folders = context.home.path("workspaces", self.workspace.folder, _FOLDERS)
        if self.work is not None and _has_reader(context, self.job, folders / self.work.key):
            self.work = None
        self.own_folder = folders / (self.work.key if self.work is not None else f"job-{self.job.name}")
        if self.work is not None:
            self.more_variables[_CHANGED_VARIABLE] = repr(self.work.changed)
        self.known_spec = None
        paths = await super().fetch_inputs(context, say, number, environment)
        settings = self.settings
        data = paths.get(settings["input"]) if settings["input_type"] == "mltable" else None
        await asyncio.to_thread(_make_journal_folder, folders, self.own_folder, self.job.name, data)
        return paths


def _has_reader(context: EngineContext, job: Job, folder: Path) -> bool:
    """Return True if an earlier job with this folder read data beside its inputs, which may be other data now."""
    try:
        names = set((folder / _USERS).read_text().split()) - {job.name}
    except OSError:
        return False
    return any(reuse.is_reader(context.db, job.workspace_id, name) for name in names)


def _make_journal_folder(folders: Path, own: Path, job: str, data: Path | None) -> None:
    """Make the folder of a journal, describe the MLTable in it, and remove journals that are old."""
    own.mkdir(parents=True, exist_ok=True)
    with (own / _USERS).open("a") as file:
        file.write(f"{job}\n")
    for folder in folders.iterdir():
        with contextlib.suppress(OSError):
            newest = max(entry.stat().st_mtime for entry in (folder, *folder.iterdir()))
            if folder != own and newest < time.time() - _KEPT_SECONDS:
                shutil.rmtree(folder, ignore_errors=True)
    if data is not None:
        _describe_input(own, data)


def _describe_input(own: Path, data: Path) -> None:
    """Describe an MLTable in the folder of the journal."""
    if (data / "MLTable").is_file():
        own.mkdir(parents=True, exist_ok=True)
        partial = own / f"{_TABLE}.{os.getpid()}"
        partial.write_text(json.dumps(mltable_inputs.describe_table(data)))
        os.replace(partial, own / _TABLE)


class ParallelKind(LeafKind):
    """A step that runs a script on mini-batches; its job is a command in REST, which has no jobs of this type."""

    type = "parallel"
    is_submitted = False

    def check_step(self, checker: Checker, where: str, node: Any, component: Any, inputs: Mapping[str, Any]) -> None:
        values = merge_values(node, component)
        task = values.get("task")
        if not isinstance(task, ParallelTask):
            checker.add(f"{where}task", "a parallel step needs a task")
            return
        checker.check_environment(f"{where}task.", task.environment)
        checker.check_code(f"{where}task.", task.code)
        if task.code and checker.is_new("entry script", f"{task.code} {task.entry_script}"):
            _check_script(checker, where, task)
        try:
            arguments = split_arguments(task.program_arguments or "")
        except ValidationException as error:
            checker.add(f"{where}task.program_arguments", str(error))
            return
        for field, words in find_conflicts(values, arguments):
            checker.add(f"{where}{field}", words)
        step = ".".join(where.split(".")[1:-1:2])
        checker.idle += [(step, f"task.program_arguments: {words}") for words in arguments.idle]
        if values.get("partition_keys") and values.get("mini_batch_size") is not None:
            checker.idle.append((step, "mini_batch_size has no effect: partition_keys cut the input"))
        if task.model and parse_binding(task.model) is None:
            words = "task.model has no effect: only a model that is an input, '${{inputs.NAME}}', reaches the script"
            checker.idle.append((step, words))

    def make_step_job(self, planner: Planner, step: PlannedStep) -> CommandJob:
        from smalt.service.engine.kinds.step_jobs import make_step_command

        node, component = step.node, step.component
        values = merge_values(node, component, step.scope.resolve_field)
        task = values["task"]
        try:
            settings = make_settings(values, step.inputs, step.outputs)
        except ValueError as error:
            raise ValidationException(f"pipeline '{planner.name}': {step.node_name}: {error}") from None
        made = {
            "command": COMMAND,
            "code": planner.pins.get_reference("codes", task.code) if task.code else None,
            "inputs": step.inputs,
            "outputs": step.outputs,
        }
        fields = build_job_values(CommandJob, node, component, made, step.scope.resolve_field)
        fields["environment"] = task.environment or fields.get("environment")
        job = make_step_command(planner, step, fields, made)
        job.environment_variables = {**job.environment_variables, VARIABLE: write_settings(settings)}
        job.properties = {**job.properties, **MARK}
        return job

    def read_leaf(self, context: EngineContext, job: Job, workspace: Workspace, entity: Any = None) -> Leaf:
        return ParallelLeaf.read(context, job, workspace, entity)

    async def lay_out_copy(self, context: EngineContext, job: Job) -> dict[str, Any]:
        from smalt.service.engine.kinds.command_copy import lay_out_copy

        leaf = self.read_leaf(context, job, context.workspace(job))
        made = await lay_out_copy(context, leaf)
        settings = read_settings(str(leaf.entity.environment_variables[VARIABLE]))
        if settings["input_type"] == "mltable":
            data = Path(made["environment"][f"{_INPUT_VARIABLE}{settings['input']}"])
            folder = Path(made["cwd"], _OWN_FOLDER)
            await asyncio.to_thread(_describe_input, folder, data)
        return made


def _check_script(checker: Checker, where: str, task: ParallelTask) -> None:
    """Add a problem if the code has no such script."""
    from smalt.service.engine.submission import lookup

    try:
        code = lookup.find_snapshot(
            checker.context, checker.workspace, checker.pins.resolve_reference("codes", str(task.code))
        )
        entries = checker.context.data.snapshots.read_entries(code)
    except SmaltError:  # told with the code
        return
    script = os.path.normpath(str(task.entry_script))
    if not any(entry.path == script for entry in entries):
        checker.add(f"{where}task.entry_script", f"there is no file '{task.entry_script}' in the code")


KIND = ParallelKind()
