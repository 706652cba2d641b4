"""What a component's file may have, what it declares, and what steps give to it, be it a file or registered."""

from __future__ import annotations

import json
import warnings
from typing import Any

import pytest

from smalt import load_component
from smalt.exceptions import ValidationException
from tests.acceptance.conftest import Desk

UPLOAD = """\
type: command
name: upload
display: to Kaggle
version: 1
instance_count: 1
environment: azureml:host
command: echo up
"""
UNKNOWN = [
    "c.yml:3:1: unknown key 'display' in a command component; did you mean 'display_name'?",
    "c.yml:5:1: unknown key 'instance_count' in a command component; did you mean 'resources.instance_count'?",
]


def pipeline(component: Any, given: Any = None, **more: Any) -> str:
    return json.dumps({"type": "pipeline", "jobs": {"a": {"component": component, "inputs": given or {}}}, **more})


def test_unknown_keys_of_a_component_file_are_warned_of(desk: Desk) -> None:
    """Where it is registered, where a job names it, and in a program, at the file's line."""
    desk.write("c.yml", UPLOAD)
    desk.write("p.yml", pipeline("./c.yml"))
    ran = desk.smalt("component create -f c.yml")
    assert ran.code == 0, ran.err
    assert ran.err.splitlines() == [f"warning: {line}" for line in UNKNOWN]
    assert desk.smalt("component create -f c.yml --only-show-errors").err == ""
    assert desk.smalt("job validate -f p.yml").json["warnings"] == UNKNOWN
    assert desk.job(pipeline("./c.yml"), "--name uploads").code == 0
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        assert load_component("c.yml").command == "echo up"
    assert [f"{one.filename}:{one.lineno}:1: {one.message}" for one in told] == UNKNOWN


@pytest.mark.parametrize(
    ("text", "options", "words"),
    [
        (UPLOAD, "--set displya=1", "--set displya: unknown key 'displya' in a command component"),
        (UPLOAD.replace("command: echo", "comand: echo"), "", "unknown key 'comand' in a command component; did you"),
        (UPLOAD + "inputs: {a: {type: string, defualt: x}}\n", "", "unknown key 'defualt'"),
        ("command: ls\nenvironment: azureml:host\nexperiment_name: x\n", "", "this is a job, not a component"),
    ],
)
def test_what_was_meant_otherwise_is_refused(desk: Desk, text: str, options: str, words: str) -> None:
    """A setting, a key for one that must be there, a key further in, a job."""
    desk.write("c.yml", text)
    ran = desk.smalt(f"component create -f c.yml {options}")
    assert ran.code != 0
    assert words in ran.err


def test_unknown_keys_of_a_job_are_refused(desk: Desk) -> None:
    """Also those of a component that stands in it."""
    for body in ({"instance_count": 1}, {"type": "pipeline", "jobs": {"a": {"component": {"display": "x"}}}}):
        desk.write("j.yml", json.dumps({"command": "ls", "environment": "azureml:host", **body}))
        assert "unknown key" in desk.smalt("job validate -f j.yml").err


def component(name: str, inputs: dict[str, Any], command: str = "true") -> str:
    body = {"type": "command", "name": name, "version": "1", "command": command, "environment": "azureml:host"}
    return json.dumps({**body, "inputs": inputs})


@pytest.mark.parametrize(
    ("declared", "words"),
    [
        ({"type": "integer", "min": 5, "max": 1}, "'max' (1) is less than 'min' (5); no value can satisfy both"),
        ({"type": "integer", "min": "low"}, "'min' must be a number, not 'low'"),
        ({"type": "string", "max": 4}, "'max' is for inputs that are an integer or a number, not string"),
        ({"type": "uri_folder", "enum": ["a"]}, "'enum' is for inputs that are literals, not uri_folder"),
        ({"type": "integer", "enum": [1, "x"]}, "an allowed value of 'n' must be an integer, not 'x'"),
        ({"type": "string", "enum": ["a", "b"], "default": "A"}, "the default of 'n' must be a or b, not 'A'"),
        ({"type": "number", "min": 0, "max": 1, "default": 2}, "the default of 'n' must be at most 1, not 2"),
    ],
)
def test_limits_that_no_value_meets_are_refused(desk: Desk, declared: dict[str, Any], words: str) -> None:
    """Where the component is created."""
    desk.write("c.yml", component("limits", {"n": declared}))
    ran = desk.smalt("component create -f c.yml")
    assert ran.code != 0
    assert words in ran.err


LIMITS = {
    "kind": {"type": "string", "enum": ["one", "Two"], "default": "one"},
    "n": {"type": "integer", "min": 1, "max": 5, "default": 2},
    "x": {"type": "number", "min": 0.5, "max": 1, "default": 0.5},
}
WRONG = [("kind", "ONE", "must be one or Two, not 'ONE'"), ("n", 9, "must be at most 5, not 9"),
         ("x", 0, "must be at least 0.5, not 0"), ("n", "two", "must be an integer, not 'two'")]  # fmt: skip


