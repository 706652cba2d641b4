"""A tiny HTTP server on a Unix socket that says what a test tells it to, byte by byte."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable
from pathlib import Path

Reply = bytes | Callable[[socket.socket], None]


class Tiny:
    """Answers the n-th request with the n-th reply; a reply of nothing closes the connection."""

    def __init__(self, path: Path, replies: list[Reply]) -> None:
        self.requests: list[bytes] = []
        self.connections = 0
        self._replies = iter(replies)
        self._door = socket.socket(socket.AF_UNIX)
        self._door.bind(str(path))
        self._door.listen()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._door.shutdown(socket.SHUT_RDWR)
        self._door.close()
        self._thread.join()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._door.accept()
            except OSError:
                return
            self.connections += 1
            with connection, contextlib.suppress(ConnectionError):  # who asked may be gone
                while self._answer(connection):
                    pass

    def _answer(self, connection: socket.socket) -> bool:
        request = self._read(connection)
        if not request:
            return False
        self.requests.append(request)
        reply = next(self._replies, b"")
        if callable(reply):
            reply(connection)
            return False
        connection.sendall(reply)
        return bool(reply)

    def _read(self, connection: socket.socket) -> bytes:
        data = b""
        while b"\r\n\r\n" not in data:
            piece = connection.recv(65536)
            if not piece:
                return b""
            data += piece
        head, _, body = data.partition(b"\r\n\r\n")
        if b"transfer-encoding: chunked" in head.lower():
            while not body.endswith(b"0\r\n\r\n"):
                body += connection.recv(65536)
            return head + b"\r\n\r\n" + body
        length = next(
            (int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")), 0
        )
        while len(body) < length:
            body += connection.recv(65536)
        return head + b"\r\n\r\n" + body


def answer(body: bytes, status: str = "200 OK", *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Content-Type: application/json", *headers, "", ""]
    return "\r\n".join(lines).encode() + body
