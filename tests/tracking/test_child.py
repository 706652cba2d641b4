"""MLflow's process: what it serves, whose it is, and how it ends."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sqlite3
import stat
import subprocess
import sys
import venv
from collections.abc import AsyncIterator, Coroutine, Iterator
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import pytest

from smalt.exceptions import Unavailable
from smalt.machine.home import Home
from smalt.machine.processes import find_process, is_alive
from smalt.service.settings import ServerSettings
from smalt.service.tracking.process import MlflowProcess
from tests.helpers import eventually, read_descriptors

T = TypeVar("T")

M = "/api/2.0/mlflow"
FILES = "/api/2.0/mlflow-artifacts/artifacts"
SECRET = "SMALT_TEST_KEY_OF_A_CLOUD"


class Reply(NamedTuple):
    status: int
    body: Any


class Rig:
    """A child and the loop that it lives on."""

    def __init__(self, home: Home, python: str) -> None:
        self.home = home
        home.create()
        home.path("config.json").write_text(json.dumps({"mlflow-python": python}))
        self.loop = asyncio.new_event_loop()
        self.child = MlflowProcess(home, ServerSettings(home))

    def do(self, work: Coroutine[Any, Any, T]) -> T:
        return self.loop.run_until_complete(asyncio.wait_for(work, 240))

    def workspace(self, folder: str) -> Path:
        path = self.home.path("workspaces", folder)
        (path / "datastores/workspaceartifactstore").mkdir(parents=True, exist_ok=True)
        return path

    async def call(self, folder: str, method: str, path: str, body: Any = None, **headers: str) -> Reply:
        await self.child.wait_until_ready()
        sent = [(b"Content-Type", b"application/json"), (b"X-Smalt-Workspace", folder.encode())]
        sent += [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
        data = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        response = await self.child.pool.send_request(method, path.encode(), sent, data)
        text = await response.read()
        kind = {name.lower(): value for name, value in response.headers}.get(b"content-type", b"")
        return Reply(response.status, json.loads(text) if kind.startswith(b"application/json") else text)

    def ask(self, folder: str, method: str, path: str, body: Any = None, **headers: str) -> Reply:
        return self.do(self.call(folder, method, path, body, **headers))

    def put_run(self, folder: str, run_id: str, **more: Any) -> Reply:
        return self.ask(folder, "POST", "/smalt/runs", {"runs": [{"run_id": run_id, "experiment": "colours", **more}]})

    def run(self, folder: str, run_id: str) -> dict[str, Any]:
        found = self.ask(folder, "GET", f"{M}/runs/get?run_id={run_id}")
        assert found.status == 200, found.body
        return dict(found.body["run"])

    def close(self) -> None:
        self.do(self.child.close())
        self.loop.close()


@pytest.fixture(scope="module")
def rig(mlflow_python: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    os.environ[SECRET] = "s3cr3t"
    made = Rig(Home(tmp_path_factory.mktemp("tracking") / "home"), mlflow_python)
    try:
        yield made
    finally:
        del os.environ[SECRET]
        made.close()


@pytest.fixture
def own_rig(mlflow_python: str, tmp_path: Path) -> Iterator[Rig]:
    """A child that a test may kill."""
    made = Rig(Home(tmp_path / "home"), mlflow_python)
    try:
        yield made
    finally:
        made.close()


def test_health(rig: Rig) -> None:
    """Once ready it answers, and tells its version without a workspace."""
    answer = rig.ask("", "GET", "/smalt/health")
    assert answer == Reply(200, {"version": rig.child.version})
    assert rig.child.version.startswith("3.17.")


def test_only_its_owner_reaches_it(rig: Rig) -> None:
    """It listens on a socket of mode 0600 in a folder of mode 0700, and on no port."""
    rig.do(rig.child.wait_until_ready())
    socket = rig.home.socket_path("mlflow")
    assert not stat.S_IMODE(socket.stat().st_mode) & 0o077
    assert stat.S_IMODE(socket.parent.stat().st_mode) == 0o700
    assert rig.child.pid is not None
    held = read_descriptors(rig.child.pid)
    for name in ("tcp", "tcp6"):
        for line in Path(f"/proc/{rig.child.pid}/net/{name}").read_text().splitlines()[1:]:
            assert f"socket:[{line.split()[9]}]" not in held


def test_no_keys_in_its_environment(rig: Rig) -> None:
    """It is given none of the server's variables but a few harmless ones."""
    rig.do(rig.child.wait_until_ready())
    environment = Path(f"/proc/{rig.child.pid}/environ").read_bytes()
    assert b"PATH=" in environment
    assert SECRET.encode() not in environment


