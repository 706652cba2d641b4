"""The checks that every request passes first: authentication, origin, and no details of a fault in the answer."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from smalt.exceptions import RefusedError, Unauthorized
from smalt.service.api import errors, key_vault
from smalt.service.api.auth import access_tokens, scoring_access, workspace_access
from smalt.service.api.blob import urls as blob_urls
from smalt.service.api.request import ApiResponse
from smalt.service.api.server_context import ServerContext
from smalt.service.api.studio import links, sessions, sign_in
from smalt.service.endpoints.online import routes as online_routes
from smalt.service.records import tokens
from smalt.service.secrets.identity import build_challenge
from smalt.service.tracking.job_tokens import PREFIX as JOB_TOKEN
from smalt.service.tracking.variables import ROUTE as MLFLOW

Headers = dict[str, str]

_LOOPBACK = {"127.0.0.1", "localhost", "[::1]"}
_HOST = re.compile(r"(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+)(?::\d{1,5})?")
_OPEN_PATHS = {"/discovery", "/metadata/endpoints", "/identity/token"}
"""Fetched by Azure's clients without a token. The first two tell nothing but this server's URLs; the third wants its
own header."""
_OWN_HEADERS = [(b"x-content-type-options", b"nosniff"), (b"cache-control", b"no-store")]


class SecurityMiddleware:
    """Authenticates each request before anything is looked up, whatever the method.

    Over the Unix socket the private folder and the peer's user (checked as it connects) are the proof. Over TCP a
    request needs an allowed Host, no foreign Origin, and a token.
    """

    def __init__(self, app: ASGIApp, service: ServerContext) -> None:
        self._app = app
        self._service = service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await self.run_app(self._run_admitted, scope, receive, send)

    async def _run_admitted(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.admit_request(scope)
        await self._app(scope, receive, send)

    async def run_app(self, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        """Run an application whose errors become answers, with the headers that all answers have."""
        answered = False

        async def watched(message: Message) -> None:
            nonlocal answered
            if message["type"] == "http.response.start":
                answered = True
                message["headers"] = [*add_own_headers(message["headers"]), *_build_note_header(scope)]
            await send(message)

        with self._service.activity:
            try:
                await app(scope, receive, watched)
            except Exception as error:
                status, body, headers = errors.render_error(error)
                if status == 401 and key_vault.split_path(scope["path"]):
                    headers["www-authenticate"] = build_challenge(_get_host(scope))
                if _is_mlflow_path(scope):
                    body = errors.convert_for_mlflow(status, body)
                if answered:
                    raise ConnectionAbortedError("the answer broke off") from None
                await ApiResponse(body, status, headers)(scope, receive, watched)

    def admit_request(self, scope: Scope) -> None:
        """Add to the scope who asks; raise if the request is not to be answered."""
        service = self._service
        if service.stopping.is_set():
            raise errors.ServerStopping("this server is ending; send it again to the next one")
        scope["smalt.service"] = service
        scope["smalt.token"] = scope["smalt.job"] = None
        scope["smalt.local"] = is_local(scope)
        if scope["smalt.local"]:
            scope["smalt.principal"], scope["smalt.base"] = service.principal, service.base_url
            return
        headers = _read_headers(scope)
        host = headers.get("host", "")
        self._check_host(host)
        if not _opens_page(scope, headers):
            _check_origin(headers, f"{scope['scheme']}://{host}", service.settings.public_url)
        scope["smalt.base"] = service.settings.public_url or f"{scope['scheme']}://{host}"
        scope["smalt.principal"] = "anonymous"
        scope["smalt.run_link"] = _is_run_link(scope, headers)
        if scoring := online_routes.split_path(scope["path"]):
            self._admit_scoring(scope, headers, scoring)
        elif not _is_public(scope, headers) and (
            scope["path"] not in _OPEN_PATHS
            and not self._has_valid_link(scope)
            and not self._has_valid_key(scope, headers)
        ):
            self._authenticate_request(scope, headers)

    def _admit_scoring(self, scope: Scope, headers: Headers, path: online_routes.ScoringPath) -> None:
        """Admit a request to an online endpoint, by what its auth_mode says."""
        service, secret = self._service, _get_secret(headers.get("authorization", ""), or_password=False)
        route = service.online.find_route(path.folder, path.endpoint)
        if route is not None and scoring_access.takes_server_tokens(route):
            self._authenticate_request(scope, headers)
            token = scope["smalt.token"]
            if token.workspace_id not in (None, route.workspace.id):
                raise RefusedError("the token is good for another workspace only")
        elif route is None or not secret or not scoring_access.is_open_to(service, route, secret):
            mode = route.auth_mode if route else None
            raise scoring_access.refuse_access(path.endpoint, mode, has_secret=bool(secret))

    def _authenticate_session(self, scope: Scope, headers: Headers, secret: str) -> None:
        """Admit a browser that has signed in to the studio."""
        sessions.check_source(scope["method"], headers)
        session = sessions.find_session(self._service.db, secret)
        if session is None:
            raise Unauthorized("the session has ended; sign in again: smalt studio")
        scope["smalt.token"], scope["smalt.principal"] = session, session.principal

    def _authenticate_access_token(self, scope: Scope, secret: str) -> None:
        holder = self._service.access_tokens.find_holder(secret)
        if holder is None:
            raise Unauthorized("the token is not of this server or has expired; get another, or use smalt exec")
        principal, job = holder
        if job is not None:
            self._authenticate_job_token(scope, job)
            return
        scope["smalt.token"] = tokens.Token(0, None, principal, "all", None)
        scope["smalt.principal"] = principal

    def _authenticate_job_token(self, scope: Scope, secret: str) -> None:
        """Admit a job by its own token or by one that it got from /identity/token, to its own workspace only.

        Its permissions are `tracking/job_permissions.py` for MLflow's API and `api/auth/job_permissions.py` for all
        else.
        """
        job = self._service.tracking.tokens.find_job(self._service.db, secret)
        if job is None:
            raise Unauthorized("the job's token is unknown, or its job has been over for more than an hour")
        if self._service.settings.job_identity == "off" and not _is_mlflow_path(scope):
            raise RefusedError(
                f"the token of job '{job.name}' is good for its MLflow calls only, as the setting 'job-identity' is off"
            )
        scope["smalt.job"] = job
        scope["smalt.token"] = tokens.Token(0, job.workspace_id, job.created_by, "job", None)
        scope["smalt.principal"] = job.created_by

    def _check_host(self, host: str) -> None:
        found = _HOST.fullmatch(host)
        allowed = _LOOPBACK.union((self._service.host, *self._service.settings.allowed_hosts))
        if found is None or found[1].lower() not in {name.lower() for name in allowed}:
            raise RefusedError(
                f"the Host '{host[:100]}' is not one of this server's; "
                "add it with 'smalt config set allowed-hosts' if it is"
            )

    def _has_valid_link(self, scope: Scope) -> bool:
        service, query = self._service, scope["query_string"].decode("latin-1")
        if "sig=" in query and (blob := blob_urls.split_path(scope["path"])):
            return service.is_link_valid(scope["method"], blob[0], blob_urls.get_link_container(blob[1]), query)
        return "signature=" in query and self._service.signed_links.is_valid(scope["method"], scope["path"], query)

    def _has_valid_key(self, scope: Scope, headers: Headers) -> bool:
        """True if a blob request is signed with the key of its account, which permits everything in the account."""
        blob = blob_urls.split_path(scope["path"])
        if blob is None or not headers.get("authorization", "").lower().startswith("sharedkey "):
            return False
        path, query = scope["raw_path"].decode("latin-1"), scope["query_string"].decode("latin-1")
        if not self._service.account_keys.is_signed(scope["method"], blob[0], path, query, headers):
            raise Unauthorized("the request is not signed with this account's key, or its date is not of now")
        scope["smalt.token"] = tokens.Token(0, None, self._service.principal, "all", None)
        scope["smalt.principal"] = self._service.principal
        return True

    def _authenticate_request(self, scope: Scope, headers: Headers) -> None:
        secret = _get_secret(headers.get("authorization", ""), or_password=_is_mlflow_path(scope))
        if not secret and (session := sessions.read_cookie(headers, self._service.port)):
            self._authenticate_session(scope, headers, session)
            return
        if not secret:
            raise Unauthorized(f"this server wants a token: {_explain_token(scope)}")
        if access_tokens.is_access_token(secret):
            self._authenticate_access_token(scope, secret)
            return
        if secret.startswith(JOB_TOKEN):
            self._authenticate_job_token(scope, secret)
            return
        token = tokens.find_token(self._service.db, secret)
        if token is None:
            raise Unauthorized(
                "the token is unknown or has expired; set SMALT_TOKEN to what the server's home has in its file 'token'"
            )
        if token.scope != "all":
            raise RefusedError(f"the token is good for '{token.scope}' only")
        scope["smalt.token"] = token
        scope["smalt.principal"] = token.principal


def add_own_headers(headers: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """Return the headers with those that every answer has; a file of the studio says itself how long it is good."""
    given = list(headers)
    names = {name for name, _ in given}
    return [*given, *(pair for pair in _OWN_HEADERS if pair[0] not in names)]


def _is_public(scope: Scope, headers: Headers) -> bool:
    """True for what is needed to sign in to the studio: its files, and the exchange of a code or token for a cookie.

    MLflow's links to runs lead to the studio's files as well.
    """
    if scope["method"] == "POST":
        return str(scope["path"]) == sign_in.SESSION
    return (scope["method"] in ("GET", "HEAD") and links.is_page(scope["path"])) or _is_run_link(scope, headers)


def _is_run_link(scope: Scope, headers: Headers) -> bool:
    return links.is_followed_link(scope["method"], headers) and links.build_run_url(scope["path"]) is not None


def _opens_page(scope: Scope, headers: Headers) -> bool:
    """True if a person follows a link to the studio from another page, such as a notebook's."""
    is_link = links.is_followed_link(scope["method"], headers) and links.is_page(scope["path"])
    return is_link or _is_run_link(scope, headers)


