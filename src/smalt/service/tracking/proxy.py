"""MLflow's API behind smalt's access checks: strictly parsed requests that the policy permits go on to the process.

Bodies of files are streamed both ways; all others are small and are held until they are complete.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Any
from urllib.parse import unquote

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from smalt.exceptions import RefusedError, ValidationException
from smalt.service.records.jobs import Job
from smalt.service.records.workspaces import Workspace
from smalt.service.tracking import policy, request_parsing
from smalt.service.tracking.artifact_guard import ArtifactGuard
from smalt.service.tracking.child_connection import WHOLE, ChildAnswer, ChildConnection
from smalt.service.tracking.external_models import ExternalModels
from smalt.service.tracking.http_client import Headers
from smalt.service.tracking.job_permissions import JobRules, ParsedRequest, check_request
from smalt.service.tracking.model_sync import EXTERNAL_FOLDER, ModelSync
from smalt.service.tracking.run_database import LoggedMetric
from smalt.service.tracking.runs import JobRuns

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
"""Returns a function that masks a workspace's secrets in a text; None if it has none."""


FindMetricListener = Callable[[Workspace, str], "Callable[[Sequence[LoggedMetric]], None] | None"]
"""Returns who is to be told of the metrics of a run; None if nobody reacts to them."""

RecordMetrics = Callable[[Workspace, str, Sequence[str]], None]
"""Counts the values that were logged to a run, by the names of their metrics."""

_METRIC_PATHS = ("/api/2.0/mlflow/runs/log-metric", "/api/2.0/mlflow/runs/log-batch")


