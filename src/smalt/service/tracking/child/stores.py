"""MLflow's stores, one set per workspace: its runs, its registry and its artifacts."""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
import threading
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any
from urllib.parse import unquote, urlsplit

import sqlalchemy.event
import sqlalchemy.exc
from alembic.util import CommandError
from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import BAD_REQUEST, RESOURCE_DOES_NOT_EXIST
from mlflow.store.artifact.local_artifact_repo import LocalArtifactRepository
from mlflow.store.db import utils
from mlflow.store.model_registry.sqlalchemy_store import SqlAlchemyStore as RegistryStore
from mlflow.store.tracking.dbmodels.models import SqlLoggedModel, SqlRun
from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore as TrackingStore
from mlflow.version import VERSION

DATABASE = "mlflow.db"
ARTIFACTS = os.path.join("datastores", "workspaceartifactstore")
_ROOT = "mlflow-artifacts:/mlflow"
"""The root of MLflow's files outside runs (large traces): the artifact datastore's folder `mlflow`."""

_DATABASE_ERRORS = (sqlite3.Error, sqlalchemy.exc.SQLAlchemyError, CommandError)

_opening = threading.Lock()
"""Held while a database is opened: Alembic's migrations are global, so two at once would write into one database."""


class WorkspaceStores:
    """The stores of one workspace; its database is opened, and created, when first needed."""

    def __init__(self, folder: str, empty: str) -> None:
        """Take the workspace's folder, and the path of the empty database of which new ones are copies."""
        self._database = os.path.join(folder, DATABASE)
        self._empty = empty
        self._files = os.path.join(folder, ARTIFACTS)
        self._opened: tuple[RunTrackingStore, SharedRegistryStore] | None = None

    @property
    def tracking(self) -> RunTrackingStore:
        return self._open_stores()[0]

    @property
    def registry(self) -> SharedRegistryStore:
        return self._open_stores()[1]

    @property
    def artifacts(self) -> LocalArtifactRepository:
        return LocalArtifactRepository(self._files)

    def open_traces(self, uri: str) -> LocalArtifactRepository:
        """Return the store of a trace's data; its URI must be one of this server."""
        parts = urlsplit(uri)
        segments = unquote(parts.path).split("/")
        if parts.scheme != "mlflow-artifacts" or parts.netloc or ".." in segments:
            raise MlflowException.invalid_parameter_value(f"a trace's data is never at {uri}")
        return LocalArtifactRepository(os.path.join(self._files, *filter(None, segments)))

    def close(self) -> None:
        if self._opened is not None:
            self._opened[0].engine.dispose()

    def _open_stores(self) -> tuple[RunTrackingStore, SharedRegistryStore]:
        if self._opened is None:
            with _opening:
                if self._opened is None:
                    self._opened = _open_database(self._database, self._empty)
        return self._opened


class StoreRegistry:
    """The stores of all workspaces, by folder."""

    def __init__(self, workspaces: str) -> None:
        self._workspaces = workspaces
        self._empty = os.path.join(os.path.dirname(workspaces), f"mlflow-{VERSION}-empty.db")
        self._known: dict[str, WorkspaceStores] = {}

    def get_workspace(self, folder: str) -> WorkspaceStores:
        """Return the stores of the workspace with that folder name."""
        found = self._known.get(folder)
        if found is None:
            path = os.path.join(self._workspaces, folder)
            if not os.path.isdir(path):
                raise MlflowException(f"there is no workspace {folder}", RESOURCE_DOES_NOT_EXIST)
            found = self._known.setdefault(folder, WorkspaceStores(path, self._empty))
        return found

    def prepare_database(self) -> None:
        """Make the empty database ahead of the first call, which else waits for MLflow's migrations."""
        with _opening, contextlib.suppress(OSError, *_DATABASE_ERRORS):  # that call says why
            _ensure_empty(self._empty)

    def close(self) -> None:
        for workspace in list(self._known.values()):
            workspace.close()


current: ContextVar[WorkspaceStores] = ContextVar("current")
"""The workspace of the call that this thread works on."""


class RunTrackingStore(TrackingStore):
    """MLflow's store with logged models placed in the folder of their run."""

    _placing = threading.Lock()

    def create_logged_model(self, experiment_id: str, name: str | None = None, source_run_id: str | None = None,
                            **more: Any) -> Any:  # fmt: skip
        with self._placing:  # two of one name at once: one is the first
            _place.set(self._choose_place(name, source_run_id))
            try:
                return super().create_logged_model(experiment_id, name, source_run_id, **more)
            finally:
                _place.set(None)

    def _choose_place(self, name: str | None, run_id: str | None) -> str | None:
        """Return `<run>/<name>`, as in MLflow 2, for the first model of that name; None leaves the choice to MLflow."""
        if not name or not run_id:
            return None
        with self.ManagedSessionMaker() as session:
            run = session.get(SqlRun, run_id)
            place = f"{run.artifact_uri}/{name}" if run is not None else None
            taken = session.query(SqlLoggedModel.model_id).filter(SqlLoggedModel.artifact_location == place).first()
        return None if taken else place


