"""The table of fields: each says what it does, and docs/fields.md shows it."""

from __future__ import annotations

from pathlib import Path

import pytest

from smalt.entities.schema import effects as effect
from smalt.entities.schema.entity import Entity
from smalt.entities.schema.field_table import list_nouns, render_page

WORDS = {effect.ACTED, effect.KEPT, effect.NONE, effect.REFUSED, effect.SERVICE}
NOUNS = list(dict.fromkeys(noun for classes in list_nouns().values() for noun in classes))


@pytest.mark.parametrize("noun", NOUNS, ids=lambda noun: noun.__name__)
def test_every_field_says_what_it_does(noun: type[Entity]) -> None:
    """No field of any noun is without a word for what it does here."""
    for name in noun._fields:
        assert noun._find_effect(name) in WORDS, f"{noun.__name__}.{name} needs effect=… or its noun an _effect"


def test_a_field_of_what_runs_says_it_itself() -> None:
    """Jobs and steps that run have no default word, so that a new field of them is thought about."""
    for name in ("CommandJob", "PipelineJob", "CommandNode", "PipelineNode", "JobResourceConfiguration", "Input"):
        noun = next(noun for noun in NOUNS if noun.__name__ == name)
        assert noun._effect == ""


def test_the_page_is_as_the_code() -> None:
    """docs/fields.md is what the fields say: python -m smalt.entities.schema.field_table docs/fields.md makes it so."""
    written = Path(__file__).parents[2] / "docs" / "fields.md"
    assert written.read_text(encoding="utf-8") == render_page()
