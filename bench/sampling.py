"""Measure a Bayesian decision at 1,000 trials, in processor time, beside Optuna's own `ask` on a study in memory.

    python bench/sampling.py [--trials 1000] [--decisions 100] [--rounds 3] [--home FOLDER]

smalt's share is the server's side and the process; both sides have the same space of 6 parameters, four trials that
run, and one that ends before each decision. Optuna is measured in the same environment. --home is a home that has it.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

from smalt.machine.home import Home
from smalt.service.sweeps.optuna_environment import OptunaEnvironment
from smalt.service.sweeps.optuna_process import OptunaProcess
from smalt.service.sweeps.samplers import make_sampler
from smalt.service.sweeps.trials import Running, Told
from smalt.sweep import Choice, LogUniform, QUniform, Randint, Uniform

SPACE: dict[str, Any] = {
    "a": Uniform(-3, 3),
    "b": LogUniform(-6, 1),
    "c": QUniform(0, 10, 1),
    "d": Randint(8),
    "e": Choice(["x", "y", "z"]),
    "f": Uniform(0, 1),
}
_OPTUNA = """
import json, sys, time
import optuna
optuna.logging.set_verbosity(optuna.logging.ERROR)
trials, decisions, seed = map(int, sys.argv[1:])
study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=seed))
def suggest(trial):
    return (trial.suggest_float("a", -3, 3), trial.suggest_float("b", -6, 1), trial.suggest_int("c", 0, 10),
            trial.suggest_int("d", 0, 7), trial.suggest_categorical("e", range(3)), trial.suggest_float("f", 0, 1))
def loss(a, b, c, d, e, f):
    return (a - 1) ** 2 + (b + 2) ** 2 / 4 + (c - 7) ** 2 / 10 + abs(d - 4) / 4 + e / 2 + f
random = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=seed))
for _ in range(trials):
    trial = random.ask()
    random.tell(trial, loss(*suggest(trial)))
study.add_trials(random.trials)
running = []
def decide():
    trial = study.ask()
    running.append((trial, suggest(trial)))
for _ in range(4):
    decide()
begun = time.process_time()
for _ in range(decisions):
    trial, point = running.pop(0)
    study.tell(trial, loss(*point))
    decide()
print(json.dumps((time.process_time() - begun) / decisions))
"""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=1000)
    parser.add_argument("--decisions", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--home")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="smalt-bench-") as folder:
        home = Home(Path(arguments.home or folder))
        own, floor, rebuilds = [], [], []
        for seed in range(arguments.rounds):  # in turns, as other work on the machine comes and goes
            server, process, rebuild = measure_smalt(home, arguments.trials, arguments.decisions, seed)
            own.append(server + process)
            rebuilds.append(rebuild)
            floor.append(measure_optuna(home, arguments.trials, arguments.decisions, seed))
            print(
                f"smalt {1000 * own[-1]:.2f} ms (server {1000 * server:.2f}, process {1000 * process:.2f}), "
                f"Optuna {1000 * floor[-1]:.2f} ms, ratio {own[-1] / floor[-1]:.2f}; "
                f"told {arguments.trials} trials again in {1000 * rebuild:.0f} ms",
                flush=True,
            )
    ratio = statistics.median(one / other for one, other in zip(own, floor, strict=True))
    print(
        f"| a Bayesian decision at {arguments.trials:,} trials | {ratio:.2f}× Optuna's `ask` | reach 1.3×, aim 1.1× |"
    )
    return 0


def measure_smalt(home: Home, trials: int, decisions: int, seed: int) -> tuple[float, float, float]:
    """Return the seconds of processor time of the server and of the process for a decision, and for a rebuild."""
    processes = OptunaProcess(home)
    try:
        random = make_sampler("random", SPACE, seed, "minimize")
        told = [make_told(number, random.propose(number, [], [])) for number in range(trials)]
        sampler = make_sampler("bayesian", SPACE, seed, "minimize", lambda: processes)
        sampler.propose(0, [], [])
        pid = processes.get_pid("bayesian") or 0
        begun = time.process_time() + get_processor_time(pid)
        running: list[Running] = [(trials, sampler.propose(trials, told, []))]
        rebuild = time.process_time() + get_processor_time(pid) - begun
        for number in range(trials + 1, trials + 4):
            running.append((number, sampler.propose(number, told, running)))
        server, process = time.process_time(), get_processor_time(pid)
        for number in range(trials + 4, trials + 4 + decisions):
            told.append(make_told(*running.pop(0)))
            running.append((number, sampler.propose(number, told, running)))
        return (
            (time.process_time() - server) / decisions,
            (get_processor_time(pid) - process) / decisions,
            rebuild,
        )
    finally:
        processes.close()


def make_told(number: int, point: dict[str, Any]) -> Told:
    loss = (point["a"] - 1) ** 2 + (point["c"] - 7) ** 2 / 10 + abs(point["d"] - 4) / 4 + point["f"]
    return Told(number, json.loads(json.dumps(point)), loss, True)


def measure_optuna(home: Home, trials: int, decisions: int, seed: int) -> float:
    import asyncio

    python = asyncio.run(OptunaEnvironment(home, "bayesian").get_python(print))
    command = [python, "-c", _OPTUNA, str(trials), str(decisions), str(seed)]
    environment = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    return float(json.loads(done.stdout))


def get_processor_time(pid: int) -> float:
    """Return the seconds that all threads of a process have run, to the nanosecond."""
    return sum(int(path.read_text().split()[0]) for path in Path(f"/proc/{pid}/task").glob("*/schedstat")) / 1e9


if __name__ == "__main__":
    raise SystemExit(main())