@pytest.mark.parametrize("is_registered", [False, True], ids=["file", "registered"])
@pytest.mark.parametrize(("name", "value", "words"), WRONG)
def test_values_beyond_the_limits_are_refused(
    desk: Desk, is_registered: bool, name: str, value: Any, words: str
) -> None:
    """Given to a step, bound to the pipeline's input, in a nested pipeline, and by `--set`, which is named then."""
    desk.write("c.yml", component("limited", LIMITS))
    assert desk.smalt("component create -f c.yml").code == 0
    given = "azureml:limited:1" if is_registered else "./c.yml"
    bound = {name: f"${{{{parent.inputs.{name}}}}}"}
    inner = {"type": "pipeline", "inputs": {name: {"type": LIMITS[name]["type"]}}}
    nested = {**inner, "jobs": {"b": {"component": given, "inputs": bound}}}
    good = {name: LIMITS[name]["default"]}
    for job, options, place in (
        (pipeline(given, {name: value}), "", "job.yml:1:"),
        (pipeline(given, bound, inputs={name: value}), "", "job.yml:1:"),
        (pipeline(nested, {name: value}), "", "job.yml:1:"),
        (pipeline(given, good), f"--set jobs.a.inputs.{name}={value}", f"--set jobs.a.inputs.{name}: "),
    ):
        desk.write("job.yml", job)
        for verb in ("validate", "create"):
            ran = desk.smalt(f"job {verb} -f job.yml {options}")
            assert ran.code != 0
            assert words in ran.err
            assert place in ran.err


@pytest.mark.parametrize("is_registered", [False, True], ids=["file", "registered"])
def test_an_unknown_input_of_a_nested_pipeline_is_told(desk: Desk, is_registered: bool) -> None:
    """In validate, on standard error at submission, and in the stream; what was perhaps meant, too."""
    inner = {
        "type": "pipeline",
        "name": "whole",
        "version": "1",
        "inputs": {"kind": {"type": "string", "default": "a"}},
    }
    step = {"command": "true", "environment": "azureml:host"}
    desk.write("w.yml", json.dumps({**inner, "jobs": {"s": step}}))
    assert desk.smalt("component create -f w.yml").code == 0
    desk.write("p.yml", pipeline("azureml:whole:1" if is_registered else "./w.yml", {"kidn": "b"}))
    words = "inputs.kidn has no effect: the component has no such input (did you mean 'kind'?) (step a)"
    assert desk.smalt("job validate -f p.yml").json["warnings"] == [words]
    assert f"warning: {words}" in desk.smalt("job create -f p.yml").err
    assert words in desk.smalt("job create -f p.yml --stream").err


@pytest.mark.parametrize("is_registered", [False, True], ids=["file", "registered"])
def test_text_for_data_is_a_path(desk: Desk, is_registered: bool) -> None:
    """Relative to the file, also by way of the pipeline's input; of a command line to the current folder."""
    desk.write(
        "c.yml",
        component(
            f"reader{is_registered}", {"d": {"type": "uri_folder"}}, f"cat ${{{{inputs.d}}}}/x # {is_registered}"
        ),
    )
    assert desk.smalt("component create -f c.yml").code == 0
    for folder, text in (("below/data", "below"), ("data", "here")):
        desk.write(f"{folder}/x", f"{text}\n")
    given = f"azureml:reader{is_registered}:1" if is_registered else "../c.yml"
    steps = {
        "a": {"component": given, "inputs": {"d": "./data"}},
        "b": {"component": given, "inputs": {"d": "${{parent.inputs.e}}"}},
    }
    job = json.dumps({"type": "pipeline", "inputs": {"e": "data"}, "jobs": steps})
    ran = desk.job(job, file="below/job.yml")
    assert sorted(ran.lines) == ["a | below", "b | below"], ran.err
    ran = desk.job(job, "--set inputs.e=data --set jobs.a.inputs.d=./data", file="below/job.yml")
    assert sorted(ran.lines) == ["a | here", "b | here"], ran.err


def test_an_asset_as_text_is_data_of_a_registered_component(desk: Desk) -> None:
    """As of one in a file."""
    desk.write("c.yml", component("reads", {"d": {"type": "uri_folder"}}, "cat ${{inputs.d}}/x"))
    desk.write("kept/x", "kept\n")
    assert desk.smalt("component create -f c.yml").code == 0
    assert desk.smalt("data create -n kept --version 1 --path kept --type uri_folder").code == 0
    for given in ("azureml:reads:1", "./c.yml"):
        ran = desk.job(pipeline(given, {"d": "azureml:kept:1"}))
        assert ran.code == 0, ran.err
    with pytest.raises(ValidationException):
        load_component({"type": "command", "name": "x", "command": "ls", "inputs": {"a": {"type": "nothing"}}})
