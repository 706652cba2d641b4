"""Connections that answer plain requests to online endpoints in one step, beside h11 and ASGI.

A POST to an endpoint whose head is plain (see plain_http) and whose body is short is admitted by the checks of every
request, asked for by the same proxy, and answered by one write. All others, and answers that are errors, long or
streamed, take the ordinary way from their first byte.
"""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import h11
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import STATUS_PHRASES

from smalt.service.api.auth.middleware import SecurityMiddleware, add_own_headers
from smalt.service.api.server_context import ServerContext
from smalt.service.connections import BODY_SECONDS, AcceptedConnection
from smalt.service.endpoints.online.deployments import ServedDeployment
from smalt.service.endpoints.online.plain_http import RequestHead, build_head, parse_request_head
from smalt.service.endpoints.online.proxy import IN_MEMORY, ScoringAnswer, SpooledBody
from smalt.service.endpoints.online.routes import PREFIX, EndpointRoute, split_path

_BEGINNING = f"POST {PREFIX}".encode()


class _ScoringRequest(NamedTuple):
    """A request that was admitted."""

    scope: Scope
    route: EndpointRoute
    deployment: ServedDeployment
    rest: str
    head_size: int
    size: int
    """The bytes of head and body together."""
    raw: bytearray


class ScoringConnection(AcceptedConnection):
    def __init__(
        self, released: Callable[[], None], service: ServerContext, gateway: SecurityMiddleware, **given: Any
    ) -> None:
        super().__init__(released, **given)
        self._service = service
        self._gateway = gateway
        self._request: _ScoringRequest | None = None
        self._task: asyncio.Task[None] | None = None
        self._held = b""
        """Bytes that the client sent before it had its answer."""
        self._ends_after_answer = self._is_lost = False

    def connection_lost(self, exc: Exception | None) -> None:
        self._is_lost = True
        super().connection_lost(exc)

    def eof_received(self) -> bool:  # type: ignore[override]
        """Return True to answer a client that has only ended its own side."""
        if self._task is None:
            return self._request is None and super().eof_received()
        if not self._may_take_answer():
            return False
        self._ends_after_answer = True
        return True

    def data_received(self, data: bytes) -> None:
        if self._task is not None:
            self._held += data
            self.flow.pause_reading()
        elif self._request is not None:
            self.note_arrival()
            self._request.raw.extend(data)
            self._ask_if_complete(self._request)
        elif (request := self._admit_request(data)) is not None:
            self.note_arrival()
            self._unset_keepalive_if_required()
            self._request = request
            self._ask_if_complete(request)
        else:
            super().data_received(data)

    def is_timed_out(self, now: float) -> bool:
        if self._request is None:
            return super().is_timed_out(now)
        return self._task is None and now - self.last_arrival > BODY_SECONDS

    def shutdown(self) -> None:
        if self._request is None:
            super().shutdown()
        else:
            self._ends_after_answer = True

    def _admit_request(self, data: bytes) -> _ScoringRequest | None:
        """Return the request that begins with `data`, or None if it is to take the ordinary way."""
        if not data.startswith(_BEGINNING) or not self._is_between_requests() or self.flow.write_paused:
            return None  # a client that takes no answers waits in the ordinary way, which sends when there is room
        head = parse_request_head(data)
        if head is None or head.length > IN_MEMORY:
            return None
        scope = self._make_scope(head)
        path, service = split_path(scope["path"]), self._service
        try:
            self._gateway.admit_request(scope)
            route = service.online.find_route(path.folder, path.endpoint) if path is not None else None
            if path is None or route is None:
                return None
            deployment = service.scoring_proxy.choose_deployment(route, scope)
        except Exception:  # the ordinary way meets the same, and answers it
            return None
        return _ScoringRequest(
            scope, route, deployment, path.rest, head.size, head.size + head.length, bytearray(data)
        )  # fmt: skip

    def _is_between_requests(self) -> bool:
        is_idle = self.conn.our_state is h11.IDLE and self.conn.their_state is h11.IDLE
        return is_idle and not self.conn.trailing_data[0]

    def _make_scope(self, head: RequestHead) -> Scope:
        path, _, query = head.target.partition(b"?")
        return {
            "type": "http",
            "method": "POST",
            "scheme": self.scheme,
            "server": self.server,
            "client": self.client,
            "path": path.decode("ascii"),
            "raw_path": path,
            "query_string": query,
            "headers": head.headers,
        }

    def _ask_if_complete(self, request: _ScoringRequest) -> None:
        if len(request.raw) < request.size:
            return
        self._held = bytes(request.raw[request.size :])
        del request.raw[request.size :]
        self._task = self.loop.create_task(self._answer_request(request))
        self.tasks.add(self._task)
        self._task.add_done_callback(self.tasks.discard)

    async def _answer_request(self, request: _ScoringRequest) -> None:
        body = SpooledBody()
        body.add_part(bytes(memoryview(request.raw)[request.head_size :]))
        proxy, parts = self._service.scoring_proxy, (request.scope, body, request.route, request.rest)
        with self._service.activity:
            try:
                answer = await proxy.ask_deployment(request.deployment, *parts)
            except Exception as error:
                self._finish_by_h11(request, functools.partial(_raise_error, error))
                return
        if self._is_gone:
            answer.close()
        elif answer.whole is None:
            self._finish_by_h11(request, functools.partial(_send_answer, answer))
        else:
            self._write_answer(answer, answer.whole)
            self._end_request()

    def _write_answer(self, answer: ScoringAnswer, body: bytes) -> None:
        line = b"HTTP/1.1 %d %b" % (answer.status, STATUS_PHRASES.get(answer.status, b""))
        headers = [*add_own_headers(answer.headers), (b"content-length", b"%d" % len(body))]
        self.transport.write(build_head(line, headers) + body)

    def _end_request(self) -> None:
        self._request = self._task = None
        if self._ends_after_answer:
            self.transport.close()
            return
        self.on_response_complete()
        self._receive_held()

    def _finish_by_h11(self, request: _ScoringRequest, app: ASGIApp) -> None:
        """Let h11 read the request, and `app` answer it."""
        if self._is_gone:
            return
        self._request = self._task = None
        ordinary, self.app = self.app, functools.partial(self._gateway.run_app, app)
        super().data_received(bytes(request.raw))
        self.app = ordinary
        if self._ends_after_answer:
            super().shutdown()
        self._receive_held()

    @property
    def _is_gone(self) -> bool:
        """True if nobody takes an answer any more; Python 3.10 cannot say it of a TLS connection that is lost."""
        return self._is_lost or self.transport.is_closing()

    def _receive_held(self) -> None:
        held, self._held = self._held, b""
        if held:
            self.data_received(held)


async def _raise_error(error: Exception, scope: Scope, receive: Receive, send: Send) -> None:
    raise error


async def _send_answer(answer: ScoringAnswer, scope: Scope, receive: Receive, send: Send) -> None:
    await answer.send(receive, send)
