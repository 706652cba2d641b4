"""MLflow's API behind smalt's gate: what the policy lets through, read strictly, goes on to the child.

Bodies of files are streamed both ways; all else is small, and is held until it is whole.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable
from typing import Any
from urllib.parse import unquote

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from smalt.exceptions import Refused, ValidationException
from smalt.service.records.jobs import Job
from smalt.service.records.workspaces import Workspace
from smalt.service.tracking import policy, request_parsing
from smalt.service.tracking.artifact_guard import Guard
from smalt.service.tracking.child_connection import WHOLE, Answer, Line
from smalt.service.tracking.external_models import Shelf
from smalt.service.tracking.http_client import Headers
from smalt.service.tracking.job_permissions import Asked, Rules, check
from smalt.service.tracking.model_sync import SHELF, Models
from smalt.service.tracking.runs import Runs

_PASSED_ON = ("accept", "content-type", "range", "user-agent")
_OF_SPANS = ("content-encoding", "x-mlflow-experiment-id", "x-mlflow-run-id")
_PASSED_BACK = (b"content-type", b"content-length", b"content-disposition", b"content-range", b"accept-ranges", b"etag")
_SPANS = "/v1/traces"
_LARGEST_SPANS = 32 * 1024 * 1024
_WITHOUT_RUN = {"/health", "/version", "/api/3.0/mlflow/server-info"}
_REMEMBERED = 10_000
_WORKSPACE_SEGMENTS = 11  # of /mlflow/v1.0/subscriptions/S/resourceGroups/G/providers/P/workspaces/W


_TOLD = frozenset({"value", "description", "source"})
"""Fields whose texts are what a user says, as of parameters, tags and data sets; others say what is meant."""

Hider = Callable[[Workspace], "Callable[[str], str] | None"]
"""Of a workspace, what hides its secrets in a text; None where it has none."""


class Proxy:
    def __init__(
        self, line: Line, rules: Rules, runs: Runs, models: Models, shelf: Shelf, hider: Hider, guard: Guard
    ) -> None:
        self._hider = hider
        self._guard = guard
        self._models = models
        self._shelf = shelf
        self._line = line
        self._rules = rules
        self._runs = runs
        self._ensured: set[int] = set()

    async def serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        workspace: Workspace = scope["smalt.workspace"]
        job: Job | None = scope["smalt.job"]
        asked = await _read(scope, receive, is_user=job is None)
        check(asked)
        if asked.body and (hide := self._hider(workspace)):
            _hide(asked.body, hide)
        await self._provide(workspace, job, asked)
        if job is not None:
            reply = await self._rules.apply(workspace, job, asked)
            if reply is not None:
                await _send(send, 200, [(b"content-type", b"application/json")], request_parsing.dump(reply))
                return
        if (response := await self._from_shelf(workspace, scope["method"], asked)) is not None:
            await response(scope, receive, send)
            return
        if asked.found.route.is_file and scope["method"] != "GET":
            await self._guard.before_write(workspace, "/".join(asked.found.ids))
        async with self._turn(workspace, scope, asked):
            answer = await self._pass_on(workspace, scope, receive, asked)
        await _pass_back(send, answer, asked)

    def _turn(self, workspace: Workspace, scope: Scope, asked: Asked) -> contextlib.AbstractAsyncContextManager[None]:
        """What is written to the registry is smalt's, too, when the client hears of it."""
        if not _writes_registry(scope["method"], asked):
            return contextlib.nullcontext()
        job: Job | None = scope["smalt.job"]
        names = {name for key in ("name", "new_name") if isinstance(name := asked.body.get(key), str)}
        return self._models.writing(workspace, names, job.created_by if job else scope["smalt.principal"])

    async def _from_shelf(self, workspace: Workspace, method: str, asked: Asked) -> Response | None:
        """Files of models that MLflow does not keep itself."""
        found = asked.found
        if found.path == policy.ARTIFACTS:
            path = dict(asked.query).get("path", "")
            return await self._shelf.list(workspace, path) if path.split("/")[0] == SHELF else None
        if not found.route.is_file or found.ids[0] != SHELF:
            return None
        if method != "GET":
            raise Refused("the files of a registered model do not change; register another version")
        return await self._shelf.file(workspace, found.ids)

    async def _provide(self, workspace: Workspace, job: Job | None, asked: Asked) -> None:
        """What smalt knows and MLflow is about to be asked for is there."""
        route, path = asked.found.route, asked.found.path
        names = _runs_named(asked)
        if job is not None and path not in _WITHOUT_RUN and job.id not in self._ensured:
            await self._runs.ensure(workspace, [job.name])
            if len(self._ensured) > _REMEMBERED:
                self._ensured.clear()
            self._ensured.add(job.id)
        if job is not None:
            names.discard(job.name)
        if names:
            await self._runs.ensure(workspace, sorted(names))
        if route.all and (job is None or route.rule == "read"):
            await self._runs.ensure_all(workspace)
        if route.registry:
            await self._models.mirror(workspace)

    async def _pass_on(self, workspace: Workspace, scope: Scope, receive: Receive, asked: Asked) -> Answer:
        found, method = asked.found, scope["method"]
        target = found.path + (f"?{request_parsing.query_text(asked.query)}" if asked.query else "")
        body: bytes | AsyncIterator[bytes] = b""
        if found.route.is_file and method == "PUT":
            body, length = await _file(receive), _header(scope, "content-length")
            if length and not isinstance(body, bytes):
                asked.headers["content-length"] = length
        elif found.path == _SPANS:
            body = await _whole(receive, _LARGEST_SPANS)
        elif method != "GET":
            body = request_parsing.dump(asked.body)
            asked.headers["content-type"] = "application/json"
        headers = [(name.encode(), value.encode("latin-1")) for name, value in asked.headers.items()]
        return await self._line.ask(workspace, method, target, headers, body, again=found.route.again)


