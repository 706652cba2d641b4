"""The checks of bench/ at a small size; CONTRIBUTING.md says how to run them longer."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

BENCH = Path(__file__).parents[1] / "bench"


@pytest.mark.parametrize(
    "words",
    [
        ["fuzz.py", "150", "7", "--hang", "30"],  # no 500, no hang, no traceback, whatever is sent to any route
        ["soak.py", "4", "7"],  # every job ends right, once, while server and launcher are killed and stopped
        # no invocation and no tick is lost or doubled while server and launcher are killed
        pytest.param(["kill_endpoints.py", "0.7", "7"], marks=pytest.mark.integration),
    ],
    ids=lambda words: words[0],
)
def test_a_short_run_finds_nothing(words: list[str]) -> None:
    """The check exits with 0; what it prints says what is wrong otherwise."""
    done = subprocess.run([sys.executable, BENCH / words[0], *words[1:]], capture_output=True, text=True, timeout=280)
    assert done.returncode == 0, done.stdout + done.stderr
