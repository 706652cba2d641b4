"""docs/v1.md: made from the table that the code uses, complete, and its examples run."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from smalt.v1.mapping import find_nearest_row, list_rows
from smalt.v1.upgrade.examples import HEAD, TABLES, TableRow
from smalt.v1.upgrade.findings import make_anchor
from smalt.v1.upgrade.page import MARK, list_ruled_names, render_page
from smalt.v1.upgrade.program import upgrade_program
from tests.v1.conftest import Programs

PAGE = Path(__file__).resolve().parents[3] / "docs/v1.md"
EXAMPLES = [row for _, rows in TABLES for row in rows if row.example]
HELLO = """\
import argparse, pathlib
parser = argparse.ArgumentParser()
parser.add_argument("--write")
parser.add_argument("--read")
parser.add_argument("--times", type=int, default=1)
args = parser.parse_args()
print("hello " * args.times)
if args.write:
    pathlib.Path(args.write, "words.txt").write_text("hello")
if args.read:
    print([one.read_text() for one in pathlib.Path(args.read).rglob("*") if one.is_file()])
"""
SCORE = "def init():\n    pass\n\n\ndef run(files):\n    return [open(one).read() for one in files]\n"


def test_the_page_is_made_from_the_table() -> None:
    """`python -m smalt.v1.upgrade.page docs/v1.md` writes it."""
    assert PAGE.read_text().partition(MARK)[2] == f"\n{render_page()}"


def test_what_stands_above_the_examples_is_in_the_page() -> None:
    assert HEAD in PAGE.read_text()


def test_every_name_that_a_rule_knows_is_in_the_table() -> None:
    assert [name for name in list_ruled_names() if find_nearest_row(name) is None] == []


def test_links_of_findings_lead_to_a_row() -> None:
    anchors = set(re.findall(r'<a id="(\w+)"', PAGE.read_text()))
    assert {make_anchor(row.name) for row in list_rows()} == anchors


@pytest.mark.parametrize("row", EXAMPLES, ids=lambda row: row.v1)
def test_nothing_of_an_example_needs_a_person(row: TableRow) -> None:
    upgraded = upgrade_program(HEAD + row.example)
    assert "azureml" not in re.sub("mcr.microsoft.com/azureml|azureml-mlflow|azureml://", "", upgraded.text)
    assert [one for one in upgraded.findings if one.state == "person"] == []


def test_the_examples_run(served: Programs) -> None:
    """Those that submit something, upgraded and one after the other, run to Completed."""
    served.write("src/hello.py", HELLO)
    served.write("src/score.py", SCORE)
    served.write("texts/a.txt", "a")
    served.write("texts/b.txt", "b")
    program = HEAD + "".join(row.example for row in EXAMPLES if "submit(" in row.example)
    served.write("all.py", upgrade_program(program).text)
    ran = served.python("all.py")
    assert ran.code == 0, ran.err
    assert len(re.findall(r"^job \S+ Completed", ran.err + ran.out, re.M)) == 4
    assert "['hello']" in ran.err + ran.out