class SharedRegistryStore(RegistryStore):
    """MLflow's registry, on the same connections as the runs."""

    @classmethod
    def _get_or_create_engine(cls, db_uri: str) -> Any:
        return TrackingStore._get_or_create_engine(db_uri)


_place: ContextVar[str | None] = ContextVar("_place", default=None)


def build_artifact_uri(run_id: str) -> str:
    return (
        f"mlflow-artifacts:/ExperimentRun/dcid.{run_id}"  # as smalt.wire.encoding.artifact_paths, not there to import
    )


@sqlalchemy.event.listens_for(SqlRun, "init")
def _set_run_place(_run: SqlRun, _arguments: Any, values: dict[str, Any]) -> None:
    """Place a run's files where the service does; MLflow's API has no parameter for it, but its rows do."""
    if values.get("run_uuid"):
        values["artifact_uri"] = build_artifact_uri(values["run_uuid"])


@sqlalchemy.event.listens_for(SqlLoggedModel, "init")
def _set_model_place(_model: SqlLoggedModel, _arguments: Any, values: dict[str, Any]) -> None:
    place = _place.get()
    if place is not None:
        values["artifact_location"] = place


def _open_database(database: str, empty: str) -> tuple[RunTrackingStore, SharedRegistryStore]:
    uri = f"sqlite:///{database}"
    try:
        _update_schema(database, empty, uri)
        return RunTrackingStore(uri, _ROOT), SharedRegistryStore(uri)
    except _DATABASE_ERRORS as error:
        reason = str(error).splitlines()[0]
        raise MlflowException(
            f"the tracking database {database} cannot be used ({reason}); put a copy of it in its place, "
            "or remove it to start again",
            BAD_REQUEST,  # which no client tries again for minutes, as it would an error of the server
        ) from None
    except OSError as error:
        raise MlflowException(
            f"the tracking database {database} cannot be made ({error.strerror}); "
            "see that the server may write there and the disk has room, and try again",
            BAD_REQUEST,
        ) from None


def _update_schema(database: str, empty: str, uri: str) -> None:
    """Create the database, or migrate that of an older MLflow after copying it; use a write-ahead log."""
    if not os.path.exists(database):
        _create_database(database, empty)
    else:
        engine = TrackingStore._get_or_create_engine(uri)
        version = utils._get_schema_version(engine)
        if version is not None and version != utils._get_latest_schema_revision():
            _copy_database(database, f"{database}.{version}")
            utils._upgrade_db(engine)
    with contextlib.closing(sqlite3.connect(database)) as connection:
        connection.execute("PRAGMA journal_mode=wal")


def _create_database(database: str, empty: str) -> None:
    """Make an empty database. MLflow's migrations take it a second of the processor, so it is a copy of the home's
    `empty` one, which they have made once.
    """
    _ensure_empty(empty)
    _make_whole(database, lambda partial: _copy_file(empty, partial))


def _ensure_empty(empty: str) -> None:
    if not _is_sound(empty):
        _make_whole(empty, _initialize_database)


def _make_whole(database: str, make: Callable[[str], None]) -> None:
    """Make a database beside its place and move it there, so that a kill leaves a whole one or none."""
    partial = f"{database}.partial"
    _remove_partial(partial)
    try:
        make(partial)
    except BaseException:
        with contextlib.suppress(OSError):
            _remove_partial(partial)  # it may hold the disk's last room
        raise
    os.replace(partial, database)


def _remove_partial(partial: str) -> None:
    for name in (partial, f"{partial}-wal", f"{partial}-shm", f"{partial}-journal"):
        with contextlib.suppress(FileNotFoundError):
            os.remove(name)


def _initialize_database(database: str) -> None:
    engine = utils.create_sqlalchemy_engine_with_retry(f"sqlite:///{database}")
    try:
        utils._initialize_tables(engine)
    finally:
        engine.dispose()


def _copy_file(source: str, target: str) -> None:
    with open(source, "rb") as old, open(target, "wb") as new:
        shutil.copyfileobj(old, new)
        new.flush()
        os.fsync(new.fileno())  # as SQLite does with what it commits


def _is_sound(database: str) -> bool:
    """True if the database is there, whole, and has the tables: what is wrong with it would be wrong with each copy."""
    if not os.path.exists(database):
        return False
    try:
        with contextlib.closing(sqlite3.connect(database)) as connection:
            is_whole = connection.execute("PRAGMA quick_check").fetchone() == ("ok",)
            return is_whole and connection.execute("SELECT 1 FROM alembic_version").fetchone() is not None
    except sqlite3.Error:
        return False


def _copy_database(database: str, target: str) -> None:
    if os.path.exists(target):
        return  # of a migration that did not come to its end
    with contextlib.closing(sqlite3.connect(database)) as source:
        with contextlib.closing(sqlite3.connect(f"{target}.partial")) as copy:
            source.backup(copy)
        os.replace(f"{target}.partial", target)
