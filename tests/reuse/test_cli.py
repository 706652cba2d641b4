"""`smalt job explain-reuse`, and what else people see of reuse, with a real server."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from smalt import MLClient
from tests.helpers import Server

PIPELINE = """
type: pipeline
jobs:
  prep:
    command: sort ${{inputs.data}}/rows.csv > ${{outputs.out}}/rows.csv
    environment: azureml:host
    inputs: {data: {type: uri_folder, path: data}}
    outputs: {out: {type: uri_folder}}
  train:
    code: src
    command: sh train.sh ${{inputs.data}} ${{inputs.rate}} > ${{outputs.model}}/model.txt
    environment: azureml:host
    inputs:
      data: ${{parent.jobs.prep.outputs.out}}
      rate: 0.1
    outputs: {model: {type: uri_folder}}
"""
SCRIPT = "cat $1/rows.csv\necho rate $2\n"


class Project:
    """A folder with a pipeline, and the program that runs it in a workspace of its own."""

    def __init__(self, folder: Path, server: Server, workspace: str) -> None:
        self.folder = folder
        self._server = server
        self._workspace = workspace.rpartition("/")[2]
        self._environment = {**os.environ, "SMALT_HOME": str(server.home.root)}
        (folder / "src").mkdir()
        (folder / "data").mkdir()
        self.write("pipe.yml", PIPELINE)
        self.write("src/train.sh", SCRIPT)
        self.write("data/rows.csv", "b\na\n")

    def write(self, name: str, text: str) -> None:
        (self.folder / name).write_text(text)

    @property
    def client(self) -> MLClient:
        return MLClient(home=self._server.home, workspace_name=self._workspace)

    def smalt(self, *words: str, code: int = 0) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "smalt", *words, "-w", self._workspace],
            cwd=self.folder,
            env=self._environment,
            capture_output=True,
            text=True,
        )
        assert done.returncode == code, done.stderr
        return done.stdout + done.stderr

    def run(self, name: str, code: int = 0) -> str:
        return self.smalt("job", "create", "-f", "pipe.yml", "--name", name, "--stream", code=code)

    def delete(self, name: str) -> None:
        id = json.loads(self.smalt("job", "show", "-n", name, "-o", "json"))["id"]
        assert self._server.ask("DELETE", id).status == 200

    def explain(self, name: str, *words: str) -> str:
        return self.smalt("job", "explain-reuse", name, *words)


@pytest.fixture
def project(module_server: Server, tmp_path: Path, workspace: str) -> Project:
    return Project(tmp_path, module_server, workspace)


def differing(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if not line.startswith("  same")][2:]


def test_each_kind_of_change_is_told_exactly(project: Project) -> None:
    """A line of a script, a parameter, a file of the data: the explanation tells that and nothing else."""
    project.run("one")
    told = project.run("two")
    assert "prep: Completed, reused" in told
    assert "2 Completed (2 reused)" in told
    assert project.explain("two").count("reused: it reuses the outputs of job one-") == 2

    project.write("src/train.sh", SCRIPT.replace("echo rate", "echo the rate is"))
    project.run("script")
    assert "prep: reused" in project.explain("script")
    assert differing(project.explain("script", "--node", "train")) == [
        "differs  code", "train.sh:2", "- echo rate $2", "+ echo the rate is $2",
    ]  # fmt: skip

    project.write("pipe.yml", PIPELINE.replace("0.1", "0.2"))
    project.run("parameter")
    assert differing(project.explain("parameter", "--node", "train")) == ["differs  inputs.rate: 0.2, was 0.1"]

    project.write("data/rows.csv", "b\na\nc\n")
    project.run("data")
    found = differing(project.explain("data", "--node", "prep"))
    assert found[0] == "differs  inputs.data"
    assert found[1].startswith("rows.csv: 6 bytes")
    assert "was 4 bytes" in found[1]

    (step,) = json.loads(project.explain("data", "--node", "train", "-o", "json"))
    assert [part["part"] for part in step["parts"] if not part["same"]] == ["inputs.data"]
    assert step["compared_to"]["job"] == "parameter-train"


def test_outputs_stay_while_a_job_has_them(project: Project, module_server: Server) -> None:
    """Outputs that another job has stay when the job that made them is deleted, and go with the last that has them."""
    project.write("pipe.yml", PIPELINE.replace("0.1", "7"))
    project.run("maker")
    project.run("user")
    made = module_server.home.path("workspaces")
    places = list(made.glob("*/datastores/workspaceblobstore/azureml/maker-train/model/model.txt"))
    assert len(places) == 1
    project.delete("maker")
    assert "rate 7" in places[0].read_text()
    project.delete("user")
    assert not places[0].exists()


def test_logs_and_files_are_those_of_the_earlier_step(project: Project) -> None:
    """What is downloaded of a reused step is what the earlier one wrote, its log among it."""
    project.write("pipe.yml", PIPELINE.replace("> ${{outputs.model}}", "| tee outputs/kept > ${{outputs.model}}"))
    project.run("first")
    project.run("second")
    project.smalt("job", "download", "-n", "second-train", "--all", "-p", "down")
    assert "rate 0.1" in (project.folder / "down" / "artifacts" / "outputs" / "kept").read_text()
    assert "rate 0.1" in (project.folder / "down" / "named-outputs" / "model" / "model.txt").read_text()


def test_an_identical_step_whose_original_was_deleted_is_told(project: Project) -> None:
    """It was reused itself, so it has nothing of its own that a later one could have; that is what is said."""
    project.write("data/rows.csv", "only here\n")
    project.run("origin")
    project.run("heir")
    project.delete("origin")
    project.run("late")
    told = project.smalt("job", "explain-reuse", "late")
    assert "no earlier pipeline step is similar" not in told
    assert "job heir-prep is identical, but was itself reused, and the job that ran, origin-prep, was deleted" in told


def test_a_step_that_is_new_is_not_compared_with_another_of_the_same_code(project: Project) -> None:
    """The steps of a pipeline often share a folder of code; that makes them no versions of each other."""
    project.write("src/new.sh", "echo new\n")
    project.run("before")
    step = "  fresh:\n    code: src\n    command: sh new.sh\n    environment: azureml:host\n"
    project.write("pipe.yml", PIPELINE + step)
    project.run("after")
    (told,) = json.loads(project.explain("after", "--node", "fresh", "-o", "json"))
    assert told["reason"] == "this step has not run before: no earlier pipeline step is similar"
    assert told["compared_to"] is None


FRAGILE = """
type: pipeline
experiment_name: %s
jobs:
  fragile: {command: '%s', environment: azureml:host}
