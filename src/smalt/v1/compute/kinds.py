"""The kinds of compute."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from smalt.v1.compute.configurations import ComputeConfiguration, RefusedConfiguration
from smalt.v1.compute.target import KIND_TAG, ComputeTarget
from smalt.v1.exceptions import ComputeTargetException, raise_as

if TYPE_CHECKING:
    from smalt.v1.workspace import Workspace


class AmlCompute(ComputeTarget):
    _compute_type = "AmlCompute"

    def _set_fields(self, workspace: Workspace, entity: Any) -> None:
        super()._set_fields(workspace, entity)
        self.vm_size, self.vm_priority = getattr(entity, "size", None), getattr(entity, "tier", None)
        self.scale_settings = self.get_status().scale_settings

    @staticmethod
    def provisioning_configuration(
        vm_size: str = "",
        vm_priority: str = "dedicated",
        min_nodes: int = 0,
        max_nodes: int | None = None,
        idle_seconds_before_scaledown: int = 1800,
        admin_username: str | None = None,
        admin_user_password: str | None = None,
        admin_user_ssh_key: str | None = None,
        vnet_resourcegroup_name: str | None = None,
        vnet_name: str | None = None,
        subnet_name: str | None = None,
        tags: Mapping[str, str] | None = None,
        description: str | None = None,
        remote_login_port_public_access: str = "NotSpecified",
        identity_type: str | None = None,
        identity_id: Sequence[str] | None = None,
        location: str | None = None,
        enable_node_public_ip: bool = True,
    ) -> ComputeConfiguration:
        from smalt.entities import AmlCompute as Definition

        if max_nodes is not None and int(min_nodes) > int(max_nodes):
            raise ComputeTargetException(f"min_nodes {min_nodes} is greater than max_nodes {max_nodes}")
        fields = {
            "size": vm_size or None,
            "tier": "low_priority" if "low" in vm_priority.lower() else "dedicated",
            "min_instances": int(min_nodes),
            "max_instances": None if max_nodes is None else int(max_nodes),
            "idle_time_before_scale_down": int(idle_seconds_before_scaledown),
            "tags": dict(tags or {}),
            "description": description,
            "location": location,
        }
        access = "" if remote_login_port_public_access == "NotSpecified" else remote_login_port_public_access
        without_effect = {
            "vm_priority": vm_priority if vm_priority != "dedicated" else None,
            "admin_username": admin_username,
            "admin_user_password": admin_user_password,
            "admin_user_ssh_key": admin_user_ssh_key,
            "vnet_resourcegroup_name": vnet_resourcegroup_name,
            "vnet_name": vnet_name,
            "subnet_name": subnet_name,
            "remote_login_port_public_access": access,
            "identity_type": identity_type,
            "identity_id": identity_id,
            "enable_node_public_ip": None if enable_node_public_ip else "False",
        }
        return ComputeConfiguration(Definition, fields, without_effect)

    @staticmethod
    def supported_vmsizes(workspace: Workspace, location: str | None = None) -> list[dict[str, Any]]:
        return [
            {"name": size.name, "vCPUs": size.v_cp_us, "gpus": size.gpus or 0, "memoryGB": size.memory_gb}
            for size in workspace.client.compute.list_sizes(location=location)
        ]

    def update(
        self,
        min_nodes: int | None = None,
        max_nodes: int | None = None,
        idle_seconds_before_scaledown: int | None = None,
    ) -> None:
        changes = {
            "min_instances": min_nodes,
            "max_instances": max_nodes,
            "idle_time_before_scale_down": idle_seconds_before_scaledown,
        }
        for name, value in changes.items():
            if value is not None:
                setattr(self.entity, name, int(value))
        with raise_as(ComputeTargetException):
            self.workspace.client.compute.begin_update(self.entity)
        self.refresh_state()

    def get_active_runs(self, status: str | None = None) -> list[Any]:
        """Return the runs of this compute that have not ended, or those with that status."""
        from smalt.v1.experiment import Experiment
        from smalt.v1.run import make_run

        found = [
            make_run(Experiment(self.workspace, str(job.experiment_name), _skip_name_validation=True), job)
            for job in self.workspace.client.jobs.list()
            if str(getattr(job, "compute", "")).rpartition("/")[2] == self.name
        ]
        return [run for run in found if run.get_status() not in _OVER and status in (None, run.get_status())]

    def add_identity(self, identity_type: str, identity_id: Sequence[str] | None = None) -> None:
        from smalt.v1.notices import tell_no_effect

        tell_no_effect(f"compute '{self.name}'", {"add_identity": identity_type, "identity_id": identity_id})


class ComputeInstance(ComputeTarget):
    _compute_type = "ComputeInstance"

    @staticmethod
    def provisioning_configuration(
        vm_size: str = "",
        ssh_public_access: bool = False,
        admin_user_ssh_public_key: str | None = None,
        vnet_resourcegroup_name: str | None = None,
        vnet_name: str | None = None,
        subnet_name: str | None = None,
        tags: Mapping[str, str] | None = None,
        description: str | None = None,
        assigned_user_object_id: str | None = None,
        assigned_user_tenant_id: str | None = None,
    ) -> ComputeConfiguration:
        from smalt.entities import ComputeInstance as Definition

        without_effect = {key: value for key, value in locals().items() if key not in _KEPT}
        fields = {"size": vm_size or None, "tags": dict(tags or {}), "description": description}
        return ComputeConfiguration(Definition, fields, without_effect)

    @staticmethod
    def supported_vmsizes(workspace: Workspace, location: str | None = None) -> list[dict[str, Any]]:
        return AmlCompute.supported_vmsizes(workspace, location)

    def start(self, wait_for_completion: bool = False, show_output: bool = False) -> None:
        self.workspace.client.compute.begin_start(self.name)

    def stop(self, wait_for_completion: bool = False, show_output: bool = False) -> None:
        self.workspace.client.compute.begin_stop(self.name)

    def restart(self, wait_for_completion: bool = False, show_output: bool = False) -> None:
        self.workspace.client.compute.begin_restart(self.name)


_OVER = ("Completed", "Failed", "Canceled")
_KEPT = ("vm_size", "tags", "description", "Definition")


class AttachedCompute(ComputeTarget):
    """A compute of v1's that is kept as a virtual machine of v2, with v1's type as a tag."""

    @classmethod
    def _attach(cls, resource_id: str | None, name: str | None, **without_effect: Any) -> ComputeConfiguration:
        from smalt.entities import VirtualMachineCompute as Definition

        fields = {
            "resource_id": resource_id or f"/subscriptions/local/{cls._compute_type}/{name or 'attached'}",
            "tags": {KIND_TAG: cls._compute_type},
        }
        return ComputeConfiguration(Definition, fields, without_effect)


class RemoteCompute(AttachedCompute):
    _compute_type = "VirtualMachine"

    @classmethod
    def attach_configuration(
        cls,
        username: str,
        subscription_id: str | None = None,
        resource_group: str | None = None,
        vm_name: str | None = None,
        resource_id: str | None = None,
        address: str | None = None,
        ssh_port: int = 22,
        password: str = "",
        private_key_file: str = "",
        private_key_passphrase: str = "",
    ) -> ComputeConfiguration:
        without_effect = {
            "username": username, "address": address, "password": password, "private_key_file": private_key_file,
            "private_key_passphrase": private_key_passphrase, "subscription_id": subscription_id,
            "resource_group": resource_group, "ssh_port": None if str(ssh_port) == "22" else ssh_port,
        }  # fmt: skip
        return cls._attach(resource_id, vm_name, **without_effect)


class DsvmCompute(RemoteCompute): ...


class HDInsightCompute(AttachedCompute):
    _compute_type = "HDInsight"

    @classmethod
    def attach_configuration(
        cls,
        username: str,
        subscription_id: str | None = None,
        resource_group: str | None = None,
        cluster_name: str | None = None,
        resource_id: str | None = None,
        address: str | None = None,
        ssh_port: str = "22",
        password: str = "",
        private_key_file: str = "",
        private_key_passphrase: str = "",
    ) -> ComputeConfiguration:
        """Return the configuration; its Spark runs are Spark jobs of this machine."""
        without_effect = {
            "username": username, "address": address, "password": password, "private_key_file": private_key_file,
            "private_key_passphrase": private_key_passphrase, "subscription_id": subscription_id,
            "resource_group": resource_group, "ssh_port": None if str(ssh_port) == "22" else ssh_port,
        }  # fmt: skip
        return cls._attach(resource_id, cluster_name, **without_effect)


class DataFactoryCompute(AttachedCompute):
    """The compute of data transfer steps, which this machine does itself."""

    _compute_type = "DataFactory"

    @classmethod
    def provisioning_configuration(cls, location: str | None = None) -> ComputeConfiguration:
        return cls._attach(None, None, location=location)

    @classmethod
    def attach_configuration(
        cls, resource_group: str | None = None, factory_name: str | None = None, resource_id: str | None = None
    ) -> ComputeConfiguration:
        return cls._attach(resource_id, factory_name, resource_group=resource_group)


class SynapseCompute(AttachedCompute):
    _compute_type = "SynapseSpark"

    @classmethod
    def attach_configuration(cls, linked_service: Any, type: str, pool_name: str) -> ComputeConfiguration:
        return cls._attach(None, pool_name)


class KubernetesCompute(ComputeTarget):
    _compute_type = "Kubernetes"

    @classmethod
    def attach_configuration(
        cls,
        resource_group: str | None = None,
        cluster_name: str | None = None,
        resource_id: str | None = None,
        namespace: str | None = None,
        **kwargs: Any,
    ) -> ComputeConfiguration:
        from smalt.entities import KubernetesCompute as Definition

        fields = {"resource_id": resource_id, "namespace": namespace or "default"}
        without_effect = {"resource_group": resource_group, "cluster_name": cluster_name, **kwargs}
        return ComputeConfiguration(Definition, fields, without_effect)


class AksCompute(ComputeTarget):
    _compute_type = "AKS"

    @staticmethod
    def provisioning_configuration(agent_count: int | None = None, vm_size: str | None = None, **kwargs: Any) -> Any:
        return RefusedConfiguration("AksCompute", "deploy to an online endpoint", kwargs)

    @staticmethod
    def attach_configuration(
        resource_group: str | None = None,
        cluster_name: str | None = None,
        resource_id: str | None = None,
        cluster_purpose: str | None = None,
        load_balancer_type: str | None = None,
        load_balancer_subnet: str | None = None,
    ) -> Any:
        return RefusedConfiguration("AksCompute", "deploy to an online endpoint", {})


class BatchCompute(ComputeTarget):
    _compute_type = "Batch"

    @staticmethod
    def attach_configuration(
        resource_group: str | None = None, account_name: str | None = None, resource_id: str | None = None
    ) -> Any:
        return RefusedConfiguration("BatchCompute", "make the AzureBatchStep a CommandStep", {})


class AdlaCompute(ComputeTarget):
    _compute_type = "DataLakeAnalytics"

    @staticmethod
    def attach_configuration(
        resource_group: str | None = None, account_name: str | None = None, resource_id: str | None = None
    ) -> Any:
        return RefusedConfiguration(
            "AdlaCompute", "Azure Data Lake Analytics was shut down in 2024; make the AdlaStep a Spark job", {}
        )


class DatabricksCompute(ComputeTarget):
    _compute_type = "Databricks"

    @staticmethod
    def attach_configuration(
        resource_group: str | None = None,
        workspace_name: str | None = None,
        resource_id: str | None = None,
        access_token: str = "",
    ) -> Any:
        return RefusedConfiguration(
            "DatabricksCompute", "make the DatabricksStep a Spark job, or a command that calls your Databricks", {}
        )


class KustoCompute(ComputeTarget):
    _compute_type = "Kusto"

    @staticmethod
    def attach_configuration(
        resource_group: str | None = None,
        workspace_name: str | None = None,
        resource_id: str | None = None,
        tenant_id: str | None = None,
        kusto_connection_string: str | None = None,
        application_id: str | None = None,
        application_key: str | None = None,
    ) -> Any:
        return RefusedConfiguration("KustoCompute", "make the KustoStep a command with azure-kusto-data", {})


_BY_TYPE = {
    "amlcompute": AmlCompute, "computeinstance": ComputeInstance, "kubernetes": KubernetesCompute,
    "virtualmachine": RemoteCompute, "synapsespark": SynapseCompute,
}  # fmt: skip
_BY_TAG: dict[str, type[ComputeTarget]] = {
    kind._compute_type: kind for kind in (RemoteCompute, HDInsightCompute, DataFactoryCompute, SynapseCompute)
}


def find_class(tag: str, type: str) -> type[ComputeTarget]:
    """Return the class of a compute by v1's tag or v2's type."""
    return _BY_TAG.get(tag) or _BY_TYPE.get(type.lower()) or AmlCompute
