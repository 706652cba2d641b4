"""`azureml.train`'s estimators: script runs whose environment is given by packages."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from smalt.v1.conda_dependencies import CondaDependencies
from smalt.v1.environment import DEFAULT_GPU_IMAGE, Environment
from smalt.v1.exceptions import TrainingException
from smalt.v1.notices import tell_no_effect
from smalt.v1.run_configuration import RunConfiguration
from smalt.v1.run_settings import MpiConfiguration, PyTorchConfiguration, TensorflowConfiguration
from smalt.v1.script_run_config import ScriptRunConfig

if TYPE_CHECKING:
    from smalt.v1.experiment import Experiment
    from smalt.v1.run import Run

_NO_EFFECT = ("vm_size", "vm_priority", "source_directory_data_store", "image_registry_details")


class EstimatorBase:
    """The script run of an estimator, and its settings by name."""

    _package: ClassVar[str | None] = None
    """The package of the framework, which the environment has without being told."""
    _framework: ClassVar[str] = "Python"

    def _configure_run(self, given: Mapping[str, Any]) -> None:
        settings = {key: value for key, value in given.items() if key != "self" and not key.startswith("_")}
        self.source_directory = os.fspath(settings["source_directory"])
        tell_no_effect(type(self).__name__, {name: settings.get(name) for name in _NO_EFFECT})
        if settings.get("entry_script") is None:
            raise TrainingException(f"{type(self).__name__} needs entry_script, a file of '{self.source_directory}'")
        self.entry_script: str = settings["entry_script"]
        self.resume_from = settings.get("resume_from")
        self.script_params = settings.get("script_params") or {}
        self.run_config = self._build_run_configuration(settings)
        for at, one in enumerate(settings.get("inputs") or ()):
            self.run_config.data[getattr(one, "name", None) or f"input_{at}"] = one

    def _build_run_configuration(self, settings: Mapping[str, Any]) -> RunConfiguration:
        made = RunConfiguration(framework=self._framework)
        made.target = settings.get("compute_target") or "local"
        made.environment = settings.get("environment_definition") or self._build_environment(settings)
        made.environment_variables = {
            str(key): str(one) for key, one in (settings.get("environment_variables") or {}).items()
        }
        made.docker.use_docker = bool(settings.get("use_docker", True))
        made.docker.shm_size = settings.get("shm_size")
        made.max_run_duration_seconds = settings.get("max_run_duration_seconds")
        self._set_distribution(made, settings)
        return made

    def _build_environment(self, settings: Mapping[str, Any]) -> Environment:
        file = settings.get("conda_dependencies_file") or settings.get("conda_dependencies_file_path")
        requirements = settings.get("pip_requirements_file") or settings.get("pip_requirements_file_path")
        made = Environment(f"{type(self).__name__.lower()}-environment")
        packages = CondaDependencies(os.path.join(self.source_directory, file)) if file else CondaDependencies()
        for package in self._list_own_packages(settings.get("framework_version")):
            packages.add_pip_package(package)
        if requirements:
            from smalt.v1.environment import read_requirements

            for line in read_requirements(os.path.join(self.source_directory, requirements)):
                packages.add_pip_package(line)
        for package in settings.get("conda_packages") or ():
            packages.add_conda_package(package)
        for package in settings.get("pip_packages") or ():
            packages.add_pip_package(package)
        made.python.conda_dependencies = packages
        made.python.user_managed_dependencies = bool(settings.get("user_managed"))
        image = settings.get("custom_docker_image") or settings.get("custom_docker_base_image")
        if image or settings.get("use_gpu"):
            made.docker.base_image = image or DEFAULT_GPU_IMAGE
        return made

    def _list_own_packages(self, version: str | None) -> list[str]:
        if self._package is None:
            return []
        return [f"{self._package}=={version}" if version else self._package]

    def _set_distribution(self, made: RunConfiguration, settings: Mapping[str, Any]) -> None:
        nodes, processes = settings.get("node_count", 1), settings.get("process_count_per_node", 1)
        made.node_count = nodes
        training, backend = settings.get("distributed_training"), settings.get("distributed_backend")
        if training is None and backend is None:
            return
        word = str(backend or "").lower()
        if isinstance(training, MpiConfiguration) or word == "mpi":
            count = training.process_count_per_node if isinstance(training, MpiConfiguration) else processes
            made.communicator, made.mpi = "OpenMpi", MpiConfiguration(max(count, processes), nodes)
        elif isinstance(training, TensorflowConfiguration) or word == "ps":
            own = training if isinstance(training, TensorflowConfiguration) else TensorflowConfiguration(
                settings.get("worker_count", 1), settings.get("parameter_server_count", 1)
            )  # fmt: skip
            made.communicator, made.framework, made.tensorflow = "ParameterServer", "TensorFlow", own
            made.node_count = own.worker_count + own.parameter_server_count
        elif word in ("nccl", "gloo") or type(training).__name__ in ("Nccl", "Gloo"):
            name = word or type(training).__name__.lower()
            made.communicator, made.framework = name.capitalize(), "PyTorch"
            made.pytorch = PyTorchConfiguration(name.capitalize(), nodes * processes, nodes)
        else:
            raise TrainingException(
                f"{type(self).__name__}: there is no distributed backend {backend or training!r}; it is one of "
                "mpi, ps, nccl and gloo"
            )

    @property
    def conda_dependencies(self) -> CondaDependencies | None:
        return self.run_config.environment.python.conda_dependencies

    def list_arguments(self) -> list[Any]:
        """Return the script's arguments: names and values in their order; a flag has the value ''."""
        found: list[Any] = []
        for name, value in self.script_params.items():
            found += [name] if isinstance(value, str) and value == "" else [name, value]
        return found

    def to_script_run_config(self) -> ScriptRunConfig:
        return ScriptRunConfig(
            self.source_directory,
            self.entry_script,
            self.list_arguments(),
            run_config=self.run_config,
            resume_from=self.resume_from,
        )

    def submit_to(self, experiment: Experiment, tags: Mapping[str, Any] | None = None, **kwargs: Any) -> Run:
        return self.to_script_run_config().submit_to(experiment, tags, **kwargs)

    def fit(self, workspace: Any, experiment_name: str) -> Run:
        from smalt.v1.experiment import Experiment

        return self.submit_to(Experiment(workspace, experiment_name))


