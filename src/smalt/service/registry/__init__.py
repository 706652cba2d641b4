"""Folder registries: assets that several workspaces, homes and people share, as plain files."""

from smalt.service.registry.folder import Shelf
from smalt.service.registry.registries import Registries
from smalt.service.registry.workspace_assets import Desk

__all__ = ["Desk", "Registries", "Shelf"]
