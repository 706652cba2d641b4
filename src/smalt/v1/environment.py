"""`azureml.core.Environment`: packages, an image or both, which become an environment of v2."""

from __future__ import annotations

import atexit
import copy
import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from smalt.exceptions import NotFound
from smalt.v1.conda_dependencies import CondaDependencies, read_conda_file
from smalt.v1.exceptions import UserErrorException, raise_as
from smalt.v1.notices import tell_no_effect

if TYPE_CHECKING:
    from smalt.v1.workspace import Workspace

DEFAULT_CPU_IMAGE = "mcr.microsoft.com/azureml/openmpi4.1.0-ubuntu20.04:latest"
DEFAULT_GPU_IMAGE = "mcr.microsoft.com/azureml/openmpi4.1.0-cuda11.1-cudnn8-ubuntu20.04:latest"
_HOST = "azureml:host"
_DOCUMENT = "azureml.v1.environment"
"""The property with v1's own definition of an environment, which has more than that of v2: variables, for example."""


class _Section:
    """Settings of one part of an environment; a name that it does not have is a mistake."""

    _fields: Mapping[str, Any] = {}

    def __init__(self, **values: Any) -> None:
        for name, value in self._fields.items():
            vars(self)[name] = copy.copy(value)
        for name, value in values.items():
            setattr(self, name, value)

    def __setattr__(self, name: str, value: Any) -> None:
        if name not in self._fields and not isinstance(getattr(type(self), name, None), property):
            from smalt.entities.schema.problems import did_you_mean

            hint = did_you_mean(name, self._fields) or f"; it has {', '.join(self._fields)}"
            raise UserErrorException(f"{type(self).__name__} has no '{name}'{hint}")
        super().__setattr__(name, value)

    def to_dict(self) -> dict[str, Any]:
        return {name: _to_plain(getattr(self, name)) for name in self._fields}


class PythonSection(_Section):
    user_managed_dependencies: bool
    interpreter_path: str
    conda_dependencies: CondaDependencies | None

    _fields = {
        "user_managed_dependencies": False, "interpreter_path": "python", "conda_dependencies_file": None,
        "base_conda_environment": None, "conda_dependencies": None,
    }  # fmt: skip

    def __init__(self, **values: Any) -> None:
        super().__init__(**{"conda_dependencies": CondaDependencies(), **values})


class DockerSection(_Section):
    enabled: bool
    base_image: str | None
    base_dockerfile: str | None
    build_context: DockerBuildContext | None
    shm_size: str | None
    arguments: list[str]

    _fields = {
        "enabled": False, "base_image": DEFAULT_CPU_IMAGE, "base_dockerfile": None, "build_context": None,
        "base_image_registry": None, "platform": None, "shared_volumes": True, "shm_size": None, "arguments": [],
        "gpu_support": False,
    }  # fmt: skip


class SparkSection(_Section):
    _fields = {"repositories": [], "packages": [], "precache_packages": True}


class RSection(_Section):
    _fields = {
        "r_version": None, "user_managed": False, "rscript_path": None, "snapshot_date": None, "cran_packages": None,
        "github_packages": None, "custom_url_packages": None, "bioconductor_packages": None,
    }  # fmt: skip


_BUILT_LATER = "an environment is built on this machine when the first job needs it"


class DockerBuildContext:
    """A folder with a Dockerfile."""

    def __init__(self, location: str, dockerfile_path: str = "Dockerfile") -> None:
        self.location, self.dockerfile_path = location, dockerfile_path

    @classmethod
    def from_local_directory(cls, workspace: object, path: str, dockerfile_path: str = "Dockerfile") -> Any:
        return cls(os.path.abspath(path), dockerfile_path)


class CondaChannel:
    def __init__(self, name: str | None = None) -> None:
        self.name = name


