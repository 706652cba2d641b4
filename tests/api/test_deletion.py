"""Deleting a job takes nothing with it that others have, and leaves nothing that a new job of its name would meet."""

from __future__ import annotations

import contextlib
import functools
import glob
import http.client
import http.server
import os
import signal
import sqlite3
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.helpers import LONGEST, Server, eventually, host_job


def run(server: Server, workspace: str, name: str, body: dict[str, Any]) -> None:
    answer = server.ask("PUT", f"{workspace}/jobs/{name}", body)
    assert answer.status == 201, answer.body
    path = f"{workspace}/jobs/{name}"
    over = eventually(lambda: (got := server.ask("GET", path).body["properties"])["status"] in ENDS and got)
    assert over["status"] == "Completed", over.get("error")


ENDS = ("Completed", "Failed", "Canceled")


def writes(word: str, **output: Any) -> dict[str, Any]:
    outputs = {"o": {"jobOutputType": "uri_folder", **output}}
    return host_job(f"echo {word} > ${{{{outputs.o}}}}/f; echo {word} > outputs/art", outputs=outputs)


def files(server: Server, name: str) -> dict[str, str]:
    """What lies in the stores, by path, of jobs whose names begin so."""
    top = server.home.path("workspaces")
    found = [path for path in top.rglob("*") if f"/{name}" in str(path) or f"dcid.{name}" in str(path)]
    return {str(path.relative_to(top)): path.read_text() for path in found if path.is_file()}


def delete(server: Server, workspace: str, name: str) -> None:
    assert server.ask("DELETE", f"{workspace}/jobs/{name}").status == 200


def data_uri(server: Server, workspace: str, name: str, version: str = "1") -> str:
    return str(server.ask("GET", f"{workspace}/data/{name}/versions/{version}").body["properties"]["dataUri"])


def content(server: Server, uri: str) -> str:
    below = uri.partition("/paths/")[2]
    store = uri.partition("/datastores/")[2].partition("/")[0]
    (found,) = server.home.path("workspaces").glob(f"*/datastores/{store}/{below.rstrip('/')}/f")
    return found.read_text()


@pytest.mark.parametrize("how", ["named", "by place", "of the job"])
def test_what_is_registered_outlives_its_job(server: Server, workspace: str, how: str) -> None:
    """The version keeps its content, and a new job of that name writes into a folder of its own."""
    name = f"kept-{how.replace(' ', '')}"
    named = {"assetName": "kept"} if how == "named" else {}
    run(server, workspace, name, writes("first", **named))
    if how != "named":
        places = {
            "by place": f"azureml://datastores/workspaceblobstore/paths/azureml/{name}/o/",
            "of the job": f"azureml://jobs/{name}/outputs/o",
        }
        body = {"properties": {"dataUri": places[how], "dataType": "uri_folder"}}
        assert server.ask("PUT", f"{workspace}/data/kept/versions/1", body).status == 201
    delete(server, workspace, name)
    uri = data_uri(server, workspace, "kept")
    assert content(server, uri) == "first\n"
    run(server, workspace, name, writes("second", assetName="new"))
    assert content(server, uri) == "first\n"
    assert content(server, data_uri(server, workspace, "new")) == "second\n"
    reads = host_job("cat ${{inputs.d}}/f", inputs={"d": {"jobInputType": "uri_folder", "uri": "azureml:kept:1"}})
    run(server, workspace, f"{name}-reads", reads)
    delete(server, workspace, name)
    assert content(server, uri) == "first\n"


def test_a_job_of_a_pipeline_deleted_before(server: Server, workspace: str) -> None:
    """Steps of a new pipeline of the name have folders of their own, too, beside what is registered."""

    def pipe(word: str) -> dict[str, Any]:
        component = {
            "type": "command", "name": "c", "version": "1", "environment": "azureml:host@latest",
            "command": f"echo {word} > ${{{{outputs.o}}}}/f", "outputs": {"o": {"type": "uri_folder"}},
        }  # fmt: skip
        output = {"job_output_type": "uri_folder", "name": "step"}
        step = {"type": "command", "component": component, "outputs": {"o": output}}
        return {"properties": {"jobType": "Pipeline", "jobs": {"s": step}}}

    for number, word in enumerate(("first", "second", "third"), start=1):
        run(server, workspace, "again", pipe(word))
        assert content(server, data_uri(server, workspace, "step", str(number))) == f"{word}\n"
        delete(server, workspace, "again")
    words = [content(server, data_uri(server, workspace, "step", version)) for version in "123"]
    assert words == ["first\n", "second\n", "third\n"]


