"""Text that is given to a pipeline's parameter: a path where all steps read data, else a value."""

from __future__ import annotations

from typing import Any

import pytest

from smalt import Input, command
from smalt.dsl import pipeline
from smalt.exceptions import UserErrorException

READ = command(command="cat ${{inputs.d}}", environment="azureml:host", inputs={"d": Input(type="uri_file")})
SAY = command(command="echo ${{inputs.d}}", environment="azureml:host", inputs={"d": Input(type="string")})
PATH = {"type": "uri_file", "path": "flats.csv"}


@pipeline
def read(d):  # type: ignore[no-untyped-def]
    READ(d=d)


@pipeline
def read_inside(d):  # type: ignore[no-untyped-def]
    read(d=d)


@pipeline
def read_default(d="flats.csv"):  # type: ignore[no-untyped-def]
    READ(d=d)


@pipeline
def read_and_say(d):  # type: ignore[no-untyped-def]
    READ(d=d)
    SAY(d=d)


@pipeline
def read_text(d: str) -> None:
    READ(d=Input(type="uri_file", path="other.csv"))
    SAY(d=d)


@pytest.mark.parametrize(
    ("job", "given"),
    [
        (read("flats.csv"), PATH),
        (read_inside("flats.csv"), PATH),
        (read_default(), PATH),
        (read_and_say("flats.csv"), "flats.csv"),
        (read_text("flats.csv"), "flats.csv"),
    ],
)
def test_text_for_data_is_a_path_as_in_a_file(job: Any, given: Any) -> None:
    assert job.to_dict()["inputs"]["d"] == given


def test_text_that_is_set_later() -> None:
    job = read("other.csv")
    job.inputs.d = "flats.csv"
    assert job.to_dict()["inputs"]["d"] == PATH


def test_a_default_is_a_value_of_its_type() -> None:
    """As with Azure's client, which reads the text of defaults and leaves that of values to whoever runs the job."""

    @pipeline
    def made(n: int = "4", x: float = "0.5", yes: bool = "true", word: str = "5") -> None:  # type: ignore[assignment]
        SAY(d=word)

    assert made().to_dict()["inputs"] == {"n": 4, "x": 0.5, "yes": True, "word": "5"}
    with pytest.raises(UserErrorException, match="the default of 'n' must be an integer, not 'many'"):

        @pipeline
        def wrong(n: int = "many") -> None:  # type: ignore[assignment]
            SAY(d=n)
