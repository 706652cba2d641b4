"""What tests/conftest.py adds to pytest: asynchronous tests, and a report of the tests that were left out."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

SUITE = """
import asyncio
import pytest

async def test_that_fails():
    await asyncio.sleep(0)
    assert 1 == 2

@pytest.mark.skip(reason="it needs a printer")
def test_that_prints(): ...

@pytest.mark.integration
def test_that_takes_minutes(): ...
"""


def test_asynchronous_tests_run_and_what_was_left_out_is_listed_last(tmp_path: Path) -> None:
    """An `async def` that asserts what is false fails; the last lines name the skipped and the unselected tests."""
    (tmp_path / "test_it.py").write_text(SUITE)
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers = integration: slow\n")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "tests.conftest", "-m", "not integration", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=Path(__file__).parents[1], timeout=60)
    assert "assert 1 == 2" in done.stdout
    *_, summary, skipped, unselected = done.stdout.splitlines()
    assert summary.startswith("1 failed, 1 skipped, 1 deselected")
    assert skipped == "left out 1: it needs a printer"
    assert unselected == "left out 1: not selected by -m 'not integration'"
