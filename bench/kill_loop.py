"""SIGKILL of the server, the launcher or both, at random moments, while a client submits and pipelines run.

    python bench/kill_loop.py [KILLS] [SEED]

Afterwards every acknowledged job must exist and have ended right, no step may have begun or ended twice, and no
process may be left behind. Exit code 1 when that does not hold.
"""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

from smalt import processes
from smalt.client import MLClient
from smalt.entities import PipelineJob
from smalt.exceptions import SmaltError
from smalt.home import Home

DEADLINE = 300.0
"""Seconds after the last kill in which all must be over."""
OVER = {"Completed", "Failed", "Canceled"}


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
        subprocess.run([str(Path(sys.executable).with_name("smalt")), "server", "stop", "--force"], capture_output=True)
        left = loop.left_behind()
    problems += [f"left behind: {line}" for line in left]
    print(f"{len(loop.expected)} pipelines acknowledged, {dict(loop.killed)} killed, {len(problems)} problems")
    for problem in problems[:20]:
        print(" ", problem)
    if not problems:
        shutil.rmtree(folder)
    else:
        print(f"see {folder}")
    return 1 if problems else 0


class KillLoop:
    def __init__(self, folder: Path, chance: random.Random) -> None:
        self.folder = folder
        self.home = Home(folder / "home")
        self.expected: dict[str, tuple[str, dict[str, int]]] = {}
        self.killed: Counter[str] = Counter()
        self._chance = chance
        self._done = threading.Event()
        self._traces = folder / "traces"
        self._traces.mkdir()

    def run(self, kills: int) -> list[str]:
        client = MLClient()
        self._submit(client)
        submitting = threading.Thread(target=self._keep_submitting, args=(random.Random(self._chance.random()),))
        submitting.start()
        for _ in range(kills):
            time.sleep(self._chance.uniform(0.02, 0.5))
            self._kill(self._chance.choice(["server", "launcher", "both"]))
        self._done.set()
        submitting.join()
        states = self._wait(client)
        return [problem for name in self.expected for problem in self._judge(name, states.get(name))]

    def left_behind(self) -> list[str]:
        """Processes of this home that still live a while after the server was stopped."""
        end = time.monotonic() + 15
        while (left := self._processes()) and time.monotonic() < end:
            time.sleep(0.05)
        return [f"{pid} {command}" for pid, command in left.items()]

    # The client

    def _keep_submitting(self, chance: random.Random) -> None:
        client = MLClient()
        while not self._done.is_set():
            self._submit(client, chance)
            time.sleep(chance.uniform(0.0, 0.6))

    def _submit(self, client: MLClient, chance: random.Random | None = None) -> None:
        """Until it is acknowledged: the same name and body are the same job, however often they are sent."""
        name = f"p{len(self.expected)}"
        document, outcome = self._pipeline(name, chance or self._chance)
        end = time.monotonic() + DEADLINE
        while True:
            try:
                client.jobs.create_or_update(PipelineJob.from_dict(document))
                break
            except (SmaltError, OSError):
                if time.monotonic() > end:
                    raise
                time.sleep(0.02)
        self.expected[name] = outcome

    def _pipeline(self, name: str, chance: random.Random) -> tuple[dict[str, Any], tuple[str, dict[str, int]]]:
        """A chain beside loose steps, some of which fail or leave something running; and what must become of it."""
        fails = chance.random() < 0.3
        nodes: dict[str, Any] = {}
        runs: dict[str, int] = {}
        for number in range(chance.randint(2, 4)):
            needs = f"n{number - 1}" if number else None
            bad = fails and number == 1
            nodes[f"n{number}"] = self._node(name, f"n{number}", chance, needs, "exit 3" if bad else "true")
            runs[f"n{number}"] = 0 if fails and number > 1 else 1
        for number in range(chance.randint(0, 2)):
            ending = chance.choice(["true", "sleep 1000 & true", "setsid sleep 1000 & exec true"])
            nodes[f"w{number}"] = self._node(name, f"w{number}", chance, None, ending)
            runs[f"w{number}"] = 1
        document = {
            "type": "pipeline",
            "name": name,
            "settings": {"continue_on_step_failure": True, "default_compute": "azureml:local"},
            "jobs": nodes,
        }
        return document, ("Failed" if fails else "Completed", runs)

    def _node(self, name: str, node: str, chance: random.Random, needs: str | None, ending: str) -> dict[str, Any]:
        trace = self._traces / f"{name}.{node}"
        seconds = f"{chance.uniform(0, 0.4):.2f}"
        made: dict[str, Any] = {
            "type": "command",
            "command": f"echo begin >>{trace}; sleep {seconds}; echo end >>{trace}; {ending}",
            "environment": "azureml:host",
            "outputs": {"o": {"type": "uri_folder"}},
        }
        if needs:
            made["inputs"] = {"i": f"${{{{parent.jobs.{needs}.outputs.o}}}}"}
        return made

    # The killer

    def _kill(self, whom: str) -> None:
        pids = []
        if whom in ("server", "both"):
            facts = self.home.read_json("server.json") or {}
            pids.append(int(facts.get("pid", 0)))
        if whom in ("launcher", "both"):
            pids += [pid for pid, command in self._processes().items() if "launcher/__main__.py" in command]
        for pid in filter(None, pids):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
                self.killed[whom] += 1

    def _processes(self) -> dict[int, str]:
        """Those of this home: server, launcher and steps."""
        found = {}
        for name in filter(str.isdigit, os.listdir("/proc")):
            with contextlib.suppress(OSError):
                command = Path("/proc", name, "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                environment = Path("/proc", name, "environ").read_bytes().decode(errors="replace")
                if int(name) != os.getpid() and str(self.folder) in command + environment:
                    stat = processes.stat(int(name))
                    if stat and not stat.dead:
                        found[int(name)] = command
        return found

    # The judge

    def _wait(self, client: MLClient) -> dict[str, str]:
        states: dict[str, str] = {}
        end = time.monotonic() + DEADLINE
        while time.monotonic() < end and len(states) < len(self.expected):
            for name in self.expected.keys() - states.keys():
                with contextlib.suppress(SmaltError, OSError):
                    if (status := str(client.jobs.get(name).status)) in OVER:
                        states[name] = status
            time.sleep(0.1)
        return states

    def _judge(self, name: str, state: str | None) -> list[str]:
        wanted, runs = self.expected[name]
        problems = [] if state == wanted else [f"{name}: {state}, should be {wanted}"]
        for node, times in runs.items():
            trace = self._traces / f"{name}.{node}"
            seen = trace.read_text().split() if trace.exists() else []
            if seen != ["begin", "end"] * times:
                problems.append(f"{name}.{node}: {seen}, should be {times} run")
        return problems


if __name__ == "__main__":
    sys.exit(main())
