"""Messages between the coordinator and a worker: a header of JSON, and bytes after it."""

from __future__ import annotations

import json
import socket
import struct
from collections.abc import Iterator
from typing import Any, NamedTuple

_SIZES = struct.Struct(">II")
ENCODE = json.JSONEncoder(separators=(",", ":")).encode


class Message(NamedTuple):
    """A message: its header, and the bytes that came with it."""

    header: dict[str, Any]
    payload: bytes = b""


def encode_message(header: dict[str, Any], payload: bytes = b"") -> bytes:
    text = ENCODE(header).encode("ascii")
    return _SIZES.pack(len(text), len(payload)) + text + payload


class MessageReader:
    """Takes messages apart, in whatever pieces they arrive."""

    def __init__(self) -> None:
        self._left = bytearray()

    def feed(self, data: bytes) -> Iterator[Message]:
        """Yield each message that is complete with these bytes."""
        left = self._left
        left += data
        start = 0
        while len(left) - start >= _SIZES.size:
            header, payload = _SIZES.unpack_from(left, start)
            middle = start + _SIZES.size + header
            end = middle + payload
            if len(left) < end:
                break
            text = left[start + _SIZES.size : middle]
            yield Message(json.loads(text.decode("ascii")), bytes(left[middle:end]))
            start = end
        if start:
            del left[:start]


class WorkerChannel:
    """The worker's end, which waits."""

    def __init__(self, connection: socket.socket) -> None:
        connection.setblocking(True)
        self._connection = connection
        self._reader = MessageReader()
        self._ready: Iterator[Message] = iter(())

    def receive(self) -> Message | None:
        """Return the next message; None once the coordinator is gone."""
        while True:
            for message in self._ready:
                return message
            data = self._connection.recv(1 << 16)
            if not data:
                return None
            self._ready = iter(list(self._reader.feed(data)))

    def send(self, header: dict[str, Any], payload: bytes = b"") -> None:
        self._connection.sendall(encode_message(header, payload))
