"""How late schedules are, and what they cost while nothing is due.

    python bench/schedules.py [--minutes N] [--idle SECONDS] [--count N] [--burst N] [--endpoints N]

A home has COUNT schedules that are due once a year, and one that is due every minute: printed are the time from each of
its ticks until its job was recorded, and until that had started; then, without that one, the CPU of server and launcher
while nothing is due, beside that of a home without schedules. With --endpoints the first home has as many endpoints,
each second one a batch endpoint, the others online with a process each, whose own CPU is printed apart.

With --burst another home has as many schedules that are due at the same moment: printed are the time until the last job
was recorded and until it was over, beside jobs that a client submits one after the other, and how long other requests
take meanwhile.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import math
import os
import sqlite3
import statistics
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import common

from smalt import MLClient, load_job
from smalt.machine.home import Home

YEARLY = 'name: s{number}\ntrigger: {{type: cron, expression: "0 0 1 1 *"}}\ncreate_job: ./job.yml\n'
MINUTE = 'name: minute\ntrigger: {type: cron, expression: "* * * * *"}\ncreate_job: ./job.yml\n'
JOB = "type: command\ncommand: 'true'\nenvironment: azureml:host\n"
SCRIPT = "def init():\n    pass\n\n\ndef run(raw):\n    return raw\n"
BATCH = """name: d
endpoint_name: bench{number}
model: {{name: weights, path: weights.txt}}
code_configuration: {{code: code, scoring_script: score.py}}
environment: azureml:host
compute: cpu-cluster
"""
ONLINE = """name: d
endpoint_name: bench{number}
code_configuration: {{code: code, scoring_script: score.py}}
environment:
  image: mcr.microsoft.com/azureml/openmpi4.1.0-ubuntu22.04
  conda_file: {{dependencies: [pip, {{pip: [azureml-inference-server-http]}}]}}
