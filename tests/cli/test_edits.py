"""`--set`, `--add` and `--remove` of `update`."""

from __future__ import annotations

import contextlib
from typing import Any

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smalt.cli.framework import documents
from smalt.cli.framework.arguments import SEPARATOR
from smalt.entities import AmlCompute, CommandJob, Data
from smalt.exceptions import ValidationException

JOB: dict[str, Any] = {
    "command": "ls",
    "resources": {"locations": ["a", "b"]},
    "tags": {"gone": "1", "kept": "2"},
    "environment": "azureml:host",
}


def edited(**changes: Any) -> dict[str, Any]:
    given = {"set": (), "add": (), "remove": (), "force_string": False, **changes}
    document: dict[str, Any] = documents.apply_changes(CommandJob.from_dict(JOB), given).to_dict()
    return document


def test_set_puts_values_at_paths_and_makes_what_is_missing() -> None:
    """`--set a.b=1` makes `a`; a mapping is given as JSON or YAML."""
    document = edited(set=["limits.timeout=60", 'tags={"only": "1"}', "description=a=b", "environment_variables.X=1"])
    assert document["limits"] == {"timeout": 60}
    assert document["tags"] == {"only": "1"}
    assert document["description"] == "a=b"
    assert document["environment_variables"] == {"X": "1"}


def test_set_reaches_into_lists() -> None:
    """`--set list[1]=x` changes one item."""
    assert edited(set=["resources.locations[1]=x"])["resources"]["locations"] == ["a", "x"]


@pytest.mark.parametrize("text", ["0012", "1.10", "10:30", "1_000", "0x10", "on", "no", "null", "~", "", "[a]", "{}"])
def test_text_stays_text(text: str) -> None:
    """A field that is text takes what was typed, with and without --force-string."""
    for force_string in (False, True):
        document = edited(set=[f"tags.t={text}", f"description={text}"], force_string=force_string)
        assert (document["tags"]["t"], document["description"]) == (text, text)
    assert edited(add=[SEPARATOR.join(["resources.locations", text])])["resources"]["locations"] == ["a", "b", text]


def test_add_appends_and_remove_takes_away() -> None:
    """--add appends to a list, which it makes; --remove removes a key, or the item of a list."""
    document = edited(
        add=[SEPARATOR.join(["resources.locations", "c", "d"]), SEPARATOR.join(["resources.docker_args", "x"])],
        remove=["tags.gone", f"resources.locations{SEPARATOR}0"],
    )
    assert document["tags"] == {"kept": "2"}
    assert document["resources"] == {"locations": ["b", "c", "d"], "docker_args": ["x"]}


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"set": ["nothing"]}, "--set takes KEY=VALUE"),
        ({"add": ["resources.locations"]}, "--add takes a list and what to add to it"),
        ({"add": [f"command{SEPARATOR}x"]}, "'command' is not a list"),
        ({"remove": ["absent"]}, "there is no 'absent' to remove"),
        ({"remove": [f"resources.locations{SEPARATOR}x"]}, "'x' is not a number"),
        ({}, "name a change"),
    ],
)
def test_what_cannot_be_edited_is_a_usage_error(changes: dict[str, Any], sentence: str) -> None:
    """Each refusal says what is not there."""
    with pytest.raises(click.UsageError, match=sentence):
        edited(**changes)


@pytest.mark.parametrize(
    ("setting", "sentence"),
    [
        ("resources.locations[7]=1", "--set resources.locations[7]: there is no item 7; the list has 2"),
        ("resources.locations.x=1", "--set resources.locations.x: 'x' stands where a list has items"),
        ("command.x=1", "--set command.x: 'command' is 'ls', which has no keys; set it whole"),
        ("comand=x", "--set comand: unknown key 'comand' in a command job; did you mean 'command'?"),
        ("status=Completed", "--set status: 'status' is what the service says of a command job; it cannot be set"),
        ("limits.timeout=soon", "--set limits.timeout: 'timeout' must be a whole number, not 'soon'"),
    ],
)
def test_what_cannot_be_set_is_told_at_the_argument(setting: str, sentence: str) -> None:
    """A mistake in --set is told as --set, whatever is wrong with it."""
    with pytest.raises(ValidationException) as caught:
        edited(set=[setting])
    assert str(caught.value).startswith(sentence)


@pytest.mark.parametrize("entity", [Data(name="d", path="x"), AmlCompute(name="c"), CommandJob.from_dict(JOB)])
def test_every_noun_refuses_what_it_does_not_have(entity: Any) -> None:
    """`update` of assets, computes and jobs alike refuses an unknown key at its argument."""
    with pytest.raises(ValidationException, match=r"--set desription: unknown key .* did you mean 'description'\?"):
        documents.apply_changes(entity, {"set": ["desription=x"], "add": (), "remove": (), "force_string": False})


TEXTS = st.lists(st.text("resources.locations[]01=-" + SEPARATOR, max_size=24), max_size=2)


@given(TEXTS, TEXTS, TEXTS)
def test_any_edit_is_made_or_refused(sets: list[str], adds: list[str], removes: list[str]) -> None:
    """Whatever is asked for, it is done or it is a usage error."""
    with contextlib.suppress(click.UsageError, ValidationException):
        edited(set=sets, add=adds, remove=removes)
