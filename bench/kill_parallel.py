"""SIGKILL of workers, coordinators, the server and the launcher, at random moments, while parallel steps run.

    python bench/kill_parallel.py [KILLS] [SEED]

Three works are in progress at a time, each a pipeline of one parallel step over files of its own. Some mini-batches
always raise, in some works more of them than the thresholds allow. A job whose coordinator was killed is submitted
again, as a person would, until it ends by itself. Each work must end as its thresholds say; the rows of one that
completes must be those of all other mini-batches, once each and in order; and no process may be left behind. Exit code
1 when that does not hold. Printed, too, is how many calls of `run` ended again for a mini-batch whose result was lost.
"""

from __future__ import annotations

import contextlib
import math
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

import common
import killing

from smalt.client import MLClient
from smalt.entities import PipelineJob
from smalt.exceptions import SmaltError
from smalt.machine import processes

WORKERS, RETRIES, FILES_EACH = 2, 30, 3
LONGEST_BOOT = 8.0
"""The most seconds until the next kill after a server or launcher was killed, which is back by then, as a rule."""
SCRIPT = """
import os, random, time
from pathlib import Path

def init():
    time.sleep(random.uniform(0, 0.1))

def note(word, context):
    descriptor = os.open(os.environ["TRACE"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(descriptor, f"{word} {context.minibatch_index}\\n".encode())
    os.close(descriptor)

def run(mini_batch, context):
    note("begin", context)
    time.sleep(random.uniform(0, 0.1))
    texts = [Path(path).read_text() for path in mini_batch]
    if "bad" in texts:
        raise ValueError("bad")
    note("end", context)
    return [f"{Path(path).name} {text}" for path, text in zip(mini_batch, texts)]
"""
VICTIMS = (*["worker"] * 6, *["coordinator"] * 2, "server", "launcher", "both")


class Work(NamedTuple):
    """The files of one parallel step, and what must become of them."""

    name: str
    document: dict[str, Any]
    rows: list[str]
    batches: int
    is_failing: bool


def main() -> int:
    kills = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else random.randrange(1_000_000)
    print(f"{kills} kills, seed {seed}", flush=True)
    folder = Path(tempfile.mkdtemp(prefix="smalt-kill-"))
    os.environ["SMALT_HOME"] = f"{folder}/home"
    os.environ.pop("SMALT_URL", None)
    test = KillTest(folder, seed)
    try:
        subprocess.run([*common.PROGRAM, "server", "start"], check=True, capture_output=True)
        test.run(kills)
    finally:
        subprocess.run([*common.PROGRAM, "server", "stop", "--force"], capture_output=True)
        test.problems += test.processes.left_behind()
    ends = ", ".join(f"{count} {state}" for state, count in sorted(test.ends.items()))
    killed = ", ".join(f"{count} {name}" for name, count in sorted(test.processes.signalled.items()))
    print(f"{sum(test.ends.values())} works ({ends}) in {test.jobs} jobs, {test.rows} rows, {test.again} calls again")
    print(f"{killed}; {len(test.problems)} problems")
    for problem in test.problems[:20]:
        print(" ", problem)
    if not test.problems:
        shutil.rmtree(folder)
    else:
        print(f"see {folder}")
    return 1 if test.problems else 0


class ParallelProcesses(killing.Processes):
    """The processes of a home, with the coordinators and workers of parallel steps among them."""

    def pick(self, whom: str) -> list[int]:
        """Return a coordinator or worker by chance; what else there is to kill by its name."""
        if whom not in ("worker", "coordinator"):
            return self._pids(whom)
        found = [
            pid for pid, command in self.all().items() if "-m _smalt_parallel" in command and "bash" not in command
        ]
        is_worker = {pid: _find_parent(pid) in found for pid in found}
        wanted = [pid for pid in found if is_worker[pid] == (whom == "worker")]
        return [random.choice(wanted)] if wanted else []

    def kill_one(self, whom: str) -> None:
        for pid in self.pick(whom):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
                self.signalled[whom] += 1


def _find_parent(pid: int) -> int:
    stat = processes.read_stat(pid)
    return stat.parent if stat else 0


