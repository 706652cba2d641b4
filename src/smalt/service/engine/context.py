"""Everything that the engine calls, in one place."""

from __future__ import annotations

import os
import time
from functools import cached_property
from typing import TYPE_CHECKING, Any

from smalt.exceptions import Unavailable
from smalt.machine.disk_reserve import DiskReserve, DiskSpace
from smalt.machine.home import Home
from smalt.service.compute.registry import Computes
from smalt.service.data import DataAccess, Location
from smalt.service.engine.deletion.place_references import PlaceReferences
from smalt.service.engine.versions.contents import VersionContents
from smalt.service.engine.versions.integrity import VersionIntegrity
from smalt.service.engine.versions.integrity_cache import IntegrityCache
from smalt.service.environments import BuiltEnvironment, Environments
from smalt.service.records import environments as uses
from smalt.service.records import jobs, workspaces
from smalt.service.records.database import Database
from smalt.service.records.jobs import Job
from smalt.service.records.workspaces import Workspace
from smalt.service.registry import Registries, WorkspaceAssets
from smalt.service.secrets.identity import JobIdentity
from smalt.service.secrets.vault import Vault
from smalt.service.tracking import Tracking
from smalt.wire.encoding import artifact_paths

if TYPE_CHECKING:
    from smalt.service.sweeps.optuna_process import OptunaProcess

_NOTED_SECONDS = 60.0


class EngineContext:
    """The rest of the back, as the engine uses it."""

    def __init__(
        self,
        home: Home,
        db: Database,
        data: DataAccess,
        environments: Environments,
        computes: Computes,
        settings: Any,
        tracking: Tracking,
        registries: Registries | None = None,
        vault: Vault | None = None,
    ) -> None:
        self.home = home
        self.root = os.path.realpath(home.root)
        """The home's folder as real paths have it."""
        self.reserve = DiskReserve(home.root)
        self.db = db
        self.data = data
        self.environments = environments
        self.computes = computes
        self.settings = settings
        self.tracking = tracking
        self.registries = registries or Registries(settings, WorkspaceAssets(home, db, data))
        self.vault = vault or Vault(home, db, lambda question, *arguments: question(*arguments))
        self.identity = JobIdentity(home, settings)
        self.contents = VersionContents(db, data)
        self.intact = VersionIntegrity(db, self.root)
        self.verified = IntegrityCache(self.intact)
        self.held = PlaceReferences(db, data, self.root, str(home.shell_safe_path))
        self.unprotected: list[tuple[Workspace, str]] = []
        """The URIs of outputs that became versions and are to be made read-only, once that is committed."""
        self.about_to_write: dict[int, tuple[str, list[str]]] = {}
        """By id of a job that has looked for versions where it will write: its name, and those real paths."""
        self.leaving: set[tuple[int, str]] = set()
        """Workspace and name of deleted jobs whose files a new job of the name would still meet."""
        self._workspaces: dict[int, Workspace] = {}
        self._root_names: dict[int, str] = {}
        self._artifacts: dict[int, str] = {}
        self._noted: dict[tuple[int, str], float] = {}

    @cached_property
    def optuna(self) -> OptunaProcess:
        """The process of samplers that learn, which starts when it is first asked."""
        from smalt.service.sweeps.optuna_process import OptunaProcess

        return OptunaProcess(self.home)

    def close(self) -> None:
        """End the processes that were started for the engine."""
        if "optuna" in vars(self):
            self.optuna.close()

    @property
    def has_gpus(self) -> bool:
        return bool(self.computes.machine.gpus)

    def workspace(self, job: Job) -> Workspace:
        if job.workspace_id not in self._workspaces:
            self._workspaces[job.workspace_id] = workspaces.get_workspace(self.db, job.workspace_id)
        return self._workspaces[job.workspace_id]

    def root_name(self, job: Job) -> str:
        if job.root_id == job.id:
            return job.name
        if job.root_id not in self._root_names:
            if len(self._root_names) > 1000:
                self._root_names.clear()
            self._root_names[job.root_id] = jobs.get_name(self.db, job.root_id)
        return self._root_names[job.root_id]

    def refuse_where_full(self) -> None:
        """Raise Unavailable if the disk is full: what is left of it is kept for jobs accepted earlier."""
        disk = DiskSpace.measure(self.home.root)
        if disk.is_full:
            raise Unavailable(
                f"the disk of {self.root} is full ({disk}); free some space (smalt prune) and submit the job again"
            )

    def artifacts(self, workspace: Workspace, job: str) -> str:
        """Return the folder of a job's logs and outputs/, which is laid out as the service lays it out."""
        if workspace.id not in self._artifacts:
            folder = self.data.datastores.get_folder(workspace.folder, "workspaceartifactstore")
            self._artifacts[workspace.id] = str(folder)
        return f"{self._artifacts[workspace.id]}/{artifact_paths.PREFIX}{job}"

    def resolve(self, uri: str, workspace: Workspace) -> Location:
        return self.data.resolve(uri, workspace)

    def note_use(self, job: Job, realised: BuiltEnvironment) -> None:
        """Record that the job uses the environment, at most once a minute, so that most jobs cost no write."""
        now, key = time.time(), (job.workspace_id, realised.declared_hash)
        if now - self._noted.get(key, 0.0) > _NOTED_SECONDS:
            self._noted[key] = now
            uses.record_use(self.db, job, *key[1:], realised.realised_hash, now)

    def say(self, job: Job, line: str) -> None:
        """Write a line to the job's smalt.log."""
        folder = f"{self.artifacts(self.workspace(job), job.name)}/system_logs"
        try:
            file = open(f"{folder}/smalt.log", "a")  # noqa: SIM115
        except FileNotFoundError:
            os.makedirs(folder, exist_ok=True)
            file = open(f"{folder}/smalt.log", "a")  # noqa: SIM115
        with file:
            file.write(line.rstrip("\n") + "\n")
