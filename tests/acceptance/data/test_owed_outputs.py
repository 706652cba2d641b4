"""An output that a step owes and did not write is told at the step, at what is registered, and to its readers."""

from __future__ import annotations

import json
from typing import Any

import pytest

from smalt import MLClient
from tests.acceptance.conftest import Desk


def step(command: str, **more: Any) -> dict[str, Any]:
    return {"command": command, "environment": "azureml:host", **more}


def outputs(type: str, **more: Any) -> dict[str, Any]:
    return {"outputs": {"o": {"type": type, **more}}}


WARNING = "warning: it wrote nothing to its output 'o'"


@pytest.mark.parametrize("mode", ["rw_mount", "upload"])
@pytest.mark.parametrize("type", ["uri_folder", "uri_file", "mltable", "custom_model"])
def test_an_output_that_was_not_written_is_told(desk: Desk, type: str, mode: str) -> None:
    """In the job's stream and in what `job show` answers, whatever its type; the job is Completed."""
    ran = desk.job(json.dumps(step("echo no", name=f"idle-{type}-{mode}", **outputs(type, mode=mode))))
    assert ran.code == 0, ran.err
    assert WARNING in ran.err
    shown = desk.smalt(f"job show -n idle-{type}-{mode}").json
    assert shown["properties"]["smalt.empty_outputs"] == "o"


@pytest.mark.parametrize(
    ("type", "command"),
    [
        ("uri_folder", "touch ${{outputs.o}}/x"),
        ("uri_folder", "mkdir ${{outputs.o}}/below"),
        ("uri_file", "touch ${{outputs.o}}"),
    ],
)
@pytest.mark.parametrize("mode", ["rw_mount", "upload"])
def test_what_was_written_is_not(desk: Desk, type: str, command: str, mode: str) -> None:
    """An empty file is one that was written, and so is a folder of folders."""
    ran = desk.job(json.dumps(step(command, **outputs(type, mode=mode))))
    assert ran.code == 0, ran.err
    assert "wrote nothing" not in ran.err


def test_an_empty_version_says_so(desk: Desk) -> None:
    """Of a model and of data; what has something in it has no such property."""
    for name, type, command in (
        ("m", "custom_model", "true"),
        ("d", "uri_folder", "true"),
        ("f", "uri_folder", "touch ${{outputs.o}}/x"),
    ):
        ran = desk.job(json.dumps(step(command, name=f"made-{name}", **outputs(type, name=name, version="1"))))
        assert ran.code == 0, ran.err
    words = "it is empty: job 'made-{}' wrote nothing to its output 'o'"
    for kind, name in (("model", "m"), ("data", "d")):
        shown = desk.smalt(f"{kind} show -n {name} --version 1").json
        assert shown["properties"]["smalt.warning"] == words.format(name)
    assert "smalt.warning" not in desk.smalt("data show -n f --version 1").json["properties"]


def reader(**more: Any) -> dict[str, Any]:
    source = {"type": "uri_file", "path": "${{parent.jobs.a.outputs.o}}"}
    return step("cat ${{inputs.i}}", inputs={"i": source}, **more)


def test_the_reader_of_a_missing_file_names_who_owed_it(desk: Desk) -> None:
    """Also where the step that owed it was reused, which says again that it wrote nothing."""
    pipeline = {"type": "pipeline", "jobs": {"a": step("true", **outputs("uri_file")), "b": reader()}}
    first = desk.job(json.dumps(pipeline), "--name owes")
    assert first.code == 1
    assert f"a | {WARNING}" in first.err
    assert "step b failed: its input 'i' is not there: step 'a' wrote nothing to its output 'o'" in first.err
    again = desk.job(json.dumps(pipeline), "--name owes-again")
    assert f"a | {WARNING}" in again.err
    assert "its input 'i' is not there: job 'owes-a' wrote nothing to its output 'o'" in again.err


def test_a_resubmitted_job_tells_anew(desk: Desk) -> None:
    """What was noted of one run is not said of another that was made of its answer."""
    desk.job(json.dumps(step("true", name="empty", **outputs("uri_folder"))))
    client = MLClient(show_progress=False)
    job: Any = client.jobs.get("empty")
    job.name, job.command = "full", "touch ${{outputs.o}}/x"
    client.jobs.stream(client.jobs.create_or_update(job).name, lambda event: None)
    after = desk.smalt("job show -n full").json
    assert "smalt.empty_outputs" not in after["properties"]
    assert after["outputs"]["o"]["path"] == "azureml://datastores/workspaceblobstore/paths/azureml/full/o/"


