"""`smalt doctor`: what is wrong with the store is found and repaired; a kill -9 leaves it sound."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from smalt.machine.home import Home
from smalt.service.api.native.doctor import _check_records
from tests.engine.bench import workbench
from tests.helpers import Server, eventually, host_job

WS = "/subscriptions/s/resourceGroups/g/providers/Microsoft.MachineLearningServices/workspaces/w"
STORE = "workspaces/w/datastores/workspaceblobstore"


def troubles(server: Server, **how: bool) -> list[dict[str, Any]]:
    answer = server.ask("POST", "/smalt/v1/doctor", how)
    assert answer.status == 200, answer
    assert answer.body["sound"] == (not answer.body["troubles"])
    found: list[dict[str, Any]] = answer.body["troubles"]
    return found


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


@pytest.fixture
def code(tmp_path: Path) -> Path:
    made = tmp_path / "code"
    made.mkdir()
    for number in range(20):
        (made / f"{number}.py").write_text(f"print({number})\n" * 50)
    return made


def add(server: Server, code: Path) -> str:
    answer = server.ask("POST", f"/smalt/v1{WS}/snapshots", {"path": str(code)})
    assert answer.status == 200, answer
    return str(answer.body["hash"])


def register(server: Server, path: Path, version: str = "1") -> Any:
    body = {"properties": {"dataUri": f"file://{path}", "dataType": "uri_folder"}}
    return server.ask("PUT", f"{WS}/data/d/versions/{version}", body)


def test_a_damaged_blob_is_stored_again(own_server: Server, code: Path) -> None:
    """One whose bytes changed is seen by the full examination only; one that is cut short by every one."""
    own_server.start()
    hash = add(own_server, code)
    assert troubles(own_server, full=True) == []
    one, other, *_ = files(own_server.home.path("snapshots", "objects"))
    for blob in (one, other):
        blob.chmod(0o644)
    one.write_bytes(bytes(one.stat().st_size))
    assert troubles(own_server) == []
    [found] = troubles(own_server, full=True)
    assert (found["check"], found["what"], found["repairable"]) == ("snapshot", hash, True)
    other.write_bytes(b"")
    assert [found["what"] for found in troubles(own_server)] == [hash]
    assert [found["repaired"] for found in troubles(own_server, full=True, repair=True)] == [True]
    assert troubles(own_server, full=True) == []
    assert add(own_server, code) == hash
    assert troubles(own_server, full=True) == []


async def test_a_pipeline_is_no_damage(tmp_path: Path) -> None:
    """Though some releases of SQLite take its order of steps for that."""
    async with workbench(Home(tmp_path / "home")) as bench:
        step = {"command": "true", "environment": "azureml:host", "outputs": {"o": {}}}
        after = {**step, "inputs": {"i": "${{parent.jobs.a.outputs.o}}"}}
        job = bench.submit("ordered", {"type": "pipeline", "jobs": {"a": step, "b": after}})
        assert (await bench.over(job)).status == "Completed"
        assert list(_check_records(bench.db)) == []


def test_assets_that_lost_their_content(own_server: Server, code: Path) -> None:
    """Gone, or another one; nobody but their owner can put that right, so it stays said."""
    own_server.start()
    assert register(own_server, code).status == 201
    assert troubles(own_server, full=True) == []
    [copy] = own_server.home.path(STORE, "LocalUpload").glob("*/code")
    (copy / "0.py").chmod(0o644)
    (copy / "0.py").write_text("another")
    assert troubles(own_server) == []
    [found] = troubles(own_server, full=True, repair=True)
    assert (found["check"], found["what"], found["repaired"]) == ("asset", "data d:1 of workspace w", False)
    copy.rename(copy.with_name("away"))
    assert [found["what"] for found in troubles(own_server)] == ["data d:1 of workspace w"]


def test_left_overs_and_permissions(own_server: Server, code: Path) -> None:
    """What processes that are gone were writing goes; what only its owner may read becomes so again."""
    own_server.start()
    add(own_server, code)
    own_server.end()
    home = own_server.home
    left = [
        home.path("snapshots", "objects", "incoming", "4711-0123456789ab", "1"),
        home.path("snapshots", "trees", f"{'0' * 64}.4711.12345678"),
        home.path(STORE, "LocalUpload", "0" * 64, ".4711.12345678", "half"),
        home.path(STORE, "LocalUpload", "1" * 64, ".arriving-data-another0", "half"),
        home.path(STORE, ".file.4711.abcdef0123.tmp"),
        home.path("snapshots", "trees", f"{'1' * 64}.4711.12345678"),
        home.path("cache", "remote", "incoming", "0123456789abcdef", "half"),
        home.path("cache", "urls", "abc", ".4711.12345678"),
        home.path("cache", "transfers", "tmpabc", "half"),
    ]
    wanted = [
        home.path(STORE, "azureml", "j", "o", ".step.100.deadbeef"),
        home.path(STORE, "LocalUpload", "0" * 64, "d", ".data.100.deadbeef"),
        home.path(STORE, "LocalUpload", "0" * 64, "d", ".100.deadbeef"),
        home.path("workspaces", "w", "jobs", "nobody", "file"),
    ]
    for path in left + wanted:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("half")
        for old in (path, path.parent):
            os.utime(old, (1, 1))
    own_server.start()
    own_server.ask("GET", f"{WS}/data")
    home.path("token").chmod(0o644)
    found = troubles(own_server)
    assert sorted(one["check"] for one in found) == ["job folder", *["left over"] * 9, "permission"]
    repaired = troubles(own_server, repair=True)
    assert {one["check"] for one in repaired if not one["repaired"]} == {"job folder"}
    assert [one["check"] for one in troubles(own_server)] == ["job folder"]
    assert not any(path.exists() for path in left)
    assert all(path.exists() for path in wanted)
    assert home.path("token").stat().st_mode & 0o777 == 0o600


_NEVER_ENDS = """
import os, runpy, time
from smalt.service.data.files import copying
copy_file = copying.copy_file
def copy_all_but_one(source, target, *more):
    while "/LocalUpload/" in os.fspath(target) and os.fspath(target).endswith("/30"):
        time.sleep(1)
    return copy_file(source, target, *more)
