"""The tables of smalt's own routes about assets and what they occupy."""

from __future__ import annotations

from smalt.service.api.native.assets import (
    asset_documents,
    asset_files,
    asset_table,
    asset_users,
    code_versions,
    compute_slots,
    disk_usage,
    environment_builds,
)
from smalt.service.api.router import RouteTable

SERVER_TABLES: list[RouteTable] = [compute_slots.GLOBAL_ROUTES, disk_usage.GLOBAL_ROUTES]
WORKSPACE_TABLES: list[RouteTable] = [
    asset_table.ROUTES,
    asset_documents.ROUTES,
    asset_files.ROUTES,
    asset_users.ROUTES,
    environment_builds.ROUTES,
    code_versions.ROUTES,
]