def test_a_described_job_still_tells(desk: Desk) -> None:
    """What is said of a job later takes nothing away, in the answer and in its stream; a property of the name is not
    taken from whoever describes it."""
    desk.job(json.dumps(step("true", name="told", **outputs("uri_folder"))))
    desk.smalt("job update -n told --set description=x --set properties.mine=1 --set properties.smalt.empty_outputs=p")
    client = MLClient(show_progress=False)
    job: Any = client.jobs.get("told")
    assert (job.description, job.properties["smalt.empty_outputs"]) == ("x", "o")
    seen: list[str] = []
    client.jobs.stream("told", lambda event: seen.append(str(event.get("text"))))
    assert f"{WARNING}\n" in seen


def test_an_empty_version_of_a_pipeline_and_of_a_reused_step_says_so(desk: Desk) -> None:
    """What the step was found to have written, or a pipeline has at the end, is what the log and the version say."""
    made = {"command": "true", "environment": "azureml:host", **outputs("uri_folder", name="of_step")}
    shared = {**made, "outputs": {"o": "${{parent.outputs.p}}"}}
    pipeline = {"type": "pipeline", "jobs": {"a": {"type": "command", **made}, "b": {"type": "command", **shared}}}
    pipeline["outputs"] = {"p": {"type": "uri_folder", "name": "of_pipeline"}}
    for version in ("1", "2"):
        ran = desk.job(json.dumps(pipeline))
        assert ran.code == 0, ran.err
        for name in ("of_step", "of_pipeline"):
            shown = desk.smalt(f"data list -n {name} -o json").json
            latest = shown[0]["version"]
            warning = desk.smalt(f"data show -n {name} --version {latest}").json["properties"].get("smalt.warning")
            assert warning is not None, (name, version)
            assert "wrote nothing to its output" in warning


@pytest.mark.parametrize(
    ("type", "marker", "mode"),
    [("mltable", "MLTable", "ro_mount"), ("mltable", "MLTable", "eval_mount"), ("mlflow_model", "MLmodel", "ro_mount")],
)
def test_an_output_without_the_file_of_its_type_is_told_at_the_step_and_to_its_readers(
    desk: Desk, type: str, marker: str, mode: str
) -> None:
    """The step that wrote it completes; who fails for the lack of the file names that step."""
    source = {"type": type, "path": "${{parent.jobs.a.outputs.o}}", "mode": mode}
    steps = {
        "a": step("touch ${{outputs.o}}/x", **outputs(type)),
        "b": step(f"cat ${{{{inputs.i}}}}/{marker}", inputs={"i": source}),
        "c": step("ls ${{inputs.i}}", inputs={"i": {**source, "mode": "ro_mount"}}),
    }
    settings = {"continue_on_step_failure": True, "force_rerun": True}
    ran = desk.job(json.dumps({"type": "pipeline", "jobs": steps, "settings": settings}))
    assert f"warning: its output 'o' is an {type} and has no file '{marker}'" in ran.err
    assert f"its input 'i' has no file '{marker}': step 'a' wrote its output 'o' without it" in ran.err
    assert "a: Completed" in ran.err
    assert "c: Completed" in ran.err
    assert "step b failed" in ran.err


def test_an_output_with_the_file_and_an_error_about_something_else(desk: Desk) -> None:
    source = {"type": "mltable", "path": "${{parent.jobs.a.outputs.o}}"}
    for write, fail in (
        ("echo 'paths: []' > ${{outputs.o}}/MLTable", "cat MLTable"),
        ("touch ${{outputs.o}}/x", "false"),
    ):
        steps = {
            "a": step(write, **outputs("mltable")),
            "b": step(f"{fail}; ls ${{{{inputs.i}}}}; exit 3", inputs={"i": source}),
        }
        ran = desk.job(json.dumps({"type": "pipeline", "jobs": steps}))
        assert "step b failed: the command exited with code 3" in ran.err, ran.err
        assert "without it" not in ran.err
