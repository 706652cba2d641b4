"""What a reference means is looked up once, and recorded: labels at submission, places when a step starts."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from smalt import wire
from smalt.entities import CommandComponent, PipelineComponent
from smalt.exceptions import ValidationException
from smalt.service.engine import kinds
from smalt.service.records import assets, job_attempts, job_data, jobs
from tests.engine.bench import Workbench, workbench

HOST = "azureml:host"


def step(command: str, **more: Any) -> dict[str, Any]:
    return {"command": command, "environment": HOST, **more}


class Moving:
    """A path that leads to october, and then to november."""

    def __init__(self, bench: Workbench, folder: Path, kind: str) -> None:
        self.kind = kind
        self._bench = bench
        self._link = folder / "current"
        self._folder = folder
        for month in ("october", "november"):
            (folder / month).mkdir()
            (folder / month / "f.txt").write_text(month)
        self.lead_to("october")

    @property
    def uri(self) -> str:
        links = {"link": f"{self._link}", "link to a file": f"{self._link}.txt", "link above": f"{self._link}/."}
        return links.get(self.kind, "https://example.org/data/")

    def lead_to(self, month: str) -> None:
        for link, target in ((self._link, month), (Path(f"{self._link}.txt"), f"{month}/f.txt")):
            link.unlink(missing_ok=True)
            os.symlink(self._folder / target, link)
        self._bench.settings.update({"url-map": {"https://example.org/data/": str(self._folder / month)}})


KINDS = ["link", "link to a file", "link above", "url-map"]


@pytest.mark.parametrize("mode", ["ro_mount", "download"])
@pytest.mark.parametrize("kind", KINDS)
async def test_a_step_that_runs_reads_what_its_input_was_when_it_started(tmp_path: Path, kind: str, mode: str) -> None:
    """A link or mapping that moves while the step runs changes neither what it reads nor what is recorded."""
    async with workbench() as bench:
        moving, go = Moving(bench, tmp_path, kind), tmp_path / "go"
        file = kind == "link to a file"
        read = "${{inputs.i}}" if file else "${{inputs.i}}/f.txt"
        wait = f"while [ ! -e {go} ]; do sleep 0.02; done"
        given = {"type": "uri_file" if file else "uri_folder", "path": moving.uri, "mode": mode}
        job = bench.submit("s", step(f"{wait}; cat {read}", inputs={"i": given}))
        await bench.until(job, lambda now: now.status == "Running")
        moving.lead_to("november")
        go.touch()
        job = await bench.over(job)
        assert job.status == "Completed", job.error
        assert bench.log("s") == "october"
        place = tmp_path / "october" / ("f.txt" if file else "")
        assert job_data.read_places(bench.db, job.id) == {
            "i": (job_data.read_data(bench.db, job.id, "input")["i"][2], str(place))
        }


@pytest.mark.parametrize("kind", KINDS)
async def test_a_second_attempt_reads_what_the_first_one_read(tmp_path: Path, kind: str) -> None:
    """A step that fails is tried again with what its input was when it first started."""
    async with workbench() as bench:
        moving, failed = Moving(bench, tmp_path, kind), tmp_path / "failed"
        file = kind == "link to a file"
        read = "${{inputs.i}}" if file else "${{inputs.i}}/f.txt"
        wait = f"while [ ! -e {failed}.2 ]; do sleep 0.02; done"
        again = f"if [ ! -e {failed} ]; then touch {failed}; {wait}; exit 1; fi"
        given = {"type": "uri_file" if file else "uri_folder", "path": moving.uri}
        document = step(f"cat {read}; {again}", inputs={"i": given}, properties={"smalt.retries": "1"})
        job = bench.submit("s", document)
        await bench.until(job, lambda now: now.status == "Running")
        moving.lead_to("november")
        Path(f"{failed}.2").touch()
        job = await bench.over(job)
        assert job.status == "Completed", job.error
        assert len(job_attempts.list_attempts(bench.db, job.id)) == 2
        assert bench.log("s").endswith("october")
        assert "november" not in bench.log("s")


async def test_a_file_keeps_the_name_that_it_was_asked_for_by(tmp_path: Path) -> None:
    """A link to a file of another name is handed on under the link's own name, whose ending programs go by."""
    async with workbench() as bench:
        (tmp_path / "blob").write_text("x\n1\n")
        (tmp_path / "table.csv").symlink_to(tmp_path / "blob")
        given = {"type": "uri_file", "path": str(tmp_path / "table.csv")}
        job = await bench.over(
            bench.submit("s", step("basename ${{inputs.i}}; tail -1 ${{inputs.i}}", inputs={"i": given}))
        )
        assert job.status == "Completed", job.error
        assert bench.log("s") == "table.csv\n1\n"


