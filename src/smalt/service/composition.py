"""The composition of the rooms: each gets the lookups that it may make in the others."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable
from typing import Any, TypeVar

from smalt.exceptions import NotFound
from smalt.machine.home import Home
from smalt.service.compute import LauncherClient
from smalt.service.compute.backends import ThisMachine, make_computes
from smalt.service.compute.containers.images import ContainerImages
from smalt.service.compute.local.context import LocalContext
from smalt.service.compute.local.warm_starts import WarmStarts
from smalt.service.data import AssetReference, DataAccess, Registered
from smalt.service.engine import Engine
from smalt.service.engine.context import EngineContext
from smalt.service.engine.kinds.places import ARTIFACTS
from smalt.service.engine.outputs import job_outputs as made
from smalt.service.environments import Environments
from smalt.service.records import assets, jobs, resources, reuse, workspaces
from smalt.service.records.database import Database
from smalt.service.records.workspaces import Workspace
from smalt.service.registry import Registries, WorkspaceAssets
from smalt.service.secrets.encryption import decrypt_credentials
from smalt.service.secrets.vault import Vault
from smalt.service.settings import ServerSettings
from smalt.service.tracking import Tracking
from smalt.wire.encoding import artifact_paths

Result = TypeVar("Result")

_URIS = {"data": "dataUri", "models": "modelUri"}


HAND_OVER = "SMALT_HAND_OVER"
"""The variable that switches the hand-over off (`off`): docs/internals/handover.md."""


def build_engine(home: Home, settings: ServerSettings, db: Database, launcher: LauncherClient | None = None) -> Engine:
    """Build the engine with all rooms. Call on the event loop, whose thread owns the database."""
    lookups = _RecordLookups(home, db)
    data = DataAccess(
        home,
        settings,
        lookups.find_output,
        lookups.find_asset,
        lookup_datastore=lookups.find_datastores,
        lookup_workspace=lookups.find_workspace,
        is_busy=lookups.find_busy,
        unfinished=lookups.find_unfinished,
    )
    images = ContainerImages(home, settings)
    environments = Environments(home, settings, images)
    vault = Vault(home, db, lookups.call_on_owner)
    launcher = launcher or LauncherClient(home, cpus=settings.cpus)
    local = LocalContext(home, data, environments, vault, launcher.capacity.gpus, warm=WarmStarts(home, settings))
    computes = make_computes(ThisMachine(local, launcher, images))
    tracking = Tracking(home, settings, db, data, vault.get_hider)
    registries = lookups.registries = Registries(settings, WorkspaceAssets(home, db, data, lookups.call_on_owner))
    context = EngineContext(home, db, data, environments, computes, settings, tracking, registries, vault)
    return Engine(context, hands_over=os.environ.get(HAND_OVER) != "off")


class _RecordLookups:
    """Lookups of the data room in the records, from any thread."""

    def __init__(self, home: Home, db: Database) -> None:
        self.registries: Registries | None = None
        self._home = home
        self._db = db
        self._loop = asyncio.get_running_loop()
        self._thread = threading.get_ident()

    def find_output(self, workspace: Workspace, job: str, output: str) -> str | None:
        return self.call_on_owner(self._find_output, workspace, job, output)

    def find_asset(self, workspace: Workspace, reference: AssetReference) -> str | None:
        return self.call_on_owner(self._find_asset, workspace, reference)

    def find_datastores(self, folder: str, name: str | None) -> Registered:
        return self.call_on_owner(self._find_datastores, folder, name)

    def find_workspace(self, subscription: str, group: str, name: str) -> Workspace | None:
        return self.call_on_owner(self._find_workspace, subscription, group, name)

    def call_on_owner(self, question: Callable[..., Result], *arguments: Any) -> Result:
        """Call a function on the thread that owns the records and return its result."""
        if threading.get_ident() == self._thread:
            return question(*arguments)

        async def answer() -> Result:
            return question(*arguments)

        return asyncio.run_coroutine_threadsafe(answer(), self._loop).result()

    def _find_output(self, workspace: Workspace, job: str, output: str) -> str | None:
        found = jobs.find_by_name(self._db, workspace.id, job)
        if found is None:
            return self._find_run(workspace, job) if output == "artifacts" else None
        written = made.find_output_uri(self._db, found, output)
        if written is not None:
            return written
        whose = reuse.find_origin(self._db, found.id) or found.name
        return ARTIFACTS.format(job=whose) if output in ("artifacts", "default") else None

    def _find_run(self, workspace: Workspace, run: str) -> str | None:
        """Return the artifacts' URI of a run that is not a job: a script's nested one."""
        store = self._home.path("workspaces", workspace.folder, "datastores", artifact_paths.STORE)
        there = os.path.isdir(f"{store}/{artifact_paths.PREFIX}{run}")
        return ARTIFACTS.format(job=run) if there else None

    def _find_asset(self, workspace: Workspace, reference: AssetReference) -> str | None:
        if reference.registry:
            return self._find_shared(reference)
        if reference.workspace:
            other = self._find_workspace(*reference.workspace)
            if other is None:
                return None
            workspace = other
        kinds = [reference.kind] if reference.kind else list(_URIS)
        for kind in kinds:
            found = self._find_version(workspace, kind, reference)
            if found:
                return str(found.properties.get(_URIS[kind]) or "") or None
        for kind in kinds if not reference.version else ():
            whole = assets.find_container(self._db, workspace.id, kind, reference.name)
            if whole is not None and whole.is_archived:
                raise NotFound(f"{reference.text} is archived; restore it, or name one of its versions")
        return None

    def _find_shared(self, reference: AssetReference) -> str | None:
        """Return the URI of a registry's asset; the built-in registry has neither data nor models."""
        if self.registries is None or reference.kind not in _URIS:
            return None
        named = reference.name, reference.version, reference.label
        return self.registries.find_uri(str(reference.registry), str(reference.kind), *named)

    def _find_version(self, workspace: Workspace, kind: str, reference: AssetReference) -> assets.AssetVersion | None:
        if reference.version:
            return assets.get_version(self._db, workspace.id, kind, reference.name, reference.version)
        name, label, stage = reference.name, reference.label, reference.stage
        return assets.resolve_version(self._db, workspace.id, kind, name, label=label, stage=stage)

    def _find_datastores(self, folder: str, name: str | None) -> Registered:
        for workspace in workspaces.list_workspaces(self._db):
            if workspace.folder == folder:
                every = name is None and resources.list_resources(self._db, workspace.id, "datastores")
                one = name is not None and resources.get_resource(self._db, workspace.id, "datastores", name)
                found = every or ([one] if one else [])
                return {
                    each.name: decrypt_credentials(self._home, each.content.get("properties") or {}) for each in found
                }
        return {}

    def find_busy(self, folders: list[str]) -> set[str]:
        """Return those folders of attempts (`…/WORKSPACE/jobs/JOB`, a retry's `JOB.2`) whose jobs are unfinished."""
        return self.call_on_owner(self._find_busy, folders)

    def find_unfinished(self, ids: list[int]) -> set[int]:
        """Return those ids of jobs that belong to unfinished ones."""
        return self.call_on_owner(jobs.find_unfinished, self._db, ids)

    def _find_busy(self, folders: list[str]) -> set[str]:
        named = {one.id: one.folder for one in workspaces.list_workspaces(self._db)}
        unfinished = {(named[job.workspace_id], job.name) for job in jobs.list_unfinished(self._db)}
        found = set()
        for folder in folders:
            workspace, _, job = folder.split("/")[-3:]
            if (workspace, job.partition(".")[0]) in unfinished:
                found.add(folder)
        return found

    def _find_workspace(self, subscription: str, group: str, name: str) -> Workspace | None:
        wanted = (subscription.lower(), group.lower(), name.lower())
        for one in workspaces.list_workspaces(self._db):
            if (one.subscription.lower(), one.resource_group.lower(), one.name.lower()) == wanted:
                return one
        return None
