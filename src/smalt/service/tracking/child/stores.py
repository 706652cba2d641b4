"""MLflow's stores, a set for each workspace: its runs, its registry and its artifacts."""

from __future__ import annotations

import os
import sqlite3
import threading
from contextvars import ContextVar
from functools import cached_property
from typing import Any
from urllib.parse import unquote, urlsplit

import sqlalchemy.event
from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import RESOURCE_DOES_NOT_EXIST
from mlflow.store.artifact.local_artifact_repo import LocalArtifactRepository
from mlflow.store.db import utils
from mlflow.store.model_registry.sqlalchemy_store import SqlAlchemyStore as RegistryStore
from mlflow.store.tracking.dbmodels.models import SqlLoggedModel, SqlRun
from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore as TrackingStore

DATABASE = "mlflow.db"
ARTIFACTS = os.path.join("datastores", "workspaceartifactstore")
_ROOT = "mlflow-artifacts:/mlflow"
"""What MLflow keeps beside the runs (large traces) lies in the artifact datastore's folder `mlflow`."""


class Workspace:
    """The stores of one workspace, made when first asked for."""

    def __init__(self, folder: str) -> None:
        self._lock = threading.RLock()
        self._uri = f"sqlite:///{os.path.join(folder, DATABASE)}"
        self._database = os.path.join(folder, DATABASE)
        self._files = os.path.join(folder, ARTIFACTS)

    @cached_property
    def tracking(self) -> Tracking:
        with self._lock:
            if "tracking" in self.__dict__:
                return self.__dict__["tracking"]
            _bring_up_to_date(self._database, self._uri)
            return self.__dict__.setdefault("tracking", Tracking(self._uri, _ROOT))

    @cached_property
    def registry(self) -> Registry:
        with self._lock:
            self.tracking  # noqa: B018 - it makes the tables
            return self.__dict__.setdefault("registry", Registry(self._uri))

    @cached_property
    def artifacts(self) -> LocalArtifactRepository:
        return LocalArtifactRepository(self._files)

    def traces(self, uri: str) -> LocalArtifactRepository:
        """Where a trace's own URI says that its data is; only URIs of this server are."""
        parts = urlsplit(uri)
        segments = unquote(parts.path).split("/")
        if parts.scheme != "mlflow-artifacts" or parts.netloc or ".." in segments:
            raise MlflowException.invalid_parameter_value(f"a trace's data is never at {uri}")
        return LocalArtifactRepository(os.path.join(self._files, *filter(None, segments)))

    def close(self) -> None:
        if "tracking" in self.__dict__:
            self.tracking.engine.dispose()


class Stores:
    def __init__(self, workspaces: str) -> None:
        self._workspaces = workspaces
        self._known: dict[str, Workspace] = {}

    def of(self, folder: str) -> Workspace:
        """The stores of the workspace whose folder has that name."""
        found = self._known.get(folder)
        if found is None:
            path = os.path.join(self._workspaces, folder)
            if not os.path.isdir(path):
                raise MlflowException(f"there is no workspace {folder}", RESOURCE_DOES_NOT_EXIST)
            found = self._known.setdefault(folder, Workspace(path))
        return found

    def close(self) -> None:
        for workspace in list(self._known.values()):
            workspace.close()


current: ContextVar[Workspace] = ContextVar("current")
"""The workspace of the call that this thread works on."""


class Tracking(TrackingStore):
    """MLflow's store, whose logged models lie with their run."""

    def create_logged_model(self, experiment_id: str, name: str | None = None, source_run_id: str | None = None,
                            **more: Any) -> Any:  # fmt: skip
        _place.set(self._place(name, source_run_id))
        try:
            return super().create_logged_model(experiment_id, name, source_run_id, **more)
        finally:
            _place.set(None)

    def _place(self, name: str | None, run_id: str | None) -> str | None:
        """`<run>/<name>`, as in MLflow 2, for the first model of that name; None leaves it to MLflow."""
        if not name or not run_id:
            return None
        with self.ManagedSessionMaker() as session:
            run = session.get(SqlRun, run_id)
            place = f"{run.artifact_uri}/{name}" if run is not None else None
            taken = session.query(SqlLoggedModel.model_id).filter(SqlLoggedModel.artifact_location == place).first()
        return None if taken else place


class Registry(RegistryStore):
    """MLflow's registry, on the same connections as the runs."""

    @classmethod
    def _get_or_create_engine(cls, db_uri: str) -> Any:
        return TrackingStore._get_or_create_engine(db_uri)


_place: ContextVar[str | None] = ContextVar("_place", default=None)


def artifact_uri(run_id: str) -> str:
    return f"mlflow-artifacts:/ExperimentRun/dcid.{run_id}"


@sqlalchemy.event.listens_for(SqlRun, "init")
def _place_run(_run: SqlRun, _arguments: Any, values: dict[str, Any]) -> None:
    """A run's files lie where the service puts them. Nothing of MLflow's API says where, but its rows do."""
    if values.get("run_uuid"):
        values["artifact_uri"] = artifact_uri(values["run_uuid"])


@sqlalchemy.event.listens_for(SqlLoggedModel, "init")
def _place_model(_model: SqlLoggedModel, _arguments: Any, values: dict[str, Any]) -> None:
    place = _place.get()
    if place is not None:
        values["artifact_location"] = place


def _bring_up_to_date(database: str, uri: str) -> None:
    """A database of another MLflow is backed up beside itself, then migrated. Its journal is a write-ahead log."""
    if os.path.exists(database):
        engine = TrackingStore._get_or_create_engine(uri)
        version = utils._get_schema_version(engine)
        if version is not None and version != utils._get_latest_schema_revision():
            with sqlite3.connect(database) as source, sqlite3.connect(f"{database}.{version}") as target:
                source.backup(target)
            utils._upgrade_db(engine)
    with sqlite3.connect(database) as connection:
        connection.execute("PRAGMA journal_mode=wal")