class Environment:
    def __init__(self, name: str, **kwargs: Any) -> None:
        if not isinstance(name, str) or not name:
            raise UserErrorException("an environment needs a name, such as Environment('training')")
        self.name = name
        self.version: str | None = None
        self.python = PythonSection()
        self.docker = DockerSection()
        self.spark = SparkSection()
        self.r: RSection | None = None
        self.databricks: Any = None
        self.environment_variables: dict[str, str] = {}
        self.inferencing_stack_version: str | None = None
        self._reference: str | None = None
        self._as_fetched: dict[str, Any] | None = None
        self._was_made_by_v2 = False
        for key in ("python", "docker", "spark", "environment_variables", "inferencing_stack_version"):
            if key in kwargs:
                setattr(self, key, kwargs.pop(key))
        tell_no_effect(
            "Environment", {key: value for key, value in kwargs.items() if not key.startswith("_")}, "unknown"
        )

    def __repr__(self) -> str:
        return json.dumps(self.to_dict(), indent=4, default=str)

    def to_dict(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "version": self.version,
            "environmentVariables": dict(self.environment_variables or {}),
            "python": self.python.to_dict(),
            "docker": self.docker.to_dict(),
            "spark": self.spark.to_dict(),
            "r": self.r.to_dict() if self.r is not None else None,
            "inferencingStackVersion": self.inferencing_stack_version,
        }

    # Where environments come from

    @staticmethod
    def get(workspace: Workspace, name: str, version: str | None = None, label: str | None = None) -> Environment:
        """Return an environment of the workspace, or a curated one of Azure's registry by its name."""
        if version is not None and label is not None:
            raise UserErrorException("version and label exclude each other; give one of them")
        try:
            found = workspace.client.environments.get(
                name, version=str(version) if version else None, label=None if version else (label or "latest")
            )
        except NotFound as error:
            if name.lower().startswith("azureml-"):
                return _make_curated(name, version)
            raise UserErrorException(str(error)) from None
        return from_entity(found)

    @staticmethod
    def list(workspace: Workspace) -> dict[str, Environment]:
        return {
            str(one.name): Environment.get(workspace, str(one.name)) for one in workspace.client.environments.list()
        }

    @staticmethod
    def from_conda_specification(name: str, file_path: str) -> Environment:
        made = Environment(name)
        made.python.conda_dependencies = CondaDependencies(file_path)
        return made

    @staticmethod
    def from_pip_requirements(name: str, file_path: str, pip_version: str | None = None) -> Environment:
        made = Environment(name)
        packages = made.python.conda_dependencies = CondaDependencies()
        packages.set_pip_requirements(read_requirements(file_path))
        if pip_version:
            packages.add_conda_package(f"pip={pip_version}")
        return made

    @staticmethod
    def from_docker_image(
        name: str,
        image: str,
        container_registry: object = None,
        conda_specification: str | None = None,
        pip_requirements: str | None = None,
    ) -> Environment:
        """Return the image's environment; without packages of its own, Python is the image's."""
        made = Environment(name)
        made.docker.base_image, made.docker.base_image_registry = image, container_registry
        _set_packages(made, conda_specification, pip_requirements)
        return made

    @staticmethod
    def from_dockerfile(
        name: str, dockerfile: str, conda_specification: str | None = None, pip_requirements: str | None = None
    ) -> Environment:
        """Return the environment of a Dockerfile, given as its path or its text."""
        made = Environment(name)
        made.docker.base_image, made.docker.base_dockerfile = None, dockerfile
        _set_packages(made, conda_specification, pip_requirements)
        return made

    @staticmethod
    def from_docker_build_context(name: str, docker_build_context: DockerBuildContext) -> Environment:
        made = Environment(name)
        made.docker.base_image, made.docker.build_context = None, docker_build_context
        made.python.user_managed_dependencies = True
        return made

    @staticmethod
    def from_existing_conda_environment(name: str, conda_environment_name: str) -> Environment | None:
        """Return the packages of a conda environment of this machine; None without conda, as in v1."""
        import subprocess

        conda = shutil.which("conda")
        if conda is None:
            return None
        done = subprocess.run(
            [conda, "env", "export", "--no-builds", "-n", conda_environment_name], capture_output=True, text=True
        )
        if done.returncode:
            raise UserErrorException(f"conda does not export '{conda_environment_name}': {done.stderr.strip()}")
        import yaml

        made = Environment(name)
        made.python.conda_dependencies = CondaDependencies(_underlying_structure=yaml.safe_load(done.stdout))
        return made

    @staticmethod
    def load_from_directory(path: str) -> Environment:
        """Return what save_to_directory wrote."""
        from smalt.v1.files.environments import read_environment

        return read_environment(path)

    def save_to_directory(self, path: str, overwrite: bool = False) -> None:
        from smalt.v1.files.environments import write_environment

        write_environment(self, path, overwrite)

    # What is done with one

    def clone(self, new_name: str) -> Environment:
        made = copy.deepcopy(self)
        made.name, made.version, made._reference, made._as_fetched = new_name, None, None, None
        made._was_made_by_v2 = False
        if self._reference and self._is_opaque:
            raise UserErrorException(
                f"the packages of '{self.name}' are known by its name only, so it cannot be cloned as '{new_name}'; "
                "use it as it is, or write its packages into a conda file"
            )
        return made

    def register(self, workspace: Workspace) -> Environment:
        from smalt.v1.files.environments import dump_environment

        definition, document = self.to_definition(), dump_environment(self)
        definition.properties = {_DOCUMENT: json.dumps({**document, "version": None}, sort_keys=True)}
        with raise_as(UserErrorException):
            made = workspace.client.environments.create_or_update(definition)
        return from_entity(made, self)

    def build(self, workspace: Workspace, image_build_compute: object = None) -> Any:
        """Register the environment, which is built when the first job needs it."""
        tell_no_effect("Environment.build", {"image_build_compute": image_build_compute}, _BUILT_LATER)
        self.register(workspace)
        return _BuildDetails(self.name)

    def build_local(self, workspace: Workspace, platform: object = None, **kwargs: object) -> Any:
        tell_no_effect("Environment.build_local", {"platform": platform, **kwargs}, _BUILT_LATER)
        return self.build(workspace)

    @property
    def _is_opaque(self) -> bool:
        """True if the packages are known by the environment's name only."""
        return self.python.conda_dependencies is None and self.docker.base_image is None

    def to_reference(self) -> Any:
        """Return the environment as a job of v2 has it: a reference, if it is unchanged since it was fetched."""
        if self._is_host and not self._was_made_by_v2:
            return _HOST
        if self._reference is not None and self._as_fetched == self.to_dict():
            return self._reference
        return self.to_definition()

    def has_no_packages(self) -> bool:
        """Return True if nothing but Python is asked for."""
        packages, docker = self.python.conda_dependencies, self.docker
        names = [*packages.conda_packages, *packages.pip_packages] if packages is not None else []
        own_image = docker.base_image not in (None, DEFAULT_CPU_IMAGE, DEFAULT_GPU_IMAGE)
        has_build = docker.base_dockerfile is not None or docker.build_context is not None
        is_bare = all(name.startswith("python=") for name in names)
        return self._reference is None and is_bare and not own_image and not has_build

    @property
    def _is_host(self) -> bool:
        docker = self.docker
        own_image = docker.base_image not in (None, DEFAULT_CPU_IMAGE, DEFAULT_GPU_IMAGE)
        return bool(
            self.python.user_managed_dependencies
            and not own_image
            and docker.base_dockerfile is None
            and docker.build_context is None
        )

    def to_definition(self) -> Any:
        """Return the environment of v2."""
        from smalt.entities import BuildContext
        from smalt.entities import Environment as Definition

        docker, packages = self.docker, self.python.conda_dependencies
        conda = None if self.python.user_managed_dependencies or packages is None else _resolve_files(packages)
        if docker.build_context is not None:
            context = docker.build_context
            build = BuildContext(path=context.location, dockerfile_path=context.dockerfile_path)
            return Definition(name=self.name, build=build)
        if docker.base_dockerfile is not None:
            build = BuildContext(path=_write_build_context(str(docker.base_dockerfile), conda))
            return Definition(name=self.name, build=build)
        image = docker.base_image or DEFAULT_CPU_IMAGE
        return Definition(name=self.name, image=image, conda_file=conda)


