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
print(time.perf_counter() - began)
"""

FIRST = """
import sys, time, mlflow
if sys.argv[1]:
    import os
    os.environ["MLFLOW_RUN_ID"] = sys.argv[1]
began = time.perf_counter()
mlflow.log_metric("one", 1.0)
print(time.perf_counter() - began)
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
    environment = {**os.environ, **variables, "MLFLOW_DISABLE_TELEMETRY": "true"}
    done = subprocess.run([python, "-c", program, *arguments], env=environment, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(done.stderr[-2000:])
    return float(done.stdout.split()[-1])


def ours(environment: dict[str, str]) -> tuple[dict[str, str], str]:
    """What a stock client needs, and a finished job to log to."""
    folder = Path(environment["SMALT_HOME"], "bench")
    folder.mkdir()
    file = common.write(str(folder), "type: command\ncommand: 'true'\nenvironment: azureml:host\n")
    name = json.loads(common.smalt(environment, "job", "create", "-f", file, "-o", "json"))["name"]
    common.wait(environment, name)
    lines = common.smalt(environment, "mlflow", "uri", "--env").splitlines()
    return dict(shlex.split(line.removeprefix("export "))[0].split("=", 1) for line in lines if line), name


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
        call(python, FIRST, variables, name)
        call(python, FIRST, theirs, "")
        mine = [call(python, FIRST, variables, name) for _ in range(5)]
        other = [call(python, FIRST, theirs, "") for _ in range(5)]
    a, b = statistics.median(mine), statistics.median(other)
    measured, floor = f"{1000 * a:.0f} ms", f"{1000 * b:.0f} ms, stock"
    return [("the first mlflow call of a process", measured, floor, f"{1000 * (a - b):+.0f} ms", "≤ +50 ms")]


ROWS = {"rate": rate, "first": first}


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
