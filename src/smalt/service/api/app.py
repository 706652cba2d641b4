"""The ASGI application: every route of the server, behind the security middleware."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any
from urllib.parse import quote

from starlette.responses import RedirectResponse
from starlette.types import Receive, Scope, Send

from smalt.exceptions import NotFound, RefusedError
from smalt.service.api import key_vault, workspace_paths
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
from smalt.service.api.auth import job_permissions, job_reads, workspace_access
from smalt.service.api.auth.middleware import SecurityMiddleware
from smalt.service.api.blob import operations as blob_operations
from smalt.service.api.blob import urls as blob_urls
from smalt.service.api.comparison import job_comparison, step_comparison
from smalt.service.api.drafts import (
    component_palette,
    document_checks,
    draft_files,
    folder_files,
    step_fields,
    submission,
)
from smalt.service.api.job_details import (
    code_files,
    job_code,
    job_document,
    job_environment,
    job_graph,
    job_ports,
    job_progress,
    job_rerun,
    job_stream,
    log_search,
)
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
from smalt.service.api.request import ApiRequest, ApiResponse
from smalt.service.api.rest_shapes import get_workspace_id
from smalt.service.api.router import Router, RouteTable
from smalt.service.api.server_context import ServerContext
from smalt.service.api.studio import links
from smalt.service.api.studio import pages as studio_pages
from smalt.service.api.studio import sign_in as studio_sign_in
from smalt.service.endpoints.online import routes as online_routes
from smalt.service.records import workspaces as records
from smalt.service.tracking.proxy import get_raw_path
from smalt.service.tracking.variables import ROUTE as MLFLOW

_GLOBAL: list[RouteTable] = [
    status.ROUTES,
    cloud.ROUTES,
    config.ROUTES,
    workspaces.GLOBAL_ROUTES,
    snapshot_uploads.GLOBAL_ROUTES,
    prune.ROUTES,
    costs.GLOBAL_ROUTES,
    doctor.ROUTES,
    key_vault.GLOBAL_ROUTES,
    environments.GLOBAL_ROUTES,
    registries.GLOBAL_ROUTES,
    vm_sizes.GLOBAL_ROUTES,
    compute_slots.GLOBAL_ROUTES,
    disk_usage.GLOBAL_ROUTES,
    studio_pages.ROUTES,
    studio_sign_in.ROUTES,
]
_ASSETS = (components.COMPONENTS, environments.ENVIRONMENTS, data.DATA, models.MODELS, codes.CODES)
_WORKSPACE: dict[str, list[RouteTable]] = {
    "": [
        workspaces.ROUTES,
        jobs.ROUTES,
        computes.ROUTES,
        datastores.ROUTES,
        *(collection.list_routes() for collection in (*_ASSETS, *stored_resources.COLLECTIONS)),
    ],
    "/smalt/v1": [
        jobs.OWN_ROUTES,
        components.OWN_ROUTES,
        debug.OWN_ROUTES,
        reuse.OWN_ROUTES,
        job_stream.ROUTES,
        job_table.ROUTES,
        job_graph.ROUTES,
        job_ports.ROUTES,
        job_rerun.ROUTES,
        changes.ROUTES,
        metrics.ROUTES,
        overview.ROUTES,
        trials.ROUTES,
        costs.ROUTES,
        job_comparison.ROUTES,
        step_comparison.ROUTES,
        snapshot_uploads.ROUTES,
        archives.ROUTES,
        registries.ROUTES,
        lineage.ROUTES,
        job_code.ROUTES,
        code_files.ROUTES,
        log_search.ROUTES,
        job_progress.ROUTES,
        job_environment.ROUTES,
        job_document.ROUTES,
        asset_batches.ROUTES,
        asset_table.ROUTES,
        asset_documents.ROUTES,
        asset_files.ROUTES,
        asset_users.ROUTES,
        environment_builds.ROUTES,
        code_versions.ROUTES,
        datastore_files.ROUTES,
        datastore_uploads.ROUTES,
        key_vault.ROUTES,
        folder_files.ROUTES,
        component_palette.ROUTES,
        step_fields.ROUTES,
        document_checks.ROUTES,
        draft_files.ROUTES,
        submission.ROUTES,
    ],
    "/history/v1.0": [run_history.ROUTES],
    "/data/v1.0": [run_history.DATA_ROUTES],
    "/modelregistry/v1.0": [run_history.MODEL_ROUTES],
    "/pipelines/v1.0": [published_pipelines.ROUTES],
}


_STORING = ("PUT", "POST", "PATCH")


def build_app(service: ServerContext) -> SecurityMiddleware:
    return SecurityMiddleware(_Dispatcher(), service)


class _Dispatcher:
    """Splits the workspace off the path, opens it, and passes the rest to the router of its prefix."""

    def __init__(self) -> None:
        self._global = Router(_GLOBAL)
        self._routers = {prefix: Router(tables) for prefix, tables in _WORKSPACE.items()}
        self._vault = Router([key_vault.ROUTES])

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scoring := online_routes.split_path(scope["path"]):
            await _score(scope, receive, send, scoring)
            return
        found = workspace_paths.split_path(scope["path"])
        if scope.get("smalt.run_link"):
            await RedirectResponse(links.build_run_url(scope["path"]) or links.PREFIX, 303)(scope, receive, send)
            return
        if found and found.prefix == MLFLOW:
            scope["smalt.workspace"] = _find_workspace(scope, found)
            scope["smalt.rest"] = get_raw_path(scope, found.rest)
            await scope["smalt.service"].tracking.handle_request(scope, receive, send)
            return
        job = scope["smalt.job"]
        if blob := blob_urls.split_path(scope["path"]):
            if job is not None:
                job_permissions.refuse_job(job, "the storage account; ask listSecrets of a datastore for a link")
            scope["smalt.workspace"] = _find_workspace_by_folder(scope, blob[0])
            response = await _run_handler(
                scope, blob_operations.handle_request(ApiRequest(scope, receive, send), *blob[1:])
            )
            await response(scope, receive, send)
            return
        scope["smalt.path"] = quote(scope["path"])
        if secret := key_vault.split_path(scope["path"]):
            scope["smalt.workspace"] = _find_workspace_by_folder(scope, secret[0])
            handler, scope["path_params"], template = self._vault.find_route(scope["method"], secret[1])
            job_permissions.check_route(job, job_permissions.VAULT, scope["method"], template)
            answer = await _run_handler(scope, handler(ApiRequest(scope, receive, send)))
            await ApiResponse.from_answer(answer)(scope, receive, send)
            return
        router, path = (
            (self._routers[found.prefix], found.rest)
            if found
            else (self._global, workspace_paths.convert_collection_path(scope["path"]))
        )
        handler, scope["path_params"], template = router.find_route(scope["method"], path)
        if found:
            scope["smalt.workspace"] = _find_workspace(scope, found)
            scope["smalt.files"] = "/smalt/v1" + get_workspace_id(scope["smalt.workspace"])
        elif job is None and template != studio_sign_in.SESSION and _is_of_one_workspace(scope):
            raise RefusedError("the token is good for one workspace only, not for the server")
        prefix = found.prefix if found else job_permissions.SERVER
        job_permissions.check_route(job, prefix, scope["method"], template)
        job_reads.note_read(scope["smalt.service"].db, job, prefix, scope["method"], template, scope["path_params"])
        answer = await _run_handler(scope, handler(ApiRequest(scope, receive, send)))
        await ApiResponse.from_answer(answer)(scope, receive, send)


def _is_of_one_workspace(scope: Scope) -> bool:
    token = scope["smalt.token"]
    return token is not None and token.workspace_id is not None


async def _score(scope: Scope, receive: Receive, send: Send, path: online_routes.ScoringPath) -> None:
    """Pass a request on to a deployment of the online endpoint that the path names."""
    service: ServerContext = scope["smalt.service"]
    route = service.online.find_route(path.folder, path.endpoint)
    if route is None:
        raise NotFound(
            f"there is no online endpoint '{path.endpoint[:100]}' at {online_routes.PREFIX}{path.folder[:100]}"
        )
    await service.scoring_proxy.handle_request(scope, receive, send, route, path.rest)


async def _run_handler(scope: Scope, work: Awaitable[Any]) -> Any:
    """Return the handler's answer; raise if the workspace was deleted while the handler stored something in it."""
    try:
        return await work
    finally:
        if scope["method"] in _STORING and "smalt.workspace" in scope:
            records.refuse_deleted(scope["smalt.service"].db, scope["smalt.workspace"].id)


def _find_workspace_by_folder(scope: Scope, folder: str) -> records.Workspace:
    """Return the workspace with that folder, which is the account's name for storage clients."""
    token = scope["smalt.token"]
    for one in records.list_workspaces(scope["smalt.service"].db):
        if one.folder == folder and (token is None or token.workspace_id in (None, one.id)):
            return one
    raise NotFound(f"there is no storage account '{folder[:100]}' here")


def _find_workspace(scope: Scope, path: workspace_paths.WorkspacePath) -> records.Workspace:
    """Return the workspace that the path names; a token of one workspace opens no other."""
    names, token = (path.subscription, path.group, path.workspace), scope["smalt.token"]
    if token and token.workspace_id is not None:
        workspace_access.check_names(names)
        own = records.get_workspace(scope["smalt.service"].db, token.workspace_id)
        if [own.subscription.lower(), own.resource_group.lower(), own.name.lower()] != [name.lower() for name in names]:
            raise RefusedError(f"the token is good for workspace '{own.name}' only")
        return own
    is_put = (scope["method"], path.prefix, path.rest) == ("PUT", "", "/")
    return workspace_access.open_workspace(scope, names, is_put=is_put)
