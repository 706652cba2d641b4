"""`--set` on the command line, from the words typed to what runs and is stored."""

from __future__ import annotations

import json

import pytest

from tests.acceptance.conftest import Desk

PIPELINE = """
type: pipeline
inputs: {epochs: 5}
jobs:
  a: {environment: azureml:host, inputs: {n: '${{parent.inputs.epochs}}'}, command: 'echo ${{inputs.n}}'}
"""
COMPONENT = """
name: vers
version: 1
type: command
environment: azureml:host
command: echo hi
"""
READER = """
name: reader
is_deterministic: false
type: command
environment: azureml:host
inputs: {raw: {type: uri_file}}
command: cat ${{inputs.raw}}
"""


def test_a_setting_that_names_nothing_runs_nothing(desk: Desk) -> None:
    """`--set inputs.epoch=3` is refused with the input that was meant; with it the pipeline runs."""
    ran = desk.job(PIPELINE, "--name typo --set inputs.epoch=3")
    assert ran.code == 2
    assert "--set inputs.epoch: no such input; did you mean 'epochs'?" in ran.err
    assert desk.smalt("job show typo").code != 0
    assert desk.log(PIPELINE, "--set inputs.epochs=3") == ["a | 3"]


@pytest.mark.parametrize("text", ["0012", "1.10", "10:30", "1_000", "0x10", "on", "null", "~"])
def test_text_is_stored_and_run_as_typed(desk: Desk, text: str) -> None:
    """A name, an input, a variable and a tag have the text that was typed, in the job's log and in what is stored."""
    job = "command: 'echo [${{inputs.at}}] $MARK'\nenvironment: azureml:host\ninputs: {at: x}\n"
    sets = f"inputs.at={text} environment_variables.MARK={text} tags.k={text} display_name={text}"
    name = f"text-{text}".replace(".", "-").replace(":", "-").replace("~", "tilde")
    assert desk.log(job, f"--name {name} --set {sets}") == [f"[{text}] {text}"]
    shown = desk.smalt(f"job show {name}").json
    assert (shown["tags"]["k"], shown["display_name"]) == (text, text)
    assert shown["environment_variables"]["MARK"] == text


def test_text_of_assets_is_stored_as_typed(desk: Desk) -> None:
    """So have tags and versions of components, environments and data, on create and on update."""
    desk.write("comp.yml", COMPONENT)
    made = desk.smalt("component create -f comp.yml --set tags.build=0012 version=1.10").json
    assert (made["tags"]["build"], made["version"]) == ("0012", "1.10")
    desk.write("d.txt", "d")
    made = desk.smalt("data create -n d --version 0x10 --path d.txt --type uri_file --tags a.b=on c=0012").json
    assert (made["version"], made["tags"]) == ("0x10", {"a.b": "on", "c": "0012"})
    changed = desk.smalt("data update -n d --version 0x10 --set tags.v=1.10 description=no").json
    assert (changed["tags"]["v"], changed["description"]) == ("1.10", "no")
    refused = desk.smalt("data update -n d --version 0x10 --set tgas.v=1")
    assert "--set tgas: unknown key" in refused.err or "--set tgas.v: unknown key" in refused.err


def test_a_path_of_the_command_line_is_relative_to_where_it_is_typed(desk: Desk) -> None:
    """Of an input, an input's path, and an input of a pipeline that a component reads; else it is said with a hint."""
    desk.write("raw.csv", "typed\n")
    desk.write("project/raw.csv", "beside\n")
    desk.write("project/old.csv", "old\n")
    desk.write("project/reader.yml", READER)
    step = "jobs: {a: {component: ./reader.yml, inputs: {raw: '${{parent.inputs.raw}}'}}}\n"
    for inputs in ("{raw: {type: uri_file, path: old.csv}}", "{raw: old.csv}"):
        pipeline = f"type: pipeline\ninputs: {inputs}\n{step}"
        ran = desk.job(pipeline, "", "project/p.yml")
        assert ran.lines == ["a | old"], ran.err
        assert desk.job(pipeline, "--set inputs.raw=raw.csv", "project/p.yml").lines == ["a | typed"]
        missing = desk.job(pipeline, "--set inputs.raw=rwa.csv", "project/p.yml")
        assert f"--set inputs.raw: there is no file or folder '{desk.folder}/rwa.csv'" in missing.err
        assert "did you mean 'raw.csv'?" in missing.err


def test_an_exported_job_keeps_its_texts(desk: Desk) -> None:
    """What `job export` writes reads as the texts that the job had."""
    texts = {"tags": {"on": "0012", "k": "1.10"}, "environment_variables": {"MARK": "10:30"}}
    job = {"command": "echo $MARK", "environment": "azureml:host", "name": "to-export", **texts}
    desk.job(json.dumps(job))
    assert desk.smalt("job export to-export --folder out").code == 0
    ran = desk.smalt("job create --file out/job.yml --stream --name exported")
    assert ran.lines == ["10:30"], ran.err
    assert desk.smalt("job show exported").json["tags"] == texts["tags"]
