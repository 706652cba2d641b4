"""Functions that make steps and jobs, with the names and parameters of the SDK."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from smalt.entities.jobs.command import CommandNode
from smalt.entities.jobs.inputs import Input, Output
from smalt.entities.jobs.search_space import SweepDistribution
from smalt.entities.schema.entity import Entity
from smalt.entities.schema.paths import as_text
from smalt.entities.schema.problems import did_you_mean
from smalt.entities.schema.reader import Reader
from smalt.entities.steps.bindings import Promise, StepInputs, StepOutputs
from smalt.entities.syntax.references import is_reference, to_reference
from smalt.exceptions import LocatedProblem, UnexpectedKeywordError, ValidationException
from smalt.machine.source_lines import find_caller, warn_caller

if TYPE_CHECKING:
    from smalt.entities.jobs.spark import SparkNode


def command(
    *,
    name: str | None = None,
    description: str | None = None,
    tags: Mapping[str, str] | None = None,
    properties: Mapping[str, str] | None = None,
    display_name: str | None = None,
    command: str | None = None,
    experiment_name: str | None = None,
    environment: Any = None,
    environment_variables: Mapping[str, str] | None = None,
    distribution: Any = None,
    compute: str | None = None,
    inputs: Mapping[str, Any] | None = None,
    outputs: Mapping[str, Any] | None = None,
    instance_count: int | None = None,
    instance_type: str | None = None,
    locations: list[str] | None = None,
    docker_args: str | list[str] | None = None,
    shm_size: str | None = None,
    timeout: int | None = None,
    code: str | os.PathLike[str] | None = None,
    identity: Any = None,
    is_deterministic: bool = True,
    services: Mapping[str, Any] | None = None,
    job_tier: str | None = None,
    priority: str | None = None,
    parent_job_name: str | None = None,
    **more: Any,
) -> CommandNode:
    """A command: submitted it is a job; called in a function with @pipeline, each call is a step.

    `timeout` is in seconds. Raises ValidationException with everything that is wrong.
    """
    resources = {
        "instance_count": instance_count, "instance_type": instance_type, "locations": locations,
        "docker_args": docker_args, "shm_size": shm_size,
    }  # fmt: skip
    fields = {
        "name": name, "description": description, "tags": tags, "properties": properties,
        "display_name": display_name, "command": command, "experiment_name": experiment_name,
        "environment": environment, "environment_variables": environment_variables, "distribution": distribution,
        "compute": compute, "code": code, "identity": identity, "services": services,
        "resources": drop_unset(resources) or None, "limits": None if timeout is None else {"timeout": timeout},
        "queue_settings": drop_unset({"job_tier": job_tier, "priority": priority}) or None,
        **take_fields("command", CommandNode, more),
    }  # fmt: skip
    node: CommandNode = make_step(CommandNode, fields, inputs, outputs)
    if not is_deterministic:
        node.__dict__["is_deterministic"] = False
    if more.get("version") is not None:
        node.__dict__["version"] = more["version"]
    if parent_job_name is not None:
        node.__dict__["parent_job_name"] = parent_job_name
    return node


def spark(
    *,
    experiment_name: str | None = None,
    name: str | None = None,
    display_name: str | None = None,
    description: str | None = None,
    tags: Mapping[str, str] | None = None,
    code: str | os.PathLike[str] | None = None,
    entry: Any = None,
    py_files: list[str] | None = None,
    jars: list[str] | None = None,
    files: list[str] | None = None,
    archives: list[str] | None = None,
    identity: Any = None,
    driver_cores: int | None = None,
    driver_memory: str | None = None,
    executor_cores: int | None = None,
    executor_memory: str | None = None,
    executor_instances: int | None = None,
    dynamic_allocation_enabled: bool | None = None,
    dynamic_allocation_min_executors: int | None = None,
    dynamic_allocation_max_executors: int | None = None,
    conf: Mapping[str, str] | None = None,
    environment: Any = None,
    inputs: Mapping[str, Any] | None = None,
    outputs: Mapping[str, Any] | None = None,
    args: str | None = None,
    compute: str | None = None,
    resources: Any = None,
    **more: Any,
) -> SparkNode:
    """A Spark job, or called in a function with @pipeline, a step."""
    from smalt.entities.jobs.spark import SparkNode

    sizes = {
        "spark.driver.cores": driver_cores,
        "spark.driver.memory": driver_memory,
        "spark.executor.cores": executor_cores,
        "spark.executor.memory": executor_memory,
        "spark.executor.instances": executor_instances,
        "spark.dynamicAllocation.enabled": dynamic_allocation_enabled,
        "spark.dynamicAllocation.minExecutors": dynamic_allocation_min_executors,
        "spark.dynamicAllocation.maxExecutors": dynamic_allocation_max_executors,
    }
    fields = {
        "experiment_name": experiment_name, "name": name, "display_name": display_name, "description": description,
        "tags": tags, "code": code, "entry": entry, "py_files": py_files, "jars": jars, "files": files,
        "archives": archives, "identity": identity, "conf": {**(conf or {}), **drop_unset(sizes)} or None,
        "environment": environment, "args": args, "compute": compute, "resources": resources,
        **take_fields("spark", SparkNode, more),
    }  # fmt: skip
    node: SparkNode = make_step(SparkNode, fields, inputs, outputs)
    return node


def drop_unset(values: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value is not None}


def take_fields(function: str, noun: type[Entity], more: Mapping[str, Any]) -> dict[str, Any]:
    """Return the further arguments that are keys of the noun; refuse misspelt ones and warn of others."""
    own = ("instance_count", "instance_type", "timeout", "is_deterministic", "version")
    check_arguments(function, more, [*noun._fields, *own])
    return {key: value for key, value in more.items() if key in noun._fields}


def check_arguments(function: str, more: Iterable[str], known: Sequence[str]) -> None:
    """Refuse arguments that are nearly known ones, and warn of others, which Azure's client takes and ignores."""
    for name in more:
        if name not in known and not name.startswith("_"):
            if hint := did_you_mean(name, known):
                raise UnexpectedKeywordError(f"{function}() has no parameter '{name}'{hint}", find_caller())
            warn_caller(f"{function}() has no parameter '{name}', so it has no effect")