def put(bench: Workbench, kind: str, name: str, version: str, **properties: Any) -> None:
    assets.put_version(bench.db, bench.workspace.id, kind, name, version, properties, "tester")


def data(bench: Workbench, folder: Path, version: str) -> None:
    """Version `version` of the data asset `d`, which holds its number."""
    (folder / version).mkdir()
    (folder / version / "f.txt").write_text(f"v{version} ")
    put(bench, "data", "d", version, dataUri=str(folder / version), dataType="uri_folder")


def component(bench: Workbench, name: str, version: str, document: dict[str, Any]) -> None:
    kind: Any = PipelineComponent if "jobs" in document else CommandComponent
    body = wire.to_rest(kind.from_dict({"name": name, **document}))["properties"]
    put(bench, "components", name, version, **body)


READ = "cat ${{inputs.e}}/f.txt"
DATA = {"type": "uri_folder", "path": "azureml:d@latest"}


@pytest.mark.parametrize("path", ["azureml:d@latest", "azureml:d"])
@pytest.mark.parametrize(
    "place",
    ["the pipeline's input", "the step's input", "a nested step's input", "a default", "a text", "a text above"],
)
async def test_every_step_reads_the_version_of_the_submission(tmp_path: Path, path: str, place: str) -> None:
    """A version that is registered while a pipeline runs is not read by its later steps, at whatever level."""
    async with workbench() as bench:
        data(bench, tmp_path, "1")
        go = tmp_path / "go"
        given = {"type": "uri_folder", "path": path}
        last: dict[str, Any] = step(READ, inputs={"e": given}, type="command")
        inputs: dict[str, Any] = {}
        if place == "the pipeline's input":
            inputs, last["inputs"] = {"d": given}, {"e": "${{parent.inputs.d}}"}
        elif place == "a nested step's input":
            component(bench, "nested", "1", {"jobs": {"c": last}})
            last = {"type": "pipeline", "component": "azureml:nested:1"}
        elif place.startswith("a text"):
            component(bench, "leaf", "1", step(READ, inputs={"e": {"type": "uri_folder"}}))
            above = "${{parent.inputs.d}}"
            last = {"type": "command", "component": "azureml:leaf:1", "inputs": {"e": above}}
            if place == "a text above":
                below = {"jobs": {"c": last}, "inputs": {"d": {"type": "uri_folder"}}}
                component(bench, "nested", "1", below)
                last = {
                    "type": "pipeline",
                    "component": "azureml:nested:1",
                    "inputs": {"d": "${{parent.inputs.d}}"},
                }
            inputs = {"d": path}
        elif place == "a default":
            form = {"type": "uri_folder", "default": path}
            component(bench, "leaf", "1", step(READ, inputs={"e": form}))
            last = {"type": "command", "component": "azureml:leaf:1"}
        wait = step(f"while [ ! -e {go} ]; do sleep 0.02; done", inputs={"e": given})
        document = {"inputs": inputs, "settings": {"on_init": "a"}, "jobs": {"a": wait, "b": last}}
        job = bench.submit("p", document)
        await bench.until(job, lambda now: now.status == "Running")
        data(bench, tmp_path, "2")
        go.touch()
        job = await bench.over(job)
        assert job.status == "Completed", job.error
        reader = "p-b-c" if place in ("a nested step's input", "a text above") else "p-b"
        assert bench.log(reader) == "v1 "
        read = jobs.find_by_name(bench.db, bench.workspace.id, reader)
        assert read is not None
        assert job_data.read_data(bench.db, read.id, "input")["e"][3] == "data/d/versions/1"
        if place == "the pipeline's input":
            assert jobs.read_properties(bench.db, job.id)["inputs"]["d"]["uri"].endswith("/data/d/versions/1")


