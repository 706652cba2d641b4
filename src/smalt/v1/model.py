"""`azureml.core.Model`: a version of a registered model."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from smalt.exceptions import NotFound
from smalt.inside.v1.models import Model as JobModel
from smalt.v1.exceptions import (
    ModelNotFoundException,
    ModelPathNotFoundException,
    UserErrorException,
    WebserviceException,
    raise_as,
)
from smalt.v1.notices import tell_no_effect

if TYPE_CHECKING:
    from smalt.v1.run import Run
    from smalt.v1.workspace import Workspace

_FRAMEWORK = ("azureml.model_framework", "azureml.model_framework_version")
_PROPERTY = "azureml.property."
"""v1's properties are tags of this prefix, as those of models that jobs register."""
_DEPLOY = "smalt makes no images of models; deploy them by Model.deploy"


class Model:
    Framework: ClassVar[type] = JobModel.Framework

    def __init__(
        self,
        workspace: Workspace,
        name: str | None = None,
        id: str | None = None,
        tags: Any = None,
        properties: Any = None,
        version: int | str | None = None,
        run_id: str | None = None,
        model_framework: str | None = None,
        expand: bool = True,
        **kwargs: Any,
    ) -> None:
        tell_no_effect("Model", kwargs, "it has no such parameter")
        if id is not None:
            name, _, of_id = str(id).partition(":")
            version = of_id or version
        if name is None:
            raise UserErrorException("Model: give a name, or an id such as 'wine:1'")
        found = _find_versions(workspace, name, tags, properties, run_id, model_framework)
        if version is not None:
            found = [one for one in found if str(one.version) == str(version)]
        if not found:
            wanted = f"'{name}'" if version is None else f"'{name}:{version}'"
            raise ModelNotFoundException(f"ModelNotFound: workspace '{workspace.name}' has no model {wanted} that fits")
        self._set_fields(workspace, max(found, key=_get_number))

    def _set_fields(self, workspace: Workspace, entity: Any) -> None:
        tags = dict(entity.tags or {})
        self.workspace, self._entity = workspace, entity
        self.name = str(entity.name)
        self.version = int(entity.version) if str(entity.version).isdigit() else entity.version
        self.id = f"{self.name}:{self.version}"
        self.url = f"aml://asset/{self.id}"
        self.description = entity.description
        self.run_id = entity.job_name
        self.created_time = getattr(entity.creation_context, "created_at", None)
        self.model_framework, self.model_framework_version = (tags.pop(name, None) for name in _FRAMEWORK)
        own = {key[len(_PROPERTY) :]: tags.pop(key) for key in list(tags) if key.startswith(_PROPERTY)}
        self.properties: dict[str, Any] = {**(entity.properties or {}), **own}
        self.tags: dict[str, str] = tags
        self.datasets: dict[str, Any] = {}

    def __repr__(self) -> str:
        return (
            f"Model(workspace={self.workspace!r}, name={self.name}, id={self.id}, version={self.version}, "
            f"tags={self.tags}, properties={self.properties})"
        )

    @property
    def run(self) -> Run | None:
        return self.workspace.get_run(self.run_id) if self.run_id else None

    @property
    def experiment_name(self) -> str | None:
        run = self.run
        return None if run is None else run.experiment.name

    def serialize(self) -> dict[str, Any]:
        names = ("name", "id", "version", "description", "url", "tags", "properties", "run_id")
        return {name: getattr(self, name) for name in names}

    # Where models come from

    @staticmethod
    def register(
        workspace: Workspace,
        model_path: str | os.PathLike[str],
        model_name: str,
        tags: Any = None,
        properties: Any = None,
        description: str | None = None,
        datasets: Any = None,
        model_framework: str | None = None,
        model_framework_version: str | None = None,
        child_paths: Iterable[str] | None = None,
        sample_input_dataset: Any = None,
        sample_output_dataset: Any = None,
        resource_configuration: Any = None,
    ) -> Model:
        """Register a file or folder of this machine."""
        path = os.fspath(model_path)
        if not os.path.exists(path):
            raise ModelPathNotFoundException(f"ModelPathNotFound: there is no file or folder '{path}' to register")
        _tell_unused(locals())
        framework = (model_framework, model_framework_version)
        return register_path(workspace, model_name, path, tags, properties, description, framework)

    @staticmethod
    def list(
        workspace: Workspace,
        name: str | None = None,
        tags: Any = None,
        properties: Any = None,
        run_id: str | None = None,
        latest: bool = False,
        dataset_id: str | None = None,
        expand: bool = True,
        page_count: int = 255,
        model_framework: str | None = None,
    ) -> list[Model]:
        if dataset_id is not None:
            raise UserErrorException("Model.list: models do not keep their datasets here; choose by tags instead")
        names = [name] if name is not None else [str(one.name) for one in workspace.client.models.list()]
        found: list[Any] = []
        for one in names:
            fitting = _find_versions(workspace, one, tags, properties, run_id, model_framework)
            fitting.sort(key=_get_number, reverse=True)
            found += fitting[:1] if latest else fitting
        return [from_entity(workspace, one) for one in found]

    @staticmethod
    def get_model_path(model_name: str, version: int | None = None, _workspace: Workspace | None = None) -> str:
        """Return the path of the model on this machine; a workspace's model is downloaded first."""
        if _workspace is None:
            return JobModel.get_model_path(model_name, version)
        found = Model(_workspace, model_name, version=version)
        return found.download(os.path.join("azureml-models", model_name, str(found.version)), exist_ok=True)

    # What is done with one

    def download(self, target_dir: str = ".", exist_ok: bool = False, exists_ok: bool | None = None) -> str:
        """Download the model, and return the path of its file or folder below `target_dir`."""
        may_exist = exist_ok if exists_ok is None else exists_ok
        uri = str(self._entity.path)
        target = os.path.join(target_dir, os.path.basename(uri.rstrip("/")))
        if os.path.exists(target) and not may_exist:
            raise WebserviceException(f"'{target}' is there already; to replace it say exist_ok=True")
        with raise_as(WebserviceException):
            _download_to(self.workspace.client, uri, target)
        return target

    def update(
        self,
        tags: Mapping[str, Any] | None = None,
        description: str | None = None,
        sample_input_dataset: Any = None,
        sample_output_dataset: Any = None,
        resource_configuration: Any = None,
    ) -> None:
        samples = {"sample_input_dataset": sample_input_dataset, "sample_output_dataset": sample_output_dataset}
        given = {**samples, "resource_configuration": resource_configuration}
        tell_no_effect("Model.update", given, "a model of v2 has no such field")
        if tags is not None:
            self._entity.tags = {**self._list_marks(), **_to_texts(tags)}
        if description is not None:
            self._entity.description = description
        self._save()

    def update_tags_properties(
        self, add_tags: Any = None, remove_tags: Iterable[str] | None = None, add_properties: Any = None
    ) -> None:
        properties = {_PROPERTY + key: value for key, value in _to_texts(add_properties).items()}
        tags = {**(self._entity.tags or {}), **_to_texts(add_tags), **properties}
        self._entity.tags = {key: value for key, value in tags.items() if key not in set(remove_tags or ())}
        self._save()

    def add_tags(self, tags: Mapping[str, Any]) -> None:
        self.update_tags_properties(add_tags=tags)

    def remove_tags(self, tags: Iterable[str]) -> None:
        self.update_tags_properties(remove_tags=tags)

    def add_properties(self, properties: Mapping[str, Any]) -> None:
        self.update_tags_properties(add_properties=properties)

    def _list_marks(self) -> dict[str, str]:
        """Return the tags that are v1's properties and framework."""
        there = self._entity.tags or {}
        return {key: value for key, value in there.items() if key.startswith(_PROPERTY) or key in _FRAMEWORK}

    def _save(self) -> None:
        with raise_as(WebserviceException):
            self._set_fields(self.workspace, self.workspace.client.models.create_or_update(self._entity))

    def delete(self) -> None:
        """Archive the version, which `smalt model restore` undoes."""
        self.workspace.client.models.archive(self.name, str(self.version))

    @staticmethod
    def deploy(
        workspace: Workspace,
        name: str,
        models: Any,
        inference_config: Any = None,
        deployment_config: Any = None,
        deployment_target: Any = None,
        overwrite: bool = False,
        show_output: bool = False,
    ) -> Any:
        """Deploy a model as an online endpoint, whose processes are of this machine."""
        from smalt.v1.resources.webservice import deploy_service

        tell_no_effect("Model.deploy", {"deployment_target": deployment_target})
        service = deploy_service(workspace, name, list(models or ()), inference_config, deployment_config, overwrite)
        if show_output:
            service.wait_for_deployment(show_output=True)
        return service

    @staticmethod
    def package(
        workspace: Workspace,
        models: Any,
        inference_config: Any = None,
        generate_dockerfile: bool = False,
        image_name: str | None = None,
        image_label: str | None = None,
    ) -> Any:
        raise WebserviceException(f"the models are not packaged: {_DEPLOY}")

    @staticmethod
    def profile(workspace: Workspace, profile_name: str, *args: Any, **kwargs: Any) -> Any:
        raise WebserviceException(f"the models are not profiled: {_DEPLOY}")


