"""The least that a proxy in Python does: bytes from a port to a Unix socket and back, nothing read but one length.

`python byte_proxy.py SOCKET` prints the port. A request is one connection to the socket, closed with its answer.
"""

from __future__ import annotations

import asyncio
import socket
import sys


class Forwarder(asyncio.Protocol):
    def __init__(self, address: str) -> None:
        self._address = address
        self._request = b""
        self._left: int | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._request += data
        if not _is_complete(self._request):
            return
        own = socket.socket(socket.AF_UNIX)
        own.setblocking(False)
        own.connect(self._address)
        own.send(self._request)
        self._request, self._left = b"", None
        asyncio.get_running_loop().add_reader(own.fileno(), self._handle_readable, own)

    def _handle_readable(self, own: socket.socket) -> None:
        data = own.recv(1 << 16)
        if self._left is None:
            data = data.replace(b"Connection: close", b"Connection: keep-alive", 1)
            self._left = _find_size(data)
        self._left -= len(data)
        if self._left <= 0:
            asyncio.get_running_loop().remove_reader(own.fileno())
            own.close()
        self._transport.write(data)


def _is_complete(data: bytes) -> bool:
    return b"\r\n\r\n" in data and len(data) >= _find_size(data)


def _find_size(data: bytes) -> int:
    """Return the length of a message by its head."""
    head = data[: data.index(b"\r\n\r\n")].lower()
    return len(head) + 4 + int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0])


async def main(address: str) -> None:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)  # so asyncio sets TCP_NODELAY
    listener.bind(("127.0.0.1", 0))
    listener.listen()
    print(listener.getsockname()[1], flush=True)
    server = await asyncio.get_running_loop().create_server(lambda: Forwarder(address), sock=listener)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
