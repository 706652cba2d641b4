"""The program in Optuna's Python: its points are those of a plain study of Optuna with the same trials."""

from __future__ import annotations

import asyncio
import json
import subprocess
from pathlib import Path

from smalt.machine.home import Home
from smalt.service.sweeps.optuna_environment import PROGRAM, OptunaEnvironment
from smalt.service.sweeps.optuna_process import OptunaProcess
from tests.sampling.conftest import ensure_there

COMPARISON = """
import importlib.util, json, random, sys, warnings
import optuna
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import TrialState, create_trial

spec = importlib.util.spec_from_file_location("program", sys.argv[1], submodule_search_locations=[sys.argv[2]])
sys.modules["program"] = importlib.util.module_from_spec(spec)
from program.optuna_study import make_study_type
from program.studies import ParameterRange, ToldTrial

parameters = [
    ParameterRange("z", "float", -3, 3, None),
    ParameterRange("model", "index", 0, 2, None),
    ParameterRange("model/0/depth", "integer", 1, 9, ("model", 0)),
    ParameterRange("model/2/rate", "float", -6, 1, ("model", 2)),
    ParameterRange("a", "integer", 0, 10, None),
    ParameterRange("fixed", "integer", 4, 4, None),
]
distributions = {
    "z": FloatDistribution(-3, 3), "model": CategoricalDistribution(range(3)), "model/0/depth": IntDistribution(1, 9),
    "model/2/rate": FloatDistribution(-6, 1), "a": IntDistribution(0, 10), "fixed": IntDistribution(4, 4),
}

def suggest(trial):
    found = {"z": trial.suggest_float("z", -3, 3), "model": trial.suggest_categorical("model", range(3))}
    if found["model"] == 0:
        found["model/0/depth"] = trial.suggest_int("model/0/depth", 1, 9)
    if found["model"] == 2:
        found["model/2/rate"] = trial.suggest_float("model/2/rate", -6, 1)
    found["a"] = trial.suggest_int("a", 0, 10)
    found["fixed"] = trial.suggest_int("fixed", 4, 4)
    return found

def keep(told, running):
    kept = []
    for coordinates, value, is_completed in told:
        mine = {path: distributions[path] for path in coordinates}
        if value is None:
            kept.append(create_trial(state=TrialState.FAIL, params=coordinates, distributions=mine))
        elif is_completed:
            kept.append(create_trial(value=value, params=coordinates, distributions=mine))
        else:
            kept.append(create_trial(state=TrialState.PRUNED, intermediate_values={1: value}, params=coordinates,
                                     distributions=mine))
    for coordinates in running:
        kept.append(create_trial(state=TrialState.RUNNING, params=coordinates,
                                 distributions={path: distributions[path] for path in coordinates}))
    return kept

study = make_study_type("bayesian")(parameters, "maximize")
chance = random.Random(3)
told, running, same = [], [], 0
for number in range(60):
    point = study.propose(1000 + number, running)
    plain = optuna.create_study(direction="maximize", sampler=optuna.samplers.TPESampler(seed=1000 + number))
    plain.add_trials(keep(told, running))
    same += suggest(plain.ask()) == point
    running.append(point)
    if len(running) > 3:
        ended = running.pop(chance.randrange(4))
        value = None if number % 9 == 5 else -(ended["z"] - 1) ** 2 - abs(ended["a"] - 7) / 5
        told.append((ended, value, number % 9 != 7))
        study.tell(ToldTrial(*told[-1]))
print(json.dumps([same, len(told)]))
"""


def test_points_are_optunas_own(sampling_home: Path, optuna: OptunaProcess) -> None:
    """With failed, ended, running trials and a nested choice; in a fresh plain study for each of 60 points."""
    ensure_there(optuna, "bayesian")
    python = asyncio.run(OptunaEnvironment(Home(sampling_home), "bayesian").get_python(lambda line: None))
    folder = PROGRAM.parent
    command = [python, "-W", "ignore", "-c", COMPARISON, str(folder / "__init__.py"), str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == [60, 57]
