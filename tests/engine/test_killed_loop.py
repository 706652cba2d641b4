"""Servers that die in a loop over items: no iteration is lost or runs twice, and all outputs are gathered."""

from __future__ import annotations

from pathlib import Path

import pytest

from smalt.machine.home import Home
from tests.engine.bench import workbench
from tests.engine.killed_loop import KEYS, begin
from tests.engine.sweeps import find_job
from tests.forked_programs import ForkedPrograms

FEWEST_COMMITS = 12
"""A run has more; two events that come at once share one."""


async def finish(home: Home) -> None:
    """Run the pipeline to its end and check what ran, and what the reader was given."""
    async with workbench(home) as bench:
        job = await bench.over(find_job(bench, "p"))
        assert job.status == "Completed", job.error
        assert bench.states(job) == {"loop": "Completed", "after": "Completed"}
        assert bench.states(bench.child(job, "loop")) == {f"body.{key}": "Completed" for key in KEYS}
        paths = "".join(f"  - folder: ./{key}\n" for key in KEYS)
        words = "".join(f"word_{key}\n" for key in KEYS)
        assert bench.log("p-after") == f"type: mltable\npaths:\n{paths}{words}"
        assert sorted((home.root.parent / "log").read_text().split()) == words.split()


async def test_a_loop_that_nobody_disturbs(tmp_path: Path) -> None:
    await finish(begin(tmp_path))


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("number", range(1, 21))
async def test_a_server_that_dies_at_a_commit(
    tmp_path: Path, forked_programs: ForkedPrograms, number: int, when: str
) -> None:
    home = begin(tmp_path)
    died = forked_programs.run("tests.engine.killed_loop", str(home.root), str(number), when)
    assert died.returncode in (0, 9), died.stderr
    if died.returncode == 0:
        assert number > FEWEST_COMMITS, "it was to be killed, and ran to its end"
        pytest.skip("it is over before that commit")
    await finish(home)
