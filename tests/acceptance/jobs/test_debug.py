"""`smalt job debug`: where a step ran, made anew."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.acceptance.conftest import Desk

PIPELINE = """
    type: pipeline
    jobs:
      make:
        type: command
        command: echo made > ${{outputs.out}}/made.txt
        environment: azureml:host
        outputs: {out: {type: uri_folder}}
      use:
        type: command
        code: src
        command: bash use.sh ${{inputs.given}} ${{outputs.out}} && exit 3
        environment: azureml:host
        environment_variables: {MINE: of the job}
        inputs: {given: "${{parent.jobs.make.outputs.out}}"}
        outputs: {out: {type: uri_folder}}
"""


@pytest.fixture
def failed(desk: Desk) -> str:
    """A pipeline whose second step has failed."""
    desk.write("src/use.sh", "cat $1/made.txt > $2/used.txt\n")
    desk.write("job.yml", PIPELINE)
    name = desk.ask("job create --file job.yml --query name")
    assert desk.smalt(f"job stream {name}").code == 1
    return name


def test_a_command_runs_where_the_failed_step_ran(desk: Desk, failed: str) -> None:
    """It has the step's code, inputs, variables and run; the copy is gone afterwards, the job is as it was."""
    before = desk.ask(f"job show {failed}-use --query '[status, properties]'")
    inside = "echo x > $AZURE_ML_OUTPUT_out/x; ls; cat $AZURE_ML_INPUT_given/made.txt; echo $MINE $AZUREML_RUN_ID"
    desk.write("look.sh", f"{{ {inside}; pwd; exit 7; }} > {desk.folder}/seen")
    ran = desk.smalt(f"job debug {failed} --node use -- bash {desk.folder}/look.sh")
    out = (desk.folder / "seen").read_text().splitlines()
    assert ran.code == 7, ran.err
    assert "use.sh" in out
    assert "made" in out
    assert f"of the job {failed}-use" in out
    assert not Path(out[-1]).exists()
    assert out[-1].startswith(str(desk.server.home.root))
    assert desk.ask(f"job show {failed}-use --query '[status, properties]'") == before
    desk.smalt(f"job download {failed}-use --output-name out -p got")
    assert sorted(path.name for path in desk.folder.glob("got/named-outputs/out/*")) == ["used.txt"]


def test_the_job_may_be_named_by_an_option(desk: Desk, failed: str) -> None:
    """The first word of the command is not taken for a second name; one before it is."""
    line = "--node use -- bash -c 'exit 7'"
    assert desk.smalt(f"job debug -n {failed} {line}").code == 7
    assert "two names are given" in desk.smalt(f"job debug -n {failed} other {line}").err


def test_what_cannot_be_debugged_is_told(desk: Desk, failed: str) -> None:
    """A pipeline is not a step; the steps that there are, and a debugger that is not there, are named."""
    assert "a pipeline and no step; name one of its steps with --node" in desk.smalt(f"job debug {failed} -- true").err
    assert "its steps are make and use" in desk.smalt(f"job debug {failed} --node other -- true").err
    assert "has no debugpy" in desk.smalt(f"job debug {failed}-use --debugpy 5678").err
    assert "leave out the one after '--'" in desk.smalt(f"job debug {failed}-use --debugpy 5678 -- true").err
    assert "cannot run 'no-such-program'" in desk.smalt(f"job debug {failed}-use -- no-such-program").err
    assert not list(desk.server.home.path("workspaces").glob("*/jobs/*.debug-*"))