def register_path(
    workspace: Workspace,
    name: str,
    path: str,
    tags: Any,
    properties: Any,
    description: str | None,
    framework: tuple[str | None, str | None],
    job_name: str | None = None,
) -> Model:
    """Register what a path or URI leads to."""
    from smalt.entities import Model as Definition

    marks = {
        **_to_texts(tags),
        **{_PROPERTY + key: value for key, value in _to_texts(properties).items()},
        **{key: str(value) for key, value in zip(_FRAMEWORK, framework, strict=True) if value},
    }
    with raise_as(WebserviceException):
        wanted = Definition(name=name, path=path, tags=marks, description=description, job_name=job_name)
        return from_entity(workspace, workspace.client.models.create_or_update(wanted))


def from_entity(workspace: Workspace, entity: Any) -> Model:
    made = Model.__new__(Model)
    made._set_fields(workspace, entity)
    return made


class WorkspaceModels(Mapping[str, Model]):
    """`workspace.models`: the newest version by name."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace

    def __getitem__(self, name: str) -> Model:
        try:
            return Model(self._workspace, name)
        except ModelNotFoundException as error:
            raise KeyError(str(error)) from None

    def __iter__(self) -> Iterator[str]:
        return (str(one.name) for one in self._workspace.client.models.list())

    def __len__(self) -> int:
        return sum(1 for _ in self)


def _find_versions(
    workspace: Workspace, name: str, tags: Any, properties: Any, run_id: str | None, framework: str | None
) -> list[Any]:
    """Return the versions of a model with these tags, properties, run and framework."""
    try:
        listed = list(workspace.client.models.list(name))
    except NotFound:
        return []
    wanted = [*_to_pairs(tags, ""), *_to_pairs(properties, _PROPERTY)]
    found = []
    for one in listed:
        there = {**{f"{_PROPERTY}{key}": value for key, value in (one.properties or {}).items()}, **(one.tags or {})}
        fits = all(key in there and value in (None, str(there[key])) for key, value in wanted)
        if fits and run_id in (None, one.job_name) and framework in (None, there.get(_FRAMEWORK[0])):
            found.append(one)
    return found


def _to_pairs(wanted: Any, prefix: str) -> Iterator[tuple[str, str | None]]:
    """Yield names and values; a name alone stands for any value."""
    for one in wanted.items() if isinstance(wanted, Mapping) else wanted or ():
        if isinstance(one, (list, tuple)):
            yield prefix + str(one[0]), str(one[1]) if len(one) > 1 and one[1] is not None else None
        else:
            yield prefix + str(one), None


def _to_texts(marks: Any) -> dict[str, str]:
    pairs = marks.items() if isinstance(marks, Mapping) else [(name, "") for name in marks or ()]
    return {str(key): "" if value is None else str(value) for key, value in pairs}


def _tell_unused(given: Mapping[str, Any]) -> None:
    names = ("datasets", "child_paths", "sample_input_dataset", "sample_output_dataset", "resource_configuration")
    tell_no_effect("Model.register", {name: given.get(name) for name in names}, "a model of v2 has no such field")


def _get_number(entity: Any) -> tuple[int, str]:
    text = str(entity.version)
    return (int(text) if text.isdigit() else -1, text)


def _download_to(client: Any, uri: str, target: str) -> None:
    """Download a file or folder to the path `target`, whose last part is its name; replace files that are there."""
    from smalt.client.transfers.downloads import copy_files, download_uri

    name, folder = os.path.basename(target), os.path.dirname(os.path.abspath(target))
    os.makedirs(folder, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".smalt-", dir=folder) as temporary:
        source = os.path.join(temporary, name)
        download_uri(client, uri, source)
        inner = os.path.join(source, name)
        if os.path.isfile(inner) and os.listdir(source) == [name]:  # a file alone arrives in a folder of its name
            os.replace(inner, target)
        elif os.path.isdir(target):
            copy_files(source, target)
        else:
            os.replace(source, target)
