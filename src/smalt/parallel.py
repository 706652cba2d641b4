"""Work on mini-batches of data, under the names of `azure.ai.ml.parallel`."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from smalt.dsl.builders import drop_unset, make_step, take_fields
from smalt.entities.jobs.parallel import ParallelNode, ParallelTask
from smalt.entities.syntax.references import to_reference

__all__ = ["ParallelJob", "RunFunction", "parallel_run_function"]

ParallelJob = ParallelNode


class RunFunction(ParallelTask):
    """A script with the functions `init()` and `run(mini_batch)`."""

    def __init__(
        self,
        *,
        code: str | os.PathLike[str] | None = None,
        entry_script: str | None = None,
        program_arguments: str | None = None,
        model: str | None = None,
        append_row_to: str | None = None,
        environment: Any = None,
        **more: Any,
    ) -> None:
        values = {
            "code": os.fspath(code) if code is not None else None, "entry_script": entry_script,
            "program_arguments": program_arguments, "model": model, "append_row_to": append_row_to,
            "environment": to_reference(environment),
        }  # fmt: skip
        super().__init__(type="run_function", **drop_unset(values))
        self.extra.update({key: value for key, value in more.items() if key != "type"})


def parallel_run_function(
    *,
    name: str | None = None,
    description: str | None = None,
    tags: Mapping[str, str] | None = None,
    properties: Mapping[str, str] | None = None,
    display_name: str | None = None,
    experiment_name: str | None = None,
    compute: str | None = None,
    retry_settings: Any = None,
    environment_variables: Mapping[str, str] | None = None,
    logging_level: str | None = None,
    max_concurrency_per_instance: int | None = None,
    error_threshold: int | None = None,
    mini_batch_error_threshold: int | None = None,
    task: Any = None,
    mini_batch_size: str | None = None,
    partition_keys: list[str] | None = None,
    input_data: str | None = None,
    inputs: Mapping[str, Any] | None = None,
    outputs: Mapping[str, Any] | None = None,
    instance_count: int | None = None,
    instance_type: str | None = None,
    docker_args: str | None = None,
    shm_size: str | None = None,
    identity: Any = None,
    is_deterministic: bool = True,
    **more: Any,
) -> ParallelNode:
    """Return a parallel step; under @pipeline, each call of it adds one to that pipeline."""
    resources = {
        "instance_count": instance_count, "instance_type": instance_type,
        "docker_args": docker_args, "shm_size": shm_size,
    }  # fmt: skip
    fields = {
        "name": name, "description": description, "tags": tags, "properties": properties,
        "display_name": display_name, "experiment_name": experiment_name, "compute": compute,
        "retry_settings": retry_settings, "environment_variables": environment_variables,
        "logging_level": logging_level, "max_concurrency_per_instance": max_concurrency_per_instance,
        "error_threshold": error_threshold, "mini_batch_error_threshold": mini_batch_error_threshold,
        "task": task, "mini_batch_size": mini_batch_size, "partition_keys": partition_keys,
        "input_data": input_data, "identity": identity, "resources": drop_unset(resources) or None,
        **take_fields("parallel_run_function", ParallelNode, more),
    }  # fmt: skip
    node: ParallelNode = make_step(ParallelNode, fields, inputs, outputs)
    if not is_deterministic:
        node.__dict__["is_deterministic"] = False
    if more.get("version") is not None:
        node.__dict__["version"] = more["version"]
    return node
