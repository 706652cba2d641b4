"""Models in two forms, kept in step: assets of smalt, and registered models of MLflow.

smalt's records are authoritative for what smalt knows. Before MLflow's registry is read, missing models are written
to it; what a client writes there is recorded when MLflow has answered. A version that is archived in smalt is
deleted in MLflow, and vice versa, so nothing is lost; only versions that are whole numbers can be shown.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from pathlib import Path
from typing import Any

from smalt.exceptions import SmaltError
from smalt.machine.home import Home
from smalt.service.data import DataAccess
from smalt.service.records import assets, jobs
from smalt.service.records.database import Database
from smalt.service.records.workspaces import Workspace
from smalt.service.tracking import run_database
from smalt.service.tracking.artifact_guard import ArtifactGuard
from smalt.service.tracking.model_database import DELETED, MlflowModel, MlflowVersion, load_models
from smalt.wire.encoding import artifact_paths
from smalt.yaml.document import Document

Json = dict[str, Any]
Call = Callable[[Workspace, str, str, Any], Awaitable[Any]]

EXTERNAL_FOLDER = "models"
"""The folder below `mlflow-artifacts:/` of models that lie elsewhere; see external_models.py."""

_STORE = f"azureml://datastores/{artifact_paths.STORE}/paths/"
_RUNS = f"{_STORE}ExperimentRun/"
_ARTIFACTS = "mlflow-artifacts:/"
_IN_RUNS = f"{_ARTIFACTS}ExperimentRun/"
_STAGES = {"none": "None", "staging": "Staging", "production": "Production", "archived": "Archived"}
_MLMODEL = "MLmodel"
_LARGEST_MLMODEL = 1 << 20
_DEEPEST = 32


class ModelSync:
    """Keeps smalt's models and MLflow's registry in step."""

    def __init__(self, home: Home, db: Database, data: DataAccess, call: Call, guard: ArtifactGuard) -> None:
        self._guard = guard
        self._home = home
        self._db = db
        self._data = data
        self._call = call
        self._shown: dict[int, int] = {}
        self._turns: dict[int, asyncio.Lock] = {}

    async def update_mlflow(self, workspace: Workspace) -> None:
        """Bring MLflow's registry up to date before it is read; cheap if nothing changed."""
        if self._shown.get(workspace.id) != self._compute_state(workspace):
            async with self._get_lock(workspace):
                await self._show_models(workspace)

    @contextlib.asynccontextmanager
    async def record_changes(self, workspace: Workspace, names: Collection[str], principal: str) -> AsyncIterator[None]:
        """Hold the registry while a client writes to it, then record what MLflow's database says of these models."""
        async with self._get_lock(workspace):
            await self._show_models(workspace)
            made: list[str] = []
            try:
                yield
            finally:
                made += self._record_models(workspace, names, principal)
            for uri in made:
                await self._guard.on_registered(workspace, uri)

    def _get_lock(self, workspace: Workspace) -> asyncio.Lock:
        return self._turns.setdefault(workspace.id, asyncio.Lock())

    def _compute_state(self, workspace: Workspace) -> int:
        """Return a number that changes when any model does."""
        return hash(tuple(assets.list_states(self._db, workspace.id, "models")))

    async def _show_models(self, workspace: Workspace) -> None:
        state = self._compute_state(workspace)
        if self._shown.get(workspace.id) == state:
            return
        there = load_models(run_database.get_database_path(self._home, workspace.folder))
        known = {one.name: one for one in assets.list_containers(self._db, workspace.id, "models", "All")}
        self._record_models(workspace, there.keys() - known.keys(), "mlflow")  # a server that died over it did not
        wanted = {name: self._build_wanted(workspace, one) for name, one in known.items() if not one.is_archived}
        body = {
            "models": [
                difference
                for name, one in wanted.items()
                if (difference := _find_difference(name, there.get(name), one))
            ],
            "gone": [[name, None] for name, one in known.items() if one.is_archived and name in there],
        }
        if body["models"] or body["gone"]:
            await self._call(workspace, "POST", "/smalt/models", body)
        self._shown[workspace.id] = state

    def _build_wanted(self, workspace: Workspace, container: assets.AssetContainer) -> MlflowModel:
        """Return a model as MLflow should show it."""
        body, taken, found = json.loads(container.body), set[str](), {}
        versions = assets.list_versions(self._db, workspace.id, "models", container.name, "All")
        for version in sorted(versions, key=lambda one: (one.modified_at, one.id), reverse=True):
            if not version.version.isdecimal():
                continue
            properties = version.properties
            own = frozenset(assets.list_aliases(properties)) - taken if not version.is_archived else frozenset()
            taken |= own
            found[int(version.version)] = MlflowVersion(
                properties.get("description") or "",
                _to_texts(properties.get("tags")),
                own,
                DELETED if version.is_archived else _get_stage(properties),
                _build_source(container.name, version.version, str(properties.get("modelUri") or "")),
                properties.get("jobName") or "",
            )
        return MlflowModel(body.get("description") or "", _to_texts(body.get("tags")), found)

    def _record_models(self, workspace: Workspace, names: Collection[str], principal: str) -> list[str]:
        """Record these models as MLflow's database has them; return the URIs of new versions."""
        made: list[str] = []
        path = run_database.get_database_path(self._home, workspace.folder)
        with self._db.transaction():
            for name in names:
                found = load_models(path, name).get(name)
                container = assets.find_container(self._db, workspace.id, "models", name)
                if found is None:
                    if container is not None:
                        self._archive_model(workspace, container, principal)
                    continue
                self._record_container(workspace, name, found, container, principal)
                for number, version in found.versions.items():
                    made += self._record_version(workspace, name, str(number), version, principal)
        return made

    def _record_container(
        self,
        workspace: Workspace,
        name: str,
        found: MlflowModel,
        container: assets.AssetContainer | None,
        principal: str,
    ) -> None:
        before = {**json.loads(container.body), "isArchived": bool(container.is_archived)} if container else {}
        after = {**before, "description": found.description or None, "tags": found.tags, "isArchived": False}
        if before != after:
            assets.put_container(self._db, workspace.id, "models", name, after, principal)

    def _record_version(
        self, workspace: Workspace, name: str, number: str, found: MlflowVersion, principal: str
    ) -> list[str]:
        existing = assets.get_version(self._db, workspace.id, "models", name, number)
        if existing is None and found.is_deleted:
            return []
        before = existing.properties if existing else {}
        if found.is_deleted:
            after = {**before, "isArchived": True}
        else:
            after = {
                **(before or self._build_version(workspace, found)),
                **_get_changes(before, found),
                "isArchived": False,
            }
        if existing is None or (before, bool(existing.is_archived)) != (after, after["isArchived"]):
            assets.put_version(self._db, workspace.id, "models", name, number, after, principal)
        return [str(after["modelUri"])] if existing is None else []

    def _archive_model(self, workspace: Workspace, container: assets.AssetContainer, principal: str) -> None:
        """Archive a model that was deleted in MLflow, with all its versions."""
        for version in assets.list_versions(self._db, workspace.id, "models", container.name):
            after = {**version.properties, "isArchived": True}
            assets.put_version(self._db, workspace.id, "models", container.name, version.version, after, principal)
        after = {**json.loads(container.body), "isArchived": True}
        assets.put_container(self._db, workspace.id, "models", container.name, after, principal)

    def _build_version(self, workspace: Workspace, found: MlflowVersion) -> Json:
        """Return the unchanging properties of a version that MLflow made."""
        uri = self._find_uri(workspace, found.source)
        flavors = self._read_flavors(workspace, uri)
        return {
            "modelUri": uri,
            "modelType": "custom_model" if flavors is None else "mlflow_model",
            "flavors": {name: {"data": data} for name, data in (flavors or {}).items()},
            "jobName": self._find_job(workspace, found.run),
            "isAnonymous": False,
        }

    def _find_uri(self, workspace: Workspace, source: str) -> str:
        """Return smalt's URI for the files of a version."""
        path = source.removeprefix(_ARTIFACTS).strip("/")
        if source.startswith(_ARTIFACTS) and not path.startswith(f"{EXTERNAL_FOLDER}/"):
            return f"{_STORE}{path}"
        if source.startswith(_ARTIFACTS):
            _, name, version = path.split("/")[:3]
            copied = assets.get_version(self._db, workspace.id, "models", name, version)
            return str(copied.properties.get("modelUri") or "") if copied else source
        with contextlib.suppress(SmaltError):
            place = self._data.resolve(source, workspace)
            if place.datastore is not None:
                return f"azureml://datastores/{place.datastore}/paths/{place.relative}"
        return source

    def _read_flavors(self, workspace: Workspace, uri: str) -> dict[str, dict[str, str]] | None:
        """Return the model's flavors; None if it has no MLmodel file."""
        try:
            folder = self._data.resolve(uri, workspace).path
            file = Path(folder or "/nowhere", _MLMODEL)
            if not file.is_file() or file.stat().st_size > _LARGEST_MLMODEL:
                return None
            document = Document(file.read_bytes())  # of a job: its aliases may make anything of it
            found = {} if document.faults else document.data["flavors"]
            return {str(name): _to_texts(data) for name, data in found.items()}
        except (SmaltError, OSError):
            return None
        except (KeyError, TypeError, AttributeError, ValueError):
            return {}

    def _find_job(self, workspace: Workspace, run: str) -> str | None:
        """Return the job of a run, or the job in which it is nested."""
        path = run_database.get_database_path(self._home, workspace.folder)
        for _ in range(_DEEPEST):
            if not run or jobs.find_by_name(self._db, workspace.id, run) is not None:
                break
            run = run_database.load_tags(path, [run]).get(run, {}).get(run_database.PARENT, "")
        return run or None


