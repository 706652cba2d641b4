"""SIGKILL of the server, the launcher or both, at random moments, while a client submits and pipelines run.

    python bench/kill_loop.py [KILLS] [SEED]

Afterwards every acknowledged job must exist and have ended right, no step may have begun or ended twice, and no
process may be left behind. Exit code 1 when that does not hold.
"""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import common
import killing

from smalt.client import MLClient
from smalt.entities import PipelineJob


def main() -> int:
    kills = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else random.randrange(1_000_000)
    print(f"{kills} kills, seed {seed}")
    folder = tempfile.mkdtemp(prefix="smalt-kill-")
    os.environ["SMALT_HOME"] = f"{folder}/home"
    os.environ.pop("SMALT_URL", None)
    loop = KillLoop(Path(folder), random.Random(seed))
    try:
        problems = loop.run(kills)
    finally:
        subprocess.run([*common.PROGRAM, "server", "stop", "--force"], capture_output=True)
        left = loop.processes.left_behind()
    problems += left
    taken, killed = len(loop.acknowledged.jobs), dict(loop.processes.signalled)
    print(f"{taken} pipelines acknowledged, {killed}, {len(problems)} problems")
    for problem in problems[:20]:
        print(" ", problem)
    if not problems:
        shutil.rmtree(folder)
    else:
        print(f"see {folder}")
    return 1 if problems else 0


class KillLoop:
    def __init__(self, folder: Path, chance: random.Random) -> None:
        self.processes = killing.Processes(folder)
        self.acknowledged = killing.Acknowledged()
        self._traces = killing.Traces(folder / "traces")
        self._chance = chance
        self._done = threading.Event()

    def run(self, kills: int) -> list[str]:
        client = MLClient()
        self._submit(client, self._chance)
        submitting = threading.Thread(target=self._keep_submitting, args=(random.Random(self._chance.random()),))
        submitting.start()
        for _ in range(kills):
            time.sleep(self._chance.uniform(0.02, 0.5))
            self.processes.kill(self._chance.choice(["server", "launcher", "both"]))
        self._done.set()
        submitting.join()
        return self.acknowledged.judge(self._traces, self.acknowledged.wait(client))

    def _keep_submitting(self, chance: random.Random) -> None:
        client = MLClient()
        while not self._done.is_set():
            self._submit(client, chance)
            time.sleep(chance.uniform(0.0, 0.6))

    def _submit(self, client: MLClient, chance: random.Random) -> None:
        """Send a pipeline until it is acknowledged: the same name and body are the same job, however often sent."""
        name = f"p{len(self.acknowledged.jobs)}"
        document, expected = killing.random_pipeline(name, self._traces, chance)
        killing.insist(lambda: client.jobs.create_or_update(PipelineJob.from_dict(document)))
        self.acknowledged.add(name, expected)


if __name__ == "__main__":
    sys.exit(main())
