"""The tables of routes in the protocol of Azure Resource Manager, and of the services beside it."""

from __future__ import annotations

from smalt.service.api.arm import (
    cloud,
    codes,
    components,
    computes,
    data,
    datastores,
    environments,
    jobs,
    models,
    published_pipelines,
    registries,
    run_history,
    stored_resources,
    vm_sizes,
    workspaces,
)
from smalt.service.api.router import RouteTable

SERVER_TABLES: list[RouteTable] = [
    cloud.ROUTES,
    workspaces.GLOBAL_ROUTES,
    environments.GLOBAL_ROUTES,
    registries.GLOBAL_ROUTES,
    vm_sizes.GLOBAL_ROUTES,
]
_ASSETS = (components.COMPONENTS, environments.ENVIRONMENTS, data.DATA, models.MODELS, codes.CODES)
WORKSPACE_TABLES: dict[str, list[RouteTable]] = {
    "": [
        workspaces.ROUTES,
        jobs.ROUTES,
        computes.ROUTES,
        datastores.ROUTES,
        *(collection.list_routes() for collection in (*_ASSETS, *stored_resources.COLLECTIONS)),
    ],
    "/history/v1.0": [run_history.ROUTES],
    "/data/v1.0": [run_history.DATA_ROUTES],
    "/modelregistry/v1.0": [run_history.MODEL_ROUTES],
    "/pipelines/v1.0": [published_pipelines.ROUTES],
}
"""The routes of a workspace, by the prefix of their protocol."""
OWN_TABLES: list[RouteTable] = [jobs.OWN_ROUTES, components.OWN_ROUTES, registries.ROUTES]
"""The routes of a workspace that Azure does not have."""
