"""Parts of the programs that kill what runs a home: its processes, steps that note that they ran, and the judge."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from smalt.client import MLClient
from smalt.exceptions import SmaltError
from smalt.machine import processes
from smalt.machine.home import Home

DEADLINE = 300.0
"""Seconds after the last kill, or after the last end of a job, in which another must end."""
OVER = {"Completed", "Failed", "Canceled"}


def insist(action: Callable[[], Any]) -> Any:
    """Do it again until a server answers, and return the answer; raise what it raised last after DEADLINE."""
    end = time.monotonic() + DEADLINE
    while True:
        try:
            return action()
        except (SmaltError, OSError):
            if time.monotonic() > end:
                raise
            time.sleep(0.02)


class Processes:
    """The server, launcher and steps of a home in a folder that nothing else uses."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.home = Home(folder / "home")
        self.signalled: Counter[str] = Counter()

    def all(self) -> dict[int, str]:
        """Return the command lines of all that live, but for this program's own."""
        found = {}
        for name in filter(str.isdigit, os.listdir("/proc")):
            with contextlib.suppress(OSError):
                command = Path("/proc", name, "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                environment = Path("/proc", name, "environ").read_bytes().decode(errors="replace")
                if int(name) != os.getpid() and str(self.folder) in command + environment:
                    stat = processes.read_stat(int(name))
                    if stat and not stat.is_dead:
                        found[int(name)] = command
        return found

    def kill(self, whom: str) -> None:
        """SIGKILL the server, the launcher or both."""
        self.signal(whom, signal.SIGKILL)

    def signal(self, whom: str, number: signal.Signals) -> list[int]:
        """Return the processes that got the signal."""
        reached = []
        for pid in self._pids(whom):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)
                self.signalled[f"{number.name} {whom}"] += 1
                reached.append(pid)
        return reached

    def left_behind(self) -> list[str]:
        """Return what still lives a while after the server was stopped."""
        end = time.monotonic() + 15
        while (left := self.all()) and time.monotonic() < end:
            time.sleep(0.05)
        return [f"left behind: {pid} {command}" for pid, command in left.items()]

    def _pids(self, whom: str) -> list[int]:
        pids = []
        if whom in ("server", "both"):
            pids.append(int((self.home.read_json("server.json") or {}).get("pid", 0)))
        if whom in ("launcher", "both"):
            pids += [pid for pid, command in self.all().items() if "launcher/__main__.py" in command]
        return [pid for pid in pids if pid]


class Expected(NamedTuple):
    """The state in which a job must end, and how often each of its steps must have run."""

    state: str
    runs: dict[str, int]
    is_cut_off: bool = False
    """Its steps were cancelled, so they begin and do not end."""
    may_be_canceled: bool = False
    """It was cancelled at some moment: if it is Canceled, each of its steps has run once, or begun, or not."""


class Traces:
    """Files outside the home in which each step writes down its beginning and its end."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()

    def path(self, job: str, node: str) -> Path:
        return self.folder / f"{job}.{node}"

    def command(self, job: str, node: str, seconds: float, ending: str = "true") -> str:
        """Return a command that writes down that it ran."""
        trace = self.path(job, node)
        return f"echo begin >>{trace}; sleep {seconds:.2f}; echo end >>{trace}; {ending}"

    def seen(self, job: str, node: str) -> list[str]:
        trace = self.path(job, node)
        return trace.read_text().split() if trace.exists() else []

    def judge(self, name: str, expected: Expected, state: str | None) -> list[str]:
        """Return what is not as it should be of a job that has ended."""
        is_canceled = expected.may_be_canceled and state == "Canceled"
        problems = [] if is_canceled or state == expected.state else [f"{name}: {state}, should be {expected.state}"]
        once = ["begin"] if expected.is_cut_off else ["begin", "end"]
        for node, times in expected.runs.items():
            seen = self.seen(name, node)
            if seen != once * times and not (is_canceled and seen in ([], ["begin"], once)):
                problems.append(f"{name}.{node}: {seen}, should be {times} run")
        return problems


def random_pipeline(
    name: str, traces: Traces, chance: random.Random, has_finalize: bool = False
) -> tuple[dict[str, Any], Expected]:
    """Return a chain beside loose steps, some of which fail or leave something running, and what must become of it."""
    fails = chance.random() < 0.3
    nodes: dict[str, Any] = {}
    runs: dict[str, int] = {}
    for number in range(chance.randint(2, 4)):
        needs = f"n{number - 1}" if number else None
        bad = fails and number == 1
        nodes[f"n{number}"] = _node(traces, name, f"n{number}", chance, needs, "exit 3" if bad else "true")
        runs[f"n{number}"] = 0 if fails and number > 1 else 1
    for number in range(chance.randint(0, 2)):
        ending = chance.choice(["true", "sleep 1000 & true", "setsid sleep 1000 & exec true"])
        nodes[f"w{number}"] = _node(traces, name, f"w{number}", chance, None, ending)
        runs[f"w{number}"] = 1
    settings: dict[str, Any] = {"continue_on_step_failure": True, "default_compute": "azureml:local"}
    if has_finalize:
        for key, node in (("on_init", "first"), ("on_finalize", "last")):
            nodes[node] = _node(traces, name, node, chance, None, "true")
            nodes[node].pop("outputs")
            settings[key], runs[node] = node, 1
    document = {"type": "pipeline", "name": name, "settings": settings, "jobs": nodes}
    return document, Expected("Failed" if fails else "Completed", runs)


def _node(
    traces: Traces, name: str, node: str, chance: random.Random, needs: str | None, ending: str
) -> dict[str, Any]:
    made: dict[str, Any] = {
        "type": "command",
        "command": traces.command(name, node, chance.uniform(0, 0.4), ending),
        "environment": "azureml:host",
        "outputs": {"o": {"type": "uri_folder"}},
    }
    if needs:
        made["inputs"] = {"i": f"${{{{parent.jobs.{needs}.outputs.o}}}}"}
    return made


class Acknowledged:
    """The jobs that the server has taken, and what must become of each; several threads add to it."""

    def __init__(self) -> None:
        self.jobs: dict[str, Expected] = {}
        self._lock = threading.Lock()

    def add(self, name: str, expected: Expected) -> None:
        with self._lock:
            self.jobs[name] = expected

    def wait(self, client: MLClient) -> dict[str, str]:
        """Return the states of all, once they are over or none has ended for so long as the deadline is."""
        states: dict[str, str] = {}
        end = time.monotonic() + DEADLINE
        while time.monotonic() < end and len(states) < len(self.jobs):
            for name in self.jobs.keys() - states.keys():
                with contextlib.suppress(SmaltError, OSError):
                    if (status := str(client.jobs.get(name).status)) in OVER:
                        states[name], end = status, time.monotonic() + DEADLINE
            time.sleep(0.1)
        return states

    def judge(self, traces: Traces, states: dict[str, str]) -> list[str]:
        return [problem for name, job in self.jobs.items() for problem in traces.judge(name, job, states.get(name))]
