"""The folder of a saved environment: `azureml_environment.json`, and its conda file or Dockerfile beside it."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any

from smalt.v1.conda_dependencies import CondaDependencies, read_conda_file
from smalt.v1.environment import Environment
from smalt.v1.exceptions import UserErrorException

DEFINITION = "azureml_environment.json"
_CONDA, _DOCKERFILE = "conda_dependencies.yml", "BaseDockerfile"


def read_environment(folder: str) -> Environment:
    path = os.path.join(folder, DEFINITION)
    try:
        with open(path, encoding="utf-8") as file:
            found = json.load(file)
    except OSError as error:
        raise UserErrorException(f"there is no saved environment in '{folder}': {path}: {error.strerror}") from None
    except ValueError as error:
        raise UserErrorException(f"{path} is not JSON: {error}") from None
    if not isinstance(found, dict) or not found.get("name"):
        raise UserErrorException(f"{path} is no environment of SDK v1: it has no 'name'")
    made = build_environment(found)
    conda, dockerfile = os.path.join(folder, _CONDA), os.path.join(folder, _DOCKERFILE)
    if os.path.isfile(conda):
        made.python.conda_dependencies = CondaDependencies(_underlying_structure=read_conda_file(conda))
    if os.path.isfile(dockerfile):
        with open(dockerfile, encoding="utf-8") as file:
            made.docker.base_dockerfile, made.docker.base_image = file.read(), None
    return made


def build_environment(found: Mapping[str, Any]) -> Environment:
    """Return the environment of v1's JSON, whose keys are in camel case, or of the same in a `.runconfig`."""
    made = Environment(str(found.get("name") or "default"))
    python, docker = found.get("python") or {}, found.get("docker") or {}
    made.python.user_managed_dependencies = bool(python.get("userManagedDependencies", False))
    made.python.interpreter_path = python.get("interpreterPath") or "python"
    conda = python.get("condaDependencies")
    if isinstance(conda, Mapping):
        made.python.conda_dependencies = CondaDependencies(_underlying_structure=conda)
    for name in ("baseImage", "baseDockerfile", "shmSize", "arguments"):
        if docker.get(name):
            setattr(made.docker, _SNAKE[name], docker[name])
    if docker.get("baseDockerfile"):
        made.docker.base_image = None
    made.environment_variables = {
        str(key): str(value) for key, value in (found.get("environmentVariables") or {}).items()
    }
    return made


_SNAKE = {
    "baseImage": "base_image",
    "baseDockerfile": "base_dockerfile",
    "shmSize": "shm_size",
    "arguments": "arguments",
}


def dump_environment(environment: Environment) -> dict[str, Any]:
    """Return v1's JSON of an environment."""
    conda, docker = environment.python.conda_dependencies, environment.docker
    return {
        "name": environment.name,
        "version": environment.version,
        "environmentVariables": dict(environment.environment_variables),
        "python": {
            "userManagedDependencies": environment.python.user_managed_dependencies,
            "interpreterPath": environment.python.interpreter_path,
            "condaDependencies": conda.as_dict() if conda is not None else None,
        },
        "docker": {
            "enabled": docker.enabled,
            "baseImage": docker.base_image,
            "baseDockerfile": docker.base_dockerfile,
            "shmSize": docker.shm_size,
            "arguments": docker.arguments,
        },
        "inferencingStackVersion": environment.inferencing_stack_version,
    }


def write_environment(environment: Environment, folder: str, overwrite: bool) -> None:
    if os.path.isdir(folder) and os.listdir(folder) and not overwrite:
        raise UserErrorException(f"'{folder}' has files already; to replace them say overwrite=True")
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, DEFINITION), "w", encoding="utf-8") as file:
        json.dump(dump_environment(environment), file, indent=4)
    if environment.python.conda_dependencies is not None:
        environment.python.conda_dependencies.save(os.path.join(folder, _CONDA))
    if environment.docker.base_dockerfile is not None:
        with open(os.path.join(folder, _DOCKERFILE), "w", encoding="utf-8") as file:
            file.write(environment.docker.base_dockerfile)