def test_memory(rig: Rig) -> None:
    """It needs no more than 300 MB when it has answered calls of every kind."""
    rig.workspace("memory")
    rig.put_run("memory", "red")
    rig.ask("memory", "POST", f"{M}/runs/search", {"experiment_ids": ["1"]})
    rollup = Path(f"/proc/{rig.child.pid}/smaps_rollup").read_text()
    kilobytes = int(next(line.split()[1] for line in rollup.splitlines() if line.startswith("Pss:")))
    assert 30_000 < kilobytes < 300_000


def test_a_jobs_run_has_its_name_and_its_files(rig: Rig) -> None:
    """A run is made with the id that smalt says, and what is logged to it lies in the job's folder."""
    folder = rig.workspace("named")
    run = {"run_name": "crimson", "status": "RUNNING", "start_time": 5, "params": {"rate": 1}, "tags": {"a": "b"}}
    assert rig.put_run("named", "red", **run).body == {"created": ["red"]}
    found = rig.run("named", "red")
    assert found["info"]["artifact_uri"] == "mlflow-artifacts:/ExperimentRun/dcid.red"
    assert found["info"]["run_name"] == "crimson"
    assert rig.ask("named", "PUT", f"{FILES}/ExperimentRun/dcid.red/a/b.txt", b"hello").status == 200
    assert (folder / "datastores/workspaceartifactstore/ExperimentRun/dcid.red/a/b.txt").read_bytes() == b"hello"
    listed = rig.ask("named", "GET", f"{M}/artifacts/list?run_id=red").body["files"]
    assert [each["path"] for each in listed] == ["a"]


def test_a_run_that_is_there_is_updated(rig: Rig) -> None:
    """Status, end, name and tags are overwritten; a parameter that is there stays, whoever wrote it."""
    rig.workspace("updated")
    data = {"name": "train", "digest": "d1", "source_type": "local", "source": "{}", "context": "training"}
    rig.put_run("updated", "red", status="RUNNING", start_time=5, inputs=[data], tags={"kept": "1", "new": "1"})
    logged = {"run_id": "red", "key": "rate", "value": "0.1"}
    assert rig.ask("updated", "POST", f"{M}/runs/log-parameter", logged).status == 200
    again = {"run_name": "dark", "status": "FAILED", "end_time": 9, "params": {"rate": "0.2", "more": "x"}}
    answer = rig.put_run("updated", "red", **again, tags={"new": "2"}, inputs=[data])
    assert answer.body == {"created": []}
    found = rig.run("updated", "red")
    assert (found["info"]["status"], found["info"]["start_time"], found["info"]["end_time"]) == ("FAILED", 5, 9)
    assert {each["key"]: each["value"] for each in found["data"]["params"]} == {"rate": "0.1", "more": "x"}
    assert {each["key"]: each["value"] for each in found["data"]["tags"]} == {
        "kept": "1",
        "new": "2",
        "mlflow.runName": "dark",
    }
    (linked,) = found["inputs"]["dataset_inputs"]
    assert linked["dataset"]["name"] == "train"
    assert linked["tags"] == [{"key": "mlflow.data.context", "value": "training"}]


