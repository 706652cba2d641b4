"""Text of YAML, to entities and back."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from smalt.entities import CommandJob, PipelineJob
from smalt.entities.schema.entity import Entity
from smalt.entities.schema.kinds import KINDS
from smalt.entities.schema.nested import load_noun
from smalt.entities.schema.reader import Reader
from smalt.exceptions import ValidationException
from smalt.yaml import dump, load_text
from smalt.yaml.document import Document
from tests.entities.documents import documents

QUICK = settings(max_examples=40)
PIECES = "command type jobs inputs pipeline ${{inputs.x}} : - { } [ ] &a *a !!int ' \" | > # << ? é % @ --- 0x 1.5 null"
TOKENS = st.sampled_from([*PIECES.split(), ": ", "- ", "? ", "&a ", "!!int ", "\n", "\n  ", "\t", "\x00", "\ufeff"])


@pytest.mark.parametrize("noun", [CommandJob, PipelineJob, load_noun("assets.environment:Environment")])
@given(data=st.data())
@QUICK
def test_dumped_text_loads_as_the_same_entity(noun: type[Entity], data: Any) -> None:
    """What is dumped as YAML holds the same plain data."""
    entity = noun._read_data(data.draw(documents(noun)), (), Reader())
    assert entity is not None
    again = noun._read_data(Document(dump(entity)).data, (), Reader())
    assert again == entity


@pytest.mark.parametrize("kind", ["job", "component", "environment", "schedule", "datastore"])
@given(text=st.lists(TOKENS | st.text(max_size=3), max_size=25).map("".join))
@example(text="? [a]\n: b")
@example(text="<<: 1")
@example(text="a: !!binary x")
@example(text="type: 0x_")
@example(text="!!int")
@example(text="a: !!bool x")
@QUICK
def test_arbitrary_text_raises_nothing_but_its_own_error(kind: str, text: str) -> None:
    """Whatever a file holds, loading gives an entity or a ValidationException."""
    with suppress(ValidationException):
        assert isinstance(load_text(text, kind), Entity)


@given(raw=st.binary(max_size=40))
@QUICK
def test_arbitrary_bytes_raise_nothing_but_their_own_error(raw: bytes) -> None:
    """So it is with bytes that are not text."""
    with suppress(ValidationException):
        load_text(raw, "job")


def test_text_of_several_lines_is_dumped_as_a_block() -> None:
    """A command of several lines stays readable."""
    text = dump(CommandJob(command="echo a\necho b\n", inputs={"x": 1}))
    assert text == "type: command\ncommand: |\n  echo a\n  echo b\ninputs:\n  x: 1\n"


def test_every_kind_is_known() -> None:
    """Each kind reads an empty mapping to problems or an entity."""
    for kind in KINDS:
        with suppress(ValidationException):
            load_text("{}", kind)
