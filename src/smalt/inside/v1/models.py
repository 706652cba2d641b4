"""`azureml.core.Model`: MLflow's model registry, which smalt shares with its models."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping

from .client import RequestRefused
from .context import get_current
from .errors import make_exception, make_user_error
from .files import fetch_file, list_names, parse_uri
from .notices import tell_no_effect
from .unsupported import add_unsupported_members

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any, ClassVar

    from .run import Run
    from .workspace import Workspace

FOLDER = "azureml-models"
"""The folder below the working folder into which models are fetched."""

SHELF = "models/"
"""The folder in which smalt shows models that lie elsewhere: one folder per version, for a file as for many."""

_FRAMEWORK = ("azureml.model_framework", "azureml.model_framework_version")
_PROPERTY = "azureml.property."


class Model:
    """A version of a model that is registered: the newest that fits."""

    Framework: ClassVar[type] = type(
        "Framework",
        (),
        {"TENSORFLOW": "TensorFlow", "SCIKITLEARN": "ScikitLearn", "ONNX": "Onnx", "CUSTOM": "Custom",
         "MULTI": "Multi", "PYTORCH": "Custom"},
    )  # fmt: skip

    def __init__(
        self, workspace: Workspace, name: str | None = None, id: str | None = None, tags: Any = None,
        properties: Any = None, version: int | None = None, run_id: str | None = None,
        model_framework: str | None = None, expand: bool = True, **more: Any,
    ) -> None:  # fmt: skip
        tell_no_effect("Model", more)
        if id is not None:
            name, _sep, of_id = id.partition(":")
            version = int(of_id) if of_id else version
        marks = _list_marks(tags, properties, model_framework)
        fitting = [one for one in _list_versions(workspace, name) if _is_match(one, version, marks, run_id)]
        if not fitting:
            wanted = f"'{name}'" if version is None else f"'{name}' in version {version}"
            raise make_exception(f"the workspace has no model {wanted} that fits", "ModelNotFoundException")
        self._set_fields(workspace, max(fitting, key=lambda one: int(one["version"])))

    def _set_fields(self, workspace: Workspace, said: dict[str, Any]) -> None:
        tags = {tag["key"]: tag.get("value", "") for tag in said.get("tags", [])}
        self.workspace = workspace
        self.name = str(said["name"])
        self.version = int(said["version"])
        self.id = f"{self.name}:{self.version}"
        self.description = said.get("description", "")
        self.run_id = said.get("run_id") or None
        self.created_time = int(said.get("creation_timestamp", 0)) / 1000
        self.url = "aml://asset/" + self.id
        self.model_framework, self.model_framework_version = (tags.pop(name, None) for name in _FRAMEWORK)
        self.properties = {name[len(_PROPERTY) :]: tags.pop(name) for name in list(tags) if name.startswith(_PROPERTY)}
        self.tags = tags

    @classmethod
    def _from_json(cls, workspace: Workspace, said: dict[str, Any]) -> Model:
        model = cls.__new__(cls)
        model._set_fields(workspace, said)
        return model

    def __repr__(self) -> str:
        return f"Model(name={self.name}, id={self.id}, version={self.version}, tags={self.tags})"

    @property
    def run(self) -> Run | None:
        return self.workspace.get_run(self.run_id) if self.run_id else None

    def add_tags(self, tags: dict[str, Any]) -> None:
        self._set_tags(tags, "")
        self.tags.update({str(name): str(value) for name, value in tags.items()})

    def add_properties(self, properties: dict[str, Any]) -> None:
        self._set_tags(properties, _PROPERTY)
        self.properties.update({str(name): str(value) for name, value in properties.items()})

    def _set_tags(self, marks: dict[str, Any], prefix: str) -> None:
        for name, value in marks.items():
            body = {"name": self.name, "version": str(self.version), "key": f"{prefix}{name}", "value": str(value)}
            self.workspace.context.client.send_json("model-versions/set-tag", body)

    @staticmethod
    def register(
        workspace: Workspace, model_path: str, model_name: str, tags: Any = None, properties: Any = None,
        description: str | None = None, datasets: object = None, model_framework: str | None = None,
        model_framework_version: str | None = None, **more: Any,
    ) -> Model:  # fmt: skip
        """Local files become a model; they are kept in the job's run, below `models/`."""
        tell_no_effect("Model.register", {"datasets": datasets, **more}, "a model of MLflow has no such field")
        run = workspace.get_run(workspace.context.run_id)
        if not os.path.exists(model_path):
            raise make_exception(f"there is no file or folder '{model_path}' to register", "ModelPathNotFoundException")
        stored = f"models/{model_name}/{os.path.basename(os.path.abspath(model_path))}"
        (run.upload_folder if os.path.isdir(model_path) else run.upload_file)(stored, os.fspath(model_path))
        return create_version(
            workspace, model_name, run.get_info()["artifact_uri"] + "/" + stored, run_id=run.id,
            description=description, tags=tags, properties=properties,
            framework=(model_framework, model_framework_version),
        )  # fmt: skip

    @staticmethod
    def list(
        workspace: Workspace, name: str | None = None, tags: Any = None, properties: Any = None,
        run_id: str | None = None, latest: bool = False, dataset_id: str | None = None, expand: bool = True,
        page_count: int = 255, model_framework: str | None = None,
    ) -> Any:  # fmt: skip
        if dataset_id is not None:
            raise make_user_error("Model.list: models do not keep their datasets here; choose by tags instead")
        marks = _list_marks(tags, properties, model_framework)
        found = [one for one in _list_versions(workspace, name) if _is_match(one, None, marks, run_id)]
        found.sort(key=lambda one: (one["name"], -int(one["version"])))
        if latest:
            newest: dict[str, dict[str, Any]] = {}
            for one in found:
                newest.setdefault(one["name"], one)
            found = list(newest.values())
        return [Model._from_json(workspace, one) for one in found]

    def download(self, target_dir: str = ".", exist_ok: bool = False, exists_ok: bool | None = None) -> str:
        """The path of the model's file or folder, below `target_dir`."""
        client = self.workspace.context.client
        uri = client.get_json("model-versions/get-download-uri", name=self.name, version=self.version)["artifact_uri"]
        source = parse_uri(uri)
        below = list_names(client, source)
        name = os.path.basename(source)
        if source.startswith(SHELF):
            name = self.name
            if len(below) == 1:
                source, name, below = source + "/" + below[0], os.path.basename(below[0]), []
        target = os.path.join(target_dir, name)
        if os.path.exists(target) and not (exists_ok if exists_ok is not None else exist_ok):
            raise make_exception(f"'{target}' is there already; to replace it say exist_ok=True", "WebserviceException")
        for name in below:
            fetch_file(client, source + "/" + name, os.path.join(target, name))
        if not below:
            fetch_file(client, source, target)
        return target

    @staticmethod
    def get_model_path(model_name: str, version: int | None = None, _workspace: Workspace | None = None) -> str:
        """The model's file or folder on this machine: the workspace's newest, fetched if it is not here yet."""
        context = get_current()
        workspace = _workspace or (context.workspace if context else None)
        if version is None and workspace is not None:
            try:
                version = Model(workspace, model_name).version
            except Exception:
                local = _find_local(model_name, None)
                if local:
                    return local
                raise
        local = _find_local(model_name, version)
        if local:
            return local
        if workspace is None:
            raise make_exception(
                f"there is no model '{model_name}' below {FOLDER} nor in the working folder",
                "ModelNotFoundException",
            )
        return _fetch_model(Model(workspace, model_name, version=version))


