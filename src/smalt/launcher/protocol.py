"""JSON lines over the Unix socket; docs/internals/launcher.md lists the messages."""

from __future__ import annotations

import contextlib
import json
import socket
import struct
from typing import Any

PROTOCOL = 7
"""2: a step can wait for another (`after`). 3: for certain steps; `go`. 4: `reads`, `writes`. 5: `wake`. 6: `warm`.
7: `seals`."""

Message = dict[str, Any]


class Channel:
    """A connection that never blocks: messages that cannot be sent now wait."""

    def __init__(self, connection: socket.socket) -> None:
        connection.setblocking(False)
        self._socket = connection
        self._in = bytearray()
        self._out = bytearray()
        self.closed = False

    def fileno(self) -> int:
        return self._socket.fileno()

    def get_peer(self) -> int:
        """The process at the other end; 0 where the system does not say."""
        if not hasattr(socket, "SO_PEERCRED"):
            return 0
        credentials = self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
        return int(struct.unpack("3i", credentials)[0])

    @property
    def has_unsent(self) -> bool:
        """True if messages still wait to be sent."""
        return bool(self._out)

    def read_messages(self) -> list[Message]:
        """All that came; sets `closed` at the end of it."""
        whole = False
        while True:
            try:
                part = self._socket.recv(1 << 20)
            except BlockingIOError:
                break
            except OSError:
                part = b""
            if not part:
                self.closed = True
                break
            self._in += part
            whole = whole or b"\n" in part
            if len(part) < 1 << 16:
                break
        if not whole:
            return []
        *lines, self._in = self._in.split(b"\n")
        return [json.loads(line) for line in lines if line]

    def send_message(self, message: Message) -> None:
        self._out += encode_message(message)
        self.send_pending()

    def send_pending(self) -> None:
        if self.closed:
            return
        try:
            sent = self._socket.send(self._out)
        except BlockingIOError:
            return
        except OSError:
            self.closed = True
            return
        del self._out[:sent]

    def close(self) -> None:
        self.closed = True
        with contextlib.suppress(OSError):
            self._socket.close()


def encode_message(message: Message) -> bytes:
    return _dump(message).encode() + b"\n"


_dump = json.JSONEncoder(separators=(",", ":"), check_circular=False).encode
