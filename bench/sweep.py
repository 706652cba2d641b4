"""Sweeps: what a trial costs beside a bare process, and how soon a policy ends one.

    python bench/sweep.py [trials | latency] [--rounds N] [--count N]

`trials`: a sweep of `count` trials of `true`, two at a time, and as many processes from two bare threads, in turn.
`latency`: from the moment at which a trial has the answer to its `log-metric` until it gets SIGTERM.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import sqlite3
import statistics
import time
from pathlib import Path

import common

TRUE = """
type: sweep
trial: {{command: 'true', environment: azureml:host}}
search_space: {{x: {{type: uniform, min_value: 0, max_value: 1}}}}
objective: {{goal: minimize, primary_metric: loss}}
limits: {{max_total_trials: {count}, max_concurrent_trials: 2}}
"""

STOPPED = """
type: sweep
trial:
  command: python -S {script} ${{{{search_space.x}}}} {folder}
  environment: azureml:host
search_space: {{x: {{type: choice, values: {values}}}}}
sampling_algorithm: grid
objective: {{goal: minimize, primary_metric: loss}}
early_termination: {{type: bandit, slack_amount: 0.5}}
limits: {{max_total_trials: {count}, max_concurrent_trials: 2}}
"""

SCRIPT = """
import json, os, signal, sys, time, urllib.request

number, folder = sys.argv[1:]
logged = None

def log(value):
    body = {"run_id": os.environ["AZUREML_RUN_ID"], "key": "loss", "value": value, "step": 0,
            "timestamp": int(time.time() * 1000)}
    headers = {"Content-Type": "application/json", "Authorization": "Bearer " + os.environ["MLFLOW_TRACKING_TOKEN"]}
    url = os.environ["MLFLOW_TRACKING_URI"] + "/api/2.0/mlflow/runs/log-metric"
    urllib.request.urlopen(urllib.request.Request(url, json.dumps(body).encode(), headers)).read()

def end(*_):
    told = time.perf_counter()
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if number != "0":
        with open(os.path.join(folder, number), "w") as file:
            file.write(str((told - logged) * 1000 if logged else 0.0))  # it came while the answer was being read
    os._exit(1)

signal.signal(signal.SIGTERM, end)
if number == "0":
    log(0.0)
    open(os.path.join(folder, "begun"), "w").close()
    while not os.path.exists(os.path.join(folder, "last")):
        time.sleep(0.05)
else:
    while not os.path.exists(os.path.join(folder, "begun")):
        time.sleep(0.05)
    log(1.0)
    logged = time.perf_counter()
    time.sleep(30)
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", nargs="?", choices=("trials", "latency"))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--count", type=int, default=1000)
    asked = parser.parse_args()
    if asked.what != "latency":
        measure_trials(asked.rounds, asked.count)
    if asked.what != "trials":
        measure_latency(min(asked.count, 30))
    common.clean()


def measure_trials(rounds: int, count: int) -> None:
    """Print the time of a trial beside that of a bare process; the sweeps fail, as `true` logs nothing."""
    file = common.write(common.folder(), TRUE.format(count=count))
    ours, bare = [], []
    with common.home() as environment:
        common.smalt(environment, "config", "set", "cpus", "2")
        common.smalt(environment, "server", "start")
        for number in range(rounds + 1):
            name = f"sweep{number}"
            common.smalt(environment, "job", "create", "-f", file, "--name", name, "-o", "none")
            common.wait(environment, name)
            ours.append(common.seconds(environment, name) / count * 1000)
            bare.append(common.bare_threads(count) / count * 1000)
    ratio = statistics.median(one / other for one, other in zip(ours[1:], bare[1:], strict=True))
    print(
        f"{count} trials of `true`, two at a time: {statistics.median(ours[1:]):.2f} ms a trial, a bare process"
        f" {statistics.median(bare[1:]):.2f} ms: {ratio:.2f}×"
    )


def measure_latency(count: int) -> None:
    folder = Path(common.folder())
    folder.joinpath("log.py").write_text(SCRIPT)
    values = list(range(count))
    text = STOPPED.format(script=folder / "log.py", folder=folder, values=json.dumps(values), count=count)
    with common.home() as environment:
        if python := os.environ.get("SMALT_TEST_MLFLOW_PYTHON"):
            common.smalt(environment, "config", "set", "mlflow-python", python)
        common.smalt(environment, "server", "start")
        common.smalt(environment, "job", "create", "-f", common.write(str(folder), text), "--name", "s", "-o", "none")
        wait_for_trials(environment, count)
        (folder / "last").touch()
        common.wait(environment, "s")
    found = [float((folder / str(number)).read_text()) for number in range(3, count)]  # the first ones warm up
    found.sort()
    print(
        f"SIGTERM after the answer to log-metric, {len(found)} trials: median {statistics.median(found):.1f} ms,"
        f" 9 of 10 within {found[len(found) * 9 // 10]:.1f} ms"
    )


def wait_for_trials(environment: dict[str, str], count: int) -> None:
    """Wait until all trials but the first are over."""
    with contextlib.closing(sqlite3.connect(Path(environment["SMALT_HOME"], "smalt.db"))) as records:
        while True:
            rows = records.execute("SELECT count(*) FROM jobs WHERE ended_at IS NOT NULL AND parent_id IS NOT NULL")
            if rows.fetchone()[0] >= count - 1:
                return
            time.sleep(0.1)


if __name__ == "__main__":
    main()
