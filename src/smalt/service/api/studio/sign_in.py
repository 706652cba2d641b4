"""Signing in and out of the studio.

POST   /smalt/v1/studio/codes {"path"}: {"code", "url", "expires"}. A one-time code for the caller's browser, good for
       ten minutes; `url` opens the studio at `path` (below /studio) with it. The code is in the fragment, which
       browsers send to no server. A server without the pages adds "missing", the sentence that says how to build them.
POST   /smalt/v1/studio/session {"code"} or {"token"}: sets the session's cookie; from a page of this server only.
GET    /smalt/v1/studio/session: {"principal", "version", "home", "workspaces": [{"id", "name", "resource_group",
       "folder", "jobs"}]}, the workspace of the newest job first.
DELETE /smalt/v1/studio/session: ends the session.
"""

from __future__ import annotations

from typing import Any

from smalt._version import __version__
from smalt.exceptions import RefusedError, ValidationException
from smalt.service.api.request import ApiRequest, ApiResponse
from smalt.service.api.rest_shapes import get_workspace_id
from smalt.service.api.studio import sessions
from smalt.service.api.studio.links import PREFIX
from smalt.service.api.studio.pages import explain_missing_pages
from smalt.service.records import tokens, workspaces

SESSION = "/smalt/v1/studio/session"


async def create_code(request: ApiRequest) -> dict[str, Any]:
    body = await request.read_object()
    path = body.get("path", "")
    if not isinstance(path, str) or "#" in path:
        raise ValidationException('"path" must be a text without "#": the part of the address after /studio')
    code, until = request.server.sign_in_codes.issue_code(request.principal)
    slash = "" if path.startswith(("/", "?")) or not path else "/"
    url, missing = f"{request.server_url}{PREFIX}{slash}{path}#code={code}", explain_missing_pages()
    return {"code": code, "url": url, "expires": until, **({"missing": missing} if missing else {})}


async def create_session(request: ApiRequest) -> ApiResponse:
    if request.is_local or "origin" not in request.headers:
        raise RefusedError("a session is opened by a page of the studio; get its address by 'smalt studio'")
    body = await request.read_object()
    code, token = body.get("code"), body.get("token")
    db, workspace_id = request.server.db, None
    if isinstance(code, str) and code:
        principal = request.server.sign_in_codes.redeem_code(code)
    elif isinstance(token, str) and token:
        holder = sessions.find_token_holder(db, token.strip())
        principal, workspace_id = holder.principal, holder.workspace_id
    else:
        raise ValidationException('give a "code" or a "token"')
    secret = sessions.open_session(db, principal, workspace_id)
    return ApiResponse({"principal": principal}, 201, {"set-cookie": _build_cookie(request, secret)})


async def get_session(request: ApiRequest) -> dict[str, Any]:
    db, token = request.server.db, request.scope["smalt.token"]
    only, counts = token.workspace_id if token else None, workspaces.count_jobs(db)
    shown = [one for one in workspaces.list_workspaces(db) if only in (None, one.id)]
    shown.sort(key=lambda one: -counts.get(one.id, (0, 0.0))[1])
    return {
        "principal": request.principal,
        "version": __version__,
        "home": str(request.server.home.root),
        "workspaces": [
            {
                "id": get_workspace_id(one),
                "name": one.name,
                "resource_group": one.resource_group,
                "folder": one.folder,
                "jobs": counts.get(one.id, (0, 0.0))[0],
            }
            for one in shown
        ],
    }


async def end_session(request: ApiRequest) -> ApiResponse:
    secret = sessions.read_cookie(request.headers, request.server.port)
    if secret:
        tokens.remove_token(request.server.db, secret)
    return ApiResponse({}, 200, {"set-cookie": _build_cookie(request, "", seconds=0)})


def _build_cookie(request: ApiRequest, secret: str, seconds: int = sessions.SESSION_SECONDS) -> str:
    is_secure = request.server_url.startswith("https:")
    return sessions.build_cookie(request.server.port, secret, is_secure=is_secure, seconds=seconds)


ROUTES = [
    ("POST", "/smalt/v1/studio/codes", create_code),
    ("POST", SESSION, create_session),
    ("GET", SESSION, get_session),
    ("DELETE", SESSION, end_session),
]
