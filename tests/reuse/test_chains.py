"""Long chains of reused steps: how often the engine waits for the disk."""

from __future__ import annotations

import pytest

from smalt.service.records.database import Database
from tests.engine.bench import workbench

STEPS = 20


async def test_a_chain_of_reused_steps_is_recorded_in_few_transactions(monkeypatch: pytest.MonkeyPatch) -> None:
    """A turn reuses many steps, each of which releases the next, and commits once."""
    steps = {
        f"s{number}": {
            "command": "true", "environment": "azureml:host", "outputs": {"o": {"type": "uri_folder"}},
            "inputs": {"i": f"${{{{parent.jobs.s{number - 1}.outputs.o}}}}"} if number else {},
        }
        for number in range(STEPS)
    }  # fmt: skip
    async with workbench() as bench:
        assert (await bench.over(bench.submit("first", {"type": "pipeline", "jobs": steps}))).status == "Completed"
        commits = 0
        commit = Database._commit

        def count(database: Database) -> None:
            nonlocal commits
            commits += 1
            commit(database)

        monkeypatch.setattr(Database, "_commit", count)
        again = bench.submit("again", {"type": "pipeline", "jobs": steps})
        assert (await bench.over(again)).status == "Completed"
        assert bench.states(again) == dict.fromkeys(steps, "Completed")
        assert commits < STEPS / 2