def _build_note_header(scope: Scope) -> list[tuple[bytes, bytes]]:
    note = scope.get(workspace_access.NOTE)
    return [(b"x-smalt-note", note.encode("latin-1", "replace"))] if note else []


def _is_mlflow_path(scope: Scope) -> bool:
    return str(scope["path"]).lower().startswith(f"{MLFLOW}/")


def _explain_token(scope: Scope) -> str:
    if _is_mlflow_path(scope):
        return "run the program by 'smalt python', or set MLflow's variables first: eval \"$(smalt mlflow uri --env)\""
    return "send 'Authorization: Bearer <token>'"


def _get_secret(authorization: str, *, or_password: bool) -> str:
    """Return the token of the header; MLflow's clients may send it as the password of any user."""
    kind, _, value = authorization.partition(" ")
    if kind.lower() == "bearer":
        return value.strip()
    if kind.lower() == "basic" and or_password:
        try:
            return base64.b64decode(value.strip(), validate=True).decode().partition(":")[2].strip()
        except (binascii.Error, UnicodeDecodeError):
            return ""
    return ""


def is_local(scope: Scope) -> bool:
    """True if the request came over the Unix socket, which has no port."""
    server = scope.get("server")
    return server is None or server[1] is None


def _get_host(scope: Scope) -> str:
    return str(dict(scope["headers"]).get(b"host", b"").decode("latin-1"))


def _read_headers(scope: Scope) -> Headers:
    headers: Headers = {}
    for raw_name, raw_value in scope["headers"]:
        name = raw_name.decode("latin-1")
        if name in headers and name in ("host", "origin", "authorization"):
            raise RefusedError(f"the header '{name}' occurs twice")
        headers[name] = raw_value.decode("latin-1")
    if "transfer-encoding" in headers and "content-length" in headers:
        # a proxy in front that goes by the length would take the rest of the body for the next request
        why = "the request has Transfer-Encoding and Content-Length, of which only one may say how long its body is"
        raise HTTPException(400, why, {"connection": "close"})
    return headers


def _check_origin(headers: Headers, own: str, public: str | None) -> None:
    """Raise Refused if a browser sent the request from a page that is not this server's own."""
    origin = headers.get("origin")
    if origin is not None and origin.lower() not in {own.lower(), (public or own).lower()}:
        raise RefusedError(f"requests from the web page {origin[:100]} are not answered")
    site = headers.get("sec-fetch-site", "none").lower()
    if site not in ("same-origin", "none"):
        raise RefusedError(f"requests from other web pages are not answered (Sec-Fetch-Site: {site[:40]})")
