"""The queue of the spool: `python spool_queue.py FOLDER` runs the step in the folder once it is its turn.

One step runs at a time. This process may be killed at any time, and started again by whoever needs it.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from smalt.launcher import claims
from smalt.machine import processes
from smalt.machine.processes import Process

LOOK = 0.02
"""Seconds between looks at the files of a step."""


def supervise(folder: Path) -> None:
    """Run the step in the folder once it is the oldest, or follow it on if it runs already."""
    with open(folder / "lock", "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return
        with open(folder.parent / "turn", "a") as turn:
            _lock_until_stopped(turn.fileno(), folder)
            if (folder / "exit").exists():
                return
            step, started = read(folder / "step"), read(folder / "started")
            if started is None and ((folder / "stop").exists() or step is None):
                write(folder / "exit", [None, None, "never started"])
                return
            if started is None:
                started = _start(folder, step)
            write(folder / "exit", _wait(folder, step, started))


def _start(folder: Path, step: dict[str, Any]) -> Any:
    """Start the step; its claim keeps it from running twice, if we were killed before `started` was written."""
    with open(step["log"], "ab") as log:
        process = subprocess.Popen(
            ["bash", "-c", step["script"]], env=step["env"], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            start_new_session=True,
        )  # fmt: skip
    who = processes.find_process(process.pid) or Process(*processes.read_machine(), process.pid, 0)
    write(folder / "started", [list(who), time.time()])
    return [list(who), time.time()]


def _wait(folder: Path, step: dict[str, Any], started: Any) -> list[Any]:
    process, reason, kill_at = Process(*started[0]), "exited", 0.0
    while _is_alive(process):
        stop = read(folder / "stop")
        late = step["timeout"] and time.time() - started[1] > step["timeout"]
        if not kill_at and (stop is not None or late):
            reason = "timeout" if late else "stopped"
            kill_at = time.time() + (step["grace"] if stop is None else stop)
            _signal(process.pid, signal.SIGTERM)
        elif kill_at and time.time() > kill_at:
            _signal(process.pid, signal.SIGKILL)
        time.sleep(LOOK)
    code = claims.read_code(claims.make_path(step["folder"], step["id"]))
    if reason != "exited":
        return [code, None if code is not None else int(signal.SIGTERM), reason]
    return [code, None, "exited" if code is not None else "lost"]


def _is_alive(process: Process) -> bool:
    with contextlib.suppress(ChildProcessError):
        os.waitpid(process.pid, os.WNOHANG)
    return processes.is_alive(process)


def _signal(group: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(group, number)


def _lock_until_stopped(turn: int, folder: Path) -> None:
    while not (folder / "stop").exists() or (folder / "started").exists():
        with contextlib.suppress(BlockingIOError):
            fcntl.flock(turn, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        time.sleep(LOOK)


def write(path: Path, content: Any) -> None:
    partial = path.with_suffix(".partial")
    partial.write_text(json.dumps(content))
    os.replace(partial, path)


def read(path: Path) -> Any:
    try:
        return json.loads(path.read_text())
    except FileNotFoundError:
        return None


if __name__ == "__main__":
    supervise(Path(sys.argv[1]))