class Nccl:
    """The backend of PyTorch on GPUs."""


class Gloo:
    """The backend of PyTorch on CPUs."""


class Estimator(EstimatorBase):
    def __init__(
        self,
        source_directory: str | os.PathLike[str],
        *,
        compute_target: Any = None,
        vm_size: str | None = None,
        vm_priority: str | None = None,
        entry_script: str | None = None,
        script_params: Mapping[str, Any] | None = None,
        node_count: int = 1,
        process_count_per_node: int = 1,
        distributed_backend: str | None = None,
        distributed_training: Any = None,
        use_gpu: bool = False,
        use_docker: bool = True,
        custom_docker_base_image: str | None = None,
        custom_docker_image: str | None = None,
        image_registry_details: Any = None,
        user_managed: bool = False,
        conda_packages: Sequence[str] | None = None,
        pip_packages: Sequence[str] | None = None,
        conda_dependencies_file_path: str | None = None,
        pip_requirements_file_path: str | None = None,
        conda_dependencies_file: str | None = None,
        pip_requirements_file: str | None = None,
        environment_variables: Mapping[str, str] | None = None,
        environment_definition: Any = None,
        inputs: Any = None,
        source_directory_data_store: Any = None,
        shm_size: str | None = None,
        resume_from: Any = None,
        max_run_duration_seconds: int | None = None,
        _disable_validation: bool = True,
        _show_lint_warnings: bool = False,
        _show_package_warnings: bool = False,
    ) -> None:
        self._configure_run(locals())