def test_artifacts_that_are_registered_keep_the_name(server: Server, workspace: str) -> None:
    """A model among a deleted job's artifacts stays, and the name is refused, as a new job would write into them."""
    run(server, workspace, "trained", host_job("mkdir outputs/m; echo weights > outputs/m/f"))
    place = "azureml://datastores/workspaceartifactstore/paths/ExperimentRun/dcid.trained/outputs/m"
    body = {"properties": {"modelUri": place, "modelType": "custom_model"}}
    assert server.ask("PUT", f"{workspace}/models/weights/versions/1", body).status == 201
    delete(server, workspace, "trained")
    assert content(server, place) == "weights\n"
    refused = server.ask("PUT", f"{workspace}/jobs/trained", host_job("true"))
    assert refused.status == 409
    assert "choose another name" in refused.body["error"]["message"]


def test_steps_whose_outputs_others_have_keep_the_name(server: Server, workspace: str) -> None:
    """A pipeline of a deleted one's name is refused when it is submitted, until the job that reused it is gone."""
    step = {"type": "command", "componentId": f"{workspace}/components/made/versions/1"}
    spec = {"type": "command", "command": "echo art > outputs/art", "environment": "azureml:host"}
    made = {"properties": {"componentSpec": spec}}
    assert server.ask("PUT", step["componentId"], made).status in (200, 201)
    pipeline = {"properties": {"jobType": "Pipeline", "jobs": {"a": step}}}
    run(server, workspace, "staging", pipeline)
    run(server, workspace, "feat", pipeline)
    reused = server.ask("GET", f"{workspace}/jobs/feat-a").body["properties"]["properties"]
    assert reused["azureml.reusedrunid"] == "staging-a"
    delete(server, workspace, "staging")
    refused = server.ask("PUT", f"{workspace}/jobs/staging", pipeline)
    assert refused.status == 409
    assert "job 'staging-a' was deleted" in refused.body["error"]["message"]
    assert server.ask("GET", f"{workspace}/jobs/staging").status == 404
    delete(server, workspace, "feat")
    run(server, workspace, "staging", pipeline)


def test_artifacts_that_no_deleted_job_left_keep_no_name(server: Server, workspace: str) -> None:
    """A step is planned where its artifacts are there already, as a server killed while it planned leaves them."""
    run(server, workspace, "before-the-cut", writes("word"))
    (artifacts,) = server.home.path("workspaces").rglob("dcid.before-the-cut")
    (artifacts.with_name("dcid.cut-a") / "user_logs").mkdir(parents=True)
    component = {
        "type": "command",
        "command": "true",
        "environment": "azureml:host@latest",
        "name": "c",
        "version": "1",
    }
    step = {"type": "command", "component": component}
    run(server, workspace, "cut", {"properties": {"jobType": "Pipeline", "jobs": {"a": step}}})


def test_what_an_unfinished_job_reads(server: Server, workspace: str) -> None:
    """A job is not deleted while another is about to read what it made."""
    run(server, workspace, "made", writes("first"))
    place = {"jobInputType": "uri_folder", "uri": "azureml://jobs/made/outputs/o"}
    assert server.ask("PUT", f"{workspace}/jobs/reader", host_job("sleep 600", inputs={"d": place})).status == 201
    refused = server.ask("DELETE", f"{workspace}/jobs/made")
    assert refused.status == 409
    assert "'reader'" in refused.body["error"]["message"]
    server.ask("POST", f"{workspace}/jobs/reader/cancel")
    eventually(lambda: server.ask("GET", f"{workspace}/jobs/reader").body["properties"]["status"] in ENDS)
    delete(server, workspace, "made")


