"""An editor as a debugger sees it: the debug adapter protocol, over a socket."""

from __future__ import annotations

import json
import socket
from typing import Any

from tests.helpers import LONGEST, eventually


class Editor:
    def __init__(self, port: int) -> None:
        self._socket = eventually(lambda: _connected(port), "the debugger")
        self._file = self._socket.makefile("rb")
        self._told: list[dict[str, Any]] = []
        self._number = 0

    @staticmethod
    def can_connect(port: int) -> bool:
        found = _connected(port)
        if found is not None:
            found.close()
        return found is not None

    def ask(self, command: str, **arguments: Any) -> int:
        """Send a request; answers its number."""
        self._number += 1
        message = {"seq": self._number, "type": "request", "command": command, "arguments": arguments}
        body = json.dumps(message).encode()
        self._socket.sendall(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
        return self._number

    def answer(self, command: str, **arguments: Any) -> Any:
        """Send a request, and what it is answered."""
        number = self.ask(command, **arguments)
        found = self._until(lambda told: told.get("request_seq") == number)
        assert found["success"], found
        return found.get("body")

    def event(self, name: str) -> Any:
        return self._until(lambda told: told.get("event") == name).get("body")

    def close(self) -> None:
        self._file.close()
        self._socket.close()

    def _until(self, is_it: Any) -> dict[str, Any]:
        while True:
            for told in self._told:
                if is_it(told):
                    self._told.remove(told)
                    return told
            self._told.append(self._read())

    def _read(self) -> dict[str, Any]:
        length = 0
        while line := self._file.readline().strip():
            name, _, value = line.partition(b":")
            length = int(value) if name.lower() == b"content-length" else length
        assert length, "the debugger has hung up"
        found: dict[str, Any] = json.loads(self._file.read(length))
        return found


def _connected(port: int) -> socket.socket | None:
    try:
        return socket.create_connection(("127.0.0.1", port), timeout=LONGEST)
    except OSError:
        return None