class _BuildDetails:
    """The answer of `Environment.build`."""

    def __init__(self, name: str) -> None:
        self.name, self.status = name, "Succeeded"

    def wait_for_completion(self, show_output: bool = True) -> None:
        if show_output:
            print(f"environment '{self.name}' is built when the first job needs it")


def from_entity(entity: Any, written: Environment | None = None) -> Environment:
    """Return an environment of the workspace as v1 has it; `written` is the one that it was made from."""
    document = (entity.properties or {}).get(_DOCUMENT)
    if written is not None:
        made = copy.deepcopy(written)
    elif document is not None:
        from smalt.v1.files.environments import build_environment

        made = build_environment(json.loads(document))
        if entity.build is not None:
            _set_build(made, entity.build)
    else:
        made = _build_from_fields(entity)
    made.version = str(entity.version)
    made._reference = f"azureml:{entity.name}:{entity.version}"
    made._as_fetched = made.to_dict()
    return made


def _build_from_fields(entity: Any) -> Environment:
    """Return the environment of v1 for one that v2 made."""
    made, conda = Environment(str(entity.name)), entity.conda_file
    made._was_made_by_v2 = True
    made.python.conda_dependencies = (
        CondaDependencies(_underlying_structure=dict(conda)) if isinstance(conda, Mapping) else None
    )
    made.python.user_managed_dependencies = conda is None
    made.docker.base_image = entity.image
    if entity.build is not None:
        _set_build(made, entity.build)
    return made


