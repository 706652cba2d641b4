"""Expressions in files and programs: told of at their line, by `validate` as by `create`."""

from __future__ import annotations

from typing import Any

import pytest

from smalt import Input, command, dsl
from smalt.client.jobs.validation import validate_entity
from smalt.dsl import set_pipeline_settings
from tests.acceptance.conftest import Desk

REFUSED = {
    "an input from an output of the pipeline": (
        """
        type: pipeline
        outputs: {p: {type: uri_folder}}
        jobs:
          a: {environment: azureml:host, command: 'true', outputs: {o: '${{parent.outputs.p}}'}}
          b: {environment: azureml:host, command: 'true', inputs: {i: '${{parent.outputs.p}}'}}
        """,
        "job.yml:6:63: '${{parent.outputs.p}}' cannot stand in an input of a step; "
        "write the output of the step that writes it: '${{parent.jobs.a.outputs.o}}'",
    ),
    "text around a value that a step writes": (
        """
        type: pipeline
        jobs:
          w: {environment: azureml:host, command: 'printf 7 > ${{outputs.i}}/output', outputs: {i: {type: integer}}}
          r: {environment: azureml:host, command: 'true', inputs: {x: 'a-${{parent.jobs.w.outputs.i}}-b'}}
        """,
        "job.yml:5:63: '${{parent.jobs.w.outputs.i}}' is data or a step, so no text can stand around it; "
        "make it an input of its own, and put the text around '${{inputs.NAME}}' in the command",
    ),
    "a name that goes on": (
        """
        environment: azureml:host
        inputs: {x: 1, x.y: 3}
        command: echo ${{inputs.x.y}} ${{inputs.x.typo}}
        """,
        "job.yml:4:10: '${{inputs.x.typo}}' names no input of this command job; did you mean 'x.y'?",
    ),
    "one step before and after all others": (
        """
        type: pipeline
        settings: {on_init: a, on_finalize: a}
        jobs:
          a: {environment: azureml:host, command: echo a}
          b: {environment: azureml:host, command: exit 1}
        """,
        "job.yml:3:21: 'a' cannot be both on_init and on_finalize; name two steps",
    ),
}


@pytest.mark.parametrize(("text", "sentence"), REFUSED.values(), ids=REFUSED)
def test_a_file_is_refused_at_its_line(desk: Desk, text: str, sentence: str) -> None:
    """`validate` and `create` say the same sentence, and nothing runs."""
    desk.write("job.yml", text)
    for verb in ("validate", "create --stream"):
        ran = desk.smalt(f"job {verb} --file job.yml")
        assert ran.code == 2
        assert sentence in ran.err + ran.out


def test_the_inputs_of_a_component_are_bound_by_their_whole_names(desk: Desk) -> None:
    """A nested pipeline and its steps, created as components, have inputs whose names hold dots."""
    desk.write(
        "say.yml",
        """
        type: command
        name: say
        version: 1
        environment: azureml:host
        inputs: {p.a: {type: integer}, p: {type: string, default: none}}
        command: echo ${{inputs.p.a}} ${{inputs.p}}
        """,
    )
    desk.write(
        "inner.yml",
        """
        type: pipeline
        name: inner
        version: 1
        inputs: {g.h.n: {type: integer}}
        jobs:
          s: {component: ./say.yml, inputs: {p.a: '${{parent.inputs.g.h.n}}'}}
        """,
    )
    job = "type: pipeline\njobs:\n  n: {type: pipeline, component: './inner.yml', inputs: {g.h.n: 4}}\n"
    assert desk.log(job) == ["n/s | 4 none"]
    assert desk.smalt("component create --file inner.yml").code == 0
    desk.write("bad.yml", (desk.folder / "say.yml").read_text().replace("{{inputs.p.a}}", "{{inputs.p.b}}"))
    ran = desk.smalt("component create --file bad.yml")
    assert ran.code == 2
    assert "'${{inputs.p.b}}' names no input of this component; did you mean 'p.a'?" in ran.err


def _line_of(word: str) -> int:
    with open(__file__) as file:
        return next(number for number, line in enumerate(file, 1) if line.rstrip().endswith(f"# {word}"))


def test_a_program_is_told_at_its_line() -> None:
    """An expression that a program writes is told of at the line of its step, as a file's at its own."""
    step = command(command="echo ${{inputs.x}}", environment="azureml:host@latest", inputs={"x": Input(type="string")})

    @dsl.pipeline()
    def pipe(word: str) -> Any:
        one = step(x=word)
        two = step(x="${{parent.outputs.final}}")  # refused
        three = step(x="${{parent.inputs.word.typo}}")  # unknown
        assert one is not two is not three
        set_pipeline_settings(on_init=one, on_finalize=one)

    problems = validate_entity(pipe(word="w"), raise_on_failure=False)
    told = [str(problem) for problem in problems.problems]
    assert any(f":{_line_of('refused')}" in one and "cannot stand in an input of a step" in one for one in told)
    assert any(f":{_line_of('unknown')}" in one and "for all of 'word'" in one for one in told)
    assert sum("cannot be both on_init and on_finalize" in one for one in told) == 2


def test_a_table_that_a_step_declares_as_a_folder_needs_no_mltable_file(desk: Desk) -> None:
    """The type that the step's input declares is the one that its data is read as."""
    desk.write("data/a/x.txt", "x")
    pipeline = """
        type: pipeline
        inputs: {all: {type: mltable, path: ./data, mode: eval_mount}}
        jobs:
          read:
            component:
              type: command
              command: cat ${{inputs.folder}}/a/x.txt
              environment: azureml:host
              inputs: {folder: {type: TYPE}}
            inputs: {folder: "${{parent.inputs.all}}"}
        """
    ran = desk.job(pipeline.replace("TYPE", "uri_folder"))
    assert ran.code == 0, ran.out + ran.err
    refused = desk.job(pipeline.replace("TYPE", "mltable"))
    assert refused.code == 2
    assert "data is a folder without a file 'MLTable', but the input's type is mltable, which needs one" in refused.err
