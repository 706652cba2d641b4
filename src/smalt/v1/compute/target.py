"""`ComputeTarget`: a compute of the workspace, of the class of its type."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from smalt.exceptions import NotFound
from smalt.v1.exceptions import ComputeTargetException, raise_as
from smalt.v1.notices import tell_no_effect

if TYPE_CHECKING:
    from smalt.v1.compute.configurations import ComputeConfiguration
    from smalt.v1.workspace import Workspace

KIND_TAG = "azureml.v1.compute"
"""The tag with v1's type of a compute that v2 has no type for."""


class ComputeTarget:
    _compute_type: ClassVar[str] = "ComputeTarget"

    def __new__(cls, workspace: Workspace, name: str) -> Any:
        """Return the compute, of the class of its type; raises ComputeTargetException where it is not there."""
        if workspace is None or name is None:
            return object.__new__(cls)
        try:
            found = workspace.client.compute.get(name)
        except NotFound:
            raise ComputeTargetException(
                f"ComputeTargetNotFound: there is no compute '{name}' in workspace '{workspace.name}'; make it by "
                "ComputeTarget.create"
            ) from None
        return _make_target(workspace, found, cls)

    def __init__(self, workspace: Workspace, name: str) -> None: ...

    def _set_fields(self, workspace: Workspace, entity: Any) -> None:
        self.workspace, self.entity = workspace, entity
        self.name = str(entity.name)
        self.type = str((entity.tags or {}).get(KIND_TAG) or self._compute_type)
        self.location = entity.location or "local"
        self.description = entity.description
        self.tags = {key: value for key, value in (entity.tags or {}).items() if key != KIND_TAG}
        self.cluster_resource_id = self.resource_id = getattr(entity, "resource_id", None)
        self.provisioning_state = "Succeeded"
        self.provisioning_errors: list[Any] | None = None
        self.created_on = self.modified_on = None
        self.cluster_location = self.location

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}(workspace={self.workspace!r}, name={self.name}, id={self.id}, "
            f"type={self.type}, provisioning_state={self.provisioning_state})"
        )

    @property
    def id(self) -> str:
        return str(self.entity.id)

    @property
    def status(self) -> ComputeStatus:
        return self.get_status()

    # Where computes come from

    @staticmethod
    def create(workspace: Workspace, name: str, provisioning_configuration: ComputeConfiguration) -> Any:
        return _put_target(workspace, name, provisioning_configuration, "ComputeTarget.create")

    @staticmethod
    def attach(workspace: Workspace, name: str, attach_configuration: ComputeConfiguration) -> Any:
        """Keep the compute as a name for this machine; a kind without a form in v2 raises ComputeTargetException."""
        return _put_target(workspace, name, attach_configuration, "ComputeTarget.attach")

    @staticmethod
    def list(workspace: Workspace) -> list[Any]:
        return [_make_target(workspace, one, ComputeTarget) for one in workspace.client.compute.list()]

    @classmethod
    def deserialize(cls, workspace: Workspace, object_dict: Mapping[str, Any]) -> Any:
        return ComputeTarget(workspace, str(object_dict["name"]))

    # What is done with one

    def get_status(self) -> ComputeStatus:
        return ComputeStatus(self)

    def wait_for_completion(
        self,
        show_output: bool = False,
        is_delete_operation: bool = False,
        **kwargs: Any,
    ) -> None:
        """Return at once: a compute is there when it is made. Timeouts and counts of nodes need no waiting either."""
        if show_output:
            print('Succeeded\nProvisioning operation finished, operation "Succeeded"')

    def refresh_state(self) -> None:
        self._set_fields(self.workspace, self.workspace.client.compute.get(self.name))

    def delete(self) -> None:
        with raise_as(ComputeTargetException):
            self.workspace.client.compute.begin_delete(self.name)

    def detach(self) -> None:
        with raise_as(ComputeTargetException):
            self.workspace.client.compute.begin_delete(self.name, action="Detach")

    def serialize(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "name": self.name,
            "location": self.location,
            "tags": self.tags,
            "properties": {
                "computeType": self.type,
                "description": self.description,
                "provisioningState": self.provisioning_state,
                "resourceId": self.resource_id,
            },
        }

    def list_nodes(self) -> Any:
        """Return no nodes: jobs run on this machine."""
        return []


class ComputeStatus:
    """The answer of `get_status`; a text of its state in print, with what a cluster's has."""

    def __init__(self, target: ComputeTarget) -> None:
        entity = target.entity
        self.provisioning_state = self.state = "Succeeded"
        self.allocation_state = "Steady"
        self.vm_size = getattr(entity, "size", None)
        self.vm_priority = getattr(entity, "tier", None)
        self.scale_settings = ScaleSettings(
            getattr(entity, "min_instances", None) or 0,
            getattr(entity, "max_instances", None) or 1,
            getattr(entity, "idle_time_before_scale_down", None),
        )
        self.current_node_count = self.target_node_count = 0
        self.errors: list[Any] | None = None

    def __repr__(self) -> str:
        return str(self.serialize())

    def __eq__(self, other: object) -> bool:
        return self.state == other if isinstance(other, str) else self is other

    __hash__ = None  # type: ignore[assignment]

    def serialize(self) -> dict[str, Any]:
        return {
            "currentNodeCount": self.current_node_count,
            "targetNodeCount": self.target_node_count,
            "nodeStateCounts": dict.fromkeys(
                ("preparingNodeCount", "runningNodeCount", "idleNodeCount", "unusableNodeCount", "leavingNodeCount"), 0
            ),
            "allocationState": self.allocation_state,
            "errors": self.errors,
            "provisioningState": self.provisioning_state,
            "provisioningStateTransitionTime": None,
            "scaleSettings": vars(self.scale_settings),
            "vmPriority": self.vm_priority,
            "vmSize": self.vm_size,
        }


class ScaleSettings:
    def __init__(self, minimum: int, maximum: int, idle_seconds: int | None) -> None:
        self.minimum_node_count, self.maximum_node_count = minimum, maximum
        self.idle_seconds_before_scaledown = idle_seconds


def _put_target(workspace: Workspace, name: str, configuration: ComputeConfiguration, owner: str) -> Any:
    build = getattr(configuration, "build_entity", None)
    if build is None:
        raise ComputeTargetException(
            f"{owner} takes a configuration, such as AmlCompute.provisioning_configuration(…), not "
            f"{type(configuration).__name__}"
        )
    with raise_as(ComputeTargetException):
        entity = build(name)
        workspace.client.compute.begin_create_or_update(entity).result()
    tell_no_effect(f"compute '{name}'", configuration.without_effect)
    return ComputeTarget(workspace, name)


def _make_target(workspace: Workspace, entity: Any, asked: type[ComputeTarget]) -> Any:
    from smalt.v1.compute import kinds

    said = str((entity.tags or {}).get(KIND_TAG) or "")
    kind: type[ComputeTarget] = kinds.find_class(said, str(entity.type or ""))
    if not issubclass(kind, asked) and asked is not ComputeTarget:
        raise ComputeTargetException(f"compute '{entity.name}' is of type {kind.__name__}, not {asked.__name__}")
    made = object.__new__(kind)
    made._set_fields(workspace, entity)
    return made
