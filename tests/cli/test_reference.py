from __future__ import annotations

from pathlib import Path

from smalt.cli import reference
from smalt.cli.app import LATER, NOUNS

PAGE = Path(__file__).parents[2] / "docs" / "cli.md"


def test_the_reference_is_what_the_code_says() -> None:
    """docs/cli.md has every verb and option as they are: python -m smalt.cli.reference docs/cli.md makes it so."""
    _, mark, made = PAGE.read_text().partition(reference.MARK)
    assert mark
    assert made == reference.text()


def test_every_noun_is_in_the_reference() -> None:
    """Those that are there as headings, those that come later in the list of them."""
    text = PAGE.read_text()
    assert not [noun for noun in NOUNS if f"\n## smalt {noun}\n" not in text]
    assert not [noun for noun in LATER if f"`{noun}`" not in text]
