"""Warm starts: Python steps beside themselves cold, a sweep beside Optuna, and the time to the first line.

    python bench/warm.py PYTHON [steps | sweep | line | cold] [--count N]

PYTHON has pandas, scikit-learn and mlflow; for `sweep` also optuna. Each measure says wall time and processor time.

`steps`: a pipeline of `count` steps that import the three and log one metric each, two at a time, cold and warm.
`sweep`: a sweep of a scikit-learn script, and Optuna calling the same script by `subprocess`, two at a time.
`line`: from the engine's start of a step until the first line of its program, idle machine, one at a time.
`cold`: steps that cannot be warm (`bash -c true`), and Python steps that are each the first of their kind, with the
setting off and on.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import resource
import sqlite3
import statistics
import subprocess
import time
from pathlib import Path

import common

STEP = """
import sys
import mlflow
import pandas
import sklearn.linear_model
mlflow.log_metric("m", float(sys.argv[1]))
"""

TRIAL = """
import sys
import mlflow
import numpy as np
from sklearn.datasets import make_classification
from sklearn.linear_model import LogisticRegression
x, y = make_classification(500, random_state=0)
score = LogisticRegression(C=float(sys.argv[1]), max_iter=200).fit(x, y).score(x, y)
if len(sys.argv) > 2:
    print(score)
else:
    mlflow.log_metric("score", score)
"""

OPTUNA = """
import optuna, subprocess, sys
optuna.logging.set_verbosity(optuna.logging.WARNING)
def run(trial):
    c = trial.suggest_float("c", 0.01, 10)
    return float(subprocess.check_output([sys.executable, "trial.py", str(c), "bare"]))
