"""`smalt job create --only` and `--from` take outputs of a run whose steps are these, and say what they leave out."""

from __future__ import annotations

import pytest

from smalt import Input, MLClient, Output, command
from smalt.dsl import pipeline
from smalt.entities import PipelineJob
from smalt.exceptions import NotFound
from tests.acceptance.conftest import Desk

PIPELINE = """
    type: pipeline
    inputs: {word: WORD, unused: 1}
    outputs: {made: {type: uri_folder}}
    settings: {SETTINGS}
    jobs:
      first: {type: command, command: echo first step ran, environment: azureml:host}
      raw:
        type: command
        command: echo RAW > ${{outputs.out}}/word
        environment: azureml:host
        outputs: {out: {type: uri_folder}}
      prepare:
        type: command
        command: (cat ${{inputs.raw}}/word; echo PREPARED ${{inputs.word}}) > ${{outputs.out}}/word
        environment: azureml:host
        inputs: {word: "${{parent.inputs.word}}", raw: "${{parent.jobs.raw.outputs.out}}"}
        outputs: {out: "${{parent.outputs.made}}"}
      train:
        type: command
        command: cat ${{inputs.given}}/word > ${{outputs.out}}/word
        environment: azureml:host
        inputs: {given: "${{parent.jobs.prepare.outputs.out}}"}
        outputs: {out: {type: uri_folder}}
      score:
        type: command
        command: cat ${{inputs.given}}/word
        environment: azureml:host
        inputs: {given: "${{parent.jobs.train.outputs.out}}"}
"""


def _pipeline(desk: Desk, project: str, raw: str = "", word: str = "", settings: str = "") -> str:
    text = PIPELINE.replace("RAW", raw or project).replace("PREPARED", project).replace("WORD", word or "usual")
    return str(desk.write(f"{project}.yml", text.replace("SETTINGS", settings)))


def _run(desk: Desk, file: str, options: str = "") -> str:
    name = desk.ask(f"job create --file {file} {options} --query name")
    assert desk.smalt(f"job stream {name}").code == 0
    return name


@pytest.fixture
def sales(desk: Desk) -> str:
    return _run(desk, _pipeline(desk, "sales"))


def test_outputs_are_those_of_a_run_of_these_steps(desk: Desk, sales: str) -> None:
    """A newer run of another project, with steps and outputs of the same names, gives nothing."""
    other = _run(desk, _pipeline(desk, "churn"))
    ran = desk.smalt("job create --file sales.yml --from train --stream")
    assert ran.code == 0, ran.err
    assert f"only train and score run with the outputs of job {sales}" in ran.err
    assert "sales usual" in ran.out
    assert "churn" not in ran.out
    again = desk.smalt("job create --file sales.yml --only score --stream")  # the train of that part is the newest
    assert "with the outputs of job" in again.err
    assert sales not in again.err
    assert "sales usual" in again.out
    assert f"with the outputs of job {other}" in desk.smalt("job create --file churn.yml --only score --stream").err


@pytest.mark.parametrize(
    ("changed", "options", "why"),
    [
        ({"raw": "other"}, "", "step 'raw' has a different command, code or environment"),
        ({"word": "other"}, "", "step 'prepare' reads another 'word' of the pipeline's inputs"),
        ({}, "--set jobs.prepare.inputs.word=other", "step 'prepare' has a different input 'word'"),
    ],
)
def test_steps_that_are_others_are_told(
    desk: Desk, sales: str, changed: dict[str, str], options: str, why: str
) -> None:
    """No run has them as the file says: refused, with the way out; a run that the user names is taken, and said."""
    file = _pipeline(desk, "sales", **changed)
    refused = desk.smalt(f"job create --file {file} --only train {options if 'jobs' not in options else ''}")
    if changed:
        assert refused.code != 0
        assert "no earlier run has completed prepare as defined in this file" in refused.err
        assert f"{sales} is not one: {why}" in refused.err
        assert "--of" in refused.err
    else:
        lost = desk.smalt(f"job create --file {file} --only train {options} --of {sales}")
        assert "--set jobs.prepare.inputs.word has no effect: that step is left out" in lost.err
        return
    chosen = desk.smalt(f"job create --file {file} --only train --of {sales} --query name -o tsv")
    assert chosen.code == 0
    line = f"job {sales} differs from this file: {why}"
    assert line in chosen.err
    name = chosen.out.strip()
    assert line in desk.smalt(f"job stream {name}").err
    assert line in desk.ask(f"job show -n {name} --query 'properties.\"smalt.part\"'")


