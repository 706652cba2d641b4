"""Tracking against a stock `mlflow server` of the same version, on databases of the same kind, in one run.

    python bench/tracking.py --mlflow PYTHON [rate first list]

PYTHON has mlflow with what its server needs (service/tracking/requirements.txt).

- rate: points per second through `MlflowClient.log_batch`, thousand a call; rounds of both alternate.
- first: the first call of a new process (`mlflow.log_metric`), the server being up.
- list: `smalt job list --metrics` over 10,000 runs.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shlex
import socket
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import common

POINTS = 1_000_000
ROUNDS = 5
RUNS = 10_000
WORKSPACE = (
    "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/smalt/providers/"
    "Microsoft.MachineLearningServices/workspaces/default"
)

RATE = """
import sys, time, mlflow
from mlflow.entities import Metric
client = mlflow.MlflowClient()
run = sys.argv[1] if sys.argv[1] else client.create_run(client.create_experiment(f"bench-{time.time_ns()}")).info.run_id
first, count = int(sys.argv[2]), int(sys.argv[3])
client.get_run(run)
began = time.perf_counter()
for start in range(first, first + count, 1000):
    steps = range(start, start + 1000)
    client.log_batch(run, [Metric("loss", 1.0 / (step + 1), 1700000000000 + step, step) for step in steps])
print("seconds", time.perf_counter() - began, flush=True)
"""

FIRST = """
import sys, time, mlflow
if sys.argv[1]:
    import os
    os.environ["MLFLOW_RUN_ID"] = sys.argv[1]
