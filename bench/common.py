"""What the benchmarks share: a server on a home of its own, pipelines of many steps, bare processes to compare with."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

PROGRAM = [str(Path(sys.executable).with_name("smalt"))]
"""The program as a person calls it."""


# ext4 makes new files ten times slower for minutes after many were deleted (it looks for an inode that was not freed
# just now), so a row that cleaned up would be paid for by the rows after it: nothing is deleted before the end.
_LEFT: list[str] = []


def folder() -> str:
    """A fresh one, there until `clean`."""
    _LEFT.append(tempfile.mkdtemp(prefix="smalt-bench-"))
    return _LEFT[-1]


def clean() -> None:
    while _LEFT:
        shutil.rmtree(_LEFT.pop(), ignore_errors=True)


@contextlib.contextmanager
def home(*, hands_over: bool = True) -> Iterator[dict[str, str]]:
    """Yield the environment of a fresh home, whose server is gone afterwards; its hand-over may be switched off."""
    environment = {**os.environ, "SMALT_HOME": folder(), "SMALT_HAND_OVER": "on" if hands_over else "off"}
    environment.pop("SMALT_URL", None)
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # else each command compiles its modules, as no user's does
    try:
        yield environment
    finally:
        subprocess.run([*PROGRAM, "server", "stop", "--force"], env=environment, capture_output=True)


def smalt(environment: dict[str, str], *arguments: str) -> str:
    done = subprocess.run([*PROGRAM, *arguments], env=environment, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"smalt {' '.join(arguments)}: {done.stderr}")
    return done.stdout


def show(environment: dict[str, str], name: str) -> dict[str, Any]:
    shown: dict[str, Any] = json.loads(smalt(environment, "job", "show", "-n", name, "-o", "json"))
    return shown


def wait(environment: dict[str, str], name: str) -> str:
    """Until the job is over; its state. It looks seldom, so as to take nothing from what is measured."""
    with contextlib.closing(sqlite3.connect(Path(environment["SMALT_HOME"], "smalt.db"))) as records:
        while True:
            row = records.execute("SELECT status, ended_at FROM jobs WHERE name=?", (name,)).fetchone()
            if row and row[1]:
                return str(row[0])
            time.sleep(0.1)


_BEGINNING = ["type: pipeline", "settings: {default_compute: azureml:local, force_rerun: true}", "jobs:"]
"""Rounds in one home are not to be reused by the next ones."""


def chain(count: int, force_rerun: bool = True) -> str:
    """A pipeline in which each step reads what the one before wrote."""
    lines = [line if force_rerun else line.replace(", force_rerun: true", "") for line in _BEGINNING]
    for number in range(count):
        lines += [f"  n{number}:", "    command: 'true'", "    environment: azureml:host", "    outputs: {o: }"]
        if number:
            lines.append(f"    inputs: {{i: '${{{{parent.jobs.n{number - 1}.outputs.o}}}}'}}")
    return "\n".join(lines) + "\n"


def wide(count: int) -> str:
    """A pipeline of steps that have nothing to do with each other."""
    lines = list(_BEGINNING)
    for number in range(count):
        lines += [f"  n{number}:", "    command: 'true'", "    environment: azureml:host"]
    return "\n".join(lines) + "\n"


def chain_of_chains(count: int, length: int = 100) -> str:
    """Chains of `length` steps beside each other: a large pipeline with both depth and width."""
    lines = list(_BEGINNING)
    for number in range(count):
        lines += [f"  n{number}:", "    command: 'true'", "    environment: azureml:host", "    outputs: {o: }"]
        if number % length:
            lines.append(f"    inputs: {{i: '${{{{parent.jobs.n{number - 1}.outputs.o}}}}'}}")
    return "\n".join(lines) + "\n"


def write(folder: str, text: str) -> str:
    path = Path(folder, "pipeline.yml")
    path.write_text(text)
    return str(path)


def bare_loop(count: int) -> float:
    """Seconds for the same processes one after the other, with nothing around them."""
    began = time.perf_counter()
    for _ in range(count):
        subprocess.run(["bash", "-c", "true"], check=True)
    return time.perf_counter() - began


def bare_threads(count: int, threads: int = 2) -> float:
    """The same from so many threads."""
    from concurrent.futures import ThreadPoolExecutor

    began = time.perf_counter()
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(lambda _: subprocess.run(["bash", "-c", "true"], check=True), range(count)))
    return time.perf_counter() - began


def median(measure: Callable[[], float], rounds: int = 5) -> float:
    return statistics.median(measure() for _ in range(rounds))


def seconds(environment: dict[str, str], name: str) -> float:
    """From accepted to over, by the server's own records."""
    with sqlite3.connect(Path(environment["SMALT_HOME"], "smalt.db")) as records:
        row = records.execute("SELECT created_at, ended_at FROM jobs WHERE name=?", (name,)).fetchone()
    return float(row[1] - row[0])


def attempts(environment: dict[str, str]) -> int:
    """How many processes the server has started."""
    with sqlite3.connect(Path(environment["SMALT_HOME"], "smalt.db")) as records:
        return int(records.execute("SELECT count(*) FROM job_attempts").fetchone()[0])


def server_pid(environment: dict[str, str]) -> int:
    facts = json.loads(Path(environment["SMALT_HOME"], "server.json").read_text())
    return int(facts["pid"])
