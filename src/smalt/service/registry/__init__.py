"""Folder registries: assets that several workspaces, homes and people share, as plain files.

Assets of a workspace belong to `service/records`; the routes for registries belong to `service/api/arm`.
"""

from smalt.service.registry.folder import RegistryFolder
from smalt.service.registry.registries import Registries
from smalt.service.registry.workspace_assets import WorkspaceAssets

__all__ = ["Registries", "RegistryFolder", "WorkspaceAssets"]
