"""What holds for every noun, by its description alone."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smalt.entities.schema.documents import read
from smalt.entities.schema.entity import Entity
from smalt.entities.schema.kinds import KINDS, STEPS
from smalt.entities.schema.nested import Nested, TaggedNoun, load_noun
from smalt.entities.schema.reader import Reader
from smalt.entities.schema.shapes import Map
from smalt.exceptions import ValidationException
from tests.entities.documents import JUNK, documents


def all_nouns() -> list[type[Entity]]:
    tables = [STEPS, *({"": table} if isinstance(table, str) else table for table in KINDS.values())]
    return [load_noun(where) for where in dict.fromkeys(where for table in tables for where in table.values())]


NOUNS = all_nouns()
QUICK = settings(max_examples=25)


@pytest.mark.parametrize("noun", NOUNS, ids=lambda noun: noun.__name__)
@given(data=st.data())
@QUICK
def test_what_is_written_out_reads_back_the_same(noun: type[Entity], data: Any) -> None:
    """An entity's plain form reads back as an equal entity, and writes out the same again."""
    entity = noun._read_data(data.draw(documents(noun)), (), Reader())
    assert entity is not None
    again = noun._read_data(entity.to_dict(), (), Reader())
    assert again == entity
    assert again.to_dict() == entity.to_dict()


@pytest.mark.parametrize("noun", NOUNS, ids=lambda noun: noun.__name__)
@given(data=st.data())
@QUICK
def test_reading_never_raises_anything_but_its_own_error(noun: type[Entity], data: Any) -> None:
    """A document with junk somewhere in it gives an entity or a ValidationException."""
    document = _spoil(data.draw(documents(noun)), data)
    with suppress(ValidationException):
        assert isinstance(noun.from_dict(document), noun)


def _spoil(document: Any, data: Any) -> Any:
    """The document with one value, somewhere, replaced by junk."""
    if isinstance(document, dict) and document and data.draw(st.booleans()):
        key = data.draw(st.sampled_from(sorted(document, key=str)))
        return {**document, key: _spoil(document[key], data)}
    return data.draw(JUNK)


@pytest.mark.parametrize("noun", NOUNS, ids=lambda noun: noun.__name__)
@pytest.mark.parametrize("text", ["text", "${{parent.inputs.q}}"])
def test_text_where_a_mapping_belongs_is_told_with_its_place(noun: type[Entity], text: str) -> None:
    """In every field of every noun that wants a mapping, though an expression may stand for other values of a step."""
    for name, field in noun._fields.items():
        if not isinstance(field.shape, (Map, Nested, TaggedNoun)):
            continue
        reader = Reader()
        reader.in_step = True
        noun._read_data({name: text}, (), reader)
        found = [str(problem) for problem in reader.problems if problem.path == (name,)]
        assert found == [f"{name}: '{name}' must be {field.shape.words}, not '{text}'"]


@pytest.mark.parametrize("kind", KINDS)
@given(junk=JUNK)
@QUICK
def test_arbitrary_data_gives_problems_not_exceptions(kind: str, junk: Any) -> None:
    """Whatever is read as a kind, the answer is an entity or problems."""
    entity, problems = read(junk, kind)
    assert entity is not None or problems


@pytest.mark.parametrize("noun", NOUNS, ids=lambda noun: noun.__name__)
def test_every_key_is_described(noun: type[Entity]) -> None:
    """Each key has a sentence for editors, and the noun has a name for messages."""
    assert noun.noun.split()[0] in ("a", "an", "the")
    for name, field in noun._fields.items():
        assert field.doc.endswith("."), name