def _set_build(made: Environment, build: Any) -> None:
    made.docker.base_image, made.docker.base_dockerfile = None, None
    made.docker.build_context = DockerBuildContext(str(build.path), build.dockerfile_path or "Dockerfile")


def _make_curated(name: str, version: str | None) -> Environment:
    made = Environment(name)
    made.version = version
    made.python.conda_dependencies, made.docker.base_image = None, None
    made._reference = f"azureml:{name}:{version}" if version else f"azureml:{name}@latest"
    made._as_fetched = made.to_dict()
    return made


def find_environment(workspace: Workspace, job: Any) -> Environment | None:
    """Return the environment of a job; None of a job without one."""
    from smalt.entities.syntax.references import parse_reference

    reference = getattr(job, "environment", None)
    if reference is None or not isinstance(reference, str):
        return None if reference is None else from_entity(reference)
    named = parse_reference(reference)
    if named is None:
        return None
    return Environment.get(workspace, named.name, named.version, named.label)


def _set_packages(environment: Environment, conda: str | None, requirements: str | None) -> None:
    if conda and requirements:
        raise UserErrorException("conda_specification and pip_requirements exclude each other; give one of them")
    if conda:
        environment.python.conda_dependencies = CondaDependencies(conda)
    elif requirements:
        packages = environment.python.conda_dependencies = CondaDependencies()
        packages.set_pip_requirements(read_requirements(requirements))
    else:
        environment.python.user_managed_dependencies = True


def read_requirements(path: str) -> list[str]:
    try:
        with open(path, encoding="utf-8") as file:
            lines = [line.split(" #")[0].strip() for line in file]
    except OSError as error:
        raise UserErrorException(f"the requirements file '{path}' cannot be read: {error.strerror}") from None
    return [line for line in lines if line and not line.startswith("#")]


def _resolve_files(packages: CondaDependencies) -> Any:
    """Return a conda file's path where it was read from one and not changed, as files that it names lie beside it."""
    if packages.file_path is not None and read_conda_file(packages.file_path) == packages.as_dict():
        return packages.file_path
    return packages.as_dict()


def _write_build_context(dockerfile: str, conda: Any) -> str:
    """Return a folder with the Dockerfile, given as a path or as text, which installs the packages last."""
    if "\n" not in dockerfile and os.path.isfile(dockerfile):
        with open(dockerfile, encoding="utf-8") as file:
            dockerfile = file.read()
    folder = tempfile.mkdtemp(prefix="smalt-build-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    text = dockerfile.rstrip() + "\n"
    if conda is not None:
        import yaml

        content = conda if isinstance(conda, Mapping) else read_conda_file(conda)
        with open(os.path.join(folder, "conda_dependencies.yml"), "w", encoding="utf-8") as file:
            yaml.safe_dump(content, file, sort_keys=False)
        text += "COPY conda_dependencies.yml .\nRUN conda env update -n base -f conda_dependencies.yml\n"
    with open(os.path.join(folder, "Dockerfile"), "w", encoding="utf-8") as file:
        file.write(text)
    return folder


def _to_plain(value: Any) -> Any:
    if isinstance(value, CondaDependencies):
        return copy.deepcopy(value.as_dict())
    return copy.copy(value) if value is None or isinstance(value, (str, int, float, bool, list, dict)) else repr(value)
