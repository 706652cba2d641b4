"""Steps that read what is fetched or copied for them first."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from smalt.service.engine.kinds.leaf import step_data
from smalt.service.records.database import Database
from smalt.service.reuse.explanation import explain_step
from tests.engine.bench import Workbench, workbench
from tests.helpers import LONGEST, Server
from tests.reuse.test_killed import ended, submit
from tests.reuse.test_reused import HOST, data_of, origins, run


class Web(ThreadingHTTPServer):
    """Serves `content` under every path; under /late.csv it sets `asked`, and answers once it is `open`."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.content = b"1\n"
        self.contents: dict[str, bytes] = {}
        """What is otherwise under some paths."""
        self.becomes: bytes | None = None
        """What it is after the next time."""
        self.asked, self.open = threading.Event(), threading.Event()
        self.open.set()

    def url(self, name: str = "rows.csv") -> str:
        return f"http://127.0.0.1:{self.server_port}/{name}"


class _Handler(BaseHTTPRequestHandler):
    server: Web

    def do_HEAD(self) -> None:
        self.send_response(200)
        self.end_headers()

    def do_GET(self) -> None:
        content = self.server.contents.get(self.path, self.server.content)
        if self.server.becomes is not None:
            self.server.content, self.server.becomes = self.server.becomes, None
        if "late" in self.path:
            self.server.asked.set()
            self.server.open.wait()
        with contextlib.suppress(OSError):  # whoever asked may be gone
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

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


def reading(*urls: str, **more: Any) -> dict[str, Any]:
    inputs = {f"i{number}": {"type": "uri_file", "path": url, **more} for number, url in enumerate(urls)}
    text = " ".join(f"${{{{inputs.{name}}}}}" for name in inputs)
    return {"jobs": {"read": {"command": f"cat {text}", "environment": HOST, "inputs": inputs}}}


async def reason(bench: Workbench, job: Any) -> str:
    return str((await explain_step(bench.engine.step_reuse.reuse, bench.child(job, "read")))["reason"])


async def test_what_is_fetched_counts_by_its_content(web: Web) -> None:
    """The same bytes are the same step; others, from the same URL, are not; and the first ones again are the first."""
    async with workbench() as bench:
        document = reading(web.url("rows.csv?sig=SECRET"))
        await run(bench, "one", document)
        assert origins(bench, await run(bench, "two", document)) == {"read": "one-read"}
        web.content = b"2\n"
        assert origins(bench, await run(bench, "three", document)) == {"read": None}
        assert bench.log("three-read") == "2\n"
        web.content = b"1\n"
        renewed = reading(web.url("rows.csv?sig=ANOTHER"))
        assert origins(bench, await run(bench, "four", renewed)) == {"read": "one-read"}
        assert not bench.db.value("SELECT count(*) FROM reuse_steps WHERE parts LIKE '%SECRET%'")


@pytest.mark.parametrize("mode", ["ro_mount", "download"])
async def test_what_changed_elsewhere_meanwhile_is_not_taken_for_what_was_read(web: Web, mode: str) -> None:
    """A step is known by what was fetched for it, whatever the URL gives a moment later."""
    async with workbench() as bench:
        document = reading(web.url(), mode=mode)
        web.becomes = b"2\n"
        await run(bench, "one", document)
        assert bench.log("one-read") == "1\n"
        assert origins(bench, await run(bench, "two", document)) == {"read": None}
        assert bench.log("two-read") == "2\n"
        web.content = b"1\n"
        assert origins(bench, await run(bench, "three", document)) == {"read": "one-read"}


async def test_an_earlier_step_of_which_nothing_was_noted(web: Web) -> None:
    """Nobody knows what it read, so the next one runs and says so; then that one serves."""
    async with workbench() as bench:
        document = reading(web.url())
        await run(bench, "one", document)
        with bench.db.transaction():
            bench.db.execute("UPDATE reuse_steps SET key=NULL, contents=NULL")
        two = await run(bench, "two", document)
        assert origins(bench, two) == {"read": None}
        assert "input 'i0' is not known: the content fetched for it" in await reason(bench, two)
        assert origins(bench, await run(bench, "three", document)) == {"read": "two-read"}


async def test_what_changed_while_it_was_copied(monkeypatch: pytest.MonkeyPatch) -> None:
    """The original of a copy that was changed after the copy had begun is not taken for what the step read."""
    fetched = step_data.fetch

    async with workbench() as bench:
        data = data_of(bench)
        for name in range(200):  # too many to be copied within a turn
            (data / str(name)).touch()

        async def changing(*arguments: Any) -> dict[str, Path]:
            paths = await fetched(*arguments)
            (data / "a.txt").write_text("2\n")
            return paths

        document = reading(str(data), mode="download")
        document["jobs"]["read"]["inputs"]["i0"]["type"] = "uri_folder"
        document["jobs"]["read"]["command"] += "/a.txt"
        monkeypatch.setattr(step_data, "fetch", changing)
        await run(bench, "one", document)
        assert bench.log("one-read") == "1\n"
        monkeypatch.setattr(step_data, "fetch", fetched)
        two = await run(bench, "two", document)
        assert origins(bench, two) == {"read": None}
        assert bench.log("two-read") == "2\n"
        assert "was changed after it had begun to be copied" in await reason(bench, two)
        assert origins(bench, await run(bench, "three", document)) == {"read": "two-read"}


def test_a_server_killed_between_fetching_and_starting(own_server: Server, web: Web) -> None:
    """The step that starts under the next server reads what was fetched, and serves whoever is given the same."""
    own_server.start()
    web.open.clear()
    document = reading(web.url(), web.url("late.csv"))
    path = submit(own_server, "one", document)
    assert web.asked.wait(LONGEST)
    own_server.kill()
    web.content = b"2\n"
    web.open.set()
    own_server.start_again()
    assert ended(own_server, path) == "Completed"
    web.contents["/rows.csv"] = b"1\n"
    assert ended(own_server, submit(own_server, "two", document)) == "Completed"
    own_server.end()
    db = Database(own_server.home.path("smalt.db"))
    try:
        (log,) = own_server.home.path("workspaces").glob("**/dcid.one-read/user_logs/std_log.txt")
        assert log.read_text() == "1\n2\n"
        assert db.value("SELECT of_name FROM reuse_steps WHERE of_name IS NOT NULL") == "one-read"
        inputs = db.value("SELECT contents FROM reuse_steps s JOIN jobs j ON j.id=s.job_id WHERE j.name='one-read'")
        assert len(set(json.loads(inputs)["inputs"].values())) == 2
    finally:
        db.close()
