"""The other rooms that steps of this machine need."""

from __future__ import annotations

import os
from dataclasses import dataclass, field

from smalt.machine.home import Home
from smalt.machine.server_environment import is_inherited_by_step
from smalt.service.compute.local.attempt_folders import SpareFolders
from smalt.service.compute.local.warm_starts import WarmStarts
from smalt.service.compute.spec import StepSpec
from smalt.service.compute.step import Folders
from smalt.service.data import DataAccess
from smalt.service.environments import Environments
from smalt.service.records.workspaces import Workspace
from smalt.service.secrets.vault import Vault
from smalt.wire.encoding import artifact_paths


def read_base_variables() -> dict[str, str]:
    """Return the variables of the server that every step inherits."""
    return {name: value for name, value in os.environ.items() if is_inherited_by_step(name)}


@dataclass
class LocalContext:
    """The rooms that lay out, start and store a step on this machine's file system."""

    home: Home
    data: DataAccess
    environments: Environments
    vault: Vault
    gpus: list[str] = field(default_factory=list)
    """The GPUs of this machine, of which each step sees those that it was granted."""
    base_variables: dict[str, str] = field(default_factory=read_base_variables)
    warm: WarmStarts | None = None
    """Makes Python programs children of warm parents; None where nothing asks for it."""
    spares: SpareFolders = field(default_factory=SpareFolders)
    _artifacts: dict[int, str] = field(default_factory=dict)
    _asked: tuple[StepSpec, Folders] | None = None
    """The folders that were asked for last: each part of a step's life asks for them."""

    def __post_init__(self) -> None:
        self.root = os.path.realpath(self.home.root)
        """The home's folder with links resolved."""

    def get_artifacts(self, workspace: Workspace, job: str) -> str:
        """Return the folder that keeps a job's logs and outputs/, laid out as the service lays them out."""
        if workspace.id not in self._artifacts:
            folder = self.data.datastores.get_folder(workspace.folder, "workspaceartifactstore")
            self._artifacts[workspace.id] = str(folder)
        return f"{self._artifacts[workspace.id]}/{artifact_paths.PREFIX}{job}"

    def get_folders(self, spec: StepSpec) -> Folders:
        """Return the folders of an attempt; no job's name has a dot, so no two attempts share one."""
        asked = self._asked  # read once: threads that store outputs ask as well, and replace it
        if asked is not None and asked[0] is spec:
            return asked[1]
        folders = self._find_folders(spec)
        self._asked = spec, folders
        return folders

    def _find_folders(self, spec: StepSpec) -> Folders:
        if spec.folder is not None:
            return Folders(spec.folder, f"{spec.folder}/wd", f"{spec.folder}/artifacts")
        name = spec.job if spec.attempt == 1 else f"{spec.job}.{spec.attempt}"
        folder = f"{self.home.shell_safe_path}/workspaces/{spec.workspace.folder}/jobs/{name}"
        return Folders(folder, f"{folder}/wd", self.get_artifacts(spec.workspace, spec.job))
