"""Passes requests on to the processes of deployments, and their answers back."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import tempfile
from collections.abc import AsyncIterator, Iterator
from typing import IO, NamedTuple
from urllib.parse import quote

from starlette.types import Receive, Scope, Send

from smalt.exceptions import SmaltError
from smalt.service.endpoints.online import replica_client
from smalt.service.endpoints.online.definitions import Definition
from smalt.service.endpoints.online.deployments import ServedDeployment
from smalt.service.endpoints.online.errors import (
    BrokenAnswer,
    ClientTooSlow,
    NoDeployment,
    NotServing,
    RequestTimedOut,
    RequestTooLarge,
)
from smalt.service.endpoints.online.online_endpoints import OnlineEndpoints
from smalt.service.endpoints.online.plain_http import Headers
from smalt.service.endpoints.online.replica_client import NotReached, ReplicaResponse, ReplicaTimedOut
from smalt.service.endpoints.online.replicas import Replica
from smalt.service.endpoints.online.routes import EndpointRoute

logger = logging.getLogger("smalt")

DEPLOYMENT_HEADER = b"azureml-model-deployment"

IN_MEMORY = 1 << 20
"""Bytes of a body, or of an answer, that are held in memory; a longer body lies in a file meanwhile. No body of this
length is above `max-body-mb`, which is 1 at the least."""
_BLOCK = 1 << 18
_MOST_SPOOLED = 1 << 30
"""Bytes of an answer that is stored before it is sent."""
_MOST_TRIES = 3
_MOST_DISCARDED = 8
"""Times the limit of a body that is read, and thrown away, before a sender of more is cut off."""
_SLOWEST = 60.0
"""Seconds in which a client must take a piece of a long answer."""
_KEPT_BACK = frozenset({b"authorization", b"cookie"})
_NOT_PASSED_ON = frozenset({
    b"connection", b"keep-alive", b"transfer-encoding", b"upgrade", b"content-length", b"trailer", b"server", b"date",
})  # fmt: skip
_SCORE = "/score"


class SpooledBody:
    """The body of a request or of an answer: in memory if it is short, else in a file that has no name."""

    def __init__(self) -> None:
        self.length = 0
        self._parts: list[bytes] = []
        self._file: IO[bytes] | None = None

    def add_part(self, part: bytes) -> None:
        self.length += len(part)
        if self._file is not None:
            self._file.write(part)
            return
        self._parts.append(part)
        if self.length > IN_MEMORY:
            self._file = tempfile.TemporaryFile()  # noqa: SIM115
            self._file.writelines(self._parts)
            self._parts.clear()

    def read_parts(self) -> Iterator[bytes]:
        if self._file is None:
            yield from filter(None, self._parts)
            return
        self._file.seek(0)
        while part := self._file.read(_BLOCK):
            yield part

    @property
    def whole(self) -> bytes | None:
        """All of it, if it is in memory."""
        if self._file is not None:
            return None
        return self._parts[0] if len(self._parts) == 1 else b"".join(self._parts)

    def close(self) -> None:
        if self._file is not None:
            self._file.close()


class _ReceivedRequest(NamedTuple):
    """A request, whose body has arrived."""

    method: str
    target: bytes
    headers: Headers
    body: SpooledBody


class ScoringAnswer(NamedTuple):
    """The answer of a deployment; one without a body as yet keeps its process taken until it is sent or closed."""

    status: int
    headers: Headers
    body: SpooledBody | None
    """None if the process says only at its end how long it is: then it is sent as it comes."""
    deployment: ServedDeployment
    replica: Replica
    response: ReplicaResponse

    @property
    def whole(self) -> bytes | None:
        """The body, if it is in memory."""
        return self.body.whole if self.body is not None else None

    async def send(self, receive: Receive, send: Send) -> None:
        """Send it as an ASGI application does; one that nobody takes any more is given up."""
        headers, length = list(self.headers), self.response.length if self.body is None else self.body.length
        if length is not None:
            headers.append((b"content-length", b"%d" % length))
        gone = asyncio.ensure_future(_wait_until_gone(receive))
        try:
            await send({"type": "http.response.start", "status": self.status, "headers": headers})
            async for part in self._read_parts():
                if gone.done():
                    return
                await _send_in_time(send, {"type": "http.response.body", "body": part, "more_body": True})
            await send({"type": "http.response.body", "body": b""})
        finally:
            self.close()
            gone.cancel()

    async def _read_parts(self) -> AsyncIterator[bytes]:
        if self.body is None:
            async for part in _read_in_time(self.response, self.deployment.limits.timeout):
                yield part
        else:
            for part in self.body.read_parts():
                yield part

    def close(self) -> None:
        if self.body is not None:
            self.body.close()
        else:
            self.response.close()
            self.deployment.leave(self.replica)


class ScoringProxy:
    """Answers requests to the paths of online endpoints."""

    def __init__(self, endpoints: OnlineEndpoints) -> None:
        self._endpoints = endpoints
        self._mirrored: set[asyncio.Task[None]] = set()

    async def handle_request(self, scope: Scope, receive: Receive, send: Send, route: EndpointRoute, rest: str) -> None:
        """Answer a request that is authenticated; `rest` is its path after the endpoint."""
        deployment = self.choose_deployment(route, scope)
        limit = int(self._endpoints.context.settings.max_body_mb * 1024 * 1024)
        with contextlib.closing(SpooledBody()) as body:
            await _read_body(receive, body, limit)
            answer = await self.ask_deployment(deployment, scope, body, route, rest)
        await answer.send(receive, send)

    async def ask_deployment(
        self, deployment: ServedDeployment, scope: Scope, body: SpooledBody, route: EndpointRoute, rest: str
    ) -> ScoringAnswer:
        """Return the answer to a request whose body has arrived, or raise why there is none."""
        asked = _ReceivedRequest(scope["method"], b"", _list_passed_on(scope), body)
        self._start_mirror(route, deployment, scope, asked, rest)
        replica, response, answered = await self._request_answer(deployment, scope, asked, rest)
        return ScoringAnswer(*_convert_head(deployment, response), answered, deployment, replica, response)

    def choose_deployment(self, route: EndpointRoute, scope: Scope) -> ServedDeployment:
        named = _get_header(scope, DEPLOYMENT_HEADER)
        name = named or route.choose_deployment()
        if name is None:
            raise NoDeployment(
                f"endpoint '{route.name}' sends its requests to no deployment; set its traffic, or name a deployment "
                f"in the header {DEPLOYMENT_HEADER.decode()}"
            )
        found = self._endpoints.find_deployment(route.workspace.id, route.name, name)
        if found is None:
            raise NoDeployment(f"endpoint '{route.name}' has no deployment '{name[:100]}'")
        return found

    async def _request_answer(
        self, deployment: ServedDeployment, scope: Scope, asked: _ReceivedRequest, rest: str
    ) -> tuple[Replica, ReplicaResponse, SpooledBody | None]:
        """Return the answer; where its body has not come yet, the process stays taken."""
        for _ in range(_MOST_TRIES):
            replica = await deployment.enter()
            is_taken = False
            try:
                definition = deployment.definition
                target = _make_target(definition, scope, rest)
                response, body = await _exchange_request(
                    replica, asked._replace(target=target), deployment.limits.timeout
                )
                is_taken = body is None
                return replica, response, body
            except NotReached:
                deployment.suspect(replica)
            except RequestTimedOut:
                deployment.suspect(replica)
                raise
            except ReplicaTimedOut:
                deployment.suspect(replica)
                raise RequestTimedOut(
                    f"deployment '{deployment.name}' did not answer within {deployment.limits.timeout:g} s; raise "
                    "request_settings.request_timeout_ms if it needs longer"
                ) from None
            except ConnectionError:
                deployment.suspect(replica)
                raise BrokenAnswer(
                    f"the process of deployment '{deployment.name}' broke off while it had the request; 'get-logs' "
                    "says why"
                ) from None
            finally:
                if not is_taken:
                    deployment.leave(replica)
        raise NotServing(f"no process of deployment '{deployment.name}' can be reached; try again later")

    def _start_mirror(
        self, route: EndpointRoute, live: ServedDeployment, scope: Scope, asked: _ReceivedRequest, rest: str
    ) -> None:
        """Send a copy of the request to the mirror, if it is its turn; nobody waits for the answer."""
        name = route.choose_mirror() if _get_header(scope, DEPLOYMENT_HEADER) is None else None
        mirror = self._endpoints.find_deployment(route.workspace.id, route.name, name) if name else None
        if mirror is None or mirror is live or asked.body.length > IN_MEMORY:
            return
        task = asyncio.ensure_future(self._mirror_request(mirror, scope, asked, rest))  # a short body stays in memory
        self._mirrored.add(task)
        task.add_done_callback(self._mirrored.discard)

    async def _mirror_request(self, mirror: ServedDeployment, scope: Scope, asked: _ReceivedRequest, rest: str) -> None:
        with contextlib.suppress(SmaltError, ConnectionError):
            replica, response, body = await self._request_answer(mirror, scope, asked, rest)
            if body is not None:
                body.close()
            else:
                response.close()
                mirror.leave(replica)


async def _exchange_request(
    replica: Replica, asked: _ReceivedRequest, timeout: float
) -> tuple[ReplicaResponse, SpooledBody | None]:
    """Send the request; return the head of the answer, and its body if the head says how long that is.

    So no process waits for a client that takes its answer slowly.
    """
    body = asked.body
    response = await replica_client.send_request(
        replica.address, asked.method, asked.target, asked.headers, body.read_parts(), body.length, timeout
    )
    if response.length is None or response.length > _MOST_SPOOLED:
        return response, None
    answered = SpooledBody()
    try:
        if response.length <= IN_MEMORY:
            answered.add_part(await response.read_all())
        else:
            async for part in _read_in_time(response, timeout):
                answered.add_part(part)
        return response, answered
    except BaseException:
        answered.close()
        raise
    finally:
        response.close()


async def _read_body(receive: Receive, body: SpooledBody, limit: int) -> None:
    sent = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientTooSlow("the body of the request ended early")
        part, is_last = message.get("body", b""), not message.get("more_body")
        sent += len(part)
        if sent <= limit:
            body.add_part(part)
        elif is_last or sent > limit * _MOST_DISCARDED:  # who still sends when the connection ends sees no answer
            raise RequestTooLarge(f"the body is larger than {limit} bytes; send less, or raise 'max-body-mb'")
        if is_last:
            return


async def _wait_until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _read_in_time(response: ReplicaResponse, timeout: float) -> AsyncIterator[bytes]:
    """Yield the pieces of a long answer; each must come within the time-out of requests."""
    response.set_timeout(timeout)
    try:
        async for part in response:
            response.set_timeout(None)
            yield part
            response.set_timeout(timeout)
    except ReplicaTimedOut:
        raise RequestTimedOut(f"the answer stopped for {timeout:g} s") from None


async def _send_in_time(send: Send, message: dict[str, object]) -> None:
    try:
        await asyncio.wait_for(send(message), _SLOWEST)
    except asyncio.TimeoutError:
        raise ClientTooSlow(f"the client took no more of the answer for {_SLOWEST:g} s") from None


def _convert_head(deployment: ServedDeployment, response: ReplicaResponse) -> tuple[int, Headers]:
    """Return status and headers; an error of the model is a 424, as in the service."""
    headers = [(name, value) for name, value in response.headers if name not in _NOT_PASSED_ON]
    headers.append((DEPLOYMENT_HEADER, deployment.name.encode()))
    if response.status < 400:
        return response.status, headers
    headers.append((b"ms-azureml-model-error-statuscode", str(response.status).encode()))
    headers.append((b"ms-azureml-model-error-reason", response.reason.strip() or b"model error"))
    return 424, headers


def _make_target(definition: Definition, scope: Scope, rest: str) -> bytes:
    """Return the path and query for the process; `/score` is the path that its server calls so."""
    if rest.rstrip("/") in ("", _SCORE):
        path = definition.get_route("scoring_route").encode()
    else:
        path = _get_raw_rest(scope, rest)
    query = scope["query_string"]
    return path + (b"?" + query if query else b"")


def _get_raw_rest(scope: Scope, rest: str) -> bytes:
    """Return the path after the endpoint as it was sent, or encoded again if the path before it was sent encoded."""
    before, raw = scope["path"].removesuffix(rest).encode(), scope["raw_path"]
    return bytes(raw[len(before) :]) if raw.startswith(before + b"/") else quote(rest).encode()


def _list_passed_on(scope: Scope) -> Headers:
    return [(name, value) for name, value in scope["headers"] if name not in _KEPT_BACK]


def _get_header(scope: Scope, name: bytes) -> str | None:
    return next((value.decode("latin-1") for key, value in scope["headers"] if key == name), None)
