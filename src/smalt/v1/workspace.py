"""`azureml.core.Workspace`: a client of one workspace."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

from smalt.client import MLClient
from smalt.v1.exceptions import UserErrorException, WorkspaceException, raise_as
from smalt.v1.notices import tell_no_effect

if TYPE_CHECKING:
    from smalt.v1.compute.target import ComputeTarget
    from smalt.v1.datastore import AbstractDatastore
    from smalt.v1.environment import Environment
    from smalt.v1.experiment import Experiment
    from smalt.v1.model import WorkspaceModels
    from smalt.v1.resources.keyvault import Keyvault
    from smalt.v1.resources.webservice import Webservice
    from smalt.v1.run import Run
    from smalt.v1.tracking import TrackingContext

_NO_CLOUD = "a workspace of smalt is a folder of this machine, with its own storage, vault and tracking"


class Workspace:
    def __init__(
        self,
        subscription_id: str,
        resource_group: str,
        workspace_name: str,
        auth: object = None,
        _location: str | None = None,
        _disable_service_check: bool = False,
        _workspace_id: str | None = None,
        sku: str = "basic",
        tags: Mapping[str, str] | None = None,
        _cloud: str = "AzureCloud",
    ) -> None:
        tell_no_effect("Workspace", {"tags": tags}, "Workspace.create and update set tags")
        self._set_client(MLClient(auth, subscription_id, resource_group, workspace_name))

    def _set_client(self, client: MLClient) -> None:
        self.client = client
        self._auth = None

    @classmethod
    def from_client(cls, client: MLClient) -> Workspace:
        """Return the workspace of a client of v2."""
        made = cls.__new__(cls)
        made._set_client(client)
        return made

    def __repr__(self) -> str:
        return (
            f"Workspace.create(name={self.name!r}, subscription_id={self.subscription_id!r}, "
            f"resource_group={self.resource_group!r})"
        )

    @staticmethod
    def from_config(
        path: str | os.PathLike[str] | None = None,
        auth: object = None,
        _logger: object = None,
        _file_name: str | None = None,
    ) -> Workspace:
        """Return the workspace that a config.json names; without one, the home's default, and a notice says so."""
        if path is not None and not os.path.exists(path):
            raise UserErrorException(
                f"there is no '{os.fspath(path)}', the place of the workspace's configuration file"
            )
        with raise_as(UserErrorException):
            return Workspace.from_client(MLClient.from_config(auth, path=path, file_name=_file_name))

    @staticmethod
    def get(
        name: str,
        auth: object = None,
        subscription_id: str | None = None,
        resource_group: str | None = None,
        location: str | None = None,
        cloud: str = "AzureCloud",
        id: str | None = None,
    ) -> Workspace:
        """Return a workspace that is there; raises WorkspaceException."""
        client = MLClient(auth, subscription_id, resource_group, name, _makes_workspaces=False)
        with raise_as(WorkspaceException):
            client.workspaces.get(name)
        return Workspace.from_client(client)

    @staticmethod
    def create(
        name: str,
        auth: object = None,
        subscription_id: str | None = None,
        resource_group: str | None = None,
        location: str | None = None,
        create_resource_group: bool = True,
        sku: str = "basic",
        tags: Mapping[str, str] | None = None,
        friendly_name: str | None = None,
        storage_account: str | None = None,
        key_vault: str | None = None,
        app_insights: str | None = None,
        container_registry: str | None = None,
        adb_workspace: str | None = None,
        primary_user_assigned_identity: str | None = None,
        cmk_keyvault: str | None = None,
        resource_cmk_uri: str | None = None,
        hbi_workspace: bool = False,
        default_cpu_compute_target: object = None,
        default_gpu_compute_target: object = None,
        private_endpoint_config: object = None,
        private_endpoint_auto_approval: bool = True,
        exist_ok: bool = False,
        show_output: bool = True,
        user_assigned_identity_for_cmk_encryption: str | None = None,
        system_datastores_auth_mode: str = "accessKey",
        v1_legacy_mode: bool | None = None,
    ) -> Workspace:
        """Make the workspace; raises WorkspaceException where it is there already, unless `exist_ok`."""
        given = dict(locals())
        tell_no_effect("Workspace.create", {key: given[key] for key in _OF_CLOUD}, _NO_CLOUD)
        from smalt.entities import Workspace as Definition

        client = MLClient(auth, subscription_id, resource_group, name, _makes_workspaces=False)
        there = {one.name for one in client.workspaces.list()}
        if name in there and not exist_ok:
            raise WorkspaceException(
                f"there is a workspace '{name}' already in resource group '{client.resource_group_name}'; use "
                "Workspace.get, or say exist_ok=True"
            )
        if name not in there:
            with raise_as(WorkspaceException):
                wanted = Definition(name=name, location=location, display_name=friendly_name, tags=dict(tags or {}))
                client.workspaces.begin_create(wanted).result()
        return Workspace.from_client(client)

    @staticmethod
    def list(
        subscription_id: str, auth: object = None, resource_group: str | None = None
    ) -> dict[str, list[Workspace]]:
        """Return the workspaces of a subscription, by name."""
        client = MLClient(auth, subscription_id, resource_group)
        found: dict[str, list[Workspace]] = {}
        for one in client.workspaces.list(scope="resource_group" if resource_group else "subscription"):
            own = MLClient(auth, subscription_id, str(one.resource_group), str(one.name))
            found.setdefault(str(one.name), []).append(Workspace.from_client(own))
        return found

    @property
    def name(self) -> str:
        return self.client.workspace_name

    @property
    def subscription_id(self) -> str:
        return self.client.subscription_id

    @property
    def resource_group(self) -> str:
        return self.client.resource_group_name

    @property
    def location(self) -> str:
        return str(self._definition.location or "local")

    @property
    def sku(self) -> str:
        return "Basic"

    @property
    def tags(self) -> dict[str, str]:
        return dict(self._definition.tags or {})

    @property
    def _definition(self) -> Any:
        return self.client.workspaces.get(self.name)

    def get_details(self) -> dict[str, Any]:
        definition = self._definition
        return {
            "id": definition.id,
            "name": self.name,
            "location": self.location,
            "type": "Microsoft.MachineLearningServices/workspaces",
            "tags": self.tags,
            "sku": self.sku,
            "description": definition.description or "",
            "friendlyName": definition.display_name or self.name,
            "workspaceid": definition.id,
            "keyVault": "",
            "storageAccount": "",
        }

    def write_config(self, path: str | os.PathLike[str] | None = None, file_name: str | None = None) -> None:
        """Write `.azureml/config.json` into the folder, which from_config reads."""
        folder = os.path.join(path or ".", ".azureml")
        os.makedirs(folder, exist_ok=True)
        names = {"subscription_id": self.subscription_id, "resource_group": self.resource_group}
        with open(os.path.join(folder, file_name or "config.json"), "w", encoding="utf-8") as file:
            json.dump({**names, "workspace_name": self.name}, file, indent=4)

    @cached_property
    def context(self) -> TrackingContext:
        """The tracking of the workspace, as the names that jobs use reach it."""
        from smalt.v1.tracking import TrackingContext

        return TrackingContext(self)

    def get_mlflow_tracking_uri(self, _with_auth: bool = False) -> str:
        return str(self._definition.mlflow_tracking_uri)

    @property
    def compute_targets(self) -> dict[str, ComputeTarget]:
        from smalt.v1.compute.target import ComputeTarget

        return {one.name: one for one in ComputeTarget.list(self)}

    def get_default_compute_target(self, type: str) -> ComputeTarget | None:
        """Return None: a workspace has no default compute; jobs without one run on this machine."""
        return None

    @property
    def datastores(self) -> dict[str, AbstractDatastore]:
        from smalt.v1.datastore import list_datastores

        return list_datastores(self)

    def get_default_datastore(self) -> AbstractDatastore:
        from smalt.v1.datastore import find_datastore

        return find_datastore(self, None)

    def set_default_datastore(self, name: str) -> None:
        """Check that the datastore is there; another one than the workspace's own cannot be the default."""
        from smalt.v1.datastore import find_datastore

        if find_datastore(self, name).name != self.get_default_datastore().name:
            find_datastore(self, name).set_as_default()

    @property
    def datasets(self) -> Any:
        """The registered datasets, by name."""
        from smalt.v1.modules import find_name

        return find_name("azureml.core", "Dataset").get_all(self)

    @property
    def environments(self) -> dict[str, Environment]:
        from smalt.v1.environment import Environment

        return Environment.list(self)

    @property
    def models(self) -> WorkspaceModels:
        from smalt.v1.model import WorkspaceModels

        return WorkspaceModels(self)

    def get_default_keyvault(self) -> Keyvault:
        from smalt.v1.resources.keyvault import Keyvault

        return Keyvault(self)

    @property
    def webservices(self) -> dict[str, Webservice]:
        from smalt.v1.resources.webservice import Webservice

        return {one.name: one for one in Webservice.list(self)}

    @property
    def linked_services(self) -> dict[str, Any]:
        return {}

    def delete(
        self,
        delete_dependent_resources: bool = False,
        no_wait: bool = False,
        permanently_delete: bool = False,
    ) -> None:
        with raise_as(WorkspaceException):
            self.client.workspaces.begin_delete(self.name)

    def update(
        self,
        friendly_name: str | None = None,
        description: str | None = None,
        tags: Mapping[str, str] | None = None,
        **kwargs: Any,
    ) -> dict[str, Any]:
        from smalt.entities import Workspace as Definition

        tell_no_effect("Workspace.update", kwargs, _NO_CLOUD)
        changes = {"display_name": friendly_name, "description": description, "tags": dict(tags) if tags else None}
        given = {key: value for key, value in changes.items() if value is not None}
        with raise_as(WorkspaceException):
            self.client.workspaces.begin_update(Definition(name=self.name, **given))
        return self.get_details()

    @property
    def experiments(self) -> dict[str, Experiment]:
        from smalt.v1.experiment import Experiment
        from smalt.v1.tracking import list_experiments

        names = {str(job.experiment_name) for job in self.client.jobs.list() if job.experiment_name}
        names.update(list_experiments(self.context.client))
        return {name: Experiment(self, name) for name in sorted(names)}

    def get_run(self, run_id: str) -> Run:
        """Return the run of that id; raises ServiceException."""
        from smalt.v1.run import find_run

        return find_run(self, run_id)


_OF_CLOUD = (
    "storage_account", "key_vault", "app_insights", "container_registry", "adb_workspace",
    "primary_user_assigned_identity", "cmk_keyvault", "resource_cmk_uri", "hbi_workspace",
    "default_cpu_compute_target", "default_gpu_compute_target", "private_endpoint_config",
    "user_assigned_identity_for_cmk_encryption", "v1_legacy_mode",
)  # fmt: skip
"""Parameters of `Workspace.create` about resources of the cloud."""
