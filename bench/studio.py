"""The studio's speed in a headless Chromium: `python bench/studio.py [PART …]`. Needs scripts/studio first.

The home has 100,000 jobs with two metrics each, pipelines of 1,000 and 3,000 steps, a curve of 100,000 points and a log
of 1 GB, written into its records. A part (curve, figures or designer) alone has only what it needs.
"""

from __future__ import annotations

import contextlib
import gzip
import math
import os
import random
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.helpers import WORKSPACE, Server, temporary_server
from tests.studio.test_browser import STUDIO

from smalt.service.api.studio.pages import STATIC
from smalt.service.records import job_needs, jobs, tracked_runs, workspaces
from smalt.service.records.database import Database
from smalt.service.records.workspaces import Workspace
from smalt.service.tracking import run_database
from smalt.service.tracking.curve_cache import CurveCache
from smalt.service.tracking.curve_files import RunKey

JOBS = 100_000
EXPERIMENTS = 100
POINTS = 100_000
CURVES = ("curve", "curve-2", "curve-3")
"""Jobs that logged so many values of one metric."""
OLD_CURVES = ("curve-old",)
"""Jobs that logged as many to a server that wrote no files of curves."""
LOG_BYTES = 1_000_000_000
PARTS = ("curve", "figures", "designer")
LINE = b"2026-01-01 12:00:00 epoch 12 batch 4711 loss 0.4711 accuracy 0.8128 learning rate 0.0003\n"


def fill_jobs(db: Database, place: Workspace) -> None:
    news = [
        jobs.NewJob(f"job-{k}", "command", {}, f"experiment-{k % EXPERIMENTS}", display_name=None) for k in range(JOBS)
    ]
    jobs.add_jobs(db, place.id, news, "me")
    now = time.time()
    db.execute(
        "UPDATE jobs SET status=CASE id%7 WHEN 0 THEN 'Failed' ELSE 'Completed' END, created_at=?-(?-id)*30,"
        " started_at=?-(?-id)*30+1, ended_at=?-(?-id)*30+9",
        (now, JOBS, now, JOBS, now, JOBS),
    )


def fill_metrics(server: Server, place: Workspace, is_large: bool) -> None:
    """Write the curve into a database as MLflow lays it out, and two metrics of each job if there are many.

    One job in a hundred has loss < 0.01.
    """
    path = run_database.get_database_path(server.home, place.folder)
    path.parent.mkdir(parents=True, exist_ok=True)
    count = JOBS if is_large else 0
    rows = [(name, k * 7919 % JOBS / JOBS, 0, 0, 0, f"job-{k}") for k in range(count) for name in ("auc", "loss")]
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode=wal")
        connection.execute(
            "CREATE TABLE latest_metrics (key VARCHAR(250), value FLOAT, timestamp BIGINT, step BIGINT, is_nan BOOLEAN,"
            " run_uuid VARCHAR(32), PRIMARY KEY (key, run_uuid))"
        )
        connection.execute(
            "CREATE TABLE metrics (key VARCHAR(250), value FLOAT, timestamp BIGINT, run_uuid VARCHAR(32), step BIGINT,"
            " is_nan BOOLEAN, PRIMARY KEY (key, timestamp, step, run_uuid, value, is_nan))"
        )
        for table in ("metrics", "latest_metrics"):
            connection.execute(f"CREATE INDEX index_{table}_run_uuid ON {table} (run_uuid)")
        for run in CURVES + OLD_CURVES:
            points = [("loss", math.exp(-k / 30_000) + k * 7919 % 997 / 9970, k * 10, run, k, 0) for k in range(POINTS)]
            connection.executemany("INSERT INTO metrics VALUES (?,?,?,?,?,?)", points)
            connection.execute(
                "INSERT INTO latest_metrics VALUES ('loss',?,?,?,0,?)", (*points[-1][1:3], POINTS - 1, run)
            )
        connection.execute("CREATE TABLE params (key VARCHAR(250), value VARCHAR(8000), run_uuid VARCHAR(32))")
        connection.executemany("INSERT INTO latest_metrics VALUES (?,?,?,?,?,?)", rows)
        connection.commit()


def store_curves(server: Server, db: Database, place: Workspace) -> None:
    """Write the files of curves, as a server does while jobs log."""
    path = run_database.get_database_path(server.home, place.folder)
    for job in tracked_runs.find_jobs(db, place.id, CURVES):
        CurveCache().store_curves(path, RunKey(job.name, job.id), ["loss"])


