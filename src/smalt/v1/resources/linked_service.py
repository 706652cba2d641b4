"""`LinkedService`: a Synapse workspace by its name; its Spark pools are this machine."""

from __future__ import annotations

from typing import Any


class SynapseWorkspaceLinkedServiceConfiguration:
    def __init__(self, subscription_id: str, resource_group: str, name: str) -> None:
        self.subscription_id, self.resource_group, self.name = subscription_id, resource_group, name


class LinkedService:
    """A link that lives as long as the program: nothing of it is kept."""

    def __init__(self, workspace: Any, name: str, linked_service_config: Any = None) -> None:
        self.workspace, self.name, self.config = workspace, name, linked_service_config
        self.system_assigned_identity_principal_id = ""

    @staticmethod
    def register(workspace: Any, name: str, linked_service_config: Any) -> LinkedService:
        return LinkedService(workspace, name, linked_service_config)

    @staticmethod
    def get(workspace: Any, name: str) -> LinkedService:
        return LinkedService(workspace, name)

    @staticmethod
    def list(workspace: Any) -> list[LinkedService]:
        return []

    def unregister(self) -> None:
        """Do nothing: nothing of a link is kept."""
