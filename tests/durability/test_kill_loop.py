from __future__ import annotations

from pathlib import Path

from tests.durability.killing import kill_loop


def test_nothing_acknowledged_is_lost_and_nothing_runs_twice(tmp_path: Path) -> None:
    """Ten times SIGKILL for server, launcher or both: every acknowledged job completes, each step exactly once."""
    verdict = kill_loop(tmp_path, kills=10, seed=1)
    assert verdict.is_good, verdict
    assert verdict.acknowledged > 0
