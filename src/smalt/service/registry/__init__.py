"""Folder registries: assets that several workspaces, homes and people share, as plain files."""

from smalt.service.registry.desk import Desk
from smalt.service.registry.registries import Registries
from smalt.service.registry.shelf import Shelf

__all__ = ["Desk", "Registries", "Shelf"]