copying.copy_file = copy_all_but_one
runpy.run_module("smalt.service", run_name="__main__")
"""
"""A server that does not end to copy a folder with a file `30` into a datastore."""


_NEVER_STORES = """
import os, runpy, time
from smalt.service.data.snapshots.object_store import ObjectBatch
store_file = ObjectBatch.store_file
def store_all_but_one(batch, path, size):
    while os.fspath(path).endswith("/030"):
        time.sleep(1)
    return store_file(batch, path, size)
ObjectBatch.store_file = store_all_but_one
runpy.run_module("smalt.service", run_name="__main__")
"""
"""A server that does not end to store a snapshot with a file `030`."""


def test_a_kill_during_a_registration(own_server: Server, tmp_path: Path) -> None:
    """While the server copies a folder: nothing is registered, what is left over goes, and it can be done again."""
    large = tmp_path / "large"
    large.mkdir()
    for number in range(10, 50):
        (large / f"{number}").write_bytes(os.urandom(20_000))
    process = own_server.start(program=("-c", _NEVER_ENDS))
    asking = subprocess.Popen([sys.executable, "-c", _REGISTER, str(own_server.home.socket_path("server")), str(large)])
    store = own_server.home.path(STORE, "LocalUpload")
    eventually(lambda: len(files(store)) > 5, "the beginning of the copy")
    process.send_signal(signal.SIGKILL)
    process.wait()
    asking.wait()
    assert not list(store.glob("*/large"))
    own_server.start()
    assert own_server.ask("GET", f"{WS}/data/d/versions/1").status == 404
    assert [one["check"] for one in troubles(own_server, repair=True, full=True)] == ["left over"]
    assert troubles(own_server, full=True) == []
    assert register(own_server, large).status == 201
    assert troubles(own_server, full=True) == []


def test_a_kill_during_a_snapshot(own_server: Server, tmp_path: Path) -> None:
    """While code is stored: no snapshot is there that is not whole, and it can be taken again."""
    large = tmp_path / "large"
    large.mkdir()
    for number in range(400):
        (large / f"{number:03}").write_bytes(os.urandom(200_000))
    process = own_server.start(program=("-c", _NEVER_STORES))
    (tmp_path / "small").mkdir()
    assert register(own_server, tmp_path / "small").status == 201  # which makes the workspace
    asking = subprocess.Popen([sys.executable, "-c", _SNAPSHOT, str(own_server.home.socket_path("server")), str(large)])
    incoming = own_server.home.path("snapshots", "objects", "incoming")
    eventually(lambda: len(files(incoming)) > 5, "the beginning of the copy")
    process.send_signal(signal.SIGKILL)
    process.wait()
    asking.wait()
    own_server.start()
    assert {one["check"] for one in troubles(own_server, repair=True, full=True)} <= {"left over"}
    assert troubles(own_server, full=True) == []
    add(own_server, large)
    assert troubles(own_server, full=True) == []


def test_a_damaged_copy_of_remote_data_is_given_up(own_server: Server) -> None:
    """And so is what a server that is gone had on its way."""
    cache = own_server.home.path("cache", "remote")
    for name, content in (("trees/sound", b"1234"), ("trees/cut", b"123")):
        (cache / name / "content").mkdir(parents=True)
        (cache / name / "content" / "x").write_bytes(content)
        about = {"store": f"datastore {name[6:]}", "path": "", "size": 4, "files": 1}
        (cache / name / "about.json").write_text(json.dumps(about))
    (cache / "incoming" / "0a1b").mkdir(parents=True)
    own_server.start()
    found = [(one["check"], one["what"]) for one in troubles(own_server)]
    assert found == [("left over", str(cache / "incoming" / "0a1b")), ("cache", "datastore cut: /")]
    assert all(one["repaired"] for one in troubles(own_server, repair=True))
    assert troubles(own_server) == []
    assert [tree.name for tree in (cache / "trees").iterdir()] == ["sound"]


def test_a_kill_during_an_upload(own_server: Server, tmp_path: Path) -> None:
    """By a client over the network: the next one goes on, and what is registered in the end is what was sent."""
    large = tmp_path / "large"
    large.mkdir()
    for number in range(300):
        (large / f"{number:03}").write_bytes(os.urandom(200_000))
    process = own_server.start()
    sending = _upload(own_server, large)
    store = own_server.home.path("workspaces/default/datastores/workspaceblobstore/LocalUpload")
    eventually(lambda: len(files(store)) > 5, "the beginning of the upload")
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert sending.wait() != 0
    own_server.start()
    assert troubles(own_server, full=True) == [], "an upload that may go on is no trouble"
    assert _upload(own_server, large).wait() == 0
    assert troubles(own_server, full=True) == []
    [made] = store.glob("*/large")
    assert {path.name: path.read_bytes() for path in made.iterdir()} == {
        path.name: path.read_bytes() for path in large.iterdir()
    }


def test_a_kill_while_a_file_is_fetched(own_server: Server) -> None:
    """From the web into the cache: the job gets all of it in the end, and what is left over goes."""
    gate, size = threading.Event(), 3_000_000

    class Web(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(size))
            self.end_headers()

        def do_GET(self) -> None:
            self.do_HEAD()
            with contextlib.suppress(OSError):
                self.wfile.write(b"a" * (size // 2))
                gate.wait()
                self.wfile.write(b"b" * (size // 2))

        def log_message(self, *_: object) -> None:
            """Into no log."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Web) as web:
        threading.Thread(target=web.serve_forever, daemon=True).start()
        try:
            own_server.start()
            url = f"http://127.0.0.1:{web.server_address[1]}/large.bin"
            inputs = {"d": {"jobInputType": "uri_file", "uri": url, "mode": "ReadOnlyMount"}}
            text = "test $(tr -d a < ${{inputs.d}} | wc -c) = 1500000"
            assert own_server.ask("PUT", f"{WS}/jobs/reads", host_job(text, inputs=inputs)).status == 201
            urls = own_server.home.path("cache", "urls")
            eventually(lambda: any(path.stat().st_size for path in urls.glob("*/.*")), "the beginning of the download")
            own_server.kill()
            gate.set()
            own_server.start_again()
            messages = list(own_server.stream(f"/smalt/v1{WS}/jobs/reads/stream"))
            assert messages[-1]["status"] == "Completed", messages
        finally:
            gate.set()
            web.shutdown()
    assert {one["check"] for one in troubles(own_server, repair=True)} == {"left over"}
    assert troubles(own_server, full=True) == []
    assert sorted(path.name for path in files(urls)) == ["given.json", "large.bin", "meta.json", "users"]


