"""A job submitted again under a name that is there: the same job where it is the same in all, else refused."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.acceptance.conftest import Desk

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
