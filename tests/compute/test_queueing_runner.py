"""A runner that queues by itself: what the engine hands to it, and the states of its jobs."""

from __future__ import annotations

from pathlib import Path

import pytest

from smalt.service.engine import dispatch
from smalt.service.records import events, job_attempts
from tests.engine.bench import workbench

HOST = "azureml:host"


pytestmark = pytest.mark.usefixtures("spool_backend")


async def test_a_job_that_is_prepared_moves_forward_only(tmp_path: Path) -> None:
    """Its input is downloaded first; it is Queued until its runner starts it, and then Preparing and Running."""
    (tmp_path / "x").write_text("content\n")
    document = {
        "command": "cat ${{inputs.x}}", "environment": HOST, "compute": "azureml:spool",
        "inputs": {"x": {"type": "uri_file", "path": str(tmp_path / "x"), "mode": "download"}},
    }  # fmt: skip

    async with workbench() as bench:
        job = await bench.over(bench.submit("prepared", document))
        states = [event.data for event in events.list_since(bench.db, job.id, 0) if event.job_id == job.id]
        assert states == ["NotStarted", "Queued", "Preparing", "Running", "Finalizing", "Completed"]
        assert bench.log(job).endswith("content\n")


async def test_a_turn_hands_on_some_steps_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """There are no slots that run out: a thousand ready steps are handed on over several turns, all of them."""
    monkeypatch.setattr(dispatch, "_MOST_HANDED_ON", 2)
    handed: list[int] = []

    async with workbench() as bench:
        step = {"command": "true", "environment": HOST, "compute": "azureml:spool"}
        assert (await bench.over(bench.submit("first", step))).status == "Completed"  # now the environment is known
        bench.engine.pause()
        apply = bench.engine._apply_turn

        def note_turn() -> None:
            handed.append(len(bench.engine._dispatcher.steps))
            apply()

        monkeypatch.setattr(bench.engine, "_apply_turn", note_turn)
        asked = [bench.submit(f"j{number}", step) for number in range(5)]
        bench.engine.resume()
        assert [(await bench.over(job)).status for job in asked] == ["Completed"] * 5
        assert all(len(job_attempts.list_attempts(bench.db, job.id)) == 1 for job in asked)
        assert [number for number in handed if number] == [2, 2, 1]
