"""A job submitted again under a name that is there: the same job where it is the same in all, else refused."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from smalt import MLClient, load_job
from smalt.machine.home import Home
from tests.acceptance.conftest import Desk
from tests.helpers import WORKSPACE, eventually

COMMAND = "environment: azureml:host\ninputs: {d: {type: uri_file, path: d.txt}}\ncommand: cat ${{inputs.d}}\n"
FOLDER = "environment: azureml:host\ninputs: {d: {type: uri_folder, path: f}}\ncommand: cat ${{inputs.d}}/s/d.txt\n"
PIPELINE = """
type: pipeline
inputs: {d: {type: uri_file, path: d.txt}}
jobs:
  a: {environment: azureml:host, inputs: {d: "${{parent.inputs.d}}"}, command: "cat ${{inputs.d}}"}
"""
STEP = """
type: pipeline
jobs:
  a: {environment: azureml:host, inputs: {d: {type: uri_file, path: d.txt}}, command: "cat ${{inputs.d}}"}
"""
COMPONENT = "type: pipeline\ncomponent: ./whole.yml\ninputs: {d: {type: uri_file, path: d.txt}}\n"
WHOLE = """
type: pipeline
inputs: {d: {type: uri_file}}
jobs:
  a: {environment: azureml:host, inputs: {d: "${{parent.inputs.d}}"}, command: "cat ${{inputs.d}}"}