_ASK = """
import http.client, json, socket, sys
class Unix(http.client.HTTPConnection):
    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(sys.argv[1])
asked = Unix("localhost")
"""
_REGISTER = f"""{_ASK}
body = {{"properties": {{"dataUri": "file://" + sys.argv[2], "dataType": "uri_folder"}}}}
asked.request("PUT", "{WS}/data/d/versions/1", json.dumps(body))
try:
    asked.getresponse()
except Exception:
    pass
"""
_SNAPSHOT = f"""{_ASK}
asked.request("POST", "/smalt/v1{WS}/snapshots", json.dumps({{"path": sys.argv[2]}}))
try:
    asked.getresponse()
except Exception:
    pass
"""
_UPLOAD = """
import sys
from smalt import MLClient
from smalt.entities import Data
from smalt.exceptions import SmaltError
try:
    MLClient().data.create_or_update(Data(name="d", version="1", path=sys.argv[1]))
except SmaltError:
    sys.exit(1)
"""


def _upload(server: Server, folder: Path) -> subprocess.Popen[bytes]:
    url = {"SMALT_URL": f"http://127.0.0.1:{server.port}", "SMALT_TOKEN": str(server.home.read_token())}
    cache = {"XDG_CACHE_HOME": str(folder.parent / "cache")}
    return subprocess.Popen([sys.executable, "-c", _UPLOAD, str(folder)], env={**os.environ, **url, **cache})
