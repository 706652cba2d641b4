"""Single values."""

from __future__ import annotations

from typing import Any

import pytest

from smalt.entities.schema.reader import Reader
from smalt.entities.schema.shapes import AsText, Boolean, Enum, Integer, List, Map, Number, Shape, Text


def read(shape: Shape[Any], value: Any, *, in_step: bool = False) -> tuple[Any, list[str]]:
    reader = Reader()
    reader.in_step = in_step
    result = shape.read_value(value, ("key",), reader)
    return result, [problem.message for problem in reader.problems]


@pytest.mark.parametrize(
    ("shape", "value", "expected"),
    [
        (Text(), "a", "a"),
        (AsText(), 1, "1"),
        (AsText(), 0.5, "0.5"),
        (AsText(), True, "true"),
        (Integer(), 3, 3),
        (Integer(), "3", 3),
        (Integer(), "-3", -3),
        (Integer(), 3.0, 3),
        (Number(), "0.5", 0.5),
        (Number(), 2, 2),
        (Boolean(), "Yes", True),
        (Boolean(), "false", False),
        (Enum("uri_file", "uri_folder"), "URI_Folder", "uri_folder"),
        (Enum("user_identity"), "UserIdentity", "user_identity"),
        (List(Integer()), [1, "2"], [1, 2]),
        (Map(AsText()), {1: 2, "b": True}, {"1": "2", "b": "true"}),
        (Text() | List(Text()), ["a"], ["a"]),
        (Integer() | Enum("auto"), "auto", "auto"),
    ],
)
def test_values_are_read_as_the_service_reads_them(shape: Shape[Any], value: Any, expected: Any) -> None:
    """Values of the right kind are taken, with the service's leniency about case and quotes."""
    assert read(shape, value) == (expected, [])


@pytest.mark.parametrize(
    ("shape", "value", "message"),
    [
        (Text(), 3, "'key' must be text, not the number 3; put it in quotes"),
        (Text(), ["a"], "'key' must be text, not a list"),
        (Integer(), "3.5", "'key' must be a whole number, not '3.5'"),
        (Integer(), True, "'key' must be a whole number, not true"),
        (Integer(at_least=1), 0, "'key' must be at least 1, not 0"),
        (Number(), float("nan"), "'key' must be a number, not the number nan"),
        (Number(at_most=1), 2, "'key' must be at most 1, not 2"),
        (Boolean(), "perhaps", "'key' must be true or false, not 'perhaps'"),
        (Enum("low", "high"), "hihg", "'key' must be 'low' or 'high', not 'hihg'; did you mean 'high'?"),
        (List(Integer()), {"a": 1}, "'key' must be a list of whole numbers, not a mapping"),
        (List(Integer()), [1, "x"], "item 2 of 'key' must be a whole number, not 'x'"),
        (Text() | List(Text()), 3, "'key' must be text or a list of text, not the number 3"),
    ],
)
def test_what_does_not_fit_is_told_in_one_sentence(shape: Shape[Any], value: Any, message: str) -> None:
    """A wrong value gives one sentence that says what is expected and what is there."""
    assert read(shape, value)[1] == [message]


@pytest.mark.parametrize("shape", [Integer(), Boolean(), Enum("a"), Integer() | Enum("a")])
def test_an_expression_may_stand_for_any_value_of_a_step(shape: Shape[Any]) -> None:
    """In a step `${{…}}` is kept as it is; elsewhere it is wrong."""
    expression = "${{parent.inputs.x}}"
    assert read(shape, expression, in_step=True) == (expression, [])
    assert len(read(shape, expression)[1]) == 1


def test_an_expression_is_no_list() -> None:
    """It is text, of which code that reads a list would take each letter; the items of a list may be expressions."""
    expression = "${{parent.inputs.x}}"
    sentence = f"'key' must be a list of text, not '{expression}'"
    assert read(List(Text()), expression, in_step=True) == (None, [sentence])
    assert read(List(Text()), [expression], in_step=True) == ([expression], [])
