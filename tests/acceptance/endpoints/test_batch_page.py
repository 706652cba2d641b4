"""The examples of docs/batch-endpoints.md about published pipelines: files, commands and a program, in order."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.acceptance.conftest import Desk

WHOLE = (Path(__file__).parents[3] / "docs/batch-endpoints.md").read_text()
PAGE = WHOLE.partition("## Published pipelines of SDK v1")[2]
FILES = dict(re.findall(r"`([\w./-]+)`:\n\n```\w+\n(.*?)```", PAGE, re.DOTALL))
COMMANDS = re.findall(r"^    smalt (.+)$", PAGE, re.MULTILINE)


@pytest.fixture
def reader(desk: Desk) -> Desk:
    """A desk with all files of the page."""
    for name, text in FILES.items():
        desk.write(name, text)
    return desk


def test_every_example_runs(reader: Desk) -> None:
    """The commands as they stand, then the program with the address and a token."""
    assert len(COMMANDS) >= 9
    for command in COMMANDS:
        ran = reader.smalt(command)
        assert ran.code == 0, f"{command}: {ran.out}{ran.err}"
    assert (reader.folder / "named-outputs/said/said.txt").read_text() == "hello you\n"
    address = reader.ask("batch-endpoint show -n greeter --query scoring_uri")
    token = reader.server.home.read_token() or ""
    called = [sys.executable, "invoke.py", address, token, str(reader.folder / "words")]
    name = subprocess.run(called, cwd=reader.folder, check=True, capture_output=True, text=True).stdout.strip()
    assert reader.smalt(f"job stream -n {name}").code == 0
    assert reader.smalt(f"job download -n {name} --output-name said -p by-rest").code == 0
    assert (reader.folder / "by-rest/named-outputs/said/said.txt").read_text() == "hello everyone\n"


def test_each_row_of_the_seed_is_in_the_table() -> None:
    """Four concepts, each with its name in SDK v1 and v2 and a link to a section of the page."""
    row = r"^\| (Pipeline's .+|Job generated .+) \| (.+) \| (.+) \| \[.+\]\(#(.+)\) \|$"
    rows = re.findall(row, PAGE, re.MULTILINE)
    assert [row[1] for row in rows] == ["Pipeline endpoint", "Published pipeline", "Pipeline parameter", "Pipeline job"]
    titles = {title.lower().replace(" ", "-") for title in re.findall(r"^### (.+)$", PAGE, re.MULTILINE)}
    assert {row[3] for row in rows} <= titles
