"""`RunConfiguration`: what a script runs in and on."""

from __future__ import annotations

import copy
import os
from collections.abc import Iterable, Sequence
from typing import Any

from smalt.v1.environment import Environment
from smalt.v1.exceptions import RunConfigurationException
from smalt.v1.notices import tell_no_effect
from smalt.v1.run_settings import (
    DockerConfiguration,
    HistoryConfiguration,
    MpiConfiguration,
    PyTorchConfiguration,
    SparkConfiguration,
    TensorflowConfiguration,
)

LOCAL = "local"
MAX_DURATION_SECONDS_DEFAULT = 30 * 24 * 60 * 60
_FRAMEWORKS = ("python", "pyspark", "tensorflow", "pytorch", "cntk", "r")
_COMMUNICATORS = ("none", "parameterserver", "openmpi", "intelmpi", "nccl", "gloo", "mpi")


class RunConfiguration:
    def __init__(
        self,
        script: str | None = None,
        arguments: Sequence[Any] | None = None,
        framework: str | None = None,
        communicator: str | None = None,
        conda_dependencies: Any = None,
        _history_enabled: bool | None = None,
        _path: str | None = None,
        _name: str | None = None,
        command: str | Sequence[Any] | None = None,
    ) -> None:
        self.script, self.arguments, self.command = script, list_arguments("RunConfiguration", arguments), command
        self.framework = _check_word("framework", framework or "Python", _FRAMEWORKS)
        self.communicator = _check_word("communicator", communicator or "None", _COMMUNICATORS)
        self._target: Any = LOCAL
        self._environment = Environment("default")
        if conda_dependencies is not None:
            self.environment.python.conda_dependencies = conda_dependencies
        self.environment_variables: dict[str, str] = {}
        self.node_count = 1
        self.priority: int | None = None
        self.credential_passthrough = False
        self.identity: Any = None
        self.max_run_duration_seconds: int | None = None
        self.mpi = MpiConfiguration()
        self.pytorch = PyTorchConfiguration()
        self.tensorflow = TensorflowConfiguration()
        self.docker = DockerConfiguration()
        self.spark = SparkConfiguration()
        self.history = HistoryConfiguration()
        self.amlcompute = AmlComputeSettings()
        self.data_references: dict[str, Any] = {}
        self.data: dict[str, Any] = {}
        self.output_data: dict[str, Any] = {}
        self.source_directory_data_store: str | None = None
        self._path, self._name = _path, _name

    def __repr__(self) -> str:
        return (
            f"RunConfiguration(script={self.script!r}, target={self.target!r}, environment={self.environment.name!r})"
        )

    @property
    def target(self) -> Any:
        """The name of the compute; `local` is this machine."""
        return self._target

    @target.setter
    def target(self, target: Any) -> None:
        self._target = get_compute_name(target)

    @property
    def environment(self) -> Environment:
        return self._environment

    @environment.setter
    def environment(self, environment: Environment) -> None:
        if not isinstance(environment, Environment):
            raise RunConfigurationException(
                f"an environment is an Environment, such as Environment.get(ws, 'training'), not "
                f"{type(environment).__name__}"
            )
        self._environment = environment

    @property
    def auto_prepare_environment(self) -> bool:
        """True: environments are built when they are needed."""
        return True

    @auto_prepare_environment.setter
    def auto_prepare_environment(self, value: bool) -> None:
        if not value:
            tell_no_effect(
                "RunConfiguration", {"auto_prepare_environment": "False"}, "environments are built if needed"
            )

    def copy(self) -> RunConfiguration:
        """Return another with the same environment and data; what is set in it changes nothing here."""
        made = copy.copy(self)
        own = ("arguments", "environment_variables", "data_references", "data", "output_data")
        for name in (*own, "mpi", "pytorch", "tensorflow", "docker", "spark"):
            setattr(made, name, copy.copy(getattr(self, name)))
        return made

    @staticmethod
    def load(path: str, name: str | None = None) -> RunConfiguration:
        """Return what a `.runconfig` file says: that of the name in the folder's `.azureml`, or the file itself."""
        from smalt.v1.files.run_configurations import read_run_configuration

        return read_run_configuration(path, name)

    def save(self, path: str | None = None, name: str | None = None, separate_environment_yaml: bool = False) -> None:
        from smalt.v1.files.run_configurations import write_run_configuration

        given = {"separate_environment_yaml": separate_environment_yaml}
        tell_no_effect("RunConfiguration.save", given, "the environment is in the file")
        write_run_configuration(self, path or self._path or os.getcwd(), name or self._name)

    @staticmethod
    def delete(path: str, name: str) -> None:
        """Remove the file of a run configuration."""
        from smalt.v1.files.run_configurations import find_run_configuration

        os.remove(find_run_configuration(path, name))


class AmlComputeSettings:
    """`run_config.amlcompute`: the cluster that v1 once made for a run."""

    def __init__(self) -> None:
        self.name: str | None = None
        self.vm_size: str | None = None
        self.vm_priority: str | None = None
        self.retain_cluster = False
        self.cluster_max_node_count: int | None = None


def list_arguments(owner: str, arguments: Sequence[Any] | None) -> list[Any]:
    """Return a script's arguments as a list; raises for a text, whose letters would be the arguments."""
    if isinstance(arguments, (str, dict)) or not isinstance(arguments, Iterable | None):
        raise RunConfigurationException(
            f"{owner}: the arguments are a list such as ['--rate', 0.1], not {type(arguments).__name__}"
        )
    return list(arguments or ())


def get_compute_name(target: Any) -> str:
    """Return the name of a compute, given as a name or as a ComputeTarget."""
    if target is None:
        return LOCAL
    name = target if isinstance(target, str) else getattr(target, "name", None)
    if not isinstance(name, str):
        raise RunConfigurationException(f"a compute target is a name or a ComputeTarget, not {type(target).__name__}")
    return name


def _check_word(parameter: str, word: str, known: Sequence[str]) -> str:
    if str(word).lower() not in known:
        from smalt.entities.schema.problems import did_you_mean

        hint = did_you_mean(str(word).lower(), known) or f"; it is one of {', '.join(known)}"
        raise RunConfigurationException(f"RunConfiguration: there is no {parameter} '{word}'{hint}")
    return str(word)