def test_many_runs_at_once(rig: Rig) -> None:
    """More runs than a statement has room for are made in one call, and named twice they are made once."""
    rig.workspace("many")
    runs = [{"run_id": f"r{number}", "experiment": f"e{number % 3}", "tags": {"n": number}} for number in range(1200)]
    assert len(rig.ask("many", "POST", "/smalt/runs", {"runs": [*runs, runs[0]]}).body["created"]) == 1200
    assert rig.ask("many", "POST", "/smalt/runs", {"runs": runs}).body == {"created": []}
    assert rig.run("many", "r1199")["data"]["tags"][-1]["value"] == "1199"


def test_gone_runs(rig: Rig) -> None:
    """A run that is gone leaves nothing: the runs below it, its metrics and its models are gone with it."""
    folder = rig.workspace("gone")
    rig.put_run(
        "gone", "red", params={"a": "b"}, inputs=[{"name": "d", "digest": "1", "source_type": "x", "source": ""}]
    )
    rig.put_run("gone", "blue")
    made = rig.ask("gone", "POST", f"{M}/runs/create", _nested_below("red"))
    model = {"experiment_id": "1", "name": "model", "source_run_id": made.body["run"]["info"]["run_id"]}
    assert rig.ask("gone", "POST", f"{M}/logged-models", model).status == 200
    assert rig.ask("gone", "POST", f"{M}/runs/log-metric", _metric("red", 1)).status == 200
    assert rig.ask("gone", "POST", "/smalt/runs", {"gone": ["red", "never"]}).status == 200
    with contextlib.closing(sqlite3.connect(folder / "mlflow.db")) as database, database:
        left = database.execute("SELECT run_uuid FROM runs").fetchall()
        counts = [database.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in
                  ("metrics", "latest_metrics", "params", "inputs", "logged_models")]  # fmt: skip
    assert left == [("blue",)]
    assert counts == [0] * 5
    assert rig.put_run("gone", "red").body == {"created": ["red"]}


def test_other_runs_and_models_lie_where_the_service_has_them(rig: Rig) -> None:
    """A nested run has a folder of its own; a run's first model of a name lies in the run's, the next elsewhere."""
    rig.workspace("placed")
    rig.put_run("placed", "red")
    nested = rig.ask("placed", "POST", f"{M}/runs/create", _nested_below("red")).body["run"]["info"]
    assert nested["artifact_uri"] == f"mlflow-artifacts:/ExperimentRun/dcid.{nested['run_id']}"
    model = {"experiment_id": "1", "name": "model", "source_run_id": "red"}
    places = [
        rig.ask("placed", "POST", f"{M}/logged-models", model).body["model"]["info"]["artifact_uri"] for _ in range(2)
    ]
    assert places[0] == "mlflow-artifacts:/ExperimentRun/dcid.red/model"
    assert places[1].startswith("mlflow-artifacts:/mlflow/1/models/m-")


def test_registry(rig: Rig) -> None:
    """Models and versions are shown as said, with tags and aliases, until they are gone."""
    rig.workspace("models")
    version = {"version": "3", "source": "mlflow-artifacts:/x/model", "tags": {"a": "b"}, "aliases": ["best"]}
    model = {"name": "colour", "description": "of paint", "tags": {"t": "1"}, "versions": [version]}
    assert rig.ask("models", "POST", "/smalt/models", {"models": [model]}).body == {}
    model["versions"] = [{**version, "tags": {"c": "d"}}]
    assert rig.ask("models", "POST", "/smalt/models", {"models": [model]}).status == 200
    found = rig.ask("models", "GET", f"{M}/model-versions/get?name=colour&version=3").body["model_version"]
    assert (found["source"], found["tags"]) == ("mlflow-artifacts:/x/model", [{"key": "c", "value": "d"}])
    by_alias = rig.ask("models", "GET", f"{M}/registered-models/alias?name=colour&alias=best")
    assert by_alias.body["model_version"]["version"] == "3"
    assert rig.ask("models", "POST", "/smalt/models", {"gone": [["colour", "3"]]}).status == 200
    assert rig.ask("models", "GET", f"{M}/model-versions/get?name=colour&version=3").status == 404
    assert rig.ask("models", "GET", f"{M}/registered-models/get?name=colour").status == 200
    assert rig.ask("models", "POST", "/smalt/models", {"gone": [["colour", None]]}).status == 200
    assert rig.ask("models", "GET", f"{M}/registered-models/get?name=colour").status == 404