@pytest.mark.parametrize("reference", ["azureml:leaf@latest", "azureml:leaf"])
async def test_a_nested_pipeline_runs_the_components_of_the_submission(tmp_path: Path, reference: str) -> None:
    """A nested pipeline that is planned later has the component and environment that were the latest at submission."""
    async with workbench() as bench:
        environment = {"image": "python:3.11", "build": None}
        put(bench, "environments", "env", "1", **environment)
        component(bench, "leaf", "1", {**step("echo leaf 1"), "environment": "azureml:env@latest"})
        component(bench, "nested", "1", {"jobs": {"c": {"type": "command", "component": reference}}})
        component(bench, "above", "1", {"jobs": {"n": {"type": "pipeline", "component": "azureml:nested:1"}}})
        go = tmp_path / "go"
        wait = step(f"while [ ! -e {go} ]; do sleep 0.02; done")
        nested = {"type": "pipeline", "component": "azureml:above"}
        job = bench.submit("p", {"settings": {"on_init": "a"}, "jobs": {"a": wait, "b": nested}})
        await bench.until(job, lambda now: now.status == "Running")
        put(bench, "environments", "env", "2", **environment)
        component(bench, "leaf", "2", step("echo leaf 2"))
        component(bench, "above", "2", {"jobs": {"n": step("echo above 2")}})
        go.touch()
        await bench.over(job)
        leaf = jobs.find_by_name(bench.db, bench.workspace.id, "p-b-n-c")
        assert leaf is not None
        body = jobs.read_properties(bench.db, leaf.id)
        assert body["command"] == "echo leaf 1"
        assert body["environmentId"].endswith("/environments/env/versions/1")


async def test_the_same_body_is_the_same_job_for_the_engine(tmp_path: Path) -> None:
    """The engine compares what is sent again with what was sent; the route has looked at its references before."""
    async with workbench() as bench:
        data(bench, tmp_path, "1")
        document = step(READ, inputs={"e": DATA})
        job = await bench.over(bench.submit("s", document))
        data(bench, tmp_path, "2")
        assert bench.submit("s", document).id == job.id
        assert bench.log("s") == "v1 "


@pytest.mark.parametrize(
    ("document", "problem"),
    [
        ({"environment": "azureml:nosuch@latest"}, "there is no environment 'nosuch@latest'"),
        ({"code": "azureml:nosuch@latest"}, "there is no code 'nosuch@latest'"),
        ({"inputs": {"e": {"type": "uri_folder", "path": "azureml:nosuch@latest"}}}, "nosuch@latest"),
    ],
)
async def test_a_label_that_means_nothing_is_refused_at_submission(document: dict[str, Any], problem: str) -> None:
    """The job is not accepted, and the sentence names the reference."""
    async with workbench() as bench:
        with pytest.raises(ValidationException, match=problem):
            bench.submit("s", {**step("true"), **document})


REFERENCES = ["models:/m@champion", "models:/m/Production", "models:/m/latest", "azureml:m", "azureml:m:1"]


@pytest.mark.parametrize("reference", REFERENCES)
async def test_models_are_read_in_the_version_of_the_submission(tmp_path: Path, reference: str) -> None:
    """MLflow's aliases and stages are looked up once, and a model is a model though data has its name."""
    async with workbench() as bench:
        (tmp_path / "model").mkdir()
        model = {"modelUri": str(tmp_path / "model"), "modelType": "custom_model"}
        put(bench, "data", "m", "7", dataUri=str(tmp_path), dataType="uri_folder")
        put(bench, "data", "m", "1", dataUri=str(tmp_path), dataType="uri_folder")
        put(bench, "models", "m", "1", **model, properties={"aliases": "champion"}, stage="Production")
        document = step("true", inputs={"e": {"type": "custom_model", "path": reference}})
        job = bench.submit("s", document)
        assert jobs.read_properties(bench.db, job.id)["inputs"]["e"]["uri"].endswith("/models/m/versions/1")
        await bench.over(job)


@pytest.mark.parametrize("kind", KINDS)
async def test_a_copy_for_debugging_reads_what_the_step_read(tmp_path: Path, kind: str) -> None:
    """`job debug` lays the step out with its input as it was when the step ran."""
    async with workbench() as bench:
        moving = Moving(bench, tmp_path, kind)
        file = kind == "link to a file"
        given = {"type": "uri_file" if file else "uri_folder", "path": moving.uri}
        job = await bench.over(bench.submit("s", step("echo ${{inputs.i}}", inputs={"i": given})))
        moving.lead_to("november")
        laid_out = await kinds.lay_out_copy(bench.engine.context, job)
        path = Path(laid_out["command"].removeprefix("echo ").strip())
        assert (path if file else path / "f.txt").read_text() == "october"