began = time.perf_counter()
mlflow.log_metric("one", 1.0)
print("seconds", time.perf_counter() - began, flush=True)
"""


MADE = """
import mlflow
client = mlflow.MlflowClient()
print("made", client.create_run("0").info.run_id, flush=True)
"""


@contextlib.contextmanager
def stock(python: str) -> Iterator[dict[str, str]]:
    """A stock server: one worker, SQLite, no jobs; as fast as it comes."""
    folder = tempfile.mkdtemp(prefix="mlflow-bench-")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {**os.environ, "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false", "MLFLOW_DISABLE_TELEMETRY": "true"}
    words = ["server", "--port", str(port), "--workers", "1", "--backend-store-uri", f"sqlite:///{folder}/mlflow.db"]
    server = subprocess.Popen(
        [python, "-m", "mlflow", *words, "--artifacts-destination", folder], env=environment, cwd=folder,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    try:
        for _ in range(600):
            with contextlib.suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{port}/health"):
                break
            time.sleep(0.1)
        yield {"MLFLOW_TRACKING_URI": f"http://127.0.0.1:{port}"}
    finally:
        os.killpg(server.pid, 15)
        server.wait()


def call(python: str, program: str, variables: dict[str, str], *arguments: str) -> float:
    return float(said("seconds", python, program, variables, *arguments))


def said(word: str, python: str, program: str, variables: dict[str, str], *arguments: str) -> str:
    """What the program printed after the word; mlflow prints links as it ends."""
    environment = {**os.environ, **variables, "MLFLOW_DISABLE_TELEMETRY": "true"}
    done = subprocess.run([python, "-c", program, *arguments], env=environment, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(done.stderr[-2000:])
    return done.stdout.partition(f"{word} ")[2].split()[0]


def ours(environment: dict[str, str]) -> tuple[dict[str, str], str]:
    """What a stock client needs, and a finished job to log to."""
    name = finished_job(environment)
    lines = common.smalt(environment, "mlflow", "uri", "--env").splitlines()
    return dict(shlex.split(line.removeprefix("export "))[0].split("=", 1) for line in lines if line), name


def finished_job(environment: dict[str, str]) -> str:
    folder = Path(environment["SMALT_HOME"], "bench")
    folder.mkdir()
    file = common.write(str(folder), "type: command\ncommand: 'true'\nenvironment: azureml:host\n")
    name = str(json.loads(common.smalt(environment, "job", "create", "-f", file, "-o", "json"))["name"])
    common.wait(environment, name)
    return name


def rate(python: str) -> list[tuple[str, ...]]:
    part = POINTS // ROUNDS
    with common.home() as environment, stock(python) as theirs:
        variables, _ = ours(environment)
        pairs = []
        for number in range(ROUNDS):
            first = str(number * part)
            stock_seconds = call(python, RATE, theirs, "", first, str(part))
            our_seconds = call(python, RATE, variables, "", first, str(part))
            pairs.append((part / our_seconds, part / stock_seconds))
    mine, other = (statistics.median(values) for values in zip(*pairs, strict=True))
    ratio = statistics.median(a / b for a, b in pairs)
    return [(f"{POINTS:,} points by log_batch", f"{mine:,.0f}/s", f"{other:,.0f}/s, stock", f"{ratio:.2f}×", "≥ 0.9×")]


def first(python: str) -> list[tuple[str, ...]]:
    with common.home() as environment, stock(python) as theirs:
        variables, name = ours(environment)
        their_run = said("made", python, MADE, theirs)
        call(python, FIRST, variables, name)
        call(python, FIRST, theirs, their_run)
        pairs = [(call(python, FIRST, variables, name), call(python, FIRST, theirs, their_run)) for _ in range(7)]
        mine, other = zip(*pairs, strict=True)
    a, b = statistics.median(mine), statistics.median(other)
    measured, floor = f"{1000 * a:.0f} ms", f"{1000 * b:.0f} ms, stock"
    return [("the first mlflow call of a process", measured, floor, f"{1000 * (a - b):+.0f} ms", "≤ +50 ms")]


def listing(python: str) -> list[tuple[str, ...]]:
    """10,000 finished jobs, each with a run and five metrics of it."""
    with common.home() as environment:
        common.smalt(environment, "config", "set", "mlflow-python", python)
        home = Path(environment["SMALT_HOME"])
        name = finished_job(environment)
        fill(home, name)
        ask(home, f"GET runs/get?run_id={name}")  # starts MLflow
        began = time.perf_counter()
        ask(home, "POST runs/search", {"experiment_ids": ["1"], "max_results": 1})
        made = time.perf_counter() - began
        began = time.perf_counter()
        ask(home, "POST runs/search", {"experiment_ids": ["1"], "max_results": 1})
        again = time.perf_counter() - began
        log(home)
        listed = json.loads(common.smalt(environment, "job", "list", "--metrics", "--all-results"))
        assert len(listed) == RUNS + 1
        assert sum(len(job["metrics"]) for job in listed) == 5 * RUNS
        plain = common.median(lambda: timed(environment, "job", "list"))
        newest = common.median(lambda: timed(environment, "job", "list", "--metrics"))
        whole = common.median(lambda: timed(environment, "job", "list", "--metrics", "--all-results"), 3)
        without = common.median(lambda: timed(environment, "job", "list", "--all-results"), 3)
    return [
        (
            f"job list --metrics, {RUNS:,} runs",
            ms(newest),
            f"{ms(plain)}, without",
            f"{ms(newest - plain)}",
            "≤ 300 ms",
        ),
        ("the same, --all-results", ms(whole), f"{ms(without)}, without", f"{ms(whole - without)}", "–"),
        (f"the first search makes {RUNS:,} runs", f"{made:.1f} s", f"{ms(again)}, the second", "–", "–"),
    ]


def fill(home: Path, name: str) -> None:
    """Copies of one job."""
    with contextlib.closing(sqlite3.connect(home / "smalt.db", timeout=30)) as records:
        columns = [row[1] for row in records.execute("PRAGMA table_info(jobs)")]
        kept = [column for column in columns if column not in ("id", "name", "root_id")]
        for number in range(1, RUNS + 1):
            records.execute(
                f"INSERT INTO jobs (id, root_id, name, {', '.join(kept)}) SELECT id+?1, id+?1, name||'-'||?1,"
                f" {', '.join(kept)} FROM jobs WHERE name=?2",
                (number, name),
            )
            records.execute(
                "INSERT INTO job_bodies SELECT job_id+?1, body FROM job_bodies WHERE job_id="
                "(SELECT id FROM jobs WHERE name=?2)",
                (number, name),
            )
        records.commit()


def ask(home: Path, what: str, body: object = None) -> None:
    """MLflow's API of the default workspace, as its clients reach it."""
    method, path = what.split(" ")
    port = json.loads((home / "server.json").read_text())["port"]
    url = f"http://127.0.0.1:{port}/mlflow/v1.0{WORKSPACE}/api/2.0/mlflow/{path}"
    headers = {"Authorization": f"Bearer {(home / 'token').read_text().strip()}", "Content-Type": "application/json"}
    request = urllib.request.Request(url, body and json.dumps(body).encode(), headers, method=method)
    with urllib.request.urlopen(request) as answer:
        answer.read()


def log(home: Path) -> None:
    """Five metrics of each run but the first, put where MLflow would put them."""
    (path,) = home.glob("workspaces/*/mlflow.db")
    with contextlib.closing(sqlite3.connect(path, timeout=30)) as store:
        runs = [run for (run,) in store.execute("SELECT run_uuid FROM runs WHERE run_uuid LIKE '%-%'")]
        assert len(runs) == RUNS, len(runs)
        rows = [(f"metric{number}", number / 7, 1700000000000, 9, 0, run) for run in runs for number in range(5)]
        for table in ("metrics", "latest_metrics"):
            store.executemany(
                f"INSERT INTO {table} (key, value, timestamp, step, is_nan, run_uuid) VALUES (?,?,?,?,?,?)", rows
            )
        store.commit()


def timed(environment: dict[str, str], *words: str) -> float:
    began = time.perf_counter()
    common.smalt(environment, *words)
    return time.perf_counter() - began


def ms(seconds: float) -> str:
    return f"{1000 * seconds:.0f} ms"


ROWS = {"rate": rate, "first": first, "list": listing}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rows", nargs="*")
    parser.add_argument("--mlflow", required=True)
    arguments = parser.parse_args()
    print("| what | measured | against | difference | reach |\n|---|---|---|---|---|")
    for name, row in ROWS.items():
        if name in (arguments.rows or ROWS):
            for one in row(arguments.mlflow):
                print(f"| {' | '.join(one)} |", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
