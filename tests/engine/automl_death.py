"""An engine that runs an AutoML job and dies at one of its commits.

`python -m tests.engine.automl_death HOME FOLDER NUMBER before|after`; FOLDER has the job as `job.json`.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

from smalt import wire
from smalt.entities.jobs.automl.job import AutoMLJob
from smalt.machine.home import Home
from smalt.service.engine.kinds import automl_search
from smalt.service.tracking.run_database import LoggedMetric
from tests.engine.bench import workbench
from tests.engine.killed_commits import die_at_commit

automl_search._PROGRAM = Path(__file__).with_name("automl_program")


async def run_until_killed(home: str, folder: str, number: int, when: str) -> None:
    async with workbench(Home(Path(home))) as bench:
        die_at_commit(number, when)
        body = wire.to_rest(AutoMLJob.from_dict(json.loads(Path(folder, "job.json").read_text())))["properties"]
        job = bench.engine.submit(bench.workspace, "a", body, "tester")
        journal = bench.store("azureml", "a_search", "trials", "journal.jsonl")
        while not journal.exists():
            await asyncio.sleep(0.01)
        take = bench.engine.planner.find_metric_listener(bench.workspace, "a_search")
        if take is not None:
            take([LoggedMetric("trial", 0.0, 0, 1000)])
        await bench.over(job)


if __name__ == "__main__":
    asyncio.run(run_until_killed(sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4]))
