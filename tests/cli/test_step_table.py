"""The table of a pipeline's steps in `smalt job show`: how each started, at any width."""

from __future__ import annotations

from typing import Any

import pytest

from smalt.cli.jobs.report import render_steps
from smalt.cli.output.table import PIPE, TableScreen

WARM: dict[str, Any] = {
    "step": "train", "status": "Completed", "duration_seconds": 1.0, "cpu_seconds": 1.0, "peak_memory_bytes": 1_000_000,
    "start_mode": "warm",
}  # fmt: skip
COLD = {**WARM, "step": "score", "start_mode": "cold"}
SHELL = {**WARM, "step": "shell", "start_mode": None}
REUSED = {**WARM, "step": "again", "reused": "early_fig"}
FAILED = {
    **WARM,
    "step": "bad",
    "status": "Failed",
    "error": {"message": "KeyError: 'price', as no file has such a column"},
}


def lines(*steps: dict[str, Any], width: int | None) -> list[str]:
    return render_steps(list(steps), PIPE if width is None else TableScreen(width)).splitlines()


@pytest.mark.parametrize("width", [None, 100, 80])
def test_a_column_tells_the_start_of_each_step(width: int | None) -> None:
    shown = [line.split() for line in lines(WARM, COLD, SHELL, FAILED, width=width)]
    assert shown[0][:4] == ["Step", "Status", "Start", "Duration"]
    assert [line[2] for line in shown[2:]] == ["warm", "cold", "1.0", "warm"]


def test_a_reused_step_did_not_start() -> None:
    assert "warm" not in lines(REUSED, width=80)[2]


def test_nothing_is_told_where_no_step_started_warm() -> None:
    """The room is the remarks'."""
    assert "Start" not in lines(SHELL, COLD, REUSED, width=80)[0]


@pytest.mark.parametrize("width", [36, 40, 50])
@pytest.mark.parametrize("saved", [None, 2.0])
def test_a_narrow_terminal_still_tells_which_started_warm(width: int, saved: float | None) -> None:
    shown = lines({**WARM, "saved_seconds": saved}, COLD, width=width)
    assert "warm" in shown[2]
    assert max(map(len, shown)) <= width


def test_a_narrow_terminal_keeps_the_errors_rather_than_the_starts() -> None:
    """At 40 columns each of the two would be cut to nothing."""
    shown = lines(WARM, FAILED, width=40)
    assert "KeyError" in shown[3]
    assert "warm" in shown[2]


def test_what_was_saved_is_remarked() -> None:
    assert lines({**WARM, "saved_seconds": 2.0}, width=80)[2].endswith("saved about 2.0 s")
