"""Kill the server, the launcher, or both with SIGKILL at random moments while a client submits and pipelines run."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from smalt.client import MLClient
from smalt.entities import PipelineJob
from smalt.exceptions import SmaltError
from smalt.home import Home

LONGEST = 90.0
"""Seconds for everything to end once the killing has."""


@dataclass
class Verdict:
    acknowledged: int = 0
    kills: Counter[str] = field(default_factory=Counter)
    missing: list[str] = field(default_factory=list)
    unfinished: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    twice: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)

    @property
    def is_good(self) -> bool:
        return not (self.missing or self.unfinished or self.wrong or self.twice or self.left)


def kill_loop(folder: Path, kills: int, seed: int) -> Verdict:
    """Submit without pause, kill `kills` times, let all end; what is not as it must be."""
    home, marks = Home(folder / "home"), folder / "marks"
    marks.mkdir()
    verdict = Verdict()
    client = MLClient(home=home)
    acknowledged: list[str] = []
    enough = threading.Event()
    submitter = threading.Thread(target=_submit, args=(home, marks, acknowledged, enough))
    submitter.start()
    try:
        _kill(home, kills, random.Random(seed), verdict, acknowledged)
        enough.set()
        submitter.join(LONGEST)
        _let_end(client, home, verdict)
    finally:
        enough.set()
        _stop(home)
    verdict.acknowledged = len(acknowledged)
    _judge(home, marks, acknowledged, verdict)
    return verdict


def pipeline(marks: Path) -> PipelineJob:
    """Two steps beside each other and one after them; each leaves a line each time that it runs to its end."""
    mark = f'echo $AZUREML_RUN_ID >> "{marks}/$AZUREML_RUN_ID"'
    step = {"environment": "azureml:host", "command": f"sleep 0.0$((RANDOM % 9)); {mark}"}
    return PipelineJob.from_dict(
        {
            "jobs": {
                "a": {**step, "outputs": {"o": None}},
                "b": {**step, "outputs": {"o": None}},
                "c": {**step, "inputs": {"a": "${{parent.jobs.a.outputs.o}}", "b": "${{parent.jobs.b.outputs.o}}"}},
            }
        }
    )


def _submit(home: Home, marks: Path, acknowledged: list[str], enough: threading.Event) -> None:
    """What was not acknowledged is submitted again under the same name, as a careful client does."""
    number = 0
    while not enough.is_set():
        name = f"job{number}"
        job = pipeline(marks)
        job.name = name
        with contextlib.suppress(SmaltError, OSError):
            MLClient(home=home).jobs.create_or_update(job)
            acknowledged.append(name)
            number += 1
            enough.wait(0.1)


def _kill(home: Home, kills: int, chance: random.Random, verdict: Verdict, acknowledged: list[str]) -> None:
    deadline = time.monotonic() + LONGEST
    while not acknowledged and time.monotonic() < deadline:
        time.sleep(0.01)
    while verdict.kills.total() < kills:
        time.sleep(chance.uniform(0.0, 0.6))
        whom = chance.choice(["server", "launcher", "both"])
        pids = [pid for who, pid in _processes(home).items() if whom in (who, "both")]
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        if pids:
            verdict.kills[whom] += 1


def _processes(home: Home) -> dict[str, int]:
    """The server and the launcher of this home, by the files that they hold locked."""
    found = {}
    for who in ("server", "launcher"):
        lock = home.path(f"{who}.lock")
        with contextlib.suppress(OSError, ValueError, StopIteration):
            inode = lock.stat().st_ino
            lines = Path("/proc/locks").read_text().splitlines()
            held = next(line for line in lines if f":{inode} " in line and "->" not in line)
            found[who] = int(held.split()[4])
    return found


def _let_end(client: MLClient, home: Home, verdict: Verdict) -> None:
    deadline = time.monotonic() + LONGEST
    while time.monotonic() < deadline:
        with contextlib.suppress(SmaltError, OSError):
            MLClient(home=home).connection.get("/smalt/v1/status")
        with contextlib.suppress(sqlite3.Error), sqlite3.connect(home.path("smalt.db")) as records:
            if not records.execute("SELECT count(*) FROM jobs WHERE ended_at IS NULL").fetchone()[0]:
                return
        time.sleep(0.1)


def _stop(home: Home) -> None:
    program = [sys.executable, "-m", "smalt", "server", "stop", "--force"]
    subprocess.run(program, env={**os.environ, "SMALT_HOME": str(home.root)}, capture_output=True)


def _judge(home: Home, marks: Path, acknowledged: list[str], verdict: Verdict) -> None:
    with sqlite3.connect(home.path("smalt.db")) as records:
        rows = dict(records.execute("SELECT name, status FROM jobs").fetchall())
        errors = dict(records.execute("SELECT name, error FROM jobs WHERE error IS NOT NULL").fetchall())
        twice = records.execute(
            "SELECT job_id FROM events WHERE kind='status' AND data='Completed' GROUP BY job_id HAVING count(*)>1"
        ).fetchall()
    verdict.missing = [name for name in acknowledged if name not in rows]
    verdict.unfinished = [name for name, status in rows.items() if status not in ("Completed", "Failed", "Canceled")]
    verdict.wrong = [f"{name}: {status} {errors.get(name)}" for name, status in rows.items() if status != "Completed"]
    verdict.twice = [f"job {id} completed twice" for (id,) in twice]
    for mark in marks.iterdir():
        lines = mark.read_text().splitlines()
        if len(lines) != 1:
            verdict.twice.append(f"{mark.name} ran {len(lines)} times")
    deadline = time.monotonic() + 15
    while time.monotonic() < deadline and (left := _left(home)):
        time.sleep(0.1)
    verdict.left = left


def _left(home: Home) -> list[str]:
    """Processes that have the home's name in their command line."""
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit() and int(folder.name) != os.getpid():
            with contextlib.suppress(OSError):
                line = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                environment = (folder / "environ").read_bytes()
                if str(home.root) in line or f"SMALT_HOME={home.root}".encode() in environment:
                    found.append(f"{folder.name} {line[:80]}")
    return found
