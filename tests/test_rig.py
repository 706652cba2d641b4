"""What tests/conftest.py adds to pytest: asynchronous tests, a report of what was left out, and who runs what."""

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


PAIR = """
import os, pathlib, time
import pytest

@pytest.mark.parametrize("number", [0, 1])
def test_that_needs_the_other(number):
    folder = pathlib.Path(__file__).parent
    (folder / f"begun-{number}").touch()
    until = time.monotonic() + 30
    while not (folder / f"begun-{1 - number}").exists():
        assert time.monotonic() < until
        time.sleep(0.01)
"""
ALONE = """
import os, pathlib
import pytest

@pytest.mark.parametrize("number", range(4))
def test_in_one_process(number):
    (pathlib.Path(__file__).parent / f"pid-{os.getpid()}").touch()
"""


def test_browsers_are_shared_by_the_workers_and_other_files_are_not(tmp_path: Path) -> None:
    """Two tests of test_browser.py run at once; those of another file are run by one process."""
    (tmp_path / "test_browser.py").write_text(PAIR)
    (tmp_path / "test_other.py").write_text(ALONE)
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    workers = ["--numprocesses", "2", "--dist", "loadfile", "--no-loadscope-reorder"]
    command = [sys.executable, "-m", "pytest", "-q", "-p", "tests.conftest", *workers, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=Path(__file__).parents[1], timeout=120)
    assert done.returncode == 0, done.stdout
    assert len(list(tmp_path.glob("pid-*"))) == 1