def test_a_logged_model_is_registered_in_its_own_workspace(rig: Rig) -> None:
    """A version whose source is a logged model finds that model in the workspace of the call."""
    rig.workspace("source")
    rig.put_run("source", "red")
    model = {"experiment_id": "1", "name": "model", "source_run_id": "red"}
    made = rig.ask("source", "POST", f"{M}/logged-models", model).body["model"]["info"]["model_id"]
    assert rig.ask("source", "POST", f"{M}/registered-models/create", {"name": "colour"}).status == 200
    body = {"name": "colour", "source": f"models:/{made}", "model_id": made}
    version = rig.ask("source", "POST", f"{M}/model-versions/create", body)
    assert version.status == 200, version.body
    assert version.body["model_version"]["run_id"] == "red"
    uri = rig.ask("source", "GET", f"{M}/model-versions/get-download-uri?name=colour&version=1").body["artifact_uri"]
    assert uri == "mlflow-artifacts:/ExperimentRun/dcid.red/model"


def test_workspaces_do_not_see_each_other(rig: Rig) -> None:
    """Runs, files and models of one workspace are not in another."""
    for folder in ("left", "right"):
        rig.workspace(folder)
    rig.put_run("left", "red")
    rig.ask("left", "PUT", f"{FILES}/ExperimentRun/dcid.red/a.txt", b"left")
    rig.ask("left", "POST", f"{M}/registered-models/create", {"name": "colour"})
    for path in (f"{M}/runs/get?run_id=red", f"{M}/registered-models/get?name=colour"):
        assert rig.ask("left", "GET", path).status == 200
        assert rig.ask("right", "GET", path).status == 404
    assert rig.ask("left", "GET", f"{FILES}/ExperimentRun/dcid.red/a.txt").body == b"left"
    assert rig.ask("right", "GET", f"{FILES}/ExperimentRun/dcid.red/a.txt").status >= 400


@pytest.mark.parametrize("folder", ["", "../left", "left/..", "Left", "nowhere"])
def test_a_call_names_its_workspace(rig: Rig, folder: str) -> None:
    """A call for no workspace, or for what is none, is refused with a sentence, and makes nothing."""
    answer = rig.ask(folder, "GET", f"{M}/experiments/get?experiment_id=0")
    assert answer.status in (400, 404)
    assert answer.body["message"]
    assert not rig.home.path("workspaces", "nowhere").exists()


def test_spans(rig: Rig) -> None:
    """Spans by OpenTelemetry's protocol become a trace of the workspace's experiment; nonsense is refused."""
    rig.workspace("spans")
    rig.put_run("spans", "red")
    kind = {"Content_Type": "application/x-protobuf", "x_mlflow_experiment_id": "1", "x_mlflow_run_id": "red"}
    sent = rig.ask("spans", "POST", "/v1/traces", _one_span(), **kind)
    assert sent.status == 200, sent.body
    search = {"locations": [{"type": "MLFLOW_EXPERIMENT", "mlflow_experiment": {"experiment_id": "1"}}]}
    traces = rig.ask("spans", "POST", "/api/3.0/mlflow/traces/search", search).body["traces"]
    assert [trace["trace_id"] for trace in traces] == ["tr-" + "11" * 16]
    assert rig.ask("spans", "POST", "/v1/traces", b"\xff\xff nonsense", **kind).status == 400


def test_a_damaged_database_is_told(rig: Rig) -> None:
    """A workspace whose database is none answers with a sentence that names the file; others go on."""
    folder = rig.workspace("damaged")
    (folder / "mlflow.db").write_bytes(b"this is not a database, whatever its name says" * 50)
    answer = rig.ask("damaged", "GET", f"{M}/experiments/get?experiment_id=0")
    assert answer.status == 400
    assert str(folder / "mlflow.db") in answer.body["message"]
    rig.workspace("whole")
    assert rig.ask("whole", "GET", f"{M}/experiments/get?experiment_id=0").status == 200