def test_a_part_of_a_pipeline_in_python(desk: Desk) -> None:
    """A pipeline that is made again from the same builders has the same steps; with another command it has not."""

    def made(word: str) -> PipelineJob:
        first = command(
            name="first", command=f"echo {word} > ${{{{outputs.out}}}}/word", environment="azureml:host",
            outputs={"out": Output(type="uri_folder")},
        )  # fmt: skip
        second = command(
            name="second", command="cat ${{inputs.given}}/word", environment="azureml:host",
            inputs={"given": Input(type="uri_folder")},
        )  # fmt: skip

        @pipeline(name="made")
        def whole() -> None:
            one = first()
            second(given=one.outputs.out)

        built: PipelineJob = whole()
        return built

    client, job = MLClient(), made("python")
    earlier = client.jobs.create_or_update(job)
    client.jobs.stream(str(earlier.name), on_event=lambda event: None)
    for again in (job, made("python")):
        part = client.jobs.create_or_update(again, only="second", from_=())
        assert part.properties["smalt.part-of"] == earlier.name
    with pytest.raises(NotFound, match="as defined in this file"):
        client.jobs.create_or_update(made("other"), only="second")


def test_what_is_left_out_is_told(desk: Desk) -> None:
    """--from runs the pipeline's first step, --only leaves it out; a named output, inputs and --set go with steps."""
    file = _pipeline(desk, "sales", settings="on_init: first")
    _run(desk, file)
    since = desk.smalt(f"job create --file {file} --from train --stream")
    assert since.code == 0, since.err
    assert "first step ran" in since.out
    assert "the pipeline's output 'made' is left out with the step that writes it" in since.err
    only = desk.smalt(f"job create --file {file} --only train --stream")
    assert "'first', the pipeline's on_init step, is left out" in only.err
    assert "first step ran" not in only.out
    lost = desk.smalt(f"job create --file {file} --only train --set inputs.unused=2")
    assert lost.code != 0
    assert "--set inputs.unused has no effect: it belongs to steps that are left out" in lost.err


def test_lineage_has_what_a_part_read(desk: Desk) -> None:
    """An input that only left-out steps read is not among what the part was made of; the earlier job's output is."""
    text = """
        type: pipeline
        inputs: {data: {type: uri_file, path: ./DATA}}
        jobs:
          one:
            type: command
            command: cp ${{inputs.data}} ${{outputs.out}}/copy
            environment: azureml:host
            inputs: {data: "${{parent.inputs.data}}"}
            outputs: {out: {type: uri_folder}}
          two:
            type: command
            command: cat ${{inputs.given}}/copy
            environment: azureml:host
            inputs: {given: "${{parent.jobs.one.outputs.out}}"}
    """
    desk.write("old", "old\n")
    desk.write("new", "new\n")
    whole = _run(desk, str(desk.write("job.yml", text.replace("DATA", "old"))))
    assert [one["kind"] for one in desk.smalt(f"job lineage -n {whole} -o json").json["made_by"]] == ["uri"]
    desk.write("job.yml", text.replace("DATA", "new"))
    part = _run(desk, "job.yml", f"--only two --of {whole}")
    assert "inputs" not in desk.smalt(f"job show -n {part} -o json").json
    found = desk.smalt(f"job lineage -n {part} -o json").json["made_by"]
    assert [(one["name"], one["output"], one["input"]) for one in found] == [(f"{whole}-one", "out", "two.given")]
    assert found[0]["made_by"][0]["name"].endswith("/old")