"""
SETTLED = 10.0
"""Seconds after which a server has done what it does once."""
LONGEST_BURST = 300.0
_TICKS = os.sysconf("SC_CLK_TCK")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=int, default=5)
    parser.add_argument("--idle", type=float, default=60.0)
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--burst", type=int, default=0)
    parser.add_argument("--endpoints", type=int, default=0)
    asked = parser.parse_args()
    if asked.burst:
        with common.home() as environment:
            measure_burst(environment, asked.burst)
    if not asked.minutes:
        common.clean()
        return
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
        add_endpoints(full, asked.endpoints)
        time.sleep(SETTLED)
        scoring = read_scoring_cpu(full)
        before = [read_cpu(environment) for environment in (full, empty)]
        time.sleep(asked.idle)
        shares = [
            100 * (read_cpu(environment) - cpu) / asked.idle
            for environment, cpu in zip((full, empty), before, strict=True)
        ]
        scoring = 100 * (read_scoring_cpu(full) - scoring) / asked.idle
        what = f"{asked.count} schedules and {asked.endpoints} endpoints"
        print(f"idle, {what}: {shares[0]:.3f} % of a core; none: {shares[1]:.3f} %")
        print(f"the processes of {asked.endpoints // 2} online deployments: {scoring:.3f} %")
    common.clean()


def add_schedules(environment: dict[str, str], count: int) -> None:
    folder = Path(common.folder())
    copy_schedule(environment, folder, YEARLY, count)
    (folder / "minute.yml").write_text(MINUTE)
    common.smalt(environment, "schedule", "create", "--file", str(folder / "minute.yml"))


def copy_schedule(environment: dict[str, str], folder: Path, text: str, count: int) -> None:
    """Create one schedule by its file, and copies of it in the records, which the next server takes over."""
    (folder / "job.yml").write_text(JOB)
    (folder / "s0.yml").write_text(text.format(number=0))
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


def add_endpoints(environment: dict[str, str], count: int) -> None:
    """Create batch and online endpoints in turn, each with a deployment."""
    if not count:
        return
    folder = Path(common.folder())
    (folder / "code").mkdir()
    (folder / "code" / "score.py").write_text(SCRIPT)
    (folder / "weights.txt").write_text("1")
    for number in range(count):
        noun, text = ("online", ONLINE) if number % 2 else ("batch", BATCH)
        (folder / "d.yml").write_text(text.format(number=number))
        common.smalt(environment, f"{noun}-endpoint", "create", "--name", f"bench{number}")
        common.smalt(environment, f"{noun}-deployment", "create", "--file", str(folder / "d.yml"))


def measure_burst(environment: dict[str, str], count: int) -> None:
    """Print how long many ticks of the same moment take, and other requests meanwhile."""
    common.smalt(environment, "server", "start")
    moment = math.ceil((time.time() + 15 + count / 200) / 60) * 60
    once = time.strftime("%M %H %d %m *", time.gmtime(moment))
    copy_schedule(environment, Path(common.folder()), YEARLY.replace("0 0 1 1 *", once), count)
    client = MLClient(home=Home(Path(environment["SMALT_HOME"])), show_progress=False)
    calm = measure_requests(client, moment - 1)
    with contextlib.closing(sqlite3.connect(Path(environment["SMALT_HOME"], "smalt.db"))) as records:

        def count_jobs(end: str) -> int:
            return int(records.execute(f"SELECT count({end}) FROM jobs").fetchone()[0])

        busy = measure_requests(client, moment + LONGEST_BURST, lambda: count_jobs("*") >= count)
        while count_jobs("ended_at") < count:
            time.sleep(0.1)
        rows = records.execute(
            "SELECT t.resource_id, j.created_at, j.ended_at FROM ticks t JOIN jobs j ON j.name=t.job ORDER BY j.id"
        ).fetchall()
    assert [row[0] for row in rows] == sorted(row[0] for row in rows), "the jobs are not in the order of the schedules"
    assert len(rows) == count
    recorded, over = (max(row[column] for row in rows) - moment for column in (1, 2))
    submit = measure_submissions(client, min(count, 200))
    print(f"{count} ticks at one moment: all recorded after {recorded:.2f} s, over after {over:.2f} s")
    print(f"a tick {1000 * recorded / count:.2f} ms; a job that a client submits {submit:.2f} ms, with its request")
    for words, found in (("before", calm), ("meanwhile", busy)):
        middle, most = statistics.median(found), max(found)
        print(f"a request {words}: median {middle:.1f} ms, most {most:.1f} ms ({len(found)} requests)")


def measure_requests(client: MLClient, until: float, is_over: Callable[[], bool] = lambda: False) -> list[float]:
    """Return the milliseconds of requests that come one after the other with short pauses."""
    found: list[float] = []
    while time.time() < until and not (len(found) % 10 == 9 and is_over()):
        began = time.perf_counter()
        client.schedules.get("s0")
        found.append(1000 * (time.perf_counter() - began))
        time.sleep(0.02)
    return found


def measure_submissions(client: MLClient, count: int) -> float:
    """Return the milliseconds in which a client submits one job of many."""
    job = load_job(io.StringIO(JOB))
    began = time.perf_counter()
    for number in range(count):
        job.name = f"by-hand-{number}"
        client.jobs.create_or_update(job)
    return 1000 * (time.perf_counter() - began) / count


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
    home = environment["SMALT_HOME"]
    server = json.loads(Path(home, "server.json").read_text())["pid"]
    return sum(
        seconds
        for pid, words, seconds in list_processes()
        if pid == server or ("launcher/__main__" in words and home in words)
    )


def read_scoring_cpu(environment: dict[str, str]) -> float:
    """Return the CPU seconds that the processes of online deployments have taken."""
    home = environment["SMALT_HOME"]
    return sum(seconds for pid, words, seconds in list_processes() if f"{home}/run/o" in read_environ(pid) + words)


def list_processes() -> list[tuple[int, str, float]]:
    """Return the id, the command line and the CPU seconds of each process."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            fields = (process / "stat").read_text().rpartition(")")[2].split()
            seconds = (int(fields[11]) + int(fields[12])) / _TICKS
            found.append((int(process.name), (process / "cmdline").read_text(errors="replace"), seconds))
    return found


def read_environ(pid: int) -> str:
    try:
        return Path("/proc", str(pid), "environ").read_text(errors="replace")
    except OSError:
        return ""


if __name__ == "__main__":
    main()
