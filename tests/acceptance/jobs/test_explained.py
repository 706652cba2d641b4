"""What `explain-reuse` and `job compare` say of the steps of pipelines: with the right reason, beside the right run."""

from __future__ import annotations

from tests.acceptance.conftest import Desk

PIPELINE = """
    type: pipeline
    jobs:
      prep:
        type: command
        command: echo PROJECT > ${{outputs.out}}/x
        environment: azureml:host
        outputs: {out: {type: uri_folder}}
      train:
        type: command
        command: echo RATE; cat ${{inputs.given}}/x
        environment: azureml:host
        inputs: {given: "${{parent.jobs.prep.outputs.out}}"}
"""
ECHO = """
    type: command
    name: echo
    version: VERSION
    command: echo VERSION ${{inputs.text}} > ${{outputs.out}}
    environment: azureml:host
    inputs: {text: {type: string}}
    outputs: {out: {type: uri_file}}
"""
NESTED = """
    type: pipeline
    name: inner
    version: "1"
    IS
    outputs: {out: {type: uri_file}}
    jobs:
      one:
        type: command
        component: azureml:echo:1
        inputs: {text: hello}
        outputs: {out: "${{parent.outputs.out}}"}
"""


def _run(desk: Desk, text: str, options: str = "") -> str:
    name = desk.ask(f"job create --file {desk.write('job.yml', text)} {options} --query name")
    assert desk.smalt(f"job stream {name}").code == 0
    return name


def _pipeline(project: str, rate: str, *, prep: str = "prep") -> str:
    return PIPELINE.replace("PROJECT", project).replace("RATE", rate).replace("prep", prep)


def _reason(desk: Desk, job: str, node: str) -> str:
    return str(desk.smalt(f"job explain-reuse {job} --node {node} -o json").json[0]["reason"])


def test_a_step_is_beside_the_earlier_run_of_itself(desk: Desk) -> None:
    """Not beside a step of an unrelated pipeline that has the same command, or the same command and name."""
    own = _run(desk, _pipeline("sales", "0.1"))
    _run(desk, _pipeline("churn", "0.2", prep="fetch"))
    later = _run(desk, _pipeline("sales", "0.2"))
    found = desk.smalt(f"job explain-reuse {later} --node train -o json").json[0]
    assert found["compared_to"]["job"] == f"{own}-train"
    assert found["reason"].startswith("command differs")


def test_why_a_step_was_made_to_run(desk: Desk) -> None:
    """By --from, by the settings, by a pipeline step that is not deterministic: each says its own reason."""
    text = _pipeline("stock", "0.3")
    _run(desk, text)
    part = _run(desk, text, "--from train")
    assert "--only or --from" in _reason(desk, part, "train")
    forced = _run(desk, text, "--set settings.force_rerun=true")
    assert _reason(desk, forced, "train") == "not in this run: force_rerun is true"
    desk.smalt(f"component create --file {desk.write('echo.yml', ECHO.replace('VERSION', '1'))}")
    desk.write("inner.yml", NESTED.replace("IS", "is_deterministic: false"))
    outer = _run(desk, "\n    type: pipeline\n    jobs: {whole: {type: pipeline, component: ./inner.yml}}\n")
    reason = _reason(desk, outer, "whole/one")
    assert reason == "not in this run: is_deterministic of the step 'whole', a pipeline, is false"


def test_pipelines_are_compared_step_by_step(desk: Desk) -> None:
    """The versions of components, what steps read and what they registered, where they differ."""
    for version in ("1", "2"):
        file = desk.write("echo.yml", ECHO.replace("VERSION", version))
        assert desk.smalt(f"component create --file {file}").code == 0
    text = """
    type: pipeline
    jobs:
      one:
        type: command
        component: azureml:echo@VERSION
        inputs: {text: hello}
        outputs: {out: {type: uri_file, name: said}}
      two:
        type: command
        command: cat ${{inputs.given}}
        environment: azureml:host
        inputs: {given: {type: uri_file, path: "${{parent.jobs.one.outputs.out}}"}}
    """
    first, second = (_run(desk, text.replace("@VERSION", f":{version}")) for version in ("1", "2"))
    rows = desk.smalt(f"job compare {first} {second} -o json").json
    steps = {row["name"]: (row[first], row[second]) for row in rows if row["what"] == "step"}
    assert steps["one: component"] == ("echo:1", "echo:2")
    assert steps["one: outputs.out"] == ("data/said/versions/1", "data/said/versions/2")
    assert set(steps) == {"one: component", "one: command", "one: outputs.out"}
