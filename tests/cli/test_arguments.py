from __future__ import annotations

import click
import pytest

from smalt.cli.framework.arguments import SEPARATOR, WordsOption, expand_arguments

OPTIONS = [
    click.Option(["-w", "--workspace-name"]),
    click.Option(["-o", "--output"]),
    click.Option(["--output-name"]),
    click.Option(["--set"], multiple=True),
    click.Option(["-s", "--stream"], is_flag=True),
    WordsOption(["--add"], multiple=True),
]


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("--set a=1 b=2 --stream", "--set a=1 --set b=2 --stream"),
        ("--set a=1 --set b=2", "--set a=1 --set b=2"),
        ("--set=a=1 b=2", "--set=a=1 --set b=2"),
        ("--set a=-1 name", "--set a=-1 name"),
        ("--stream a=b", "--stream a=b"),
        ("--workspace x", "--workspace-name x"),
        ("--workspace=x", "--workspace-name=x"),
        ("--output tsv", "--output tsv"),
        ("-- --workspace x", "-- --workspace x"),
        ("--unknown x", "--unknown x"),
        ("-s -w --set", "-s -w --set"),
    ],
)
def test_arguments_become_what_click_reads(given: str, meant: str) -> None:
    """Several values after one option are repeated, shortened options written out, and the rest left alone."""
    assert expand_arguments(given.split(), OPTIONS) == meant.split()


def test_words_after_an_option_stay_together() -> None:
    """`--add list x y` is one value, and the next option ends it."""
    assert expand_arguments(["--add", "list", "x", "y", "-s"], OPTIONS) == [
        "--add",
        SEPARATOR.join(["list", "x", "y", "-s"]),
    ]
    assert expand_arguments(["--add", "list", "x", "--stream"], OPTIONS) == ["--add", f"list{SEPARATOR}x", "--stream"]


def test_an_ambiguous_beginning_is_refused() -> None:
    """A shortened option that could be several is refused, and they are named."""
    with pytest.raises(click.UsageError, match="--output or --output-name"):
        expand_arguments(["--outpu", "x"], OPTIONS)