"""
JOBS = {"command": COMMAND, "folder": FOLDER, "pipeline": PIPELINE, "step": STEP, "component": COMPONENT}


def other_content(folder: Path) -> None:
    for name in ("d.txt", "f/s/d.txt"):
        (folder / name).write_text("d2\n")


def another_with_an_old_time(folder: Path) -> None:
    """As `cp -p` and `rsync -t` leave it: the file's time is before the job's."""
    for name in ("d.txt", "f/s/d.txt"):
        (folder / "new").write_text("d2\n")
        os.utime(folder / "new", (1, 1))
        os.replace(folder / "new", folder / name)


@pytest.fixture
def files(desk: Desk) -> Desk:
    """A desk with data that no other test has: a step that is the same as an earlier one is reused and logs nothing."""
    for name in ("d.txt", "f/s/d.txt"):
        desk.write(name, f"d1 of {desk.folder}\n")
    desk.write("whole.yml", WHOLE)
    return desk


@pytest.mark.parametrize("change", [other_content, another_with_an_old_time])
@pytest.mark.parametrize("job", JOBS)
def test_other_data_is_another_job(files: Desk, job: str, change: Callable[[Path], None]) -> None:
    """Whatever its path: the earlier log is not shown as that of the new data."""
    name = f"{job}-{change.__name__.replace('_', '-')}"
    assert files.job(JOBS[job], f"--name {name}").code == 0
    again = files.smalt(f"job create --file job.yml --name {name} --stream")
    assert again.code == 0, again.err
    assert "d1" in again.out
    change(files.folder)
    changed = files.smalt(f"job create --file job.yml --name {name} --stream")
    assert changed.code != 0
    assert f"job '{name}' exists and is another job: its input '" in changed.err
    assert "choose another name" in changed.err
    assert "d1" not in changed.out


@pytest.mark.parametrize(("name", "written"), [("near", "../d.txt"), ("whole", "{folder}/d.txt")])
def test_what_a_table_names_elsewhere_is_the_jobs_data(files: Desk, name: str, written: str) -> None:
    """A job whose MLTable names a file outside of its folder is another job once that file has changed."""
    files.write("t/MLTable", f"paths: [{{file: {written.format(folder=files.folder)}}}]\n")
    text = "environment: azureml:host\ninputs: {d: {type: mltable, path: t}}\ncommand: cat ${{inputs.d}}/MLTable\n"
    assert files.job(text, f"--name {name}").code == 0
    assert files.job(text, f"--name {name}").code == 0
    other_content(files.folder)
    refused = files.job(text, f"--name {name}")
    assert refused.code == 1
    assert f"job '{name}' exists and is another job: its input 'd'" in refused.err


def test_another_body_is_another_job(files: Desk) -> None:
    """The refusal names what differs, as users write it."""
    files.write("code/a.sh", "echo 1\n")
    text = COMMAND + "code: code\n"
    assert files.job(text, "--name same").code == 0
    for edit, word in (
        ("--set command=ls", "'command'"),
        ("--set inputs.d.mode=download", "'inputs'"),
        ("--set compute=c", "'compute'"),
    ):
        ran = files.smalt(f"job create --file job.yml --name same {edit}")
        assert ran.code != 0
        assert f"job 'same' exists and is another job: {word} differs; choose another name" in ran.err
    files.write("code/a.sh", "echo 2\n")
    assert "'code' differs" in files.smalt("job create --file job.yml --name same").err


def test_a_job_that_was_got_can_be_described_whatever_became_of_its_data(files: Desk) -> None:
    """Tags and the like have nothing to do with the data of a job that ran."""
    assert files.job(COMMAND, "--name described").code == 0
    other_content(files.folder)
    assert files.ask("job update --name described --set tags.a=b --query tags.a") == "b"


def test_a_job_of_a_component_that_is_sent_again_may_have_other_tags(files: Desk) -> None:
    """Its steps were read from the component when it was submitted; the file still has none."""
    steps = "type: pipeline\nname: steps\nversion: '1'\njobs:\n  a: {command: echo hi, environment: azureml:host}\n"
    leaf = files.write("steps.yml", steps)
    assert files.smalt(f"component create --file {leaf}").code == 0
    job = files.write("of.yml", "type: pipeline\ncomponent: azureml:steps@latest\n")
    assert files.smalt(f"job create --file {job} --name of --stream").code == 0
    again = files.smalt(f"job create --file {job} --name of --set tags.a=b")
    assert again.code == 0, again.err
    assert "exists already with the same definition, and its tags changed" in again.err


SWEEP = """
type: sweep
trial: {{environment: azureml:host, command: "{log} ${{{{search_space.n}}}} > ${{{{outputs.o}}}}/n.txt"}}
outputs: {{o: }}
search_space: {{n: {{type: choice, values: [1, 2]}}}}
objective: {{primary_metric: loss, goal: minimize}}
limits: {{max_total_trials: 2}}
"""


def show_notes(desk: Desk, name: str) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = desk.smalt(f"job show {name} --query '{{p: properties, t: tags}}' -o json").json
    return found


def test_a_sweep_that_is_sent_again_keeps_its_best_trial_and_seed(files: Desk) -> None:
    """Notes that the server and a person have added since stay, and a tag of the file is added."""
    log = Path(__file__).parents[2] / "engine" / "log_metric.py"
    database = files.server.home.root / "workspaces" / "default" / "mlflow.db"
    file = files.write("sweep.yml", SWEEP.format(log=f"{sys.executable} -S -E {log} {database} loss"))
    assert files.smalt(f"job create --file {file} --name swept --stream").code == 0
    assert files.smalt("job update --name swept --set tags.mine=1").code == 0
    before = show_notes(files, "swept")
    assert {"best_child_run_id", "score", "best_metric_status", "smalt.seed"} <= before["p"].keys()
    assert before["t"] == {"best_child_run_id": before["p"]["best_child_run_id"], "mine": "1"}
    again = files.smalt(f"job create --file {file} --name swept")
    assert "job 'swept' exists already with the same definition; no new job was started" in again.err
    assert show_notes(files, "swept") == before
    assert files.smalt(f"job create --file {file} --name swept --set tags.a=b").code == 0
    assert show_notes(files, "swept") == {**before, "t": {**before["t"], "a": "b"}}
    assert files.smalt("job download swept --output-name o -p got").code == 0


def test_a_job_object_from_before_the_end_updates_no_note_of_the_end(files: Desk) -> None:
    """The object of `create_or_update` has no best trial yet; it still has none when its tags are changed later."""
    log = Path(__file__).parents[2] / "engine" / "log_metric.py"
    database = files.server.home.root / "workspaces" / "default" / "mlflow.db"
    file = files.write("early.yml", SWEEP.format(log=f"{sys.executable} -S -E {log} {database} loss"))
    client = MLClient(home=Home(files.server.home.root))
    early = client.jobs.create_or_update(load_job(file))
    client.jobs.stream(str(early.name))
    before = show_notes(files, str(early.name))
    early.tags = {"a": "b"}
    client.jobs.create_or_update(early)
    assert show_notes(files, str(early.name)) == {**before, "t": {**before["t"], "a": "b"}}


def test_a_job_that_is_sent_again_by_rest_keeps_what_only_smalt_sets(files: Desk) -> None:
    """So does one that an earlier GET answered: neither a client's silence nor its value changes it."""
    path = f"{WORKSPACE.format('default')}/jobs/noted"
    sent = {"jobType": "Command", "command": "true", "environmentId": "azureml:host", "unknown": [1]}
    assert files.server.ask("PUT", path, {"properties": sent}).status == 201
    eventually(lambda: files.server.ask("GET", path).body["properties"]["status"] == "Completed")
    late = files.server.ask("GET", path).body["properties"]
    for body in (sent, late):
        for notes in ({}, {"smalt.no_effect": "x"}):
            answer = files.server.ask("PUT", path, {"properties": {**body, "properties": notes}})
            assert answer.status == 200
            assert answer.body["properties"]["properties"] == late["properties"]


@pytest.mark.parametrize("job", ["command", "pipeline"])
def test_the_same_job_again_says_that_nothing_runs(files: Desk, job: str) -> None:
    """The old log is shown with exit 0, so a line says that it is old; and what was updated, if anything was."""
    file, name = files.write("job.yml", JOBS[job]), f"again-{job}"
    first = files.smalt(f"job create --file {file} --name {name} --stream")
    assert first.code == 0
    assert "exists already" not in first.err
    again = files.smalt(f"job create --file {file} --name {name} --stream")
    assert again.code == 0
    assert f"job '{name}' exists already with the same definition; no new job was started" in again.err
    described = files.smalt(f"job create --file {file} --name {name} --set description=more --set tags.a=b")
    assert described.code == 0
    assert f"job '{name}' exists already with the same definition, and its description and tags" in described.err
    assert "tags changed; no new job was started" in described.err
    quiet = files.smalt(f"job create --file {file} --name {name} --only-show-errors")
    assert quiet.err == ""
