"""The examples of docs/steps.md: each block with a file's name is written as it stands, and each job file runs."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from tests.acceptance.conftest import Desk

PAGE = (Path(__file__).parents[3] / "docs/steps.md").read_text()
FILES = dict(re.findall(r"`([\w./-]+)`:\n\n```\w+\n(.*?)```", PAGE, re.DOTALL))
JOBS = [name for name, text in FILES.items() if name.endswith("job.yml")]


@pytest.mark.parametrize("job", JOBS)
def test_an_example_runs(desk: Desk, job: str) -> None:
    """R needs an R on this machine."""
    if "Rscript" in FILES[job] and shutil.which("Rscript") is None:
        pytest.skip("R is not on this machine")
    for name, text in FILES.items():
        desk.write(name, text)
    ran = desk.smalt(f"job create --file {job} --stream")
    assert ran.code == 0, ran.out + ran.err


def test_each_row_of_the_seed_is_in_the_table() -> None:
    """The fifteen kinds of step of SDK v1, and a pipeline, each with a state."""
    rows = re.findall(r"^\| `(\w+_step)` \|(.+)\|$", PAGE, re.MULTILINE)
    assert len(rows) == len({name for name, _ in rows}) == 16
    assert all(len(rest.split("|")) == 4 and all(cell.strip() for cell in rest.split("|")) for _, rest in rows)