def test_nothing_of_a_deleted_job_is_left(server: Server, workspace: str) -> None:
    """Working folders of all attempts, artifacts and outputs are gone; a new job of that name finds none of them."""
    name = f"gone{os.getpid()}"
    body = writes("first")
    body["properties"]["properties"] = {"smalt.retries": "1"}
    body["properties"]["command"] += "; touch left; case $PWD in *.2/wd) exit 0;; esac; exit 1"
    run(server, workspace, name, body)
    assert any(f"/jobs/{name}.2/" in path for path in files(server, name))
    delete(server, workspace, name)
    assert files(server, name) == {}
    run(server, workspace, name, host_job("ls -A > outputs/seen"))
    assert [text for path, text in files(server, name).items() if path.endswith("outputs/seen")] == ["logs\noutputs\n"]


KILLED_AT = {
    "before the records": ("records.job_removal:remove_tree", "before"),
    "in their transaction": ("records.job_removal:remove_tree", "after"),
    "before anything is set aside": ("engine.deletion.removal:_move_aside", "before"),
    "when all is set aside": ("engine.deletion.removal:_move_aside", "after"),
    "before anything is removed": ("engine.deletion.removal:_remove_aside", "before"),
    "when all is removed": ("engine.deletion.removal:_remove_aside", "after"),
}


@pytest.mark.parametrize("point", KILLED_AT)
def test_a_server_killed_while_it_deletes(own_server: Server, workspace: str, tmp_path: Path, point: str) -> None:
    """Either the job is there with all it made, or it is gone with all of it; what is registered stays."""
    server = own_server
    process = server.start()
    run(server, workspace, "kept", writes("kept", assetName="kept"))
    run(server, workspace, "gone", writes("first"))
    before = files(server, "gone")
    kill(process)
    where, when = KILLED_AT[point]
    replace(tmp_path, where, "die(); return" if when == "before" else "real(*arguments); die()")
    process = server.start(environment={"PYTHONPATH": f"{tmp_path}"})
    with pytest.raises((OSError, http.client.HTTPException)):
        server.ask("DELETE", f"{workspace}/jobs/gone")
    process.wait(timeout=LONGEST)
    server.start()
    if "records" in where:
        assert server.ask("GET", f"{workspace}/jobs/gone").status == 200
        assert files(server, "gone") == before
        return
    assert server.ask("GET", f"{workspace}/jobs/gone").status == 404
    run(server, workspace, "gone", host_job("ls -A > outputs/seen"))
    eventually(lambda: not aside(server))
    left = {path: text for path, text in files(server, "gone").items() if "first" in text}
    assert left == {}
    assert content(server, data_uri(server, workspace, "kept")) == "kept\n"


@pytest.mark.parametrize("is_elsewhere", [False, True], ids=["beside the home", "on another file system"])
def test_a_new_job_of_a_name_that_is_still_removed(
    own_server: Server, workspace: str, tmp_path: Path, is_elsewhere: bool
) -> None:
    """Two jobs of one name are deleted and not yet removed when the server is killed: a third one keeps all it made."""
    server = own_server
    process = server.start()
    run(server, workspace, "first", host_job("true"))
    kill(process)
    with contextlib.ExitStack() as stack:
        if is_elsewhere:
            stack.enter_context(blobs_in_memory(server))
        replace(tmp_path, "engine.deletion.removal:_remove_aside", "raise OSError('the disk does not answer')")
        process = server.start(environment={"PYTHONPATH": f"{tmp_path}"})
        for word in ("old", "older"):
            run(server, workspace, "again", writes(word))
            delete(server, workspace, "again")
        assert {text for path in aside(server) for text in texts(path)} >= {"old\n", "older\n"}
        run(server, workspace, "again", writes("new"))
        made = files(server, "again")
        kill(process)
        server.start()
        eventually(lambda: not aside(server))
        assert files(server, "again") == made
        place = f"{server.home.path('workspaces')}/*/datastores/*/azureml/again*/o/f"
        assert [Path(path).read_text() for path in glob.glob(place)] == ["new\n"]