add_unsupported_members(
    Model,
    {
        "deploy": "use an online endpoint",
        "package": "use an online endpoint",
        "profile": "use an online endpoint",
        "delete": "use 'smalt model archive'",
        "update": "use 'smalt model update'",
    },
)


class WorkspaceModels(Mapping):  # type: ignore[type-arg]
    """`workspace.models`: the newest version by name."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace

    def __getitem__(self, name: str) -> Model:
        try:
            return Model(self._workspace, name)
        except RequestRefused:
            raise
        except Exception as problem:
            raise KeyError(str(problem)) from None

    def __iter__(self) -> Iterator[str]:
        return iter(sorted({one["name"] for one in _list_versions(self._workspace, None)}))

    def __len__(self) -> int:
        return len(list(iter(self)))


def create_version(
    workspace: Workspace, name: str, source: str, *, run_id: str, description: str | None, tags: Any, properties: Any,
    framework: tuple[str | None, str | None],
) -> Model:  # fmt: skip
    """A new version of a model, from files of a run."""
    client = workspace.context.client
    try:
        client.send_json("registered-models/create", {"name": name})
    except RequestRefused as problem:
        if problem.code != "RESOURCE_ALREADY_EXISTS":
            raise
    listed = {
        **{str(key): str(value) for key, value in (tags or {}).items()},
        **{_PROPERTY + str(key): str(value) for key, value in (properties or {}).items()},
        **{key: framework[index] or "" for index, key in enumerate(_FRAMEWORK) if framework[index]},
    }
    body = {
        "name": name,
        "source": source,
        "run_id": run_id,
        "description": description or "",
        "tags": [{"key": key, "value": value} for key, value in listed.items()],
    }
    return Model._from_json(workspace, client.send_json("model-versions/create", body)["model_version"])


def _list_versions(workspace: Workspace, name: str | None) -> list[dict[str, Any]]:
    if name is not None and "'" in name:
        raise make_user_error(f"no model is called {name}")
    found, token = [], None
    wanted = "" if name is None else f"name='{name}'"
    while True:
        answer = workspace.context.client.get_json(
            "model-versions/search", filter=wanted or None, max_results=1000, page_token=token
        )
        found += answer.get("model_versions", [])
        token = answer.get("next_page_token")
        if not token:
            return found


def _list_marks(tags: Any, properties: Any, framework: str | None) -> list[Any]:
    """Return what v1 chooses models by as tags, each a name or a pair of name and value."""
    found: list[Any] = []
    for wanted, prefix in ((tags, ""), (properties, _PROPERTY)):
        for one in wanted.items() if isinstance(wanted, dict) else wanted or ():
            name, value = one if isinstance(one, (list, tuple)) else (one, None)
            found.append((prefix + str(name), None if value is None else str(value)))
    return found + ([(_FRAMEWORK[0], framework)] if framework is not None else [])


def _is_match(said: dict[str, Any], version: int | None, marks: list[Any], run_id: str | None) -> bool:
    if version is not None and int(said["version"]) != int(version):
        return False
    if run_id is not None and said.get("run_id") != run_id:
        return False
    has = {tag["key"]: tag.get("value", "") for tag in said.get("tags", [])}
    return all(name in has and value in (None, has[name]) for name, value in marks)


def _get_root() -> str:
    return os.path.join(os.environ.get("AML_APP_ROOT", ""), FOLDER)


def _fetch_model(model: Model) -> str:
    """Fetch it to where it is looked for; whole, or not at all, whatever other processes of the job do."""
    folder = os.path.join(_get_root(), model.name, str(model.version))
    partial = f"{folder}.partial.{os.getpid()}"
    try:
        name = os.path.basename(model.download(partial, exist_ok=True))
        try:
            os.rename(partial, folder)
        except OSError:
            if not os.path.isdir(folder):
                raise
        return os.path.join(folder, name)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _find_local(name: str, version: int | None) -> str | None:
    """Return the path of a model on this machine, looked up as v1 does; None if there is none."""
    folder = os.path.join(_get_root(), name)
    if os.path.isdir(folder):
        numbers = [entry for entry in os.listdir(folder) if entry.isdigit()]
        chosen = str(version) if version is not None else max(numbers, key=int, default="")
        inner = os.path.join(folder, chosen)
        entries = os.listdir(inner) if chosen in numbers else []
        if len(entries) == 1:
            return os.path.join(inner, entries[0])
    return name if version is None and os.path.exists(name) else None