"""


def test_a_step_that_failed_before_is_told(project: Project) -> None:
    """Its name and that it failed, whether it is the same or was changed since; by the command line and Python."""
    mark = project.folder / "mark"
    project.write("pipe.yml", FRAGILE % ("failing", f"test -e {mark}"))
    project.run("failed", code=1)
    mark.touch()
    project.run("same")
    sentence = "job failed-fragile, which may have been identical, failed; only completed steps are reused"
    assert f"fragile: ran: {sentence}\n" in project.smalt("job", "explain-reuse", "same")
    (told,) = project.client.jobs.explain_reuse("same", "fragile")
    assert (told["reason"], told["compared_to"]) == (sentence, None)
    project.delete("same")
    project.write("pipe.yml", FRAGILE % ("failing", f"cat {mark}"))
    project.run("changed")
    (told,) = project.client.jobs.explain_reuse("changed", "fragile")
    assert told["reason"] == "a step of this name failed as job failed-fragile; only completed steps are reused"


def test_a_failed_step_of_another_pipeline_is_not_told(project: Project) -> None:
    """Of the same name and experiment, but among other steps: that is no earlier run."""
    other = "  other-%s: {command: echo %s, environment: azureml:host}\n"
    project.write("pipe.yml", FRAGILE % ("apart", "echo bananas; exit 3") + other % ("one", "one"))
    project.run("apart-one", code=1)
    project.write("pipe.yml", FRAGILE % ("apart", "true") + other % ("two", "two"))
    project.run("apart-two")
    (told,) = project.client.jobs.explain_reuse("apart-two", "fragile")
    assert told["reason"] == "this step has not run before: no earlier pipeline step is similar"


def test_a_failed_step_is_nearer_than_a_completed_one_that_differs(project: Project) -> None:
    """It is named, and the differences are those from the completed one."""
    mark = project.folder / "mark"
    project.write("pipe.yml", FRAGILE % ("nearer", "echo one"))
    project.run("completed")
    project.write("pipe.yml", FRAGILE % ("nearer", f"test -e {mark}"))
    project.run("nearer-failed", code=1)
    mark.touch()
    project.run("repaired")
    (told,) = project.client.jobs.explain_reuse("repaired", "fragile")
    sentence = "job nearer-failed-fragile, which may have been identical, failed; only completed steps are reused"
    assert told["reason"] == sentence
    assert told["compared_to"]["job"] == "completed-fragile"