study = optuna.create_study(direction="maximize", sampler=optuna.samplers.RandomSampler(seed=0))
study.optimize(run, n_trials=int(sys.argv[1]), n_jobs=2)
"""

SWEEP = """
type: sweep
trial: {{code: ., command: 'python trial.py ${{{{search_space.c}}}}', environment: azureml:host}}
sampling_algorithm: random
search_space: {{c: {{type: uniform, min_value: 0.01, max_value: 10}}}}
objective: {{goal: maximize, primary_metric: score}}
limits: {{max_total_trials: {count}, max_concurrent_trials: 2}}
"""

LINE = "import sys, time\nimport pandas\nopen(sys.argv[1], 'w').write(str(time.time()))\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("python")
    parser.add_argument("what", nargs="?", choices=("steps", "sweep", "line", "cold"))
    parser.add_argument("--count", type=int, default=100)
    asked = parser.parse_args()
    for what, measure in (("steps", measure_steps), ("sweep", measure_sweep), ("line", measure_line)):
        if asked.what in (None, what):
            measure(asked.python, asked.count)
    if asked.what in (None, "cold"):
        measure_cold(asked.count)
    common.clean()


def measure_steps(python: str, count: int) -> None:
    folder = Path(common.folder())
    (folder / "step.py").write_text(STEP)
    file = write_pipeline(folder, count, "python step.py {}")
    found = {}
    for warm in ("off", "on"):
        with common.home() as environment:
            prepare_home(environment, python, warm)
            found[warm] = run_job(environment, file, "measured")
            if warm == "on":
                found["again"] = run_job(environment, file, "again")
    show_ratio(f"{count} Python steps, nothing ready at first", found["off"], found["on"])
    show_ratio(f"{count} Python steps, parents ready", found["off"], found["again"])


def measure_sweep(python: str, count: int) -> None:
    folder = Path(common.folder())
    (folder / "trial.py").write_text(TRIAL)
    (folder / "optimize.py").write_text(OPTUNA)
    file = common.write(str(folder), SWEEP.format(count=count))
    with common.home() as environment:
        prepare_home(environment, python, "on")
        ours = run_job(environment, file, "sweep")
        again = run_job(environment, file, "again")
    begun, before = time.monotonic(), read_children_cpu()
    subprocess.run([python, "optimize.py", str(count)], cwd=folder, check=True)
    bare = time.monotonic() - begun, read_children_cpu() - before
    show_ratio(f"a sweep of {count} trials beside Optuna, nothing ready at first", bare, ours)
    show_ratio(f"a sweep of {count} trials beside Optuna, parents ready", bare, again)


def measure_line(python: str, count: int) -> None:
    folder = Path(common.folder())
    (folder / "step.py").write_text(LINE)
    found: dict[str, list[float]] = {}
    for warm in ("off", "on"):
        with common.home() as environment:
            prepare_home(environment, python, warm)
            common.smalt(environment, "config", "set", "cpus", "1")
            run_job(environment, write_pipeline(folder, 3, f"python step.py {folder}/w{{}}"), "warming")
            time.sleep(10 if warm == "on" else 0)
            run_job(environment, write_pipeline(folder, min(count, 20), f"python step.py {folder}/{warm}{{}}"), "line")
            found[warm] = read_first_lines(environment, folder, warm)
    for warm, times in found.items():
        print(
            f"start to first line of {len(times)} steps, warm {warm}: median {statistics.median(times) * 1000:.1f} ms"
        )


def measure_cold(count: int) -> None:
    """Print the ratio of steps that start cold, with the setting on and off, in turn."""
    folder = Path(common.folder())
    (folder / "step.py").write_text("")
    measure_pairs(folder, count, "steps that cannot be warm", "bash -c true")
    # Each has a variable of which another interpreter would be needed.
    measure_pairs(folder, count, "Python steps, each the first of its kind", "OMP_NUM_THREADS={}{{}} python step.py")


def measure_pairs(folder: Path, count: int, what: str, command: str) -> None:
    ratios = []
    with common.home() as environment:
        common.smalt(environment, "config", "set", "cpus", "2")
        run_job(environment, write_pipeline(folder, count, command.format(1000)), "first")
        for number in range(8):
            pair = {}
            for warm in ("off", "on") if number % 2 else ("on", "off"):
                common.smalt(environment, "config", "set", "warm", warm)
                file = write_pipeline(folder, count, command.format(1001 + 2 * number + (warm == "on")))
                pair[warm] = run_job(environment, file, f"{warm}{number}")
            ratios.append([pair["on"][place] / pair["off"][place] for place in (0, 1)])
    wall, cpu = (statistics.median(values) for values in zip(*ratios, strict=True))
    print(f"{count} {what}, on against off: wall {wall:.3f}×, processor {cpu:.3f}×", flush=True)


def prepare_home(environment: dict[str, str], python: str, warm: str) -> None:
    environment.pop("MLFLOW_TRACKING_URI", None)
    settings = {"host-python": python, "mlflow-python": python, "warm": warm, "cpus": "2"}
    for name, value in settings.items():
        common.smalt(environment, "config", "set", name, value)
    common.smalt(environment, "server", "start")


def write_pipeline(folder: Path, count: int, command: str) -> str:
    lines = ["type: pipeline", "settings: {default_compute: azureml:local, force_rerun: true}", "jobs:"]
    for number in range(count):
        step = {"code": ".", "command": command.format(number), "environment": "azureml:host"}
        lines.append(f"  n{number}: {json.dumps(step)}")
    return common.write(str(folder), "\n".join(lines) + "\n")


def run_job(environment: dict[str, str], file: str, name: str) -> tuple[float, float]:
    """Return the wall time of a job, and the processor time of all that its launcher has waited for meanwhile."""
    before = read_cpu(environment)
    common.smalt(environment, "job", "create", "-f", file, "--name", name, "-o", "none")
    state = common.wait(environment, name)
    if state != "Completed":
        raise SystemExit(f"{name} is {state}")
    return common.seconds(environment, name), read_cpu(environment) - before


def read_cpu(environment: dict[str, str]) -> float:
    """Return the seconds of the server, the launcher, warm parents and all that they have waited for."""
    total, tick = 0, os.sysconf("SC_CLK_TCK")
    for path in Path("/proc").glob("[0-9]*"):
        try:
            text = (path / "environ").read_bytes() + (path / "cmdline").read_bytes()
            if environment["SMALT_HOME"].encode() in text:
                fields = (path / "stat").read_bytes().rpartition(b")")[2].split()
                total += sum(map(int, fields[11:15]))
        except OSError:
            continue
    return total / tick


def read_children_cpu() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def read_first_lines(environment: dict[str, str], folder: Path, warm: str) -> list[float]:
    """Return the seconds from the start of each step's process to the line that wrote the time."""
    with contextlib.closing(sqlite3.connect(Path(environment["SMALT_HOME"], "smalt.db"))) as records:
        rows = records.execute("SELECT node, started_at FROM jobs WHERE name LIKE 'line-%'").fetchall()
    return [float((folder / f"{warm}{node[1:]}").read_text()) - started for node, started in rows]


def show_ratio(what: str, cold: tuple[float, float], warm: tuple[float, float]) -> None:
    print(
        f"{what}: wall {cold[0]:.1f} s / {warm[0]:.1f} s = {cold[0] / warm[0]:.1f}×,"
        f" processor {cold[1]:.1f} s / {warm[1]:.1f} s = {cold[1] / warm[1]:.1f}×"
    )


if __name__ == "__main__":
    main()
