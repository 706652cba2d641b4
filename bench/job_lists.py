"""`job list` among many jobs, beside the bare query that finds the same rows.

python bench/job_lists.py [--jobs 100000]
"""

from __future__ import annotations

import argparse
import contextlib
import json
import sqlite3
import time
from pathlib import Path

import common

from smalt.service.records import jobs, workspaces
from smalt.service.records.database import Database

_STATES = ("Completed", "Completed", "Completed", "Canceled")
_BARE = "SELECT * FROM jobs WHERE workspace_id=1 AND parent_id IS NULL AND status='Failed' ORDER BY id DESC LIMIT 51"
LISTS = (
    (),
    ("--status", "failed"),
    ("--status", "Completed"),
    ("--experiment-name", "rare"),
    ("--tag", "rare"),
    ("--tag", "parity=1"),
    ("--archived-only",),
    ("--status", "failed", "--experiment-name", "e", "--include-archived"),
)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--jobs", type=int, default=100_000)
    count = parser.parse_args().jobs
    with common.home() as environment:
        common.smalt(environment, "job", "list")
        empty = common.median(lambda: command(environment, "job", "list"))
        common.smalt(environment, "server", "stop")
        fill(Path(environment["SMALT_HOME"], "smalt.db"), count)
        common.smalt(environment, "job", "list")
        bare = common.median(lambda: bare_query(environment))
        version = common.median(lambda: command(environment, "--version"))
        print(
            f"{count} jobs; the bare query {bare * 1000:.2f} ms; `smalt --version` {version * 1000:.0f} ms;"
            f" `job list` without jobs {empty * 1000:.0f} ms"
        )
        for options in LISTS:
            took = common.median(lambda options=options: command(environment, "job", "list", "-o", "json", *options))
            told = len(json.loads(common.smalt(environment, "job", "list", "-o", "json", *options)))
            name = " ".join(["job list", *options])
            print(f"{name}: {told} jobs, {took * 1000:.0f} ms, {took / version:.1f}× `smalt --version`")
    common.clean()


def command(environment: dict[str, str], *arguments: str) -> float:
    began = time.perf_counter()
    common.smalt(environment, *arguments)
    return time.perf_counter() - began


def bare_query(environment: dict[str, str]) -> float:
    with contextlib.closing(sqlite3.connect(Path(environment["SMALT_HOME"], "smalt.db"))) as records:
        began = time.perf_counter()
        records.execute(_BARE).fetchall()
        return time.perf_counter() - began


def fill(path: Path, count: int) -> None:
    """Record finished jobs; one in a thousand failed, has a tag of its own, is of another experiment, is archived."""
    db = Database(path)
    place = workspaces.list_workspaces(db)[0]
    body = {"jobType": "Command", "command": "true", "environmentId": "azureml:host@latest"}
    with db.transaction():
        news = []
        for number in range(count):
            tags = {"parity": str(number % 2), **({"rare": "1"} if number % 1000 == 0 else {})}
            experiment = "rare" if number % 1000 == 0 else "e"
            news.append(jobs.NewJob(f"j{number}", "command", {**body, "tags": tags}, experiment))
        ids = jobs.add_jobs(db, place.id, news, "me")
        states = [("Failed" if n % 1000 == 7 else _STATES[n % 4], time.time(), id) for n, id in enumerate(ids)]
        db.execute_many("UPDATE jobs SET status=?, ended_at=? WHERE id=?", states)
        db.execute("UPDATE jobs SET is_archived=1 WHERE id % 1000 = 13")
    db.close()


if __name__ == "__main__":
    main()
