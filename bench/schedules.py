"""How late schedules are, and what they cost while nothing is due.

    python bench/schedules.py [--minutes N] [--idle SECONDS] [--count N]

A home has COUNT schedules that are due once a year, and one that is due every minute: printed are the time from each of
its ticks until its job was recorded, and until that had started; then, without that one, the CPU of server and launcher
while nothing is due, beside that of a home without schedules.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import sqlite3
import statistics
import time
from datetime import datetime
from pathlib import Path

import common

YEARLY = 'name: s{number}\ntrigger: {{type: cron, expression: "0 0 1 1 *"}}\ncreate_job: ./job.yml\n'
MINUTE = 'name: minute\ntrigger: {type: cron, expression: "* * * * *"}\ncreate_job: ./job.yml\n'
JOB = "type: command\ncommand: 'true'\nenvironment: azureml:host\n"
_TICKS = os.sysconf("SC_CLK_TCK")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=int, default=5)
    parser.add_argument("--idle", type=float, default=60.0)
    parser.add_argument("--count", type=int, default=1000)
    asked = parser.parse_args()
    with contextlib.ExitStack() as homes:
        full, empty = (homes.enter_context(common.home()) for _ in range(2))
        for environment in (full, empty):
            common.smalt(environment, "server", "start")
        add_schedules(full, asked.count)
        created, started = measure_ticks(full, asked.minutes)
        print(
            f"a tick until its job is recorded: median {statistics.median(created):.1f} ms, most {max(created):.1f} ms"
        )
        print(
            f"a tick until its step has started: median {statistics.median(started):.1f} ms, most {max(started):.1f} ms"
        )
        common.smalt(full, "schedule", "disable", "minute")
        before = [read_cpu(environment) for environment in (full, empty)]
        time.sleep(asked.idle)
        shares = [
            100 * (read_cpu(environment) - cpu) / asked.idle
            for environment, cpu in zip((full, empty), before, strict=True)
        ]
        print(f"idle, {asked.count} schedules: {shares[0]:.3f} % of a core; none: {shares[1]:.3f} %")
    common.clean()


def add_schedules(environment: dict[str, str], count: int) -> None:
    """Create one schedule by its file, and copies of it in the records, which the next server takes over."""
    folder = Path(common.folder())
    (folder / "job.yml").write_text(JOB)
    (folder / "s0.yml").write_text(YEARLY.format(number=0))
    (folder / "minute.yml").write_text(MINUTE)
    common.smalt(environment, "schedule", "create", "--file", str(folder / "s0.yml"))
    common.smalt(environment, "server", "stop")
    with sqlite3.connect(Path(environment["SMALT_HOME"], "smalt.db")) as records:
        for number in range(1, count):
            records.execute(
                "INSERT INTO resources (workspace_id, kind, name, body, created_by, created_at, modified_at)"
                " SELECT workspace_id, kind, ?, body, created_by, created_at, modified_at FROM resources"
                " WHERE kind='schedules' AND name='s0'",
                (f"s{number}",),
            )
    records.close()
    common.smalt(environment, "server", "start")
    common.smalt(environment, "schedule", "create", "--file", str(folder / "minute.yml"))


def measure_ticks(environment: dict[str, str], minutes: int) -> tuple[list[float], list[float]]:
    """Return the milliseconds from each tick until its job was recorded, and until it had started."""
    time.sleep(60 * minutes + 5)
    shown = json.loads(common.smalt(environment, "schedule", "show", "minute"))
    due = {tick["job"]: datetime.fromisoformat(tick["time"].replace("Z", "+00:00")) for tick in shown["last_ticks"]}
    with contextlib.closing(sqlite3.connect(Path(environment["SMALT_HOME"], "smalt.db"))) as records:
        rows = records.execute("SELECT name, created_at, started_at FROM jobs WHERE name LIKE 'minute-%'").fetchall()
    created = [1000 * (at - due[name].timestamp()) for name, at, _ in rows if name in due]
    started = [1000 * (at - due[name].timestamp()) for name, _, at in rows if name in due and at]
    return created, started


def read_cpu(environment: dict[str, str]) -> float:
    """Return the CPU seconds that the home's server and launcher have taken."""
    found, home = 0.0, environment["SMALT_HOME"]
    server = json.loads(Path(home, "server.json").read_text())["pid"]
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            words = (process / "cmdline").read_bytes()
            if int(process.name) == server or (b"launcher/__main__" in words and home.encode() in words):
                fields = (process / "stat").read_text().rpartition(")")[2].split()
                found += (int(fields[11]) + int(fields[12])) / _TICKS
    return found


if __name__ == "__main__":
    main()
