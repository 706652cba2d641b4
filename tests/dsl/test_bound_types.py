"""A file for an input that takes a folder with a file MLTable: refused at the line that calls the step."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from smalt import Input, Output, command
from smalt.client.jobs.validation import validate_entity
from smalt.dsl import pipeline
from smalt.exceptions import UserErrorException, ValidationException

FILE = Input(type="uri_file", path="azureml:f:1")
WRITE = command(
    command="echo > ${{outputs.rows}}", environment="azureml:host", outputs={"rows": Output(type="uri_file")}
)
READ = command(command="ls ${{inputs.d}}", environment="azureml:host", inputs={"d": Input(type="mltable")})
SENTENCE = (
    "the step's input 'd' takes an mltable, a folder with a file 'MLTable', but %s, or, to read the file as it is, "
    "declare the step's input as uri_file, in its component if it has one"
)
OF_PIPELINE = (
    "the pipeline's input 'raw' is a single file (uri_file); give the pipeline such a folder with 'type: mltable'"
)
OF_STEP = (
    "the output 'rows' of 'write' is a single file (uri_file); write such a folder and declare it as mltable in the "
    "component of 'write'"
)


def bind_input(raw: Any) -> None:
    READ(d=raw)


def bind_input_with_a_mode(raw: Any) -> None:
    READ(d=Input(type="mltable", path=raw, mode="download"))


def bind_output(raw: Any) -> None:
    write = WRITE()
    READ(d=write.outputs.rows)


def set_later(raw: Any) -> None:
    write = WRITE()
    READ(d=Input(type="mltable", path="azureml:t:1")).inputs.d = write.outputs.rows


@pytest.mark.parametrize(
    ("body", "line", "source"),
    [
        (bind_input, 1, OF_PIPELINE), (bind_input_with_a_mode, 1, OF_PIPELINE), (bind_output, 2, OF_STEP),
        (set_later, 2, OF_STEP),
    ],
)  # fmt: skip
def test_a_file_for_a_table_is_refused_at_the_line_of_the_step(
    body: Callable[[Any], None], line: int, source: str
) -> None:
    with pytest.raises(UserErrorException) as raised:
        pipeline(body)(raw=FILE)
    where = inspect.getsourcelines(body)[1] + line
    assert str(raised.value) == f"{Path(__file__).relative_to(Path.cwd())}:{where}: {SENTENCE % source}"


def test_an_annotated_input_and_a_pipeline_in_a_pipeline() -> None:
    @pipeline
    def annotated(raw: Input(type="uri_file")) -> None:  # type: ignore[valid-type]
        READ(d=raw)

    @pipeline
    def inner(d: Input(type="mltable")) -> None:  # type: ignore[valid-type]
        READ(d=d)

    @pipeline
    def outer(raw: Any) -> None:
        inner(d=raw)

    for made in (annotated, outer):
        with pytest.raises(UserErrorException) as raised:
            made(raw=FILE)
        assert raised.value.message.endswith(SENTENCE % OF_PIPELINE)


def test_a_call_with_a_file_is_told_at_its_validation() -> None:
    """The types that the function declares are those of the component; what a call gives is the job's."""

    @pipeline
    def made(raw: Input(type="mltable")) -> None:  # type: ignore[valid-type]
        READ(d=raw)

    with pytest.raises(ValidationException) as raised:
        validate_entity(made(raw=FILE), raise_on_failure=True)
    assert SENTENCE % OF_PIPELINE in str(raised.value)


def test_what_may_be_of_the_type_is_taken() -> None:
    """A mode that is set after the call counts, and so does the value that replaces a file."""

    @pipeline
    def made(raw: Any, table: Any, folder: Any) -> None:
        READ(d=raw).inputs.d.mode = "direct"
        READ(d=table)
        READ(d=folder)
        READ(d=raw).inputs.d = table

    job = made(raw=FILE, table=Input(type="mltable", path="azureml:t:1"), folder=Input(path="azureml:u:1"))
    given = [step["inputs"]["d"] for step in job.to_dict()["jobs"].values()]
    table, folder = "${{parent.inputs.table}}", "${{parent.inputs.folder}}"
    assert given == [{"path": "${{parent.inputs.raw}}", "mode": "direct"}, table, folder, table]