def name_step(number: int) -> str:
    """Return a name without digits, so that no steps are folded."""
    return "step_" + "".join(chr(97 + number // 26**place % 26) for place in (2, 1, 0))


def fill_graph(db: Database, place: Workspace, count: int) -> None:
    """Record a pipeline that ran: each step waits for one or two of the ten before it."""
    top = jobs.add_job(db, place.id, jobs.NewJob(f"graph-{count}", "pipeline", {}, "graphs", is_composite=True), "me")
    steps = [jobs.NewJob(f"graph-{count}-{k}", "command", {}, "graphs", node=name_step(k)) for k in range(count)]
    ids = jobs.add_jobs(db, place.id, steps, "me", top)
    draw = random.Random(count)
    pairs = {
        (ids[k], ids[max(0, k - draw.randrange(1, 30))]) for k in range(1, count) for _ in range(draw.choice((1, 1, 2)))
    }
    job_needs.add_dependencies(db, pairs)
    db.execute(
        "UPDATE jobs SET status='Completed', started_at=created_at, ended_at=created_at+5, open=0 WHERE root_id=?",
        (top.id,),
    )


def fill_log(server: Server, db: Database, place: Workspace) -> None:
    job = jobs.add_job(db, place.id, jobs.NewJob("log-1gb", "command", {}, "logs"), "me")
    db.execute("UPDATE jobs SET status='Completed', started_at=created_at, ended_at=created_at WHERE id=?", (job.id,))
    folder = server.home.path(
        "workspaces", place.folder, "datastores/workspaceartifactstore/ExperimentRun/dcid.log-1gb/user_logs"
    )
    folder.mkdir(parents=True)
    block = LINE * 10_000
    with open(folder / "std_log.txt", "wb") as file:
        for _ in range(LOG_BYTES // len(block)):
            file.write(block)
        file.write(b"the last line\n")


def fill_curves(db: Database, place: Workspace) -> None:
    for name in CURVES + OLD_CURVES:
        job = jobs.add_job(db, place.id, jobs.NewJob(name, "command", {}, "curves"), "me")
        db.execute(
            "UPDATE jobs SET status='Completed', started_at=created_at, ended_at=created_at WHERE id=?", (job.id,)
        )


def measure(server: Server, place: Workspace, parts: list[str]) -> None:
    environment = {
        **os.environ,
        "STUDIO_URL": f"http://127.0.0.1:{server.port}",
        "STUDIO_TOKEN": server.home.read_token() or "",
        "STUDIO_WORKSPACE": WORKSPACE.format("pages"),
        "STUDIO_FOLDER": place.folder,
    }
    command = ["node", "node_modules/@playwright/test/cli.js", "test", "-c", "browser/measure.config.ts"]
    command += ["-g", "|".join(parts)]
    ended = subprocess.run(command, cwd=STUDIO, env=environment, capture_output=True, text=True, check=False)
    for line in ended.stdout.splitlines():
        if line.startswith("FIGURE "):
            name, value, unit = line.removeprefix("FIGURE ").split(" | ")
            print(f"| {name} | {value} {unit} |")
        elif line.startswith("SCRIPTS "):
            scripts = [STATIC / path.partition("/studio/")[2] for path in line.split()[1:]]
            size = sum(len(gzip.compress(script.read_bytes())) for script in scripts)
            print(f"| JavaScript of the first page, gzipped | {size / 1000:.0f} KB |")
    if ended.returncode:
        sys.exit(ended.stdout + ended.stderr)


def main() -> None:
    parts = sys.argv[1:] or list(PARTS)
    if set(parts) - set(PARTS):
        sys.exit(f"the parts are {', '.join(PARTS)}")
    with temporary_server() as server:
        server.home.create()
        db = Database(server.home.path("smalt.db"))
        place = workspaces.ensure_workspace(db, "sub", "group", "pages", "me")
        with db.transaction():
            if "figures" in parts:
                fill_jobs(db, place)
                for count in (1000, 3000):
                    fill_graph(db, place, count)
                fill_log(server, db, place)
            fill_curves(db, place)
        fill_metrics(server, place, "figures" in parts)
        store_curves(server, db, place)
        db.close()
        server.start()
        measure(server, place, parts)


if __name__ == "__main__":
    main()