class KillTest:
    def __init__(self, folder: Path, seed: int) -> None:
        self.folder = folder
        self.processes = ParallelProcesses(folder)
        self.problems: list[str] = []
        self.ends: Counter[str] = Counter()
        self.jobs = self.rows = self.again = 0
        self._seed = seed
        self._over = threading.Event()
        self._end = math.inf
        """The time at which all works must have come to their ends."""
        self._lock = threading.Lock()
        (folder / "src").mkdir()
        (folder / "src" / "score.py").write_text(SCRIPT)

    def run(self, kills: int) -> None:
        workers = [threading.Thread(target=self._keep_working, args=(index,)) for index in range(3)]
        for worker in workers:
            worker.start()
        chance = random.Random(f"{self._seed} killer")
        while sum(self.processes.signalled.values()) < kills:
            whom = chance.choice(VICTIMS)
            self.processes.kill_one(whom)
            time.sleep(chance.uniform(0.02, 0.6 if whom in ("worker", "coordinator") else LONGEST_BOOT))
        self._end = time.monotonic() + killing.DEADLINE
        self._over.set()
        for worker in workers:
            worker.join()

    def _keep_working(self, index: int) -> None:
        chance, number = random.Random(f"{self._seed} {index}"), 0
        while not self._over.is_set():
            work = self._make_work(f"w{index}-{number}", chance)
            try:
                state = self._bring_to_end(work)
            except (SmaltError, OSError, TimeoutError) as error:
                state = f"without an end: {error}"
            with self._lock:
                self.ends[state] += 1
                self.problems += self._judge(work, state)
            number += 1

    def _make_work(self, name: str, chance: random.Random) -> Work:
        batches = chance.randint(10, 60)
        bad = set(chance.sample(range(batches), chance.choice((0, 0, 1, 3))))
        allowed = chance.choice((-1, 0, 2, 3))
        allowed_items = chance.choice((-1, -1, 3, 9))
        is_failing = 0 <= allowed < len(bad) or 0 <= allowed_items < len(bad) * FILES_EACH
        data = self.folder / "data" / name
        data.mkdir(parents=True)
        rows = []
        for number in range(batches * FILES_EACH):
            is_bad = number // FILES_EACH in bad
            (data / f"{number:04d}").write_text("bad" if is_bad else f"{name}-{number}")
            rows += [] if is_bad else [f"{number:04d} {name}-{number}"]
        step = {
            "type": "parallel",
            "inputs": {"data": {"type": "uri_folder", "path": str(data)}},
            "outputs": {"rows": {"type": "uri_file", "path": self._output_uri(name)}},
            "input_data": "${{inputs.data}}",
            "mini_batch_size": str(FILES_EACH),
            "max_concurrency_per_instance": WORKERS,
            "mini_batch_error_threshold": allowed,
            "error_threshold": allowed_items,
            "retry_settings": {"max_retries": RETRIES, "timeout": 60},
            "environment_variables": {"TRACE": str(self.folder / f"{name}.trace")},
            "task": {
                "type": "run_function",
                "code": str(self.folder / "src"),
                "entry_script": "score.py",
                "environment": "azureml:host",
                "append_row_to": "${{outputs.rows}}",
            },
        }  # fmt: skip
        return Work(name, {"type": "pipeline", "jobs": {"score": step}}, rows, batches, is_failing)

    def _output_uri(self, name: str) -> str:
        return f"azureml://datastores/workspaceblobstore/paths/rows/{name}"

    def _bring_to_end(self, work: Work) -> str:
        """Run a work until it completes or fails for a reason of its own; return how it ended."""
        client = MLClient()
        attempt = 0
        while time.monotonic() < self._end:
            name = f"{work.name}-a{attempt}"
            killing.insist(lambda: client.jobs.create_or_update(PipelineJob.from_dict({**work.document, "name": name})))  # noqa: B023
            self.jobs += 1
            status = ""
            while status not in killing.OVER:
                if time.monotonic() > self._end:
                    raise TimeoutError(f"{name} is {status}")
                time.sleep(0.1)
                status = killing.insist(lambda: client.jobs.get(name).status)  # noqa: B023
            error = self._read_result(name)
            if status == "Completed":
                return status
            if "threshold" in error:
                return f"{status} by its thresholds"
            if "SIGKILL" not in error and "137" not in error:
                return f"{status}: {error}"
            attempt += 1
        raise TimeoutError(f"{work.name} was killed {attempt} times")

    def _read_result(self, name: str) -> str:
        """Return the last error that the stream of a job tells."""
        done = subprocess.run(
            [*common.PROGRAM, "job", "stream", "--name", name], capture_output=True, text=True, timeout=120
        )
        errors = re.findall(r"^error: (.*)", done.stderr, re.MULTILINE)
        return " / ".join(errors)

    def _judge(self, work: Work, state: str) -> list[str]:
        wanted = "Failed by its thresholds" if work.is_failing else "Completed"
        problems = [] if state == wanted else [f"{work.name}: {state}, should be {wanted}"]
        path = self.folder / "home/workspaces/default/datastores/workspaceblobstore/rows" / work.name
        found = path.read_text().splitlines() if path.exists() else []
        if found != ([] if work.is_failing else work.rows):
            twice = [row for row, count in Counter(found).items() if count > 1]
            missing = set(work.rows) - set(found)
            problems.append(f"{work.name}: {len(found)} rows, {len(twice)} of them twice, {len(missing)} missing")
        self.rows += len(found)
        trace = self.folder / f"{work.name}.trace"
        lines = trace.read_text().split("\n")[:-1] if trace.exists() else []
        ended = Counter(line for line in lines if line.startswith("end"))
        self.again += sum(ended.values()) - len(ended)
        return problems


if __name__ == "__main__":
    sys.exit(main())
