"""A loop on an engine that dies at a commit: `python -m tests.engine.killed_loop HOME NUMBER before|after`."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from smalt import wire
from smalt.entities import PipelineJob
from smalt.machine.home import Home
from smalt.service.records import jobs
from tests.engine.bench import Workbench, workbench
from tests.engine.killed_commits import die_at_commit
from tests.engine.sweeps import find_job

KEYS = ("a", "b", "c")


def begin(folder: Path) -> Home:
    """Record a pipeline with a loop over three items, two at a time, and a reader; it has not begun."""
    bench = Workbench(Home(folder / "home"))
    host = {"type": "command", "environment": "azureml:host"}
    body = {
        **host, "inputs": {"word": ""}, "outputs": {"out": {"type": "uri_folder"}},
        "command": f"echo ${{{{inputs.word}}}} >> {folder}/log; mkdir -p ${{{{outputs.out}}}}; "
        "echo ${{inputs.word}} > ${{outputs.out}}/word",
    }  # fmt: skip
    loop = {
        "type": "parallel_for", "body": "${{parent.jobs.body}}", "max_concurrency": 2,
        "items": {key: {"word": f"word_{key}"} for key in KEYS},
    }  # fmt: skip
    reader = {
        **host, "inputs": {"all": {"type": "mltable", "path": "${{parent.jobs.loop.outputs.out}}"}},
        "command": "cd ${{inputs.all}}; cat MLTable */word",
    }  # fmt: skip
    document = {"jobs": {"body": body, "loop": loop, "after": reader}}
    properties = wire.to_rest(PipelineJob.from_dict(document))["properties"]
    new = jobs.NewJob(name="p", type="pipeline", body=properties, experiment="e", is_composite=True)
    jobs.add_job(bench.db, bench.workspace.id, new, "tester")
    bench.db.close()
    return bench.home


async def run_until_killed(home: str, number: int, when: str) -> None:
    die_at_commit(number, when)
    async with workbench(Home(Path(home))) as bench:
        await bench.over(find_job(bench, "p"))


if __name__ == "__main__":
    asyncio.run(run_until_killed(sys.argv[1], int(sys.argv[2]), sys.argv[3]))
