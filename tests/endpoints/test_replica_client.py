"""HTTP to a process that serves, whatever that process does."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from smalt.service.endpoints.online.replica_client import NotReached, ReplicaTimedOut, send_request


@contextlib.asynccontextmanager
async def answering(folder: Path, *parts: bytes, wait: asyncio.Event | None = None) -> AsyncIterator[str]:
    """A server that answers every request with these bytes, and closes."""
    address = str(folder / "s")

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            await reader.readuntil(b"\r\n\r\n")
            for index, part in enumerate(parts):
                if index and wait is not None:
                    await wait.wait()
                writer.write(part)
                await writer.drain()
        writer.close()

    server = await asyncio.start_unix_server(answer, address)
    try:
        yield address
    finally:
        server.close()


async def read_all(address: str) -> tuple[int, bytes]:
    response = await send_request(address, "GET", b"/", [(b"authorization", b"x")], (), 0)
    return response.status, b"".join([part async for part in response])


@pytest.mark.parametrize(
    ("raw", "found"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", (200, b"ok")),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", (200, b"ok")),
        (
            b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
            (200, b"ok"),
        ),
        (b"HTTP/1.0 200 OK\r\n\r\nto the end", (200, b"to the end")),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n", (204, b"")),
        (b"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n", (500, b"")),
    ],
)
async def test_answers_of_every_framing_are_read(tmp_path: Path, raw: bytes, found: tuple[int, bytes]) -> None:
    """By length, in chunks, or until the connection ends, as of HTTP/1.0."""
    async with answering(tmp_path, raw) as address:
        assert await read_all(address) == found


@pytest.mark.parametrize(
    "raw",
    [b"", b"no HTTP\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok"],
    ids=["none", "foreign", "short"],
)
async def test_a_broken_answer_is_told(tmp_path: Path, raw: bytes) -> None:
    """An end before the head, other bytes than HTTP, and a body that stops half-way."""
    async with answering(tmp_path, raw) as address:
        with pytest.raises(ConnectionError) as caught:
            await read_all(address)
        assert not isinstance(caught.value, NotReached)


async def test_a_process_that_is_not_there_was_not_reached(tmp_path: Path) -> None:
    """So nothing was sent, and the request may go to another."""
    for address in (str(tmp_path / "none"), "127.0.0.1:1"):
        with pytest.raises(NotReached):
            await read_all(address)


async def test_pieces_arrive_before_the_end(tmp_path: Path) -> None:
    """As a model that streams its answer sends them."""
    wait = asyncio.Event()
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n"
    async with answering(tmp_path, head, b"3\r\ntwo\r\n0\r\n\r\n", wait=wait) as address:
        response = await send_request(address, "GET", b"/", [], (), 0)
        parts = response.__aiter__()
        assert await anext(parts) == b"one"
        wait.set()
        assert [part async for part in parts] == [b"two"]


async def test_both_framings_leave_the_length_open(tmp_path: Path) -> None:
    """An answer in chunks with a Content-Length beside them is as long as its chunks."""
    raw = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"
    async with answering(tmp_path, raw) as address:
        response = await send_request(address, "GET", b"/", [], (), 0)
        assert response.length is None
        response.close()


async def test_a_process_that_takes_no_connection(tmp_path: Path) -> None:
    """Connecting counts as part of the time that an answer has."""
    with contextlib.ExitStack() as stack:
        full = stack.enter_context(socket.socket())
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        for _ in range(2):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(full.getsockname())
        with pytest.raises(ReplicaTimedOut):
            await send_request(f"127.0.0.1:{full.getsockname()[1]}", "GET", b"/", [], (), 0, timeout=0.2)
