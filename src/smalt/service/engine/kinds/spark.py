"""A Spark job is one step: spark-submit in an environment with PySpark and Java, with the inputs as paths."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

import yaml
from smalt import wire
from smalt.entities import CommandJob, SparkJob
from smalt.entities.rules.sentences import explain_missing_spark_file
from smalt.entities.rules.spark import RUNTIMES, choose_runtime, count_cores
from smalt.entities.schema.travel import build_job_values
from smalt.entities.syntax.expression import remove_empty_blocks
from smalt.exceptions import SmaltError, ValidationException
from smalt.service.engine.context import EngineContext
from smalt.service.engine.kinds.command import CommandKind
from smalt.service.engine.kinds.leaf import Leaf
from smalt.service.engine.kinds.properties import remove_planned
from smalt.service.engine.kinds.spark_mounts import VARIABLE, list_mounts
from smalt.service.engine.kinds.spark_submission import build_command, find_master, split_arguments
from smalt.service.engine.kinds.step_jobs import fill_job_name, find_compute, make_reuse_note
from smalt.service.engine.outcome import PROGRAM_SENTENCE
from smalt.service.engine.submission import lookup
from smalt.service.environments.resolution.conda_files import parse_yaml
from smalt.service.records import jobs
from smalt.service.records.jobs import Job
from smalt.service.records.workspaces import Workspace

if TYPE_CHECKING:
    from smalt.service.engine.kinds.pipeline_plan import Planner
    from smalt.service.engine.kinds.step_jobs import PlannedStep
    from smalt.service.engine.submission.checks import Checker

_FILES = ("py_files", "jars", "files", "archives")


class SparkKind(CommandKind):
    """A Spark application, whose driver and executors are one process of this machine, or which a master runs."""

    type = "spark"

    def check_job(self, checker: Checker, job: Any) -> None:
        checker.check_unknown_keys(job)
        checker.check_code("", job.code)
        checker.note_idle("", job)
        checker.check_secrets("", job)
        checker.check_inputs("", job.inputs, job)
        checker.check_versions("", job.outputs)
        if find_master(job.compute) is None:
            checker.check_compute("", job.compute)
        _check_application(checker, "", job, job)

    def check_step(self, checker: Checker, where: str, node: Any, component: Any, inputs: Mapping[str, Any]) -> None:
        checker.check_code(where, component.code)
        _check_application(checker, where, node, component)

    def make_step_job(self, planner: Planner, step: PlannedStep) -> SparkJob:
        """Return the Spark job of a step, with the inputs and places that the pipeline gives it."""
        node, component = step.node, step.component
        args = vars(node).get("args") or component.args or ""  # Azure's client gives the step its component's
        made = {
            "args": fill_job_name(remove_empty_blocks(args, step.inputs), step.name) or None,
            "code": planner.pins.get_reference("codes", component.code) if component.code else None,
            "inputs": step.inputs,
            "outputs": step.outputs,
        }
        fields = build_job_values(SparkJob, node, component, made, step.scope.resolve_field)
        if isinstance(fields.get("environment"), str):
            fields["environment"] = planner.pins.get_reference("environments", fields["environment"])
        fields["compute"] = find_compute(planner, step, fields.get("compute"))
        job = SparkJob(**{**fields, **made})
        job.properties = {**remove_planned(job.properties), **make_reuse_note(planner, step)}
        return job

    def read_leaf(self, context: EngineContext, job: Job, workspace: Workspace, entity: Any = None) -> Leaf:
        """Return the job as the command that submits it to Spark."""
        if entity is None:
            entity = cast("SparkJob", wire.from_rest({"properties": jobs.read_properties(context.db, job.id)}, "job"))
        leaf = Leaf.read(context, job, workspace, _make_command(entity))
        leaf.environment = find_environment(context, workspace, entity)
        leaf.sentence_file = PROGRAM_SENTENCE
        leaf.cpus = count_cores(entity.conf or {})
        leaf.more_variables = {VARIABLE: json.dumps(list_mounts(context, workspace))}
        return leaf


KIND = SparkKind()


def find_environment(context: EngineContext, workspace: Workspace, job: Any) -> dict[str, Any]:
    """Return the environment of a job: smalt's own for its Spark, with the packages of the job's own added."""
    own = _find_runtime_environment(context, workspace, job)
    if not job.environment:
        return own
    given = lookup.find_environment(context, workspace, str(job.environment))
    if given.get("host"):
        return given
    return _add_spark(given, own)


def _find_runtime_environment(context: EngineContext, workspace: Workspace, job: Any) -> dict[str, Any]:
    runtime = choose_runtime(getattr(job.resources, "runtime_version", None))
    return lookup.find_environment(context, workspace, f"azureml:smalt-spark-{runtime}")


def _add_spark(given: Mapping[str, Any], spark: Mapping[str, Any]) -> dict[str, Any]:
    """Return an environment with PySpark beside its packages, unless it pins one of its own."""
    if not given.get("condaFile"):
        what = "an image" if given.get("image") else "a Dockerfile"
        raise ValidationException(
            f"environment: a Spark job takes the packages of a conda file, and '{given.get('name') or 'this one'}' "
            f"is {what} without one; give it a conda_file"
        )
    whole = parse_yaml(str(given["condaFile"])) or {}
    plain, pip = _split_dependencies(whole)
    own_plain, own_pip = _split_dependencies(parse_yaml(str(spark["condaFile"])))
    known = {_get_project(line) for line in (*plain, *pip)}
    added = [line for line in own_pip if _get_project(line) not in known]
    plain = [*(line for line in own_plain if _get_project(line) not in known), *plain]
    conda = {**whole, "dependencies": [*plain, {"pip": [*pip, *added]}]}
    kept = {key: value for key, value in given.items() if key in ("name", "files")}
    return {**kept, "condaFile": yaml.safe_dump(conda, sort_keys=False)}


def _split_dependencies(conda: Mapping[str, Any]) -> tuple[list[str], list[str]]:
    """Return the conda packages of a conda file, and those that pip installs."""
    listed = conda.get("dependencies") or []
    plain = [str(one) for one in listed if not isinstance(one, Mapping)]
    return plain, [str(line) for one in listed if isinstance(one, Mapping) for line in one.get("pip") or []]


def _get_project(line: str) -> str:
    """Return the name of the project that a line of requirements names."""
    return re.split(r"[\s=<>!~\[;@]", line.rpartition("::")[2].strip(), maxsplit=1)[0].lower().replace("_", "-")


def _make_command(job: Any) -> CommandJob:
    """Return the command job that runs a Spark job."""
    fields = {
        name: value
        for name in ("name", "display_name", "experiment_name", "code", "inputs", "outputs", "identity", "properties")
        if (value := getattr(job, name, None)) is not None
    }
    compute = None if find_master(job.compute) else job.compute
    return CommandJob(**fields, command=build_command(job), compute=compute, environment="azureml:host")


def _check_application(checker: Checker, where: str, node: Any, component: Any) -> None:
    """Check the environment, the arguments, and that each file it names is in the code."""
    environment = getattr(node, "environment", None) or component.environment
    checker.check_environment(where, environment)
    try:
        split_arguments(vars(node).get("args") or component.args or "")
    except SmaltError as error:
        checker.add(where.rstrip("."), str(error))
    wanted = getattr(vars(node).get("resources") or vars(component).get("resources"), "runtime_version", None)
    runtime = choose_runtime(wanted)
    if wanted and not str(wanted).startswith(runtime):
        checker.notes.append(
            f"Spark {wanted} is not one that smalt has ({', '.join(RUNTIMES)}); the job runs with Spark {runtime}, "
            "the nearest"
        )
    _check_files(checker, where, component)


def _check_files(checker: Checker, where: str, component: Any) -> None:
    if not component.code:
        return
    try:
        text = checker.pins.resolve_reference("codes", component.code)
        snapshot = lookup.find_snapshot(checker.context, checker.workspace, text)
    except SmaltError:  # told by check_code
        return
    entries = {entry.path for entry in checker.context.data.snapshots.read_entries(snapshot) if entry.content}
    named = [("entry.file", component.entry.file)] if component.entry.file else []
    named += [(key, one) for key in _FILES for one in getattr(component, key) or ()]
    for key, path in named:
        plain = str(path).partition("#")[0].removeprefix("./")
        if "://" not in plain and not plain.startswith("/") and "*" not in plain and plain not in entries:
            checker.add(f"{where}{key}", explain_missing_spark_file(path))