def test_an_older_database_is_copied_and_migrated(rig: Rig, mlflow_python: str) -> None:
    """What an older MLflow left is there after the migration, and a copy of it as it was lies beside it."""
    folder = rig.workspace("older")
    program = """
import sys, sqlalchemy
from alembic import command
from alembic.script import ScriptDirectory
from mlflow.store.db import utils
from mlflow.store.tracking.dbmodels.initial_models import Base
uri = f"sqlite:///{sys.argv[1]}"
engine = sqlalchemy.create_engine(uri)
Base.metadata.create_all(engine)
config = utils._get_alembic_config(uri)
scripts = ScriptDirectory.from_config(config)
before = scripts.get_revision(scripts.get_current_head()).down_revision
with engine.begin() as connection:
    config.attributes["connection"] = connection
    command.upgrade(config, before)
with engine.begin() as connection:
    old = "INSERT INTO experiments (name, artifact_location, lifecycle_stage) VALUES ('ancient', 'x', 'active')"
    connection.execute(sqlalchemy.text(old))
print(before)
"""
    made = subprocess.run(
        [mlflow_python, "-I", "-c", program, str(folder / "mlflow.db")], capture_output=True, text=True, check=True
    )
    found = rig.ask("older", "GET", f"{M}/experiments/get-by-name?experiment_name=ancient")
    assert found.status == 200, found.body
    with contextlib.closing(sqlite3.connect(folder / f"mlflow.db.{made.stdout.strip()}")) as copy, copy:
        assert copy.execute("SELECT name FROM experiments").fetchall() == [("ancient",)]


def test_large_files_stream_both_ways(rig: Rig) -> None:
    """A body of unknown length goes up in chunks and comes down again; one that is given up leaves the pool usable."""
    rig.workspace("large")
    block = os.urandom(1 << 18)

    async def body() -> AsyncIterator[bytes]:
        for _ in range(20):
            yield block

    async def up_and_down() -> None:
        await rig.child.wait_until_ready()
        pool, path = rig.child.pool, f"{FILES}/ExperimentRun/dcid.red/large".encode()
        headers = [(b"X-Smalt-Workspace", b"large")]
        assert (await pool.send_request("PUT", path, headers, body())).status == 200
        response = await pool.send_request("GET", path, headers)
        assert b"".join([chunk async for chunk in response]) == block * 20
        given_up = await pool.send_request("GET", path, headers)
        given_up.close()
        for _ in range(100):  # more than the pool has connections
            broken = await pool.send_request("GET", path, headers)
            await broken.__aiter__().__anext__()
            broken.close()
        assert (await (await pool.send_request("GET", b"/smalt/health", [])).read()).startswith(b"{")

    rig.do(up_and_down())


def test_sigkill_loses_nothing_acknowledged(own_rig: Rig) -> None:
    """Every point that was acknowledged before a SIGKILL is there afterwards; what was under way is an error."""
    own_rig.workspace("w")
    own_rig.put_run("w", "red")
    acknowledged: list[int] = []

    async def write(worker: int) -> None:
        for number in range(100_000):
            step = worker * 1_000_000 + number
            answer = await own_rig.call("w", "POST", f"{M}/runs/log-metric", _metric("red", step))
            assert answer.status == 200
            acknowledged.append(step)

    async def kill_amid() -> list[BaseException | None]:
        workers = [asyncio.ensure_future(write(worker)) for worker in range(3)]
        while len(acknowledged) < 60:
            await asyncio.sleep(0.005)
        pid = own_rig.child.pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        failures = await asyncio.gather(*workers, return_exceptions=True)
        while own_rig.child.pid == pid:  # until then a call may still reach the socket of the dying process
            await asyncio.sleep(0.005)
        return failures  # type: ignore[return-value]

    failures = own_rig.do(kill_amid())
    assert all(isinstance(failure, ConnectionError) for failure in failures), failures
    history = own_rig.ask("w", "GET", f"{M}/metrics/get-history?run_id=red&metric_key=m&max_results=25000").body
    assert {int(point["step"]) for point in history["metrics"]} >= set(acknowledged)
    assert len(acknowledged) >= 60


