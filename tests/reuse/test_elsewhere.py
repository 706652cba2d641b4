"""Steps that read from the network."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from smalt.service.data import fetch
from tests.engine.bench import workbench
from tests.reuse.test_reused import HOST, origins, run


class Web(ThreadingHTTPServer):
    """Serves one content under every path."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.content = b"1\n"


class _Handler(BaseHTTPRequestHandler):
    server: Web

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(self.server.content)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(self.server.content)

    do_HEAD = do_GET

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def web() -> Iterator[Web]:
    server = Web()
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def test_what_is_fetched_counts_by_its_content(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same bytes are the same step; others, from the same URL, are not; and the first ones again are the first."""
    monkeypatch.setattr(fetch, "_FRESH", 0.0)  # as when a minute has passed between the jobs

    async def scenario() -> None:
        async with workbench() as bench:
            document = {
                "jobs": {
                    "read": {
                        "command": "cat ${{inputs.i}}",
                        "environment": HOST,
                        "inputs": {"i": {"type": "uri_file", "path": f"http://127.0.0.1:{web.server_port}/rows.csv"}},
                    }
                }
            }
            await run(bench, "one", document)
            assert origins(bench, await run(bench, "two", document)) == {"read": "one-read"}
            web.content = b"2\n"
            assert origins(bench, await run(bench, "three", document)) == {"read": None}
            assert bench.log("three-read") == "2\n"
            web.content = b"1\n"
            assert origins(bench, await run(bench, "four", document)) == {"read": "one-read"}

    asyncio.run(scenario())
