"""Python steps start warm unless the setting says otherwise, and say how they started where they are asked to."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from smalt.service.tracking.mlflow_environment import CHILD
from tests.acceptance.conftest import Desk
from tests.helpers import eventually

PIPELINE = """
    type: pipeline
    settings: {force_rerun: true}
    jobs:
      a: {type: command, code: src, command: python step.py 1, environment: azureml:host, outputs: {o: }}
      b:
        type: command
        code: src
        command: python step.py 2 ${{inputs.i}}
        environment: azureml:host
        inputs: {i: "${{parent.jobs.a.outputs.o}}"}
      c:
        type: command
        code: src
        command: python step.py 3
        environment: azureml:host
        properties: {smalt.warm: "off"}
      d:
        type: command
        code: src
        command: python step.py 4
        environment: azureml:host
        properties: {smalt.warm: "on"}
    """


@pytest.mark.parametrize("kind", ["root", "ordinary"])
def test_steps_start_warm(desk: Desk, request: pytest.FixtureRequest, kind: str) -> None:
    """What comes after the first steps starts warm; the status shows the interpreter."""
    if kind == "ordinary":
        desk = request.getfixturevalue("ordinary")
    desk.write("src/step.py", "import decimal, os, sys\nprint('ran', sys.argv[1], os.environ['AZUREML_RUN_ID'])\n")
    for _ in range(2):
        assert desk.job(PIPELINE).code == 0
    eventually(lambda: desk.smalt("server status -o json").json.get("warm", {}).get("parents"), "a parent")

    def parents_wait() -> bool:
        return all(one["waiting"] for one in desk.smalt("server status -o json").json["warm"]["parents"])

    eventually(parents_wait, "children that wait")
    assert desk.job(PIPELINE, "--name measured").code == 0
    logs = {path.parents[1].name: path.read_text() for path in find_logs(desk) if "measured" in str(path)}
    assert logs == {"dcid.measured-d": "started warm: imported before: decimal\n"}
    assert desk.smalt("server status -o json").json["warm"]["started"]["warm"] >= 3
    steps = {one["step"]: one for one in desk.smalt("job show -n measured -o json").json["steps"]}
    assert [steps[name]["start_mode"] for name in "abcd"] == ["warm", "warm", "cold", "warm"]
    assert all(one["first_line_seconds"] > 0 for one in steps.values())
    assert steps["d"]["imported_before"] == "decimal"
    assert isinstance(steps["d"]["saved_seconds"], float)
    assert "saved_seconds" not in steps["c"]
    assert [steps[name].get("cold_reason") for name in "acd"] == [None, "its property smalt.warm is off", None]
    assert desk.smalt("config set warm off").code == 0
    try:
        assert desk.job(PIPELINE, "--name after").code == 0
    finally:
        desk.smalt("config unset warm")
    steps = {one["step"]: one for one in desk.smalt("job show -n after -o json").json["steps"]}
    assert [steps[name]["start_mode"] for name in "abcd"] == ["cold", "cold", "cold", "warm"]
    assert [steps[name].get("cold_reason") for name in "abd"] == ["warm starts are off", "warm starts are off", None]


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        ("python step.py", "the first of its kind"),  # the launcher's reason
        ("python step.py > out", "its command has more of a shell, or of Python's options, than can be read ahead"),
        ("ls", "its command is not one Python program"),
    ],
)
def test_a_job_says_why_it_started_cold(desk: Desk, command: str, reason: str) -> None:
    """Without a property that asks for it, and beside no file more in its logs."""
    desk.write("src/step.py", "import glob, pickle, statistics, uuid\n")
    job = f"""
        type: command
        code: src
        command: {command}
        environment: azureml:host
    """
    name = f"cold_{len(command)}"
    assert desk.job(job, f"--name {name}").code == 0
    shown = desk.smalt(f"job show -n {name} -o json").json
    assert (shown["start_mode"], shown["cold_reason"]) == ("cold", reason)


def test_a_pipelines_word_holds_for_its_steps(desk: Desk) -> None:
    """A step says otherwise for itself; a setting that is off is overruled."""
    desk.write("src/step.py", "print('ran')\n")
    job = """
        type: pipeline
        properties: {smalt.warm: "on"}
        jobs:
          a: {type: command, code: src, command: python step.py, environment: azureml:host}
          b:
            type: command
            code: src
            command: python step.py
            environment: azureml:host
            properties: {smalt.warm: "off"}
        """
    assert desk.smalt("config set warm off").code == 0
    try:
        assert desk.job(job, "--name word").code == 0
    finally:
        desk.smalt("config unset warm")
    said = {path.parents[1].name[-1]: "started" in path.read_text() for path in find_logs(desk) if "word" in str(path)}
    assert said["a"]
    assert not said.get("b")


def test_a_wrong_word_is_said(desk: Desk) -> None:
    """A property that is neither on nor off is named in the job's log."""
    desk.write("src/step.py", "print(1)\n")
    job = """
        command: python step.py
        code: src
        environment: azureml:host
        properties: {smalt.warm: perhaps}
        """
    assert desk.job(job, "--name wrong").code == 0
    (log,) = [path for path in find_logs(desk) if "wrong" in str(path)]
    assert "smalt.warm is neither on nor off, but 'perhaps'" in log.read_text()


def find_logs(desk: Desk) -> list[Path]:
    return list(desk.server.home.root.rglob("smalt.log"))


def test_mlflow_starts_beside_a_program_that_imports_it(desk: Desk) -> None:
    """It is read from the program; for any other program MLflow starts when something is logged."""
    calls = desk.folder / "calls"
    python = desk.write("python", f'#!/bin/sh\necho "$@" >>{calls}\nexec {sys.executable} "$@"\n')
    python.chmod(0o755)
    job = "{type: command, code: %s, command: python step.py, environment: azureml:host}"
    assert desk.smalt(f"config set mlflow-python {python}").code == 0
    try:
        desk.write("plain/step.py", "print('ran')\n")
        assert desk.job(job % "plain").code == 0
        assert str(CHILD) not in calls.read_text()
        desk.write("logs/step.py", "try:\n    import mlflow\nexcept ImportError:\n    print('no MLflow here')\n")
        assert desk.job(job % "logs").code == 0
        eventually(lambda: str(CHILD) in calls.read_text(), "the start of MLflow")
    finally:
        desk.smalt("config unset mlflow-python")
