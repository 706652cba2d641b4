"""Functions that make jobs, with the names and parameters of the SDK."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from smalt.entities import CommandJob


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
    docker_args: str | None = None,
    shm_size: str | None = None,
    timeout: int | None = None,
    code: str | None = None,
    identity: Any = None,
    services: Mapping[str, Any] | None = None,
) -> CommandJob:
    """A command job, checked: `ml_client.jobs.create_or_update(command(...))` runs it.

    `timeout` is in seconds. Raises ValidationException with everything that is wrong.
    """
    resources = {
        "instance_count": instance_count, "instance_type": instance_type,
        "docker_args": docker_args, "shm_size": shm_size,
    }  # fmt: skip
    fields = {
        "name": name, "description": description, "tags": tags, "properties": properties,
        "display_name": display_name, "command": command, "experiment_name": experiment_name,
        "environment": environment, "environment_variables": environment_variables, "distribution": distribution,
        "compute": compute, "inputs": inputs, "outputs": outputs, "code": code, "identity": identity,
        "services": services, "resources": _given(resources) or None,
        "limits": None if timeout is None else {"timeout": timeout},
    }  # fmt: skip
    return CommandJob.from_dict(_given(fields))


def _given(values: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value is not None}
