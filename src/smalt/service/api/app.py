"""The ASGI application: every route of the server, behind the security middleware."""

from __future__ import annotations

import re
from collections.abc import Awaitable
from typing import Any
from urllib.parse import quote, unquote

from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse
from starlette.types import Receive, Scope, Send

from smalt.exceptions import NotFound, RefusedError, ValidationException
from smalt.service.api import key_vault, workspace_paths
from smalt.service.api.auth import job_permissions, job_reads, workspace_access
from smalt.service.api.auth.middleware import SecurityMiddleware
from smalt.service.api.blob import operations as blob_operations
from smalt.service.api.blob import urls as blob_urls
from smalt.service.api.request import ApiRequest, ApiResponse
from smalt.service.api.rest_shapes import get_workspace_id
from smalt.service.api.route_tables import SERVER_TABLES, WORKSPACE_TABLES
from smalt.service.api.router import Router
from smalt.service.api.server_context import ServerContext
from smalt.service.api.studio import links
from smalt.service.api.studio import sign_in as studio_sign_in
from smalt.service.endpoints.online import routes as online_routes
from smalt.service.records import workspaces as records
from smalt.service.tracking.proxy import get_raw_path
from smalt.service.tracking.variables import ROUTE as MLFLOW

_STORING = ("PUT", "POST", "PATCH")
_ENCODED_SLASH = re.compile("%2f", re.IGNORECASE)
_TO_WORKSPACE = re.compile(r"/workspaces/[^/]*", re.IGNORECASE)


def build_app(service: ServerContext) -> SecurityMiddleware:
    return SecurityMiddleware(_Dispatcher(), service)


class _Dispatcher:
    """Splits the workspace off the path, opens it, and passes the rest to the router of its prefix."""

    def __init__(self) -> None:
        self._server = Router(SERVER_TABLES)
        self._routers = {prefix: Router(tables) for prefix, tables in WORKSPACE_TABLES.items()}
        self._vault = Router([key_vault.ROUTES])

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"]
        if scoring := online_routes.split_path(path):
            await _score_request(scope, receive, send, scoring)
            return
        found = workspace_paths.split_path(path)
        if scope.get("smalt.run_link"):
            await RedirectResponse(links.build_run_url(path) or links.PREFIX, 303)(scope, receive, send)
            return
        if found and found.prefix == MLFLOW:
            await _pass_to_mlflow(scope, receive, send, found)
            return
        request = ApiRequest(scope, receive, send)
        if blob := blob_urls.split_path(path):
            response = await _answer_blob_request(scope, request, blob)
            await response(scope, receive, send)
            return
        scope["smalt.path"] = quote(path)
        if secret := key_vault.split_path(path):
            work = self._find_vault_handler(scope, request, secret)
        elif found:
            work = self._find_workspace_handler(scope, request, found)
        else:
            work = self._find_server_handler(scope, request)
        answer = await _run_handler(scope, work)
        await ApiResponse.from_answer(answer)(scope, receive, send)

    def _find_vault_handler(self, scope: Scope, request: ApiRequest, secret: tuple[str, str]) -> Awaitable[Any]:
        scope["smalt.workspace"] = _find_workspace_by_folder(scope, secret[0])
        handler, scope["path_params"], template = self._vault.find_route(scope["method"], secret[1])
        job_permissions.check_route(scope["smalt.job"], job_permissions.VAULT, scope["method"], template)
        return handler(request)

    def _find_workspace_handler(
        self, scope: Scope, request: ApiRequest, found: workspace_paths.WorkspacePath
    ) -> Awaitable[Any]:
        router = self._routers[found.prefix]
        try:
            handler, scope["path_params"], template = router.find_route(scope["method"], found.rest)
        except HTTPException as error:
            raise _explain_slash(scope, router, error) from None
        scope["smalt.workspace"] = _find_workspace(scope, found)
        scope["smalt.files"] = "/smalt/v1" + get_workspace_id(scope["smalt.workspace"])
        _check_job(scope, found.prefix, template)
        return handler(request)

    def _find_server_handler(self, scope: Scope, request: ApiRequest) -> Awaitable[Any]:
        path = workspace_paths.convert_collection_path(scope["path"])
        handler, scope["path_params"], template = self._server.find_route(scope["method"], path)
        is_signing_in = template == studio_sign_in.SESSION
        if scope["smalt.job"] is None and not is_signing_in and _is_of_one_workspace(scope):
            raise RefusedError("the token is good for one workspace only, not for the server")
        _check_job(scope, job_permissions.SERVER, template)
        return handler(request)


def _explain_slash(scope: Scope, router: Router, error: HTTPException) -> Exception:
    """Return the error of a request that finds no route; one that finds it but for a slash in a name is told so.

    Only where something is stored: what is read or deleted by such a name is not there.
    """
    rest = _TO_WORKSPACE.split(scope.get("raw_path", b"").decode("latin-1"), maxsplit=1)[-1]
    name = next((unquote(segment) for segment in rest.split("/") if _ENCODED_SLASH.search(segment)), None)
    if name is None or error.status_code != 404 or scope["method"] not in ("PUT", "POST"):
        return error
    try:
        router.find_route(scope["method"], unquote(_ENCODED_SLASH.sub("_", rest)))
    except HTTPException:
        return error
    return ValidationException(f"'{name[:100]}' cannot be a name, as it contains '/'; use '-' or '_' in its place")


def _check_job(scope: Scope, prefix: str, template: str) -> None:
    """Refuse what the token of a job must not do, and note what the job reads."""
    job, method = scope["smalt.job"], scope["method"]
    job_permissions.check_route(job, prefix, method, template)
    job_reads.note_read(scope["smalt.service"].db, job, prefix, method, template, scope["path_params"])


async def _pass_to_mlflow(scope: Scope, receive: Receive, send: Send, found: workspace_paths.WorkspacePath) -> None:
    scope["smalt.workspace"] = _find_workspace(scope, found)
    scope["smalt.rest"] = get_raw_path(scope, found.rest)
    await scope["smalt.service"].tracking.handle_request(scope, receive, send)


async def _answer_blob_request(scope: Scope, request: ApiRequest, blob: tuple[str, str, str]) -> Any:
    if scope["smalt.job"] is not None:
        job_permissions.refuse_job(scope["smalt.job"], "the storage account; ask listSecrets of a datastore for a link")
    scope["smalt.workspace"] = _find_workspace_by_folder(scope, blob[0])
    return await _run_handler(scope, blob_operations.handle_request(request, *blob[1:]))


def _is_of_one_workspace(scope: Scope) -> bool:
    token = scope["smalt.token"]
    return token is not None and token.workspace_id is not None


async def _score_request(scope: Scope, receive: Receive, send: Send, path: online_routes.ScoringPath) -> None:
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
