"""`.runconfig` files: run configurations as YAML, in a folder's `.azureml` or `aml_config`, or beside the program."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from smalt.v1.conda_dependencies import CondaDependencies
from smalt.v1.environment import Environment
from smalt.v1.exceptions import RunConfigurationException
from smalt.v1.files.environments import build_environment, dump_environment
from smalt.v1.notices import tell_no_effect
from smalt.v1.run_configuration import RunConfiguration
from smalt.v1.run_settings import DockerConfiguration, MpiConfiguration, PyTorchConfiguration, TensorflowConfiguration

_FOLDERS = (".azureml", "aml_config", "")
_ENDING = ".runconfig"
_READ = (
    "script", "arguments", "command", "target", "framework", "communicator", "maxRunDurationSeconds", "nodeCount",
    "environment", "environmentVariables", "mpi", "pytorch", "pyTorch", "tensorflow", "docker", "dataReferences",
    "data", "outputData", "spark",
)  # fmt: skip
_DEFAULTS = (
    "history", "autoPrepareEnvironment", "prepareEnvironment", "useAbsolutePath", "jobName", "aiSuperComputer",
    "parallelTask", "BatchAi", "batchai", "resources", "hdi", "containerInstance", "exposePorts",
    "credentialPassthrough", "jobRole", "cmk8sCompute", "commandReturnCodeConfig", "cmAks",
    "componentConfiguration", "applicationEndpoints",
)  # fmt: skip
"""Keys that v1 writes into each file, whose settings are about its own machines."""
_NO_EFFECT = ("priority", "identity", "sourceDirectoryDataStore", "amlcompute")


def find_run_configuration(path: str, name: str | None) -> str:
    """Return the file of a run configuration; raises RunConfigurationException."""
    if os.path.isfile(path):
        return path
    wanted = f"{name or 'local'}{_ENDING}"
    for folder in _FOLDERS:
        for file in (wanted, name or wanted):
            found = os.path.join(path, folder, file)
            if os.path.isfile(found):
                return found
    raise RunConfigurationException(f"there is no run configuration '{name or path}' in '{path}' or its .azureml")


def read_run_configuration(path: str, name: str | None) -> RunConfiguration:
    import yaml

    file_path = find_run_configuration(path, name)
    try:
        with open(file_path, encoding="utf-8") as file:
            found = yaml.safe_load(file)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f"{file_path}:{mark.line + 1}:{mark.column + 1}" if mark is not None else file_path
        raise RunConfigurationException(f"{place}: not YAML: {getattr(error, 'problem', error)}") from None
    if not isinstance(found, Mapping):
        raise RunConfigurationException(
            f"{file_path} is not a run configuration; it has keys such as script and target"
        )
    _check_keys(file_path, found)
    return build_run_configuration(found, os.path.dirname(os.path.dirname(os.path.abspath(file_path))))


def _check_keys(file_path: str, found: Mapping[str, Any]) -> None:
    from smalt.entities.schema.problems import did_you_mean

    known = (*_READ, *_DEFAULTS, *_NO_EFFECT)
    for key in found:
        if key not in known:
            hint = did_you_mean(str(key), known)
            raise RunConfigurationException(f"{file_path}: unknown key '{key}' of a run configuration{hint}")


def build_run_configuration(found: Mapping[str, Any], folder: str) -> RunConfiguration:
    """Return the run configuration of the content of a file; `folder` is where its relative paths begin."""
    made = RunConfiguration(
        script=found.get("script"),
        arguments=_read_arguments(found.get("arguments")),
        framework=found.get("framework"),
        communicator=found.get("communicator"),
        command=found.get("command") or None,
        _path=folder,
    )
    made.target = found.get("target") or "local"
    made.node_count = int(found.get("nodeCount") or 1)
    made.max_run_duration_seconds = found.get("maxRunDurationSeconds")
    made.environment = _build_environment(found.get("environment") or {}, folder)
    made.environment_variables = {str(key): str(one) for key, one in (found.get("environmentVariables") or {}).items()}
    _set_distributions(made, found)
    docker = found.get("docker") or {}
    made.docker = DockerConfiguration(
        bool(docker.get("useDocker")), arguments=docker.get("arguments") or (), shm_size=docker.get("shmSize")
    )
    for key in ("dataReferences", "data", "outputData"):
        if found.get(key):
            setattr(made, _DATA[key], _read_data(key, found[key]))
    made.spark.configuration = dict((found.get("spark") or {}).get("configuration") or {})
    tell_no_effect("the run configuration", {key: _drop_empty(found.get(key)) for key in _NO_EFFECT})
    return made


def _build_environment(found: Mapping[str, Any], folder: str) -> Environment:
    """Return the environment, with the conda file that it names."""
    python = dict(found.get("python") or {})
    file = python.pop("condaDependenciesFile", None)
    environment = build_environment({**found, "python": python})
    if file:
        environment.python.conda_dependencies = CondaDependencies(_find_file(folder, str(file)))
    return environment


def _set_distributions(made: RunConfiguration, found: Mapping[str, Any]) -> None:
    mpi, pytorch, tensorflow = (found.get(key) or {} for key in ("mpi", "pytorch", "tensorflow"))
    made.mpi = MpiConfiguration(int(mpi.get("processCountPerNode") or 1), int(mpi.get("nodeCount") or made.node_count))
    pytorch = pytorch or found.get("pyTorch") or {}
    count = pytorch.get("processCount")
    made.pytorch = PyTorchConfiguration(pytorch.get("communicationBackend") or "Nccl", count, made.node_count)
    made.tensorflow = TensorflowConfiguration(
        int(tensorflow.get("workerCount") or 1), int(tensorflow.get("parameterServerCount") or 0)
    )


_DATA = {"dataReferences": "data_references", "data": "data", "outputData": "output_data"}


def _read_arguments(arguments: Any) -> list[str]:
    if isinstance(arguments, str):
        return arguments.split()
    return [str(one) for one in arguments or ()]


def _read_data(key: str, found: Any) -> Any:
    """Return the data of a file, by name."""
    from importlib import import_module

    return import_module("smalt.v1.data.run_data").read_run_data(key, found)


def _drop_empty(value: Any) -> Any:
    """Return a setting without what v1 writes where nothing was set."""
    if not isinstance(value, Mapping):
        return value
    return {key: one for key, one in value.items() if one not in (None, False, "", 1, "STANDARD_D2_V2")}


def _find_file(folder: str, name: str) -> str:
    for place in (folder, os.path.join(folder, ".azureml"), os.path.join(folder, "aml_config")):
        path = os.path.join(place, name)
        if os.path.isfile(path):
            return path
    raise RunConfigurationException(f"there is no conda file '{name}' in '{folder}', which the run configuration names")


def write_run_configuration(settings: RunConfiguration, path: str, name: str | None) -> None:
    """Write the file; into the folder's `.azureml` where `path` is a folder."""
    import yaml

    if os.path.isdir(path):
        folder = os.path.join(path, ".azureml")
        os.makedirs(folder, exist_ok=True)
        path = os.path.join(folder, f"{name or 'local'}{_ENDING}")
    content = {
        "script": settings.script,
        "arguments": [str(one) for one in settings.arguments],
        "target": settings.target,
        "framework": settings.framework,
        "communicator": settings.communicator,
        "maxRunDurationSeconds": settings.max_run_duration_seconds,
        "nodeCount": settings.node_count,
        "environment": dump_environment(settings.environment),
        "environmentVariables": dict(settings.environment_variables),
        "mpi": {"processCountPerNode": settings.mpi.process_count_per_node, "nodeCount": settings.mpi.node_count},
        "tensorflow": {
            "workerCount": settings.tensorflow.worker_count,
            "parameterServerCount": settings.tensorflow.parameter_server_count,
        },
        "docker": {
            "useDocker": settings.docker.use_docker,
            "arguments": settings.docker.arguments,
            "shmSize": settings.docker.shm_size,
        },
        **({"command": settings.command} if settings.command else {}),
    }
    with open(path, "w", encoding="utf-8") as file:
        yaml.safe_dump(content, file, sort_keys=False)
