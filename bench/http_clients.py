"""CPU time of a request: smalt's own HTTP/1.1 client beside h11, over one kept-alive Unix socket.

    python bench/http_clients.py [BYTES] [REQUESTS]

BYTES is the length of each response's body, by default 300; REQUESTS are by default 3000 for each client.
"""

from __future__ import annotations

import os
import socket
import sys
import tempfile
import time

import h11

from smalt.client.connection.http1 import HttpConnection

_HEADERS = {"Accept": "application/json", "User-Agent": "smalt/1", "X-Smalt-Makes-Workspaces": "1"}


def main() -> None:
    length = int(sys.argv[1]) if len(sys.argv) > 1 else 300
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 3000
    with tempfile.TemporaryDirectory() as folder:
        address = os.path.join(folder, "socket")
        server = start_server(address, length)
        try:
            for name, send in (("smalt", send_with_smalt), ("h11", send_with_h11)) * 2:
                began = time.process_time()
                send(address, count, length)
                print(f"{name:6} {(time.process_time() - began) / count * 1e6:6.0f} µs of CPU a request")
        finally:
            os.kill(server, 9)
            os.waitpid(server, 0)


def start_server(address: str, length: int) -> int:
    """Fork a process that answers every request with the same body, and return its id."""
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(address)
    listener.listen()
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n".encode()
    pid = os.fork()
    if pid:
        listener.close()
        return pid
    while True:
        connection, _ = listener.accept()
        received = b""
        while piece := connection.recv(65536):
            received += piece
            while b"\r\n\r\n" in received:
                received = received.split(b"\r\n\r\n", 1)[1]
                connection.sendall(head + b"x" * length)


def send_with_smalt(address: str, count: int, length: int) -> None:
    connection = HttpConnection(_connect(address), "localhost")
    for _ in range(count):
        assert len(connection.request("GET", "/smalt/v1/status", _HEADERS, None).read()) == length
    connection.close()


def send_with_h11(address: str, count: int, length: int) -> None:
    sock, state = _connect(address), h11.Connection(h11.CLIENT)
    request = h11.Request(method="GET", target="/smalt/v1/status", headers=[("Host", "localhost"), *_HEADERS.items()])
    for _ in range(count):
        sock.sendall((state.send(request) or b"") + (state.send(h11.EndOfMessage()) or b""))
        body = b""
        while not isinstance(event := state.next_event(), h11.EndOfMessage):
            if event is h11.NEED_DATA:
                state.receive_data(sock.recv(1 << 18))
            elif isinstance(event, h11.Data):
                body += event.data
        assert len(body) == length
        state.start_next_cycle()
    sock.close()


def _connect(address: str) -> socket.socket:
    sock = socket.socket(socket.AF_UNIX)
    sock.connect(address)
    return sock


if __name__ == "__main__":
    main()
