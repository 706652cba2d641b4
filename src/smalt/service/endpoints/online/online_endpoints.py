"""The front of the room: all deployments of a home, their processes and their keys."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping

from smalt.exceptions import SmaltError
from smalt.service.compute.backend import Exit
from smalt.service.compute.local.launcher_client import LauncherClient
from smalt.service.endpoints.online.definitions import Definition
from smalt.service.endpoints.online.deployment_logs import shorten_logs
from smalt.service.endpoints.online.deployments import ServedDeployment
from smalt.service.endpoints.online.keys import EndpointKeys
from smalt.service.endpoints.online.replicas import Replica
from smalt.service.endpoints.online.routes import EndpointRoute
from smalt.service.endpoints.online.starting import ReplicaStarter, make_step_id
from smalt.service.engine.context import EngineContext
from smalt.service.records import online as records
from smalt.service.records import resources, workspaces
from smalt.service.records.online import ReplicaRecord, RevisionRecord
from smalt.service.records.workspaces import Workspace

logger = logging.getLogger("smalt")

ENDPOINTS = "onlineEndpoints"
_LOOKS_BETWEEN_LOGS = 12
_IDLE_LOOK = 5.0
"""Seconds between looks for deployments that are idle, if idle ones are to be stopped."""

Key = tuple[int, str, str]
"""Workspace id, endpoint and deployment, the names in lower case."""


class OnlineEndpoints:
    """Call it on the event loop."""

    def __init__(self, context: EngineContext, launcher: LauncherClient) -> None:
        self.context = context
        self.keys = EndpointKeys(context.home, context.db)
        self._launcher = launcher
        self._starter = ReplicaStarter(context, launcher)
        self._deployments: dict[Key, ServedDeployment] = {}
        self._routes: dict[tuple[str, str], EndpointRoute] = {}
        self._idle_task: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Take over what an earlier server's deployments have running, and start what is missing."""
        db = self.context.db
        self._launcher.open_services(lambda step_id, process, started: None, self._handle_exit)
        found, revisions = records.list_replicas(db), records.list_revisions(db)
        try:
            states = await self._launcher.recover_services([make_step_id(one.id) for one in found])
        except SmaltError as error:
            logger.warning("the processes of online deployments could not be found again: %s", error)
            states = {}
        running: dict[int, list[ReplicaRecord]] = {}
        for one in found:
            if states.get(make_step_id(one.id)) == "running":
                running.setdefault(one.revision_id, []).append(one)
            else:
                self._starter.forget_replica(one.id, one.folder, one.address)
        for key, some in _group_revisions(revisions).items():
            self._resume_deployment(key, some, running)
        for left in (one for some in running.values() for one in some):
            self._starter.stop_replica(left.id)
        self._update_need()

    def _resume_deployment(
        self, key: Key, revisions: list[RevisionRecord], running: dict[int, list[ReplicaRecord]]
    ) -> None:
        newest, db = revisions[-1], self.context.db
        workspace = workspaces.get_workspace(db, newest.workspace_id)
        deployment = self._deployments[key] = self._make_deployment(workspace, newest.endpoint, newest.deployment)
        serving = next((one for one in reversed(revisions) if one.state == records.SUCCEEDED), None)
        adopted = []
        if serving is not None:
            fingerprint = Definition.from_dict(serving.content).fingerprint
            for one in revisions:
                if Definition.from_dict(one.content).fingerprint == fingerprint:
                    adopted += running.pop(one.id, [])
        deployment.resume(serving, [Replica(one.id, one.address, one.folder) for one in adopted])
        if newest.state == records.CREATING:
            deployment.deploy(newest)

    async def close(self) -> None:
        """Leave; the processes run on under the launcher."""
        if self._idle_task is not None:
            self._idle_task.cancel()
        for deployment in self._deployments.values():
            deployment.close()

    async def stop_processes(self) -> None:
        """Stop every process, as the server is to end for good; the next server starts them again."""
        for deployment in self._deployments.values():
            deployment.close()
            for one in deployment.list_replica_sets():
                one.kill_all()
        await asyncio.gather(
            *(
                replica.ended.wait()
                for deployment in self._deployments.values()
                for one in deployment.list_replica_sets()
                for replica in one.replicas
            )
        )

    @property
    def is_needed(self) -> bool:
        """True if a deployment answers requests, or would: then the server must stay."""
        return any(deployment.is_needed for deployment in self._deployments.values())

    # Deployments

    def deploy(
        self, workspace: Workspace, endpoint: str, name: str, definition: Definition
    ) -> tuple[ServedDeployment, RevisionRecord]:
        """Record a revision of a deployment and begin to replace what serves by it."""
        db = self.context.db
        id = records.add_revision(db, workspace.id, endpoint, name, definition.to_dict())
        record = records.get_revision(db, id)
        assert record is not None
        key = _make_key(workspace.id, endpoint, name)
        if key not in self._deployments:
            self._deployments[key] = self._make_deployment(workspace, endpoint, name)
        self._deployments[key].deploy(record)
        self._update_need()
        return self._deployments[key], record

    def _make_deployment(self, workspace: Workspace, endpoint: str, name: str) -> ServedDeployment:
        return ServedDeployment(self.context, self._starter, workspace, endpoint, name, self._update_need)

    def list_endpoints(self, workspace_id: int) -> list[str]:
        """Return the names of the workspace's endpoints that have deployments."""
        found = (one.endpoint for one in self._deployments.values() if one.workspace.id == workspace_id)
        return sorted(set(found))

    def find_deployment(self, workspace_id: int, endpoint: str, name: str) -> ServedDeployment | None:
        return self._deployments.get(_make_key(workspace_id, endpoint, name))

    async def remove_deployment(self, workspace_id: int, endpoint: str, name: str) -> None:
        """Stop a deployment's processes and forget it."""
        key = _make_key(workspace_id, endpoint, name)
        deployment = self._deployments.get(key)
        if deployment is not None:
            await deployment.remove()  # it is told of its processes' ends until then
            self._deployments.pop(key, None)
        records.remove_deployment(self.context.db, workspace_id, endpoint, name)
        self._update_need()

    async def remove_endpoint(self, workspace_id: int, endpoint: str) -> None:
        """Forget an endpoint's keys, and its deployments, whose processes are stopped."""
        names = [key[2] for key in self._deployments if key[:2] == (workspace_id, endpoint.lower())]
        await asyncio.gather(*(self.remove_deployment(workspace_id, endpoint, name) for name in names))
        self.keys.remove_keys(workspace_id, endpoint)
        self.forget_route(endpoint)

    def _handle_exit(self, exit: Exit) -> None:
        id = int(exit.step_id.rpartition(".")[2])
        for deployment in self._deployments.values():
            found = deployment.find_replica(id)
            if found is not None:
                found[0].handle_exit(found[1], exit)
                return
        for one in records.list_replicas(self.context.db):
            if one.id == id:
                self._starter.forget_replica(one.id, one.folder, one.address)
                return
        self._launcher.acknowledge([exit.step_id])

    def _update_need(self) -> None:
        self._launcher.keep_services(self.is_needed)
        if self.is_needed and self._idle_task is None:
            self._idle_task = asyncio.ensure_future(self._stop_idle())

    async def _stop_idle(self) -> None:
        """Stop the processes of deployments that nobody asks, if the setting says so; keep logs from growing."""
        turns = 0
        while True:
            await asyncio.sleep(_IDLE_LOOK)
            turns += 1
            if turns % _LOOKS_BETWEEN_LOGS == 0:
                for deployment in self._deployments.values():
                    await asyncio.to_thread(shorten_logs, deployment.list_log_files())
            minutes = float(self.context.settings.online_idle_minutes)
            if minutes:
                for deployment in self._deployments.values():
                    if deployment.stop_if_idle(minutes * 60):
                        logger.info("deployment %s/%s is idle", deployment.endpoint, deployment.name)

    # Routes

    def find_route(self, folder: str, endpoint: str) -> EndpointRoute | None:
        """Return the route of an endpoint of the workspace with that folder; None if there is none."""
        key = folder, endpoint.lower()
        found = self._routes.get(key)
        if found is None:
            found = self._load_route(folder, endpoint)
            if found is not None:
                self._routes[key] = found
        return found

    def forget_route(self, endpoint: str) -> None:
        """Read the endpoint's records again with the next request."""
        for key in [key for key in self._routes if key[1] == endpoint.lower()]:
            del self._routes[key]

    def _load_route(self, folder: str, endpoint: str) -> EndpointRoute | None:
        db = self.context.db
        for workspace in workspaces.list_workspaces(db):
            if workspace.folder == folder:
                found = resources.get_resource(db, workspace.id, ENDPOINTS, endpoint)
                return EndpointRoute.from_content(workspace, found.name, found.content) if found else None
        return None


def _make_key(workspace_id: int, endpoint: str, name: str) -> Key:
    return workspace_id, endpoint.lower(), name.lower()


def _group_revisions(revisions: list[RevisionRecord]) -> Mapping[Key, list[RevisionRecord]]:
    grouped: dict[Key, list[RevisionRecord]] = {}
    for one in revisions:
        grouped.setdefault(_make_key(one.workspace_id, one.endpoint, one.deployment), []).append(one)
    return grouped