class TensorFlow(EstimatorBase):
    _package = "tensorflow"
    _framework = "TensorFlow"

    def __init__(
        self,
        source_directory: str | os.PathLike[str],
        *,
        compute_target: Any = None,
        vm_size: str | None = None,
        vm_priority: str | None = None,
        entry_script: str | None = None,
        script_params: Mapping[str, Any] | None = None,
        node_count: int = 1,
        process_count_per_node: int = 1,
        worker_count: int = 1,
        parameter_server_count: int = 1,
        distributed_backend: str | None = None,
        distributed_training: Any = None,
        use_gpu: bool = False,
        use_docker: bool = True,
        custom_docker_base_image: str | None = None,
        custom_docker_image: str | None = None,
        image_registry_details: Any = None,
        user_managed: bool = False,
        conda_packages: Sequence[str] | None = None,
        pip_packages: Sequence[str] | None = None,
        conda_dependencies_file_path: str | None = None,
        pip_requirements_file_path: str | None = None,
        conda_dependencies_file: str | None = None,
        pip_requirements_file: str | None = None,
        environment_variables: Mapping[str, str] | None = None,
        environment_definition: Any = None,
        inputs: Any = None,
        source_directory_data_store: Any = None,
        shm_size: str | None = None,
        resume_from: Any = None,
        max_run_duration_seconds: int | None = None,
        framework_version: str | None = None,
        _enable_optimized_mode: bool = False,
        _disable_validation: bool = True,
        _show_lint_warnings: bool = False,
        _show_package_warnings: bool = False,
    ) -> None:
        self._configure_run(locals())


class PyTorch(EstimatorBase):
    _package = "torch"
    _framework = "PyTorch"

    def __init__(
        self,
        source_directory: str | os.PathLike[str],
        *,
        compute_target: Any = None,
        vm_size: str | None = None,
        vm_priority: str | None = None,
        entry_script: str | None = None,
        script_params: Mapping[str, Any] | None = None,
        node_count: int = 1,
        process_count_per_node: int = 1,
        distributed_backend: str | None = None,
        distributed_training: Any = None,
        use_gpu: bool = False,
        use_docker: bool = True,
        custom_docker_base_image: str | None = None,
        custom_docker_image: str | None = None,
        image_registry_details: Any = None,
        user_managed: bool = False,
        conda_packages: Sequence[str] | None = None,
        pip_packages: Sequence[str] | None = None,
        conda_dependencies_file_path: str | None = None,
        pip_requirements_file_path: str | None = None,
        conda_dependencies_file: str | None = None,
        pip_requirements_file: str | None = None,
        environment_variables: Mapping[str, str] | None = None,
        environment_definition: Any = None,
        inputs: Any = None,
        source_directory_data_store: Any = None,
        shm_size: str | None = None,
        resume_from: Any = None,
        max_run_duration_seconds: int | None = None,
        framework_version: str | None = None,
        _enable_optimized_mode: bool = False,
        _disable_validation: bool = True,
        _show_lint_warnings: bool = False,
        _show_package_warnings: bool = False,
    ) -> None:
        self._configure_run(locals())


class SKLearn(EstimatorBase):
    _package = "scikit-learn"

    def __init__(
        self,
        source_directory: str | os.PathLike[str],
        *,
        compute_target: Any = None,
        vm_size: str | None = None,
        vm_priority: str | None = None,
        entry_script: str | None = None,
        script_params: Mapping[str, Any] | None = None,
        use_docker: bool = True,
        custom_docker_image: str | None = None,
        image_registry_details: Any = None,
        user_managed: bool = False,
        conda_packages: Sequence[str] | None = None,
        pip_packages: Sequence[str] | None = None,
        conda_dependencies_file_path: str | None = None,
        pip_requirements_file_path: str | None = None,
        conda_dependencies_file: str | None = None,
        pip_requirements_file: str | None = None,
        environment_variables: Mapping[str, str] | None = None,
        environment_definition: Any = None,
        inputs: Any = None,
        shm_size: str | None = None,
        resume_from: Any = None,
        max_run_duration_seconds: int | None = None,
        framework_version: str | None = None,
        _enable_optimized_mode: bool = False,
        _disable_validation: bool = True,
        _show_lint_warnings: bool = False,
        _show_package_warnings: bool = False,
    ) -> None:
        self._configure_run(locals())
