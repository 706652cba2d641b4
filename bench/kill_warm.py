"""SIGKILL of the server, the launcher, warm parents and children that wait, at random moments, under Python steps.

    python bench/kill_warm.py [KILLS] [SEED]

The steps are of several kinds, whose packages are slow to import, so that steps come while their parent imports and
wait for it; some packages end a parent, or hang in it. Some pipelines are cancelled. Judged as by `kill_loop.py`:
nothing lost, nothing twice, nothing left behind. It also says how many steps started warm, and how many waited for it.
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
from smalt.exceptions import SmaltError

PACKAGE = """
import os, random, time

def use_processor(seconds):
    end = time.process_time() + seconds
    while time.process_time() < end:
        pass

with open("/proc/self/cmdline", "rb") as file:
    is_parent = b"_smalt_warm" in file.read()
note = {importing!r} + "/" + str(os.getpid())
if is_parent:
    with open(note, "w"):
        pass
use_processor({seconds})
if is_parent and random.SystemRandom().random() < {often}:
    {does}
if is_parent:
    os.unlink(note)
"""
PACKAGES = {
    "tqdm": (0.6, 0.0, "pass"),
    "pytz": (0.2, 0.0, "pass"),
    "dateutil": (0.3, 0.5, "os._exit(1)"),
    "requests": (0.1, 0.5, "time.sleep(1000)"),
    "yaml": (0.1, 0.3, "use_processor(1000)"),
    "PIL": (0.1, 0.5, "import subprocess; subprocess.Popen(['sleep', '1000'], close_fds=False)"),
}
"""Of each package that a program imports: the seconds of the processor that it takes, and what its import does how
often in a parent only."""
IMPORTS = (
    ("tqdm",), ("tqdm", "pytz"), ("pytz",), ("tqdm", "pytz"), ("tqdm", "dateutil"), ("dateutil",), ("requests",),
    ("requests", "pytz"), ("yaml",), ("PIL",),
)  # fmt: skip
ZONES = (None, None, "UTC", "Asia/Tokyo")
"""Values of a variable that makes kinds of their own, as it is read when an interpreter starts."""
SLOTS = 6
WAITED = 0.4
"""Seconds until the first line of a warm step that, surely, waited for its parent or for a child."""
STEP = """
{imports}
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
VICTIMS = ("server", "launcher", "both", *("parents",) * 4, *("waiting",) * 4, *("importing",) * 5)
PARENTS = ("parents", "importing", "waiting")


class WarmProcesses(killing.Processes):
    def signal(self, whom: str, number: signal.Signals) -> list[int]:
        """Leave out those that were given a step since they were found, or just before: they are the step's own."""
        if whom not in PARENTS:
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
        if whom not in PARENTS:
            return super()._pids(whom)
        if whom == "importing":
            return [pid for pid in self._pids("parents") if (self.folder / "importing" / str(pid)).exists()]
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
    python = make_python(folder)
    for name, value in {"warm": "on", "host-python": str(python), "cpus": str(SLOTS)}.items():
        common.smalt(dict(os.environ), "config", "set", name, value)
    loop = KillLoop(folder, random.Random(seed))
    try:
        problems = loop.run(kills)
    finally:
        subprocess.run([*common.PROGRAM, "server", "stop", "--force"], capture_output=True)
        left = loop.processes.left_behind()
    problems += left
    print(f"{len(loop.acknowledged.jobs)} pipelines acknowledged, {dict(loop.processes.signalled)}")
    print(f"{len(loop.canceled)} cancelled; starts: {_describe_starts(folder)}")
    print(f"{len(problems)} problems")
    for problem in problems[:20]:
        print(" ", problem)
    if not problems:
        shutil.rmtree(folder)
    else:
        print(f"see {folder}")
    return 1 if problems else 0


def make_python(folder: Path) -> Path:
    """Return a Python that has the packages."""
    (folder / "importing").mkdir()
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder / "python")], check=True)
    (site,) = folder.glob("python/lib/python*/site-packages")
    for name, (seconds, often, does) in PACKAGES.items():
        text = PACKAGE.format(importing=str(folder / "importing"), seconds=seconds, often=often, does=does)
        (site / f"{name}.py").write_text(text)
    python = folder / "python" / "bin" / "python"
    # The first import would change the folder, and every parent with it.
    subprocess.run([python, "-m", "compileall", "-q", str(site)], check=True)
    return python


def _describe_starts(folder: Path) -> str:
    with contextlib.closing(sqlite3.connect(folder / "home" / "smalt.db")) as records:
        rows = records.execute(
            "SELECT start_mode, first_line_seconds FROM job_attempts WHERE start_mode IS NOT NULL"
        ).fetchall()
    modes = Counter(mode for mode, _ in rows)
    waited = [seconds for mode, seconds in rows if mode == "warm" and seconds is not None and seconds > WAITED]
    return f"{dict(modes)}; {len(waited)} of the warm ones waited, at most {max(waited, default=0.0):.1f} s"


class KillLoop:
    def __init__(self, folder: Path, chance: random.Random) -> None:
        self.processes = WarmProcesses(folder)
        self.acknowledged = killing.Acknowledged()
        self._traces = killing.Traces(folder / "traces")
        self._chance = chance
        self._done = threading.Event()
        self._code = folder / "code"
        self._code.mkdir()
        for number, names in enumerate(IMPORTS):
            imports = "\n".join(f"import {name}" for name in names)
            (self._code / f"step{number}.py").write_text(STEP.replace("{imports}", imports))
        self.canceled: set[str] = set()

    def run(self, kills: int) -> list[str]:
        client = MLClient()
        self._submit(client, self._chance)
        submitting = threading.Thread(target=self._keep_submitting, args=(random.Random(self._chance.random()),))
        submitting.start()
        for _ in range(kills):
            time.sleep(self._chance.uniform(0.1, 1.5))
            while not self.processes.signal(self._chance.choice(VICTIMS), signal.SIGKILL):
                time.sleep(0.05)  # there is no such process just now
        self._done.set()
        submitting.join()
        states = self.acknowledged.wait(client)
        for name in self.canceled & states.keys():  # whatever it had done by then, but once
            job = self.acknowledged.jobs[name]
            self.acknowledged.jobs[name] = job._replace(may_be_canceled=True)
        return self.acknowledged.judge(self._traces, states)

    def _keep_submitting(self, chance: random.Random) -> None:
        client = MLClient()
        while not self._done.is_set():
            self._submit(client, chance)
            time.sleep(chance.uniform(0.0, 0.6))
            if chance.random() < 0.25:
                self._cancel_one(client, chance)

    def _cancel_one(self, client: MLClient, chance: random.Random) -> None:
        """Cancel one of the last pipelines, which may be over."""
        name = chance.choice([*self.acknowledged.jobs][-6:])
        with contextlib.suppress(SmaltError, OSError):
            client.jobs.begin_cancel(name)
        self.canceled.add(name)

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
        program = f"step{chance.randrange(len(IMPORTS))}.py"
        zone = chance.choice(ZONES)
        return {
            "type": "command",
            "environment_variables": {} if zone is None else {"TZ": zone},
            "command": f"python {program} {self._traces.path(job, node)} {chance.uniform(0, 0.4):.2f} {ending}",
            "code": str(self._code),
            "environment": "azureml:host",
            "outputs": {"o": {"type": "uri_folder"}},
        }


if __name__ == "__main__":
    sys.exit(main())
