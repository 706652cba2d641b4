"""`smalt job export`: a job that ran, as a folder that runs again elsewhere."""

from __future__ import annotations

import ast
import itertools
import re
import shlex
from pathlib import Path

import pytest

import smalt
from smalt import MLClient, load_job
from tests.acceptance.conftest import Desk
from tests.helpers import running_server

COMMAND = re.compile(r"(?:^|: )(smalt .*)$", re.MULTILINE)
PIPELINE = """
    type: pipeline
    display_name: two
    inputs:
      data: {type: uri_folder, path: data}
    jobs:
      first:
        type: command
        component: component.yml
        inputs: {data: "${{parent.inputs.data}}"}
      second:
        type: command
        command: cat ${{inputs.said}}/said.txt
        environment: azureml:host
        inputs: {said: {path: "${{parent.jobs.first.outputs.said}}", type: uri_folder}}
"""


def test_an_exported_pipeline_runs_in_another_home(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Code, component, environment and input are in the folder; it runs where nothing of the first home is."""
    desk.write("data/a.txt", "the data\n")
    desk.write("src/say.sh", "cat $1/a.txt > $2/said.txt\n")
    desk.write("env.yml", "name: mine\nversion: 7\nimage: any\n")
    desk.write(
        "component.yml",
        """
        name: say
        type: command
        command: bash say.sh ${{inputs.data}} ${{outputs.said}}
        code: src
        environment: azureml:host
        inputs: {data: {type: uri_folder}}
        outputs: {said: {type: uri_folder}}
        """,
    )
    desk.write("job.yml", PIPELINE)
    name = desk.ask("job create --file job.yml --query name")
    assert desk.smalt(f"job stream {name}").code == 0
    ran = desk.smalt(f"job export {name} --folder moved --copy-inputs")
    assert ran.code == 0, ran.err
    for gone in ("data", "src"):
        (desk.folder / gone).rename(desk.folder / f"{gone}-gone")
    with running_server() as other:
        monkeypatch.setenv("SMALT_HOME", str(other.home.root))
        again = desk.smalt("job create --file moved/job.yml --stream")
        assert again.code == 0, again.err
        assert "the data" in again.out
    assert desk.smalt(f"job export {name} --folder moved").err.strip().endswith("is not empty; name a new folder")


def test_what_show_prints_is_a_file_that_loads_and_runs(desk: Desk) -> None:
    """`job show -o yaml` of a failed job is a job file: it loads as the equal object, and runs as another job."""
    desk.write("job.yml", "command: exit 4\nenvironment: azureml:host\ninputs: {x: 3}\n")
    name = desk.ask("job create --file job.yml --query name")
    assert desk.smalt(f"job stream {name}").code == 1
    desk.write("shown.yml", desk.smalt(f"job show {name} -o yaml").out)
    shown, dumped = MLClient().jobs.get(name), desk.folder / "dumped.yml"
    shown.dump(dumped)
    assert load_job("shown.yml") == shown
    assert load_job(dumped) == shown
    assert desk.ask("job create --file shown.yml --name another --query name") == "another"
    assert desk.smalt("job stream another").code == 1


@pytest.mark.parametrize("folder", ["with blank/y", "plain", "it's", "$HOME; true"])
def test_the_command_that_export_prints_works_as_it_is_printed(desk: Desk, folder: str) -> None:
    """Whatever the folder is called."""
    desk.write("job.yml", "type: command\ncommand: echo again\nenvironment: azureml:host\n")
    name = desk.ask("job create --file job.yml --query name")
    assert desk.smalt(f"job stream {name}").code == 0
    printed = desk.smalt(f"job export {name} --folder {shlex.quote(folder)}").err
    found = COMMAND.search(printed)
    assert found, printed
    ran = desk.smalt(found[1].removeprefix("smalt ") + " --stream")
    assert ran.code == 0, ran.err
    assert "again" in ran.out


def test_paths_in_printed_commands_are_quoted() -> None:
    """In all of smalt's sources: a value after --file and its like comes from shlex.quote, or is a name."""
    option = re.compile(r"smalt .*(--file|--folder|--path|--download-path|--python|-f) $")
    bad = []
    for file in Path(smalt.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            parts = node.values if isinstance(node, ast.JoinedStr) else []
            for before, value in itertools.pairwise(parts):
                text = str(before.value) if isinstance(before, ast.Constant) else ""
                if option.search(text) and isinstance(value, ast.FormattedValue):
                    said = ast.unparse(value.value)
                    bad += [] if said.startswith(("shlex.quote(", "shlex.join(")) else [f"{file}:{value.lineno}"]
    assert not bad


def test_the_download_of_a_pipeline_names_its_steps(desk: Desk) -> None:
    """A pipeline without outputs has no files of its own; the command that is printed brings those of a step."""
    step = "type: command, command: echo said, environment: azureml:host"
    desk.write("job.yml", f"type: pipeline\njobs:\n  first: {{{step}}}\n  second: {{{step}}}\n")
    name = desk.ask("job create --file job.yml --query name")
    assert desk.smalt(f"job stream {name}").code == 0
    ran = desk.smalt(f"job download {name} --download-path down")
    assert ran.code == 0
    assert not (desk.folder / "down").exists()
    found = COMMAND.search(ran.err)
    assert found, ran.err
    assert f"{name}-first, or {name}-second" in found[1]
    assert desk.smalt(f"job download {name}-first --download-path down").code == 0
    assert [path for path in (desk.folder / "down").rglob("*") if path.is_file()]


def test_an_exported_step_of_control_flow_reads_what_was_written(desk: Desk) -> None:
    """Of a block of another one: from where that is, not from the place that was planned for it."""
    desk.write(
        "job.yml",
        """
        type: pipeline
        jobs:
          a: {type: command, command: "echo said > ${{outputs.o}}/w", environment: azureml:host, outputs: {o: {type: uri_folder}}}
          first: {type: if_else, condition: true, true_block: "${{parent.jobs.a}}"}
          b: {type: command, command: "cat ${{inputs.i}}/w", environment: azureml:host, inputs: {i: "${{parent.jobs.a.outputs.o}}"}}
          second: {type: if_else, condition: true, true_block: "${{parent.jobs.b}}"}
        """,  # noqa: E501
    )
    name = desk.ask("job create --file job.yml --query name")
    assert desk.smalt(f"job stream {name}").code == 0
    ran = desk.smalt(f"job export {name}-second --folder moved")
    assert ran.code == 0, ran.err
    assert desk.smalt("job create --file moved/job.yml --stream").code == 0
