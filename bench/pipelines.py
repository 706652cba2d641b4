"""Pipelines of many steps against the same processes with nothing around them, and against peers."""

from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path

import common
from breakdown import Parts, Usage

COUNT = 1000
LARGE = 10_000

Rows = list[tuple[str, ...]]


parts: dict[str, Parts] = {}
"""Where the time of the nodes went, by row; noted as the rows are measured."""


def chain() -> Rows:
    """One step after the other, each reading what the one before wrote; median of three rounds."""
    return [_compared("a chain of 1,000 nodes", common.chain(COUNT), common.bare_loop, 1, "≤ 2.5× (1.6×)")]


def wide() -> Rows:
    """Independent steps, two at a time."""
    what = "1,000 independent nodes, two at a time"
    return [_compared(what, common.wide(COUNT), common.bare_threads, 2, "≤ 2.2× (1.6×)")]


def _compared(what: str, text: str, floor: Callable[[int], float], at_once: int, reach: str) -> tuple[str, ...]:
    """Measure floor, pipeline and pipeline without hand-over in turn, so that all see the same machine."""
    rounds, without = [], []
    file = common.write(common.folder(), text)
    with common.home() as environment, common.home(hands_over=False) as plain:
        for each in (environment, plain):
            common.smalt(each, "config", "set", "cpus", "2")
            common.smalt(each, "server", "start")
        for number in range(3):
            bare = floor(COUNT)
            name = f"bench-{number}"
            usage = Usage(environment)
            seconds = _run(environment, file, name)
            rounds.append((seconds / bare, seconds, bare, usage.parts(environment, name, COUNT, at_once)))
            without.append(_run(plain, file, name))
            usage.settle()
    ratio, measured, bare, parts[what] = sorted(rounds)[1]
    against = f"{bare:.2f} s, bare processes ({1000 * bare / COUNT:.2f} ms)"
    return what, _per_node(measured), against, f"{ratio:.2f}×", reach, _per_node(sorted(without)[1])


def _run(environment: dict[str, str], file: str, name: str) -> float:
    """Run a pipeline; return its seconds, by the server's own records."""
    common.smalt(environment, "job", "create", "-f", file, "--name", name, "-o", "none")
    if (state := common.wait(environment, name)) != "Completed":
        raise SystemExit(f"{name} of {file}: {state}")
    return common.seconds(environment, name)


def _per_node(seconds: float) -> str:
    return f"{seconds:.2f} s ({1000 * seconds / COUNT:.2f} ms a node)"


def large() -> Rows:
    """10,000 nodes: how long the submission takes, and how large the server gets."""
    file = common.write(common.folder(), common.chain_of_chains(LARGE))
    with common.home() as environment:
        common.smalt(environment, "server", "start")
        pid = common.server_pid(environment)
        peak = Peak(pid)
        began = time.perf_counter()
        common.smalt(environment, "job", "create", "-f", file, "--name", "large", "-o", "none")
        submitted = time.perf_counter() - began
        state = common.wait(environment, "large")
        megabytes = peak.stop()
        run = common.seconds(environment, "large")
    return [
        ("10,000 nodes: submit", f"{submitted:.2f} s", "–", "–", "≤ 5 s (3 s)"),
        ("10,000 nodes: run", f"{state}, {run:.1f} s ({run / LARGE * 1000:.2f} ms a node)", "–", "–", "completes"),
        ("10,000 nodes: server memory, peak", f"{megabytes:.0f} MB", "–", "–", "≤ 300 MB"),
    ]


def reused() -> Rows:
    """A chain that ran before: the outputs of every step are those of the earlier run."""
    file = common.write(common.folder(), common.chain(COUNT, force_rerun=False))
    with common.home() as environment:
        common.smalt(environment, "config", "set", "cpus", "2")
        common.smalt(environment, "server", "start")
        rounds = []
        for number in range(4):
            rounds.append(_run(environment, file, f"bench-{number}"))
        ran = rounds.pop(0)
        if common.attempts(environment) != COUNT:
            raise SystemExit("a step ran that was to be reused")
    seconds = sorted(rounds)[1]
    what, against = "the same chain again, all reused", f"{ran:.2f} s, the first run"
    return [(what, _per_node(seconds), against, f"{seconds / ran:.2f}×", "≤ 5 s")]


def peers(python: str | None) -> Rows:
    """The same 1,000 processes under Luigi (in process, no database) and redun (its SQLite), in their own Python."""
    if python is None:
        return []
    rows: Rows = []
    bare = common.bare_loop(COUNT)
    for name in ("luigi", "redun"):
        program = Path(__file__).with_name("peers") / f"{name}_chain.py"
        done = subprocess.run([python, str(program), str(COUNT)], cwd=common.folder(), capture_output=True, text=True)
        if done.returncode:
            rows.append((f"{name}, the same chain", done.stderr.strip().splitlines()[-1][:60], "–", "–", "beside"))
            continue
        measured = float(done.stdout.split()[-1])
        rows.append(
            (f"{name}, the same chain", f"{measured:.2f} s", f"{bare:.2f} s", f"{measured / bare:.2f}×", "beside")
        )
    return rows


class Peak:
    """The largest resident size of a process while it is watched, in MB."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._largest = 0
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def stop(self) -> float:
        self._done.set()
        self._thread.join()
        return self._largest / 1024

    def _watch(self) -> None:
        while not self._done.wait(0.2):
            try:
                status = Path(f"/proc/{self._pid}/status").read_text()
            except FileNotFoundError:
                return
            line = next((line for line in status.splitlines() if line.startswith("VmRSS")), "VmRSS: 0 kB")
            self._largest = max(self._largest, int(line.split()[1]))
