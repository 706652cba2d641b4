"""`--set`."""

from __future__ import annotations

from typing import Any

import pytest

from smalt.exceptions import ValidationException
from smalt.yaml import load_text

JOB = "type: pipeline\ninputs: {x: 1}\njobs: {a: {command: ls, inputs: {y: 1}}}\ntags: {a.b: c}\n"


def changed(*overrides: tuple[str, str]) -> dict[str, Any]:
    data: dict[str, Any] = load_text(JOB, "job", overrides=overrides).to_dict()
    return data


def test_values_are_read_as_yaml_words() -> None:
    """Numbers, booleans, text and quoted text come out as in a file."""
    data = changed(
        ("inputs.a", "3"), ("inputs.b", "true"), ("inputs.c", "c: d #e"), ("inputs.d", "'3'"), ("inputs.e", "")
    )
    assert data["inputs"] == {"x": 1, "a": 3, "b": True, "c": "c: d #e", "d": "3"}


def test_paths_are_made_where_they_are_not() -> None:
    """Keys on the way are created; list items are reached by number."""
    data = changed(("jobs.a.resources.instance_count", "2"), ("settings.force_rerun", "true"))
    assert data["jobs"]["a"]["resources"] == {"instance_count": 2}
    assert data["settings"] == {"force_rerun": True}


def test_whole_values_may_be_given() -> None:
    """Braces and brackets are YAML."""
    assert changed(("inputs.x", "{type: uri_file, path: 'azureml:d:1'}"))["inputs"]["x"]["path"] == "azureml:d:1"


@pytest.mark.parametrize("name", ["resources.docker_args[1]", "resources.docker_args.1"])
def test_items_of_lists_are_reached(name: str) -> None:
    """Both ways of writing an index work, and one past the end appends."""
    job = load_text("command: ls\nresources: {docker_args: [a]}\n", "job", overrides=[(name, "b")])
    assert job.resources.docker_args == ["a", "b"]


def test_a_key_with_dots_is_found() -> None:
    """A key that is there is preferred; quotes make one."""
    assert changed(("tags.a.b", "z"), ('tags."c.d"', "y"))["tags"] == {"a.b": "z", "c.d": "y"}


def test_a_mistake_names_the_argument() -> None:
    """A wrong value is told under the argument that gave it."""
    with pytest.raises(ValidationException) as caught:
        load_text(JOB, "job", overrides={"jobs.a.resources.instance_count": "two", "jobs.b.comand": "ls"})
    assert str(caught.value).splitlines() == [
        "--set jobs.a.resources.instance_count: 'instance_count' must be a whole number, not 'two'",
        "--set jobs.b.comand: unknown key 'comand' in a command job; did you mean 'command'?",
    ]


@pytest.mark.parametrize("name", ["", "a..b", "a[", "jobs.a.inputs[x]"])
def test_a_path_that_is_none_is_told(name: str) -> None:
    """A malformed path is a sentence."""
    with pytest.raises(ValidationException, match="names no key"):
        load_text(JOB, "job", overrides=[(name, "1")])


def test_an_index_out_of_range_is_told() -> None:
    """So is a word where a number must stand."""
    text = "command: ls\nresources: {docker_args: [a]}\n"
    for index in ("5", "x"):
        with pytest.raises(ValidationException, match=r"--set resources.docker_args"):
            load_text(text, "job", overrides=[(f"resources.docker_args.{index}", "b")])


def test_anchored_values_are_changed_in_one_place_only() -> None:
    """A value that two places share is changed where the path says."""
    text = "type: pipeline\njobs:\n  a: &a {command: ls}\n  b: *a\n"
    job = load_text(text, "job", overrides={"jobs.a.command": "pwd"})
    assert [step.command for step in job.jobs.values()] == ["pwd", "ls"]