def test_a_name_whose_files_are_in_the_way(own_server: Server, workspace: str, tmp_path: Path) -> None:
    """Where nothing can be set aside the name is refused, and the server starts; the next server sets it aside."""
    server = own_server
    replace(tmp_path, "engine.deletion.removal:_move_aside", "raise OSError('the disk does not answer')")
    server.start(environment={"PYTHONPATH": f"{tmp_path}"})
    run(server, workspace, "stuck", writes("old"))
    delete(server, workspace, "stuck")
    for _ in range(2):
        refused = server.ask("PUT", f"{workspace}/jobs/stuck", writes("new"))
        assert refused.status == 409
        assert "its files are still in the way" in refused.body["error"]["message"]
        kill(server.processes[-1])
        server.start(environment={"PYTHONPATH": f"{tmp_path}"})
    kill(server.processes[-1])
    server.start()
    run(server, workspace, "stuck", writes("new"))
    eventually(lambda: not aside(server))
    assert "old\n" not in files(server, "stuck").values()


def test_a_new_job_never_has_the_id_of_a_deleted_one(own_server: Server, workspace: str) -> None:
    """What was noted of the deleted job, here and in later servers, is not taken for the new one's."""
    server = own_server
    process = server.start()
    ids = []
    for _ in range(3):
        run(server, workspace, "newest", host_job("true"))
        with contextlib.closing(sqlite3.connect(server.home.path("smalt.db"))) as db:
            ids.append(db.execute("SELECT id FROM jobs WHERE name='newest'").fetchone()[0])
        delete(server, workspace, "newest")
        kill(process)
        process = server.start()
    assert len(set(ids)) == 3


def test_a_new_job_asks_for_a_url_again(server: Server, workspace: str, tmp_path: Path) -> None:
    """Deleted and submitted again it reads what the URL gives by now."""
    (tmp_path / "f").write_text("first\n")
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(tmp_path))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as web:
        threading.Thread(target=web.serve_forever, args=(0.01,)).start()
        try:
            read = {"jobInputType": "uri_file", "uri": f"http://127.0.0.1:{web.server_port}/f"}
            for word in ("first", "second"):
                (tmp_path / "f").write_text(f"{word}\n")
                os.utime(tmp_path / "f", (len(word), len(word)))
                run(server, workspace, "asks", host_job("cat ${{inputs.u}} > outputs/seen", inputs={"u": read}))
                seen = [text for path, text in files(server, "asks").items() if path.endswith("outputs/seen")]
                assert seen == [f"{word}\n"]
                delete(server, workspace, "asks")
        finally:
            web.shutdown()


def kill(process: subprocess.Popen[bytes]) -> None:
    os.kill(process.pid, signal.SIGKILL)
    process.wait(timeout=LONGEST)


def aside(server: Server) -> list[str]:
    """What of deleted jobs is still to be removed."""
    top = server.home.path("workspaces")
    return glob.glob(f"{top}/*/jobs/deleted.*") + glob.glob(f"{top}/*/datastores/*/*/deleted.*")


def texts(folder: str) -> list[str]:
    return [path.read_text() for path in Path(folder).rglob("*") if path.is_file()]


@contextlib.contextmanager
def blobs_in_memory(server: Server) -> Iterator[None]:
    """The workspace's outputs lie on another file system than the home."""
    (stores,) = server.home.path("workspaces").glob("*/datastores")
    with tempfile.TemporaryDirectory(dir="/dev/shm") as other:
        assert os.stat(other).st_dev != os.stat(stores).st_dev
        (stores / "workspaceblobstore").symlink_to(other)
        yield


def replace(folder: Path, point: str, body: str) -> None:
    """Let servers that find `folder` on their path do `body` in the place of a function, which is `real`."""
    module, _, name = point.partition(":")
    (folder / "sitecustomize.py").write_text(f"""
import importlib.abc, importlib.machinery, os, signal, sys

def die():
    os.kill(os.getpid(), signal.SIGKILL)

class Finder(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name != "smalt.service.{module}":
            return None
        sys.meta_path.remove(self)
        spec = importlib.machinery.PathFinder.find_spec(name, path)
        load = spec.loader.exec_module
        def exec_module(module):
            load(module)
            real = module.{name}
            def wrapped(*arguments):
                {body}
            module.{name} = wrapped
        spec.loader.exec_module = exec_module
        return spec

sys.meta_path.insert(0, Finder())
""")