def make_step(
    noun: type[Entity], fields: Mapping[str, Any], inputs: Mapping[str, Any] | None, outputs: Mapping[str, Any] | None
) -> Any:
    """A step whose command stands in it, checked; problems are told at the caller's line."""
    where = find_caller()
    reader = Reader()
    given_inputs = {name: _to_plain_input(name, value, where) for name, value in (inputs or {}).items()}
    kept = {
        name: value for name, value in given_inputs.items() if isinstance(value, (Promise, SweepDistribution, Input))
    }
    data = {key: _to_plain(value) for key, value in drop_unset(fields).items()}
    if "environment" in data:
        data["environment"] = _load_environment(data["environment"])
    data["inputs"] = {name: value if name not in kept else "${{" for name, value in given_inputs.items()}
    data["outputs"] = dict(outputs or {})
    node: Any = noun._read_data(data, (), reader)
    if reader.problems or node is None:
        raise ValidationException([LocatedProblem(*where, 0, str(problem)) for problem in reader.problems])
    values = vars(node)
    read = {name: kept.get(name, value) for name, value in node.inputs.items()}
    values["inputs"] = StepInputs(node, {name: value for name, value in read.items() if value is not None})
    values["outputs"] = StepOutputs(node, {name: value or Output() for name, value in node.outputs.items()})
    values["_line"] = where
    return node


def _load_environment(value: Any) -> Any:
    """Return the environment that a file describes, as in YAML, or the reference."""
    is_file = isinstance(value, str) and (value.startswith("file:") or value.endswith((".yml", ".yaml")))
    if not is_file or is_reference(value):
        return to_reference(value)
    from smalt.dsl.loading import load_environment

    return load_environment(value.removeprefix("file:"))


def _to_plain(value: Any) -> Any:
    """A path as text, an enum's member as its value, an asset as an input."""
    value = as_text(value)
    from enum import Enum

    if isinstance(value, Enum):
        return value.value
    from smalt.entities.assets.data import Data
    from smalt.entities.assets.model import Model

    if isinstance(value, (Data, Model)):
        from smalt.entities.steps.calls import convert_input

        return convert_input("", value, None, ("", 0))
    return value


def _to_plain_input(name: str, value: Any, where: tuple[str, int]) -> Any:
    """Return an input as plain data; it may be an output of a job that has ended."""
    if isinstance(value, Output) and not isinstance(value, Promise):
        from smalt.entities.steps.calls import convert_input

        return convert_input(name, value, None, where)
    return _to_plain(value)