def test_it_comes_up_again_at_once_when_in_use(own_rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who is killed soon after a call comes up again before anyone asks."""
    monkeypatch.setattr("smalt.service.tracking.process._SHORT_LIFE", 0.0)
    own_rig.ask("", "GET", "/smalt/health")
    first = own_rig.child.pid
    assert first is not None
    os.kill(first, signal.SIGKILL)

    async def comes_up() -> int:
        while own_rig.child.pid in (None, first):
            await asyncio.sleep(0.01)
        assert own_rig.child.pid is not None
        return own_rig.child.pid

    assert own_rig.do(comes_up()) != first


def test_it_ends_with_the_server(mlflow_python: str, tmp_path: Path) -> None:
    """A SIGKILL of the server, which can tell nobody, ends it too."""
    program = f"""
import asyncio, json
from smalt.machine.home import Home
from smalt.service.settings import ServerSettings
from smalt.service.tracking.process import MlflowProcess
async def main():
    home = Home({str(tmp_path / "home")!r})
    home.create()
    home.path("config.json").write_text(json.dumps({{"mlflow-python": {mlflow_python!r}}}))
    child = MlflowProcess(home, ServerSettings(home))
    await child.wait_until_ready()
    print(child.pid, flush=True)
    await asyncio.sleep(600)
asyncio.run(main())
"""
    server = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    try:
        assert server.stdout is not None
        process = find_process(int(server.stdout.readline()))
        assert process is not None
    finally:
        server.kill()
        server.communicate()
    eventually(lambda: not is_alive(process), "the end of MLflow's process")


def test_closing_leaves_no_process(own_rig: Rig) -> None:
    """After `close()` it is gone, and is not started again."""
    own_rig.do(own_rig.child.wait_until_ready())
    assert own_rig.child.pid is not None
    process = find_process(own_rig.child.pid)
    assert process is not None
    own_rig.do(own_rig.child.close())
    assert not is_alive(process)
    with pytest.raises(Unavailable, match="ending"):
        own_rig.do(own_rig.child.wait_until_ready())


def test_a_python_without_mlflow(home: Home, tmp_path: Path) -> None:
    """The setting's Python is named, with what is wrong and what to do; the next who ask are told without a new try."""
    venv.create(tmp_path / "bare", symlinks=True)
    rig = Rig(home, str(tmp_path / "bare/bin/python"))
    try:
        with pytest.raises(Unavailable, match=r"bare/bin/python.*No module named 'mlflow'.*mlflow 3\.17\.\d"):
            rig.do(rig.child.wait_until_ready())
        (tmp_path / "bare/bin/python").unlink()
        with pytest.raises(Unavailable, match="No module named 'mlflow'"):
            rig.do(rig.child.wait_until_ready())
    finally:
        rig.close()


def _nested_below(parent: str) -> dict[str, Any]:
    return {"experiment_id": "1", "tags": [{"key": "mlflow.parentRunId", "value": parent}]}


def _metric(run: str, step: int) -> dict[str, Any]:
    return {"run_id": run, "key": "m", "value": step, "timestamp": 1, "step": step}


def _one_span() -> bytes:
    """An ExportTraceServiceRequest with one span, by hand: (field << 3 | 2) length bytes, and fixed64 for times."""

    def field(number: int, content: bytes) -> bytes:
        return bytes([number << 3 | 2, len(content)]) + content

    def moment(number: int, nanoseconds: int) -> bytes:
        return bytes([number << 3 | 1]) + nanoseconds.to_bytes(8, "little")

    span = (
        field(1, b"\x11" * 16) + field(2, b"\x22" * 8) + field(5, b"paint") + moment(7, 10**18) + moment(8, 10**18 + 5)
    )
    return field(1, field(2, field(2, span)))


def test_workspaces_are_created_at_once(rig: Rig) -> None:
    """Each has a whole database of its own, although the migrations that make one are global to the process."""
    folders = [f"many-{number}" for number in range(8)]
    for folder in folders:
        rig.workspace(folder)

    async def search_all() -> list[Reply]:
        body = {"max_results": 5}
        return await asyncio.gather(*(rig.call(one, "POST", f"{M}/experiments/search", body) for one in folders))

    assert [reply.status for reply in rig.do(search_all())] == [200] * len(folders)
    for folder in folders:
        assert rig.put_run(folder, f"run-of-{folder}").status == 200
        assert rig.run(folder, f"run-of-{folder}")["info"]["run_id"] == f"run-of-{folder}"


def test_a_database_that_was_cut_short_is_made_again(rig: Rig) -> None:
    """What a killed process left beside the place of a new database does no harm."""
    workspace = rig.workspace("cut-short")
    with contextlib.closing(sqlite3.connect(workspace / "mlflow.db.partial")) as half:
        half.execute("CREATE TABLE registered_models (name TEXT)")
    assert rig.put_run("cut-short", "first").status == 200
    assert rig.run("cut-short", "first")["info"]["run_id"] == "first"


def test_new_databases_are_copies_of_a_sound_one(rig: Rig) -> None:
    """The home keeps an empty database, as MLflow makes it; one that is damaged is made again by who needs it."""
    kept: list[bytes] = []
    for folder in ("copied-1", "copied-2", "copied-3"):
        workspace = rig.workspace(folder)
        assert rig.put_run(folder, "red").body == {"created": ["red"]}
        assert rig.run(folder, "red")["info"]["run_id"] == "red"
        empty = rig.home.path(f"mlflow-{rig.child.version}-empty.db")
        assert read_schema(workspace / "mlflow.db") == read_schema(empty)
        with contextlib.closing(sqlite3.connect(empty)) as database:
            assert database.execute("SELECT count(*) FROM experiments").fetchone() == (0,)
        kept.append(empty.read_bytes())
        if folder == "copied-2":
            assert kept[0] == kept[1]  # it was not made again
            empty.write_bytes(b"this is not a database, whatever its name says" * 50)


def test_the_empty_database_is_there_before_the_first_call(own_rig: Rig) -> None:
    """Whoever calls first does not wait for MLflow's migrations."""
    own_rig.do(own_rig.child.wait_until_ready())
    empty = own_rig.home.path(f"mlflow-{own_rig.child.version}-empty.db")
    eventually(empty.exists)
    made = empty.stat().st_ino
    assert own_rig.workspace("first").is_dir()
    assert own_rig.put_run("first", "red").status == 200
    assert empty.stat().st_ino == made


def test_an_empty_database_that_cannot_be_made_is_told_to_who_calls(own_rig: Rig) -> None:
    """The child runs all the same."""
    own_rig.workspace("narrow")
    own_rig.do(own_rig.child.wait_until_ready())
    empty = own_rig.home.path(f"mlflow-{own_rig.child.version}-empty.db")
    eventually(empty.exists)
    own_rig.do(own_rig.child.close())
    empty.unlink()
    empty.with_name(f"{empty.name}.partial").mkdir()  # in its way
    own_rig.child = MlflowProcess(own_rig.home, ServerSettings(own_rig.home))
    reply = own_rig.put_run("narrow", "red")
    assert reply.status == 400
    assert "cannot be made (Is a directory)" in str(reply.body)
    assert own_rig.ask("narrow", "GET", "/smalt/health").status == 200


def read_schema(path: Path) -> list[tuple[str, str]]:
    with contextlib.closing(sqlite3.connect(path)) as database:
        return sorted(database.execute("SELECT name, coalesce(sql, '') FROM sqlite_master"))
