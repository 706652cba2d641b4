"""Where the time of a pipeline's nodes goes: from the records and from /proc, so that what is measured pays nothing."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import time
from pathlib import Path
from typing import NamedTuple

import common

_TICK = 1000 / os.sysconf("SC_CLK_TCK")  # ms


class Parts(NamedTuple):
    """Of a node, on average, in ms."""

    wall: float
    """Of the whole pipeline, by the number of nodes and the number that run at a time."""
    process: float
    """From the moment the process runs its program to its end, as the launcher sees them."""
    bash: float
    """CPU of the processes."""
    launcher: tuple[float, float]
    """CPU, user and system."""
    server: tuple[float, float]


class Usage:
    """CPU of a home's server, launcher and steps from now on."""

    def __init__(self, environment: dict[str, str]) -> None:
        self._server = common.server_pid(environment)
        self._launcher = _launcher(environment["SMALT_HOME"])
        self._before = self._look()

    def parts(self, environment: dict[str, str], name: str, count: int, at_once: int) -> Parts:
        """Of the job, which has run since."""
        used = [(now - before) * _TICK / count for now, before in zip(self._look(), self._before, strict=True)]
        with contextlib.closing(sqlite3.connect(Path(environment["SMALT_HOME"], "smalt.db"))) as records:
            (lives,) = records.execute(
                "SELECT sum(a.ended_at - a.started_at) FROM job_attempts a JOIN jobs j ON j.id=a.job_id"
                " WHERE j.root_id=(SELECT id FROM jobs WHERE name=?)",
                (name,),
            ).fetchone()
        wall = common.seconds(environment, name) * 1000 * at_once / count
        return Parts(wall, lives * 1000 / count, used[4] + used[5], (used[2], used[3]), (used[0], used[1]))

    def spent(self, count: int) -> tuple[float, float]:
        """Return the CPU of server and launcher since then, of one of so many nodes."""
        used = [(now - before) * _TICK / count for now, before in zip(self._look(), self._before, strict=True)]
        return used[0] + used[1], used[2] + used[3]

    def settle(self) -> None:
        """Wait until the server does nothing more: the next floor is not to pay for it."""
        before: list[int] = []
        while before != (now := _ticks(self._server)):
            before = now
            time.sleep(0.2)

    def _look(self) -> list[int]:
        """Ticks: the server's user and system, the launcher's, and those of the processes it waited for."""
        return [*_ticks(self._server)[:2], *_ticks(self._launcher)]


def render(parts: dict[str, Parts]) -> str:
    """A table, a pipeline a column."""
    commit = f"{_commit():.2f}"
    lines = [
        ("of a node, in ms", list(parts)),
        ("from one start to the next in the same slot", [f"{one.wall:.2f}" for one in parts.values()]),
        ("– its process", [f"{one.process:.2f}" for one in parts.values()]),
        ("– from its end to the next one's program", [f"{one.wall - one.process:.2f}" for one in parts.values()]),
        ("CPU of its process", [f"{one.bash:.2f}" for one in parts.values()]),
        ("CPU of the launcher, user + system", ["{:.2f} + {:.2f}".format(*one.launcher) for one in parts.values()]),
        ("CPU of the server, user + system", ["{:.2f} + {:.2f}".format(*one.server) for one in parts.values()]),
        ("beside: a durable commit of one row, alone", [commit for _ in parts]),
    ]
    rows = [f"| {what} | {' | '.join(values)} |" for what, values in lines]
    return "\n".join([rows[0], "|---" * (len(parts) + 1) + "|", *rows[1:]])


def _commit(count: int = 200) -> float:
    with contextlib.closing(sqlite3.connect(Path(common.folder(), "commit.db"), isolation_level=None)) as records:
        records.execute("PRAGMA journal_mode=WAL")
        records.execute("PRAGMA synchronous=FULL")
        records.execute("CREATE TABLE t (x)")
        began = time.perf_counter()
        for number in range(count):
            records.execute("INSERT INTO t VALUES (?)", (number,))
        return (time.perf_counter() - began) * 1000 / count


def _ticks(pid: int) -> list[int]:
    """User, system, and the same of the children that were waited for."""
    return [int(field) for field in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:15]]


def _launcher(home: str) -> int:
    """It is started beside the server, and may be there a little later."""
    while True:
        for process in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                words = (process / "cmdline").read_bytes().split(b"\0")
                if home.encode() in words and b"-I" in words:
                    return int(process.name)
        time.sleep(0.01)