async def _read(scope: Scope, receive: Receive, *, is_user: bool) -> Asked:
    """The request, understood; its path is what stood in the request line, not what a server made of it."""
    method = scope["method"]
    found = policy.find(method, scope["smalt.rest"], is_user=is_user)
    names = (*_PASSED_ON, *_OF_SPANS) if found.path == _SPANS else _PASSED_ON
    headers = {name: value for name in names if (value := _header(scope, name)) is not None}
    if found.path == _SPANS or (found.route.is_file and method == "PUT"):
        return Asked(found, [], {}, headers)
    if method == "GET":
        query = request_parsing.query(scope["query_string"].decode("latin-1"))
        for name, value in query:
            if name == "path" and value:
                request_parsing.segments(value.removesuffix("/"))
        return Asked(found, query, {}, headers)
    if _header(scope, "content-encoding"):
        raise ValidationException("a compressed body is not taken here; send it as it is")
    return Asked(found, [], request_parsing.body(await _whole(receive, request_parsing.LARGEST)), headers)


def _hide(part: Any, hide: Callable[[str], str]) -> None:
    for key, value in part.items() if isinstance(part, dict) else enumerate(part):
        if isinstance(value, str):
            if key in _TOLD:
                part[key] = hide(value)
        elif isinstance(value, (dict, list)):
            _hide(value, hide)


def _writes_registry(method: str, asked: Asked) -> bool:
    return asked.found.route.registry and method != "GET" and not asked.found.path.endswith("/get-latest-versions")


def _header(scope: Scope, name: str) -> str | None:
    """A header that is there once."""
    wanted = name.encode()
    found = [value for key, value in scope["headers"] if key == wanted]
    if len(found) > 1:
        raise ValidationException(f"the header '{name}' is there twice")
    return found[0].decode("latin-1") if found else None


def _runs_named(asked: Asked) -> set[str]:
    """The runs that the request is about."""
    pairs = [value for name, value in asked.query if name in ("run_id", "run_uuid", "run_ids")]
    texts = [asked.body.get(name) for name in ("run_id", "run_uuid", "source_run_id")]
    return {text for text in (*pairs, *texts) if isinstance(text, str) and text}


async def _blocks(receive: Receive) -> AsyncIterator[bytes]:
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Refused("the body ended early")
        yield message.get("body", b"")
        if not message.get("more_body"):
            return


async def _whole(receive: Receive, largest: int) -> bytes:
    parts, size = [], 0
    async for block in _blocks(receive):
        size += len(block)
        if size > largest:
            raise ValidationException(f"the body is larger than {largest} bytes; send less at a time")
        parts.append(block)
    return b"".join(parts)


async def _file(receive: Receive) -> bytes | AsyncIterator[bytes]:
    """A short file is held, so that it can be sent again; of a long one no more than a block is."""
    blocks = _blocks(receive)
    parts, size = [], 0
    async for block in blocks:
        parts.append(block)
        size += len(block)
        if size > WHOLE:
            return _after(parts, blocks)
    return b"".join(parts)


async def _after(parts: list[bytes], blocks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    for part in parts:
        yield part
    parts.clear()
    async for block in blocks:
        yield block


async def _pass_back(send: Send, answer: Answer, asked: Asked) -> None:
    headers = [(name, value) for name, value in answer.response.headers if name.lower() in _PASSED_BACK]
    if asked.found.route.is_file:
        headers.append((b"content-security-policy", b"sandbox"))
    if answer.whole is not None:
        await _send(send, answer.response.status, headers, answer.whole)
        return
    try:
        await send({"type": "http.response.start", "status": answer.response.status, "headers": headers})
        async for chunk in answer.response:
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
        await send({"type": "http.response.body", "body": b""})
    finally:
        answer.response.close()


async def _send(send: Send, status: int, headers: Headers, body: bytes) -> None:
    headers = [(name.lower(), value) for name, value in headers if name.lower() != b"content-length"]
    headers.append((b"content-length", b"%d" % len(body)))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def raw_rest(scope: Scope, rest: str) -> str:
    """What stood in the request line behind the workspace's path; `rest` is what it was decoded to."""
    raw = scope.get("raw_path", b"").decode("latin-1")
    found = "/" + "/".join(raw.split("/")[_WORKSPACE_SEGMENTS:])
    if unquote(found, errors="replace") != rest:
        raise ValidationException("the URL's path to the workspace cannot be understood")
    return found