class TrackingProxy:
    """Answers MLflow's API."""

    def __init__(
        self,
        connection: ChildConnection,
        rules: JobRules,
        runs: JobRuns,
        models: ModelSync,
        external_models: ExternalModels,
        hider: Hider,
        guard: ArtifactGuard,
    ) -> None:
        self._hider = hider
        self._guard = guard
        self._models = models
        self._external_models = external_models
        self._connection = connection
        self._rules = rules
        self._runs = runs
        self._ensured: set[int] = set()
        self.find_metric_listener: FindMetricListener = lambda workspace, run: None
        self.record_metrics: RecordMetrics = lambda workspace, run, names: None

    async def handle_request(self, scope: Scope, receive: Receive, send: Send) -> None:
        workspace: Workspace = scope["smalt.workspace"]
        job: Job | None = scope["smalt.job"]
        parsed = await _parse_request(scope, receive, is_user=job is None)
        check_request(parsed)
        if parsed.body and (hide := self._hider(workspace)):
            _hide_secrets(parsed.body, hide)
        await self._ensure_known(workspace, job, parsed)
        if job is not None:
            reply = await self._rules.apply_rule(workspace, job, parsed)
            if reply is not None:
                await _send_response(
                    send, 200, [(b"content-type", b"application/json")], request_parsing.dump_json(reply)
                )
                return
        if (response := await self._get_external_file(workspace, scope["method"], parsed)) is not None:
            await response(scope, receive, send)
            return
        if parsed.found.route.is_file and scope["method"] != "GET":
            await self._guard.before_write(workspace, "/".join(parsed.found.ids))
        async with self._record_changes(workspace, scope, parsed):
            answer = await self._send_to_child(workspace, scope, receive, parsed)
        await _send_answer(send, answer, parsed)
        if parsed.found.path in _METRIC_PATHS and answer.response.status == 200:
            self._tell_metrics(workspace, parsed)

    def _tell_metrics(self, workspace: Workspace, parsed: ParsedRequest) -> None:
        """Tell the engine what was logged, if the kind of the job above the run reacts to metrics, and the curves."""
        run, metrics = str(parsed.body.get("run_id") or parsed.body.get("run_uuid")), _list_metrics(parsed.body)
        take = self.find_metric_listener(workspace, run)
        if take is not None:
            take(metrics)
        self.record_metrics(workspace, run, [metric.name for metric in metrics])

    def _record_changes(
        self, workspace: Workspace, scope: Scope, parsed: ParsedRequest
    ) -> contextlib.AbstractAsyncContextManager[None]:
        """Return a context in which a client's change of the registry is recorded in smalt before the client hears of
        it."""
        if not _is_registry_write(scope["method"], parsed):
            return contextlib.nullcontext()
        job: Job | None = scope["smalt.job"]
        names = {name for key in ("name", "new_name") if isinstance(name := parsed.body.get(key), str)}
        return self._models.record_changes(workspace, names, job.created_by if job else scope["smalt.principal"])

    async def _get_external_file(self, workspace: Workspace, method: str, parsed: ParsedRequest) -> Response | None:
        """Return the answer for a file of a model that MLflow does not store; None for all other requests."""
        found = parsed.found
        if found.path == policy.ARTIFACTS:
            path = dict(parsed.query).get("path", "")
            return (
                await self._external_models.list_files(workspace, path)
                if path.split("/")[0] == EXTERNAL_FOLDER
                else None
            )
        if not found.route.is_file or found.ids[0] != EXTERNAL_FOLDER:
            return None
        if method != "GET":
            raise RefusedError("the files of a registered model do not change; register another version")
        return await self._external_models.get_file(workspace, found.ids)

    async def _ensure_known(self, workspace: Workspace, job: Job | None, parsed: ParsedRequest) -> None:
        """Make sure that MLflow has the runs and models that the request is about."""
        route, path = parsed.found.route, parsed.found.path
        names = _list_runs(parsed)
        if job is not None and path not in _WITHOUT_RUN and job.id not in self._ensured:
            await self._runs.ensure_runs(workspace, [job.name])
            if len(self._ensured) > _REMEMBERED:
                self._ensured.clear()
            self._ensured.add(job.id)
        if job is not None:
            names.discard(job.name)
        if names:
            await self._runs.ensure_runs(workspace, sorted(names))
        if route.all and (job is None or route.rule == "read"):
            await self._runs.ensure_all_runs(workspace)
        if route.registry:
            await self._models.update_mlflow(workspace)

    async def _send_to_child(
        self, workspace: Workspace, scope: Scope, receive: Receive, parsed: ParsedRequest
    ) -> ChildAnswer:
        found, method = parsed.found, scope["method"]
        target = found.path + (f"?{request_parsing.encode_query(parsed.query)}" if parsed.query else "")
        body: bytes | AsyncIterator[bytes] = b""
        if found.route.is_file and method == "PUT":
            body, length = await _read_file(receive), _get_header(scope, "content-length")
            if length and not isinstance(body, bytes):
                parsed.headers["content-length"] = length
        elif found.path == _SPANS:
            body = await _read_whole(receive, _LARGEST_SPANS)
        elif method != "GET":
            body = request_parsing.dump_json(parsed.body)
            parsed.headers["content-type"] = "application/json"
        headers = [(name.encode(), value.encode("latin-1")) for name, value in parsed.headers.items()]
        return await self._connection.send_request(workspace, method, target, headers, body, again=found.route.again)


async def _parse_request(scope: Scope, receive: Receive, *, is_user: bool) -> ParsedRequest:
    """Return the parsed request; its path is that of the request line, not what a server made of it."""
    method = scope["method"]
    found = policy.find_route(method, scope["smalt.rest"], is_user=is_user)
    names = (*_PASSED_ON, *_OF_SPANS) if found.path == _SPANS else _PASSED_ON
    headers = {name: value for name in names if (value := _get_header(scope, name)) is not None}
    if found.path == _SPANS or (found.route.is_file and method == "PUT"):
        return ParsedRequest(found, [], {}, headers)
    if method == "GET":
        query = request_parsing.parse_query(scope["query_string"].decode("latin-1"))
        for name, value in query:
            if name == "path" and value:
                request_parsing.split_path(value.removesuffix("/"))
        return ParsedRequest(found, query, {}, headers)
    if _get_header(scope, "content-encoding"):
        raise ValidationException("a compressed body is not taken here; send it as it is")
    return ParsedRequest(
        found, [], request_parsing.parse_body(await _read_whole(receive, request_parsing.LARGEST)), headers
    )


