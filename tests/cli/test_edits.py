from __future__ import annotations

import contextlib
from typing import Any

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smalt.cli import edits
from smalt.cli.arguments import SEPARATOR


def edited(document: dict[str, Any], **changes: Any) -> dict[str, Any]:
    edits.apply(document, **changes)
    return document


def test_set_puts_values_at_paths_and_makes_what_is_missing() -> None:
    """`--set a.b=1` makes `a`, and a value that is JSON is taken as JSON."""
    assert edited({}, sets=["a.b=1", 'c={"d": true}', "e=text", "f=a=b"]) == {
        "a": {"b": 1},
        "c": {"d": True},
        "e": "text",
        "f": "a=b",
    }


def test_set_reaches_into_lists() -> None:
    """`--set list[1].name=x` changes one item."""
    assert edited({"list": [{}, {"name": "a"}]}, sets=["list[1].name=x"]) == {"list": [{}, {"name": "x"}]}


def test_force_string_keeps_texts() -> None:
    """With --force-string a number stays a text."""
    assert edited({}, sets=["version=1"], force_string=True) == {"version": "1"}


def test_add_appends_and_remove_takes_away() -> None:
    """--add appends to a list, --remove removes a key, or the item of a list."""
    document = {"list": [1, 2], "gone": 1, "deep": {"gone": 2, "kept": 3}}
    edits.apply(document, adds=[SEPARATOR.join(["list", "3", "k=v"])], removes=["gone", "deep.gone"])
    assert document == {"list": [1, 2, 3, {"k": "v"}], "deep": {"kept": 3}}
    assert edited({"list": [1, 2]}, removes=[f"list{SEPARATOR}0"]) == {"list": [2]}


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"sets": ["nothing"]}, "--set takes KEY=VALUE"),
        ({"sets": ["list[7]=1"]}, r"there is no 'list\[7\]' to set"),
        ({"sets": ["list.x=1"]}, r"there is no 'list.x' to set"),
        ({"adds": ["list"]}, "--add takes a list and what to add to it"),
        ({"adds": [f"text{SEPARATOR}x"]}, "'text' is not a list"),
        ({"removes": ["absent"]}, "there is no 'absent' to remove"),
        ({"removes": [f"list{SEPARATOR}x"]}, "'x' is not a number"),
    ],
)
def test_what_cannot_be_edited_is_a_usage_error(changes: dict[str, Any], sentence: str) -> None:
    """Each refusal says what is not there."""
    with pytest.raises(click.UsageError, match=sentence):
        edits.apply({"list": [1], "text": "t"}, **changes)


TEXTS = st.lists(st.text("ab.[]0=-" + SEPARATOR, max_size=8), max_size=2)


@given(TEXTS, TEXTS, TEXTS)
def test_any_edit_is_made_or_refused(sets: list[str], adds: list[str], removes: list[str]) -> None:
    """Whatever is asked for, it is done or it is a usage error."""
    with contextlib.suppress(click.UsageError):
        edits.apply({"a": {"b": [1, {"a": 2}]}, "b": [1]}, sets=sets, adds=adds, removes=removes)
