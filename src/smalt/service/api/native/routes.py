"""The tables of smalt's own routes, below /smalt."""

from __future__ import annotations

from smalt.service.api.native import (
    archives,
    asset_batches,
    changes,
    config,
    costs,
    datastore_files,
    datastore_uploads,
    debug,
    doctor,
    job_table,
    lineage,
    metrics,
    overview,
    prune,
    reuse,
    snapshot_uploads,
    status,
    trials,
)
from smalt.service.api.native.assets import routes as assets
from smalt.service.api.router import RouteTable

SERVER_TABLES: list[RouteTable] = [
    status.ROUTES,
    config.ROUTES,
    snapshot_uploads.GLOBAL_ROUTES,
    prune.ROUTES,
    costs.GLOBAL_ROUTES,
    doctor.ROUTES,
    *assets.SERVER_TABLES,
]
WORKSPACE_TABLES: list[RouteTable] = [
    debug.OWN_ROUTES,
    reuse.OWN_ROUTES,
    job_table.ROUTES,
    changes.ROUTES,
    metrics.ROUTES,
    overview.ROUTES,
    trials.ROUTES,
    costs.ROUTES,
    snapshot_uploads.ROUTES,
    archives.ROUTES,
    lineage.ROUTES,
    asset_batches.ROUTES,
    datastore_files.ROUTES,
    datastore_uploads.ROUTES,
    *assets.WORKSPACE_TABLES,
]
