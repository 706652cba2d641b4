"""`smalt job create --only` and `--from`: a part of a pipeline again, with the earlier outputs."""

from __future__ import annotations

import pytest

from tests.acceptance.conftest import Desk

PIPELINE = """
    type: pipeline
    display_name: three steps
    outputs: {made: {type: uri_folder}}
    jobs:
      prepare:
        type: command
        command: echo ${{inputs.word}} > ${{outputs.out}}/word; date +%N >> ${{outputs.out}}/word
        environment: azureml:host
        inputs: {word: prepared}
        outputs: {out: {path: "${{parent.outputs.made}}", type: uri_folder}}
      train:
        type: command
        command: cat ${{inputs.given}}/word > ${{outputs.model}}/model; echo MARK >> ${{outputs.model}}/model
        environment: azureml:host
        inputs: {given: "${{parent.jobs.prepare.outputs.out}}"}
        outputs: {model: {type: uri_folder}}
      score:
        type: command
        command: cat ${{inputs.model}}/model
        environment: azureml:host
        inputs: {model: {path: "${{parent.jobs.train.outputs.model}}", type: uri_folder, mode: download}}
"""


@pytest.fixture
def first(desk: Desk) -> str:
    """A run of the whole, of which no step is reused from another test's."""
    desk.write("job.yml", PIPELINE.replace("MARK", "first"))
    name = desk.ask("job create --file job.yml --set settings.force_rerun=true --query name")
    assert desk.smalt(f"job stream {name}").code == 0
    return name


def test_a_part_runs_with_what_the_newest_run_made(desk: Desk, first: str) -> None:
    """--only runs one step, --from it and those that need it; what they read is the earlier run's, the very bytes."""
    whole = desk.smalt(f"job stream {first}").lines
    number = next(line for line in whole if line.endswith(tuple("0123456789")) and line.split()[-1].isdigit())
    desk.write("job.yml", PIPELINE.replace("MARK", "second"))
    ran = desk.smalt("job create --file job.yml --from train --stream")
    assert ran.code == 0, ran.err
    assert f"with the outputs of job {first}" in ran.err
    assert number.split()[-1] in ran.out
    assert "second" in ran.out
    steps = desk.ask(f"job create --file job.yml --only score --of {first} --query name")
    assert desk.smalt(f"job stream {steps}").code == 0
    assert desk.ask(f"job list -p {steps} --query '[].name'") == f"{steps}-score"
    log = desk.smalt(f"job stream {steps}").out
    assert "first" in log
    assert "second" not in log


def test_what_cannot_be_run_in_part_is_told(desk: Desk, first: str) -> None:
    """A step that is not there, a run that has not done it, and a job without steps."""
    assert "no step 'trian'; did you mean 'train'?" in desk.smalt("job create --file job.yml --only trian").err
    scored = desk.ask(f"job create --file job.yml --only score --of {first} --query name")
    assert desk.smalt(f"job stream {scored}").code == 0
    refused = desk.smalt(f"job create --file job.yml --only train --of {scored}")
    assert f"job {scored} has no completed step prepare; name another run with --of" in refused.err
    assert "--of needs --only STEP or --from STEP" in desk.smalt(f"job create --file job.yml --of {first}").err
    desk.write("one.yml", "command: ls\nenvironment: azureml:host\n")
    assert "this job has none" in desk.smalt("job create --file one.yml --only train").err


LOOP = """
    type: pipeline
    jobs:
      make:
        type: command
        command: echo made > ${{outputs.out}}/word
        environment: azureml:host
        outputs: {out: {type: uri_folder}}
      say:
        type: command
        command: mkdir -p ${{outputs.text}}; cat ${{inputs.data}}/word > ${{outputs.text}}/output
        environment: azureml:host
        inputs: {data: {type: uri_folder, path: .}}
        outputs: {text: {type: string}}
      each:
        type: parallel_for
        body: ${{parent.jobs.say}}
        items: {a: {data: "${{parent.jobs.make.outputs.out}}"}}
      after:
        type: command
        command: echo 'got ${{inputs.all}}'
        environment: azureml:host
        inputs: {all: "${{parent.jobs.each.outputs.text}}"}
"""


def test_a_loop_is_not_left_out_silently(desk: Desk) -> None:
    """--from a step that the items of a loop read is refused; what reads the gathered outputs runs, also in place."""
    desk.write("job.yml", LOOP)
    name = desk.ask("job create --file job.yml --query name")
    assert desk.smalt(f"job stream {name}").code == 0
    for option in ("--from make", "--only each", "--from each"):
        refused = desk.smalt(f"job create --file job.yml {option}")
        assert refused.code == 2, refused.out
        assert "the step 'each' (parallel_for) cannot be selected" in refused.err
    for option in ("--only say", "--from say"):
        assert "runs for each item of 'each'" in desk.smalt(f"job create --file job.yml {option}").err
    ran = desk.smalt(f"job create --file job.yml --only after --of {name} --stream")
    assert ran.code == 0, ran.err
    assert 'got {"a": "made"}' in ran.out
