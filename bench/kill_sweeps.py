"""SIGKILL of the server, the launcher or both, at random moments, in sweeps whose trials run one at a time.

    python bench/kill_sweeps.py [SWEEPS] [TRIALS] [SEED]

Each sweep must have exactly its trials, none of them run twice, the points of an undisturbed run, and the right best
trial. Exit code 1 when that does not hold.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import common
import killing

from smalt.client import MLClient
from smalt.entities.jobs.search_space import Uniform
from smalt.entities.jobs.sweep import SweepJob
from smalt.exceptions import SmaltError
from smalt.service.sweeps.samplers import make_sampler

LOG = Path(__file__).parents[1] / "tests" / "engine" / "log_metric.py"


def main() -> int:
    sweeps, trials, seed = (
        int(value) for value in [*sys.argv[1:], *(20, 50, random.randrange(10**6))[len(sys.argv) - 1 :]]
    )
    print(f"{sweeps} sweeps of {trials} trials, seed {seed}")
    folder = Path(tempfile.mkdtemp(prefix="smalt-kill-"))
    os.environ["SMALT_HOME"] = f"{folder}/home"
    os.environ.pop("SMALT_URL", None)
    processes = killing.Processes(folder)
    problems: list[str] = []
    try:
        subprocess.run([*common.PROGRAM, "server", "start"], check=True, capture_output=True)
        for number in range(sweeps):
            problems += run_sweep(folder, processes, f"sweep{number}", trials, seed + number)
    finally:
        subprocess.run([*common.PROGRAM, "server", "stop", "--force"], capture_output=True)
        problems += processes.left_behind()
    print(f"{dict(processes.signalled)}, {len(problems)} problems")
    for problem in problems[:20]:
        print(" ", problem)
    if not problems:
        shutil.rmtree(folder)
    else:
        print(f"see {folder}")
    return 1 if problems else 0


def run_sweep(folder: Path, processes: killing.Processes, name: str, trials: int, seed: int) -> list[str]:
    client = MLClient()
    document = make_document(folder, name, trials, seed)
    killing.insist(lambda: client.jobs.create_or_update(SweepJob.from_dict({**document, "name": name})))
    done = threading.Event()
    killer = threading.Thread(target=keep_killing, args=(processes, done, random.Random(seed)))
    killer.start()
    end = time.monotonic() + killing.DEADLINE
    status = ""
    while status not in killing.OVER and time.monotonic() < end:
        time.sleep(0.1)
        with contextlib.suppress(SmaltError, OSError):
            status = client.jobs.get(name).status
    done.set()
    killer.join()
    return judge(client, folder, name, trials, seed)


def make_document(folder: Path, name: str, trials: int, seed: int) -> dict[str, Any]:
    database = f"{folder}/home/workspaces/default/mlflow.db"
    log = f"{sys.executable} -S -E {LOG} {database} loss ${{{{search_space.x}}}}"
    return {
        "trial": {
            "command": f"echo ${{{{search_space.x}}}} >> {folder}/{name}; {log}", "environment": "azureml:host",
        },
        "search_space": {"x": {"type": "uniform", "min_value": 0, "max_value": 1}},
        "sampling_algorithm": {"type": "random", "seed": seed},
        "objective": {"goal": "minimize", "primary_metric": "loss"},
        "limits": {"max_total_trials": trials, "max_concurrent_trials": 1},
    }  # fmt: skip


def keep_killing(processes: killing.Processes, done: threading.Event, chance: random.Random) -> None:
    while not done.wait(chance.uniform(0.05, 4.0)):
        processes.kill(chance.choice(["server", "launcher", "both"]))


def judge(client: MLClient, folder: Path, name: str, trials: int, seed: int) -> list[str]:
    sampler = make_sampler("random", {"x": Uniform(0, 1)}, seed, "minimize")
    points = [float(sampler.propose(number, (), ())["x"]) for number in range(trials)]
    job = killing.insist(lambda: client.jobs.get(name))
    children = killing.insist(lambda: list(client.jobs.list(parent_job_name=name)))
    ran = [float(line) for line in (folder / name).read_text().split()]
    recorded = {one.name: json.loads(one.tags["hyperparameters"])["x"] for one in children}
    wanted = {f"{name}_{number}": point for number, point in enumerate(points)}
    best = f"{name}_{points.index(min(points))}"
    problems = []
    if job.status != "Completed":
        problems.append(f"{name} is {job.status}")
    if ran != points:
        problems.append(f"{name}: {len(ran)} trials ran, {len(set(ran))} of them different, {trials} wanted in order")
    if recorded != wanted:
        problems.append(f"{name}: {len(recorded)} trials are recorded, with other points or names")
    if job.properties.get("best_child_run_id") != best:
        problems.append(f"{name}: the best is {job.properties.get('best_child_run_id')}, not {best}")
    return problems


if __name__ == "__main__":
    sys.exit(main())