def _get_changes(before: Json, found: MlflowVersion) -> Json:
    """Return the properties of a version that a client of MLflow may change."""
    properties = {key: value for key, value in (before.get("properties") or {}).items() if key != assets.ALIASES}
    if found.aliases:
        properties[assets.ALIASES] = ", ".join(sorted(found.aliases))
    own = {"description": found.description or None, "tags": found.tags, "properties": properties}
    if _get_stage(before) != found.stage:
        own["stage"] = found.stage if found.stage != "None" else None
    return own


def _find_difference(name: str, there: MlflowModel | None, wanted: MlflowModel) -> Json | None:
    """Return the update that makes MLflow show the model as wanted; None if it already does."""
    versions = []
    for number, version in sorted(wanted.versions.items()):
        before = there.versions.get(number) if there else None
        is_moved = before is not None and _is_moved(before.source, version.source)
        if before is not None and not is_moved and version.is_shown_as(before):
            continue
        told: Json = {"version": str(number), "description": version.description, "tags": version.tags}
        told.update(aliases=sorted(version.aliases), stage=version.stage)
        if before is None or before.is_deleted or is_moved:
            told.update(source=version.source, run_id=(before.run if before and is_moved else version.run) or None)
        versions.append(told)
    if there is not None and there[:2] == wanted[:2] and not versions:
        return None
    return {"name": name, "description": wanted.description, "tags": wanted.tags, "versions": versions}


def _build_source(name: str, version: str, uri: str) -> str:
    """Return the location of the files for MLflow's clients: in the run or, for all others, below `models/`."""
    if uri.startswith(_RUNS):
        return f"{_ARTIFACTS}{uri.removeprefix(_STORE)}"
    return f"{_ARTIFACTS}{EXTERNAL_FOLDER}/{name}/{version}"


def _is_moved(before: str, now: str) -> bool:
    """True if the version of a run was copied aside, as the run's files are being overwritten."""
    return before.startswith(_IN_RUNS) and now.startswith(f"{_ARTIFACTS}{EXTERNAL_FOLDER}/")


def _get_stage(properties: Json) -> str:
    """Return MLflow's name of the stage; "None" for stages that it does not have."""
    return _STAGES.get(str(properties.get("stage") or "None").lower(), "None")


def _to_texts(mapping: Any) -> dict[str, str]:
    if not isinstance(mapping, dict):
        return {}
    return {str(key): value if isinstance(value, str) else json.dumps(value, default=str)
            for key, value in mapping.items() if value is not None}  # fmt: skip
