from __future__ import annotations

import re
import shlex
from pathlib import Path

import click
import pytest

from smalt.cli import reference
from smalt.cli.app import LATER, NOUNS, smalt
from smalt.cli.framework import arguments

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "cli.md"


def test_the_reference_is_what_the_code_says() -> None:
    """docs/cli.md has every verb and option as they are: python -m smalt.cli.reference docs/cli.md makes it so."""
    _, mark, made = PAGE.read_text().partition(reference.MARK)
    assert mark
    assert made == reference.render_reference()


def test_every_noun_is_in_the_reference() -> None:
    """Those that are there as headings, those that come later in the list of them."""
    text = PAGE.read_text()
    assert not [noun for noun in NOUNS if f"\n## smalt {noun}\n" not in text]
    assert not [noun for noun in LATER if f"`{noun}`" not in text]


PAGES = [ROOT / "README.md", *sorted(path for path in (ROOT / "docs").glob("*.md") if path.name != "design.md")]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_commands_that_pages_show_exist(page: Path) -> None:
    """Every `smalt NOUN VERB …` of a page has a verb and options that exist."""
    prose = page.read_text().partition(reference.MARK)[0]
    lines = [line for line in re.findall(r"\bsmalt ([a-z]+ [^`\n)>;]+)", prose) if line.split()[0] in NOUNS]
    for line in lines:
        parse(line.partition("#")[0])


def parse(line: str) -> None:
    """Raises click's usage error where the command line has what the command has not."""
    try:
        words = shlex.split(line)
    except ValueError:
        words = line.split()
    root = click.Context(smalt, info_name="smalt")
    command = smalt.get_command(root, words.pop(0))
    while isinstance(command, click.Group):
        verb = command.get_command(root, words.pop(0))
        assert verb is not None, line
        command = verb
    assert command is not None, line
    options = [param for param in command.params if isinstance(param, click.Option)]
    command.make_parser(click.Context(command, root)).parse_args(arguments.expand_arguments(words, options))