def _list_metrics(body: Mapping[str, Any]) -> list[LoggedMetric]:
    """Return the metrics in the body of a request that MLflow has accepted, in order."""
    logged = body.get("metrics") or [] if "metrics" in body else [body] if "key" in body else []
    return [
        LoggedMetric(str(one["key"]), float(one["value"]), int(one.get("step") or 0), int(one.get("timestamp") or 0))
        for one in logged
    ]


def _hide_secrets(part: Any, hide: Callable[[str], str]) -> None:
    for key, value in part.items() if isinstance(part, dict) else enumerate(part):
        if isinstance(value, str):
            if key in _TOLD:
                part[key] = hide(value)
        elif isinstance(value, (dict, list)):
            _hide_secrets(value, hide)


def _is_registry_write(method: str, parsed: ParsedRequest) -> bool:
    return parsed.found.route.registry and method != "GET" and not parsed.found.path.endswith("/get-latest-versions")


def _get_header(scope: Scope, name: str) -> str | None:
    """Return a header; raise if it occurs twice."""
    wanted = name.encode()
    found = [value for key, value in scope["headers"] if key == wanted]
    if len(found) > 1:
        raise ValidationException(f"the header '{name}' occurs twice")
    return found[0].decode("latin-1") if found else None


def _list_runs(parsed: ParsedRequest) -> set[str]:
    """Return the runs that the request names."""
    pairs = [value for name, value in parsed.query if name in ("run_id", "run_uuid", "run_ids")]
    texts = [parsed.body.get(name) for name in ("run_id", "run_uuid", "source_run_id")]
    return {text for text in (*pairs, *texts) if isinstance(text, str) and text}


async def _read_blocks(receive: Receive) -> AsyncIterator[bytes]:
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise RefusedError("the body ended early")
        yield message.get("body", b"")
        if not message.get("more_body"):
            return


async def _read_whole(receive: Receive, largest: int) -> bytes:
    parts, size = [], 0
    async for block in _read_blocks(receive):
        size += len(block)
        if size > largest:
            raise ValidationException(f"the body is larger than {largest} bytes; send less at a time")
        parts.append(block)
    return b"".join(parts)


async def _read_file(receive: Receive) -> bytes | AsyncIterator[bytes]:
    """Read a short file, which can be sent again; return a long one as an iterator that holds no more than a block."""
    blocks = _read_blocks(receive)
    parts, size = [], 0
    async for block in blocks:
        parts.append(block)
        size += len(block)
        if size > WHOLE:
            return _join_blocks(parts, blocks)
    return b"".join(parts)


async def _join_blocks(parts: list[bytes], blocks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    for part in parts:
        yield part
    parts.clear()
    async for block in blocks:
        yield block


async def _send_answer(send: Send, answer: ChildAnswer, parsed: ParsedRequest) -> None:
    headers = [(name, value) for name, value in answer.response.headers if name.lower() in _PASSED_BACK]
    if parsed.found.route.is_file:
        headers.append((b"content-security-policy", b"sandbox"))
    if answer.whole is not None:
        await _send_response(send, answer.response.status, headers, answer.whole)
        return
    try:
        await send({"type": "http.response.start", "status": answer.response.status, "headers": headers})
        async for chunk in answer.response:
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
        await send({"type": "http.response.body", "body": b""})
    finally:
        answer.response.close()


async def _send_response(send: Send, status: int, headers: Headers, body: bytes) -> None:
    headers = [(name.lower(), value) for name, value in headers if name.lower() != b"content-length"]
    headers.append((b"content-length", b"%d" % len(body)))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def get_raw_path(scope: Scope, rest: str) -> str:
    """Return the undecoded path after the workspace's; `rest` is its decoded form."""
    raw = scope.get("raw_path", b"").decode("latin-1")
    found = "/" + "/".join(raw.split("/")[_WORKSPACE_SEGMENTS:])
    if unquote(found, errors="replace") != rest:
        raise ValidationException("the URL's path to the workspace cannot be understood")
    return found
