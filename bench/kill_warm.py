"""SIGKILL of the server, the launcher, warm parents and children that wait, at random moments, under Python steps.

    python bench/kill_warm.py [KILLS] [SEED]

Judged as by `kill_loop.py`: nothing lost, nothing twice, nothing left behind. It also says how many steps started warm.
"""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

import common
import killing

from smalt.client import MLClient
from smalt.entities import PipelineJob

STEP = """
import os, subprocess, sys, time
trace, seconds, ending = sys.argv[1], float(sys.argv[2]), sys.argv[3]

def note(word):
    with open(trace, "a") as file:
        file.write(word + "\\n")

note("begin")
time.sleep(seconds)
note("end")
if ending == "fail":
    sys.exit(3)
if ending == "leave":
    subprocess.Popen(["sleep", "1000"], start_new_session=True)
if ending == "fork" and os.fork() == 0:
    time.sleep(1000)
if ending == "exit":
    os._exit(0)
"""
VICTIMS = ("server", "launcher", "both", *("parents",) * 6, *("waiting",) * 6)


class WarmProcesses(killing.Processes):
    def signal(self, whom: str, number: signal.Signals) -> list[int]:
        """Leave out those that were given a step since they were found, or just before: they are the step's own."""
        if whom not in ("parents", "waiting"):
            return super().signal(whom, number)
        reached = []
        for pid in self._pids(whom):
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGSTOP)
                if b"_smalt_warm" in Path(f"/proc/{pid}/cmdline").read_bytes():
                    os.kill(pid, number)
                    self.signalled[f"{number.name} {whom}"] += 1
                    reached.append(pid)
                os.kill(pid, signal.SIGCONT)
        return reached

    def _pids(self, whom: str) -> list[int]:
        if whom not in ("parents", "waiting"):
            return super()._pids(whom)
        launchers = set(super()._pids("launcher"))
        found = []
        for pid, command in self.all().items():
            stat = killing.processes.read_stat(pid)
            if "-m _smalt_warm" in command and stat and stat.parent in launchers:
                is_parent = Path(f"/proc/{pid}/environ").read_bytes() and stat.group == pid
                if is_parent == (whom == "parents"):
                    found.append(pid)
        return found


def main() -> int:
    kills = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else random.randrange(1_000_000)
    print(f"{kills} kills, seed {seed}")
    folder = Path(tempfile.mkdtemp(prefix="smalt-kill-"))
    os.environ["SMALT_HOME"] = f"{folder}/home"
    os.environ.pop("SMALT_URL", None)
    common.smalt(dict(os.environ), "config", "set", "warm", "on")
    loop = KillLoop(folder, random.Random(seed))
    try:
        problems = loop.run(kills)
    finally:
        subprocess.run([*common.PROGRAM, "server", "stop", "--force"], capture_output=True)
        left = loop.processes.left_behind()
    problems += left
    print(f"{len(loop.acknowledged.jobs)} pipelines acknowledged, {dict(loop.processes.signalled)}")
    print(f"starts: {dict(_count_starts(folder))}")
    print(f"{len(problems)} problems")
    for problem in problems[:20]:
        print(" ", problem)
    if not problems:
        shutil.rmtree(folder)
    else:
        print(f"see {folder}")
    return 1 if problems else 0


def _count_starts(folder: Path) -> Counter[str]:
    with contextlib.closing(sqlite3.connect(folder / "home" / "smalt.db")) as records:
        rows = records.execute("SELECT start_mode FROM job_attempts WHERE start_mode IS NOT NULL").fetchall()
    return Counter(mode for (mode,) in rows)


class KillLoop:
    def __init__(self, folder: Path, chance: random.Random) -> None:
        self.processes = WarmProcesses(folder)
        self.acknowledged = killing.Acknowledged()
        self._traces = killing.Traces(folder / "traces")
        self._chance = chance
        self._done = threading.Event()
        self._code = folder / "code"
        self._code.mkdir()
        (self._code / "step.py").write_text(STEP)

    def run(self, kills: int) -> list[str]:
        client = MLClient()
        self._submit(client, self._chance)
        submitting = threading.Thread(target=self._keep_submitting, args=(random.Random(self._chance.random()),))
        submitting.start()
        for _ in range(kills):
            time.sleep(self._chance.uniform(0.1, 1.5))
            self.processes.kill(self._chance.choice(VICTIMS))
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
        document, expected = self._make_pipeline(name, chance)
        killing.insist(lambda: client.jobs.create_or_update(PipelineJob.from_dict(document)))
        self.acknowledged.add(name, expected)

    def _make_pipeline(self, name: str, chance: random.Random) -> tuple[dict[str, Any], killing.Expected]:
        fails = chance.random() < 0.3
        nodes: dict[str, Any] = {}
        runs: dict[str, int] = {}
        for number in range(chance.randint(2, 4)):
            ending = "fail" if fails and number == 1 else "exit" if chance.random() < 0.3 else "end"
            nodes[f"n{number}"] = self._make_node(name, f"n{number}", chance, ending)
            if number:
                nodes[f"n{number}"]["inputs"] = {"i": f"${{{{parent.jobs.n{number - 1}.outputs.o}}}}"}
            runs[f"n{number}"] = 0 if fails and number > 1 else 1
        for number in range(chance.randint(0, 2)):
            ending = chance.choice(["end", "leave", "fork"])
            nodes[f"w{number}"] = self._make_node(name, f"w{number}", chance, ending)
            runs[f"w{number}"] = 1
        settings = {"continue_on_step_failure": True, "default_compute": "azureml:local", "force_rerun": True}
        document = {"type": "pipeline", "name": name, "settings": settings, "jobs": nodes}
        return document, killing.Expected("Failed" if fails else "Completed", runs)

    def _make_node(self, job: str, node: str, chance: random.Random, ending: str) -> dict[str, Any]:
        return {
            "type": "command",
            "command": f"python step.py {self._traces.path(job, node)} {chance.uniform(0, 0.4):.2f} {ending}",
            "code": str(self._code),
            "environment": "azureml:host",
            "outputs": {"o": {"type": "uri_folder"}},
        }


if __name__ == "__main__":
    sys.exit(main())
