"""Clients that end their side of a connection once they have sent a request to a deployment."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from types import SimpleNamespace
from typing import Any

import pytest
import uvicorn
from uvicorn.server import ServerState

from smalt.service.api.scoring_connection import ScoringConnection
from smalt.service.endpoints.online.proxy import SpooledBody
from tests.helpers import LONGEST

REQUEST = b"POST /online/w/e/score HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n{}"


async def answer_otherwise(scope: Any, receive: Any, send: Any) -> None:
    raise AssertionError("a plain request took the ordinary way")


def make_service(ready: asyncio.Event, asked: asyncio.Event) -> Any:
    """A server of one deployment, which answers `scored` once it is `ready`."""

    async def ask_deployment(deployment: object, *parts: object) -> Any:
        asked.set()
        await ready.wait()
        body = SpooledBody()
        body.add_part(b"scored")
        return SimpleNamespace(status=200, headers=[], whole=body.whole, close=lambda: None)

    proxy = SimpleNamespace(choose_deployment=lambda route, scope: "blue", ask_deployment=ask_deployment)
    online = SimpleNamespace(find_route=lambda folder, endpoint: "route")
    return SimpleNamespace(online=online, scoring_proxy=proxy, activity=contextlib.nullcontext())


async def send_and_end(family: int, request: bytes, *, is_gone: bool = False) -> tuple[bytes, bool]:
    """Send a request and end the client's side, or all of it, while it is answered; return what comes, and whether it
    was asked of the deployment."""
    ready, asked, released = asyncio.Event(), asyncio.Event(), asyncio.Event()
    gateway: Any = SimpleNamespace(admit_request=lambda scope: None)
    config = uvicorn.Config(answer_otherwise, log_config=None, lifespan="off")
    config.load()
    given = {"config": config, "server_state": ServerState(), "app_state": {}}
    loop = asyncio.get_running_loop()
    with socket.socket(family) as listener, socket.socket(family) as client:
        listener.bind("" if family == socket.AF_UNIX else ("127.0.0.1", 0))
        listener.listen()
        client.connect(listener.getsockname())
        server, _ = listener.accept()
        await loop.connect_accepted_socket(
            lambda: ScoringConnection(released.set, make_service(ready, asked), gateway, **given), server
        )
        client.setblocking(False)
        await loop.sock_sendall(client, request)
        if request == REQUEST:
            await asked.wait()
        if is_gone:
            client.close()
            await asyncio.wait_for(released.wait(), LONGEST)
            return b"", asked.is_set()
        client.shutdown(socket.SHUT_WR)
        await asyncio.sleep(0.05)  # the end of its side arrives first
        ready.set()
        answer = b""
        while part := await asyncio.wait_for(loop.sock_recv(client, 1 << 16), 120):
            answer += part
        await asyncio.wait_for(released.wait(), LONGEST)
        return answer, asked.is_set()


FAMILIES = pytest.mark.parametrize("family", [socket.AF_UNIX, socket.AF_INET], ids=["socket", "port"])


@FAMILIES
async def test_a_client_that_ends_its_side_has_its_answer(family: int) -> None:
    """And the connection is closed after it."""
    answer, _ = await send_and_end(family, REQUEST)
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert answer.endswith(b"\r\n\r\nscored")


@FAMILIES
async def test_half_a_request_is_not_asked(family: int) -> None:
    assert await send_and_end(family, REQUEST[:-1]) == (b"", False)


async def test_a_client_that_is_gone_frees_its_connection() -> None:
    """Over the Unix socket at once, not when the deployment has answered."""
    assert await send_and_end(socket.AF_UNIX, REQUEST, is_gone=True) == (b"", True)
