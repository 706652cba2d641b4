"""Deleting a job takes nothing with it that others have, and leaves nothing that a new job of its name would meet."""

from __future__ import annotations

import http.client
import os
import signal
from pathlib import Path
from typing import Any

import pytest

from tests.helpers import Server, eventually, host_job


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


@pytest.mark.parametrize("step", range(4))
def test_a_server_killed_while_it_deletes(own_server: Server, workspace: str, tmp_path: Path, step: int) -> None:
    """Either the job is there with all it made, or it is gone with all of it; what is registered stays."""
    server = own_server
    process = server.start(environment={"PYTHONPATH": f"{tmp_path}"})
    run(server, workspace, "kept", writes("kept", assetName="kept"))
    run(server, workspace, "gone", writes("first"))
    before = files(server, "gone")
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    points = ["smalt.service.records.jobs:remove", "smalt.service.engine.deletion:_set_aside"]
    _dies_at(tmp_path, points[step // 2], after=bool(step % 2))
    process = server.start(environment={"PYTHONPATH": f"{tmp_path}"})
    with pytest.raises((OSError, http.client.HTTPException)):
        server.ask("DELETE", f"{workspace}/jobs/gone")
    process.wait(timeout=30)
    (tmp_path / "sitecustomize.py").unlink()
    server.start()
    if step == 0:
        assert server.ask("GET", f"{workspace}/jobs/gone").status == 200
        assert files(server, "gone") == before
        return
    assert server.ask("GET", f"{workspace}/jobs/gone").status == 404
    run(server, workspace, "gone", host_job("ls -A > outputs/seen"))
    eventually(lambda: not any("graves" in path for path in files(server, "gone")))
    left = {path: text for path, text in files(server, "gone").items() if "first" in text}
    assert left == {}
    assert content(server, data_uri(server, workspace, "kept")) == "kept\n"


def _dies_at(folder: Path, point: str, *, after: bool) -> None:
    """Let servers that find this on their path kill themselves before or after that function."""
    module, _, name = point.partition(":")
    order = "result = real(*arguments); die()" if after else "die(); result = None"
    (folder / "sitecustomize.py").write_text(f"""
import importlib.abc, importlib.machinery, os, signal, sys

def die():
    os.kill(os.getpid(), signal.SIGKILL)

class Finder(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name != {module!r}:
            return None
        sys.meta_path.remove(self)
        spec = importlib.machinery.PathFinder.find_spec(name, path)
        load = spec.loader.exec_module
        def exec_module(module):
            load(module)
            real = getattr(module, {name!r})
            def wrapped(*arguments):
                {order}
                return result
            setattr(module, {name!r}, wrapped)
        spec.loader.exec_module = exec_module
        return spec

sys.meta_path.insert(0, Finder())
""")
