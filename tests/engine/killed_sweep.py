"""A sweep on an engine that dies at a commit: `python -m tests.engine.killed_sweep HOME NUMBER before|after`."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from smalt import wire
from smalt.entities.jobs.sweep import SweepJob
from smalt.machine.home import Home
from smalt.service.records import jobs
from tests.engine.bench import Workbench, workbench
from tests.engine.killed_commits import die_at_commit
from tests.engine.sweeps import find_job, make_log_command, make_sweep

TRIALS = 3


def begin(folder: Path) -> Home:
    """Record a sweep whose trials run one at a time, note that they ran and log a metric: it has not begun."""
    bench = Workbench(Home(folder / "home"))
    command = f"echo ${{{{search_space.x}}}} >> {folder}/log; {make_log_command(bench)}"
    document = make_sweep(
        command, total=TRIALS, at_once=1, sampling_algorithm={"type": "random", "seed": 7},
        outputs={"out": {"type": "uri_folder", "name": "tuned"}},
    )  # fmt: skip
    body = wire.to_rest(SweepJob.from_dict(document))["properties"]
    new = jobs.NewJob(name="s", type="sweep", body=body, experiment="e", is_composite=True)
    jobs.add_job(bench.db, bench.workspace.id, new, "tester")
    bench.db.close()
    return bench.home


async def run_until_killed(home: str, number: int, when: str) -> None:
    die_at_commit(number, when)
    async with workbench(Home(Path(home))) as bench:
        await bench.over(find_job(bench, "s"))


if __name__ == "__main__":
    asyncio.run(run_until_killed(sys.argv[1], int(sys.argv[2]), sys.argv[3]))
