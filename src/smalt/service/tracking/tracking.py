"""The entry point of the tracking room: MLflow for the jobs and users of a home. See docs/internals/tracking.md."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import Any

from starlette.types import Receive, Scope, Send

from smalt.exceptions import SmaltError
from smalt.machine.home import Home
from smalt.service.data import DataAccess
from smalt.service.records import tracked_runs
from smalt.service.records.database import Database
from smalt.service.records.jobs import Job
from smalt.service.records.workspaces import Workspace
from smalt.service.secrets.identity import ServerAccess
from smalt.service.settings import ServerSettings
from smalt.service.tracking import variables
from smalt.service.tracking.artifact_guard import ArtifactGuard
from smalt.service.tracking.child_connection import ChildConnection
from smalt.service.tracking.curve_cache import CurveCache
from smalt.service.tracking.curve_writer import CurveWriter
from smalt.service.tracking.external_models import ExternalModels
from smalt.service.tracking.job_permissions import JobRules
from smalt.service.tracking.job_tokens import JobTokens
from smalt.service.tracking.model_sync import ModelSync
from smalt.service.tracking.process import MlflowProcess
from smalt.service.tracking.proxy import FindMetricListener, Hider, TrackingProxy
from smalt.service.tracking.run_database import get_database_path
from smalt.service.tracking.runs import JobRuns

log = logging.getLogger("smalt.tracking")

_ANY = ("0.0.0.0", "localhost", "127.0.0.1")


class Tracking:
    """MLflow for a home. Creating it starts nothing: MLflow's process starts when it is first needed."""

    def __init__(self, home: Home, settings: ServerSettings, db: Database, data: DataAccess, hider: Hider) -> None:
        self.port: int | None = None
        """The server's port; jobs that start before it is known get no tracking variables."""
        self.tokens = JobTokens(home)
        self.child = MlflowProcess(home, settings)
        self._home = home
        self._db = db
        self._settings = settings
        self._connection = ChildConnection(home, self.child)
        self.curves = CurveCache()
        self._curve_writer = CurveWriter(home, db, self.curves)
        self.runs = JobRuns(db, self._connection.call_json, self._remove_curves)
        self.guard = ArtifactGuard()
        self.models = ModelSync(home, db, data, self._connection.call_json, self.guard)
        external_models = ExternalModels(home, db, data)
        rules = JobRules(db, self._connection.call_json)
        self._proxy = TrackingProxy(self._connection, rules, self.runs, self.models, external_models, hider, self.guard)
        self._proxy.record_metrics = self._curve_writer.record_metrics
        self._uris: dict[int, str] = {}
        self._reconciling: asyncio.Task[None] | None = None

    def listen_to_metrics(self, find_listener: FindMetricListener) -> None:
        """Call `find_listener` for each run to which metrics are logged, once the client has its answer."""
        self._proxy.find_metric_listener = find_listener

    def open(self) -> None:
        """Begin to write to MLflow what an earlier server did not, without waiting."""
        self._reconciling = asyncio.get_running_loop().create_task(self._write_missed_ends())

    def build_variables(self, job: Job, workspace: Workspace) -> dict[str, str]:
        """Return the environment variables by which a job's MLflow finds its run."""
        if self.port is None:
            return {}
        if workspace.id not in self._uris:
            self._uris[workspace.id] = self.base_url + variables.build_route(workspace)
        return variables.build_variables(job, self._uris[workspace.id], self.tokens.get_token(job))

    def get_server_access(self, job: Job) -> ServerAccess | None:
        """Return the job's access to this server; None until its port is known."""
        return None if self.port is None else ServerAccess(self.base_url, self.tokens.get_token(job))

    def start_soon(self) -> None:
        """Begin to start MLflow's process while a job that has mlflow starts."""
        if self.port is not None:
            self.child.start_soon()

    async def handle_request(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer MLflow's API; the scope has `smalt.workspace`, `smalt.job` (None for a user) and `smalt.rest`."""
        await self._proxy.handle_request(scope, receive, send)

    async def call_json(self, workspace: Workspace, method: str, path: str, body: Any = None) -> Any:
        """Send one of smalt's own requests to MLflow, which is started for it."""
        return await self._connection.call_json(workspace, method, path, body)

    async def close(self) -> None:
        if self._reconciling is not None:
            self._reconciling.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._reconciling
        await self.runs.close()
        await self._curve_writer.close()
        await self.child.close()

    async def _remove_curves(self, workspace: Workspace) -> None:
        def find_names(ids: set[int]) -> dict[int, str]:
            with self._db.open_reader() as reader:
                return tracked_runs.list_names(reader, ids)

        path = get_database_path(self._home, workspace.folder)
        await asyncio.to_thread(self.curves.remove_orphans, path, find_names)

    async def _write_missed_ends(self) -> None:
        try:
            await self.runs.write_missed_ends()
        except SmaltError as error:
            log.warning("MLflow could not be told how earlier jobs ended: %s", error)

    @property
    def host(self) -> str:
        """The host by which jobs reach the server: the loopback interface if the server listens there."""
        listen = self._settings.listen
        return "127.0.0.1" if listen in _ANY else "::1" if listen == "::" else listen

    @property
    def base_url(self) -> str:
        host = self.host
        return f"http://[{host}]:{self.port}" if ":" in host else f"http://{host}:{self.port}"
