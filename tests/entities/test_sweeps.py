"""Sweeps: what is refused, each mistake in one sentence at its place."""

from __future__ import annotations

from typing import Any

import pytest

from smalt.entities import read

AIM = {"objective": {"goal": "minimize", "primary_metric": "loss"}, "limits": {"max_total_trials": 4}}
UNIFORM = {"type": "uniform", "min_value": 0, "max_value": 1}
COMPONENT = {
    "type": "command",
    "command": "train --lr ${{inputs.lr}} --n ${{inputs.n}} --on ${{inputs.on}} --data ${{inputs.data}}",
    "environment": "azureml:host",
    "inputs": {
        "lr": {"type": "number", "min": 0, "max": 1, "default": 0.1},
        "n": {"type": "integer", "default": 3},
        "on": {"type": "boolean", "default": True},
        "kernel": {"type": "string", "enum": ["rbf", "linear"], "default": "rbf"},
        "data": {"type": "uri_folder", "default": "azureml:d:1"},
    },
    "outputs": {"model": {"type": "uri_folder"}},
}


def find_problems(document: dict[str, Any], kind: str = "job") -> list[str]:
    return [str(problem) for problem in read(document, kind)[1]]


def make_sweep(**keys: Any) -> dict[str, Any]:
    """Return a sweep job whose trial is a command in place; a key that is None is left out."""
    trial = {"command": "train --lr ${{search_space.lr}}", "environment": "azureml:host"}
    document = {"type": "sweep", "trial": trial, "search_space": {"lr": UNIFORM}, **AIM, **keys}
    return {key: value for key, value in document.items() if value is not None}


def vary(**space: Any) -> dict[str, Any]:
    return make_sweep(trial={"command": "train", "environment": "azureml:host"}, search_space=space)


RANGES = {
    "min above max": (
        vary(lr={"type": "uniform", "min_value": 2, "max_value": 1}),
        "search_space.lr.max_value: 'max_value' must not be below 'min_value', which is 2",
    ),
    "no step": (
        vary(lr={"type": "quniform", "min_value": 0, "max_value": 1, "q": 0}),
        "search_space.lr.q: 'q' must be greater than 0, not the number 0",
    ),
    "a negative deviation": (
        vary(lr={"type": "qlognormal", "mu": 0, "sigma": -1, "q": 1}),
        "search_space.lr.sigma: 'sigma' must be greater than 0, not the number -1",
    ),
    "no integer": (
        vary(n={"type": "randint", "upper": 0}),
        "search_space.n.upper: 'upper' must be at least 1, not 0",
    ),
    "an empty choice": (
        vary(n={"type": "choice", "values": []}),
        "search_space.n.values: a choice needs a value: add one to 'values'",
    ),
    "nothing in a choice": (
        vary(n={"type": "choice", "values": [1, None]}),
        "search_space.n.values[1]: item 2 of 'values' must be text, a number, true or false, or a list or mapping of "
        "such, not nothing",
    ),
    "an unknown distribution": (
        vary(n={"type": "unifrom", "min_value": 0, "max_value": 1}),
        "search_space.n.type: unknown type 'unifrom' of a distribution of values; did you mean 'uniform'?",
    ),
    "a misspelt distribution in a choice": (
        vary(n={"type": "choice", "values": [{"lr": {"type": "unifrom", "min_value": 0, "max_value": 1}}]}),
        "search_space.n.values[0].lr.type: unknown type 'unifrom' of a distribution of values; did you mean 'uniform'?",
    ),
    "an exponent that is none": (
        vary(lr={"type": "loguniform", "min_value": 1, "max_value": 1000}),
        "search_space.lr.max_value: exp(1000) is too large; the bounds of a log-uniform distribution are exponents",
    ),
    "a normal distribution of exponents that is none": (
        vary(lr={"type": "lognormal", "mu": 1, "sigma": 200}),
        "search_space.lr: a log-normal distribution with 'mu' 1 and 'sigma' 200 gives numbers that are too large; they "
        "are those of the value's logarithm",
    ),
    "a policy beside hyperband": (
        make_sweep(sampling_algorithm={"type": "hyperband"}, early_termination={"type": "median_stopping"}),
        "early_termination: hyperband sampling ends trials by a rule of its own; remove 'early_termination', or sample "
        "otherwise",
    ),
    "a bound that names an input": (
        vary(lr={"type": "uniform", "min_value": 0, "max_value": "${{parent.inputs.most}}"}),
        "search_space.lr.max_value: 'max_value' must be a number, not '${{parent.inputs.most}}'",
    ),
    "a number that no float holds": (
        vary(lr={"type": "uniform", "min_value": 0, "max_value": 10**400}),
        "search_space.lr.max_value: 'max_value' must be at most 1.8e+308 in size",
    ),
    "a range that no float holds": (
        vary(lr={"type": "uniform", "min_value": -1.7e308, "max_value": 1.7e308}),
        "search_space.lr.max_value: 'max_value' is too far from 'min_value'; choose a narrower range",
    ),
    "a normal distribution of numbers that no float holds": (
        vary(lr={"type": "normal", "mu": 0, "sigma": 1e308}),
        "search_space.lr: a normal distribution with 'mu' 0 and 'sigma' 1e+308 gives numbers that are too large",
    ),
    "a step that cannot be counted": (
        vary(lr={"type": "quniform", "min_value": 0, "max_value": 1, "q": 1e-300}),
        "search_space.lr.q: 'q' is too small: 1 is more than 9.0072e+15 steps from 0",
    ),
    "an integer that cannot be counted": (
        vary(n={"type": "randint", "upper": 10**400}),
        f"search_space.n.upper: 'upper' must be at most 9007199254740992, not {10**400}",
    ),
    "a number in a choice that is none": (
        vary(n={"type": "choice", "values": [1, float("nan")]}),
        "search_space.n.values[1]: item 2 of 'values' must be a finite number; put it in quotes if its text is meant",
    ),
    "infinity within a choice": (
        vary(n={"type": "choice", "values": [{"a": float("-inf")}]}),
        "search_space.n.values[0].a: 'a' must be a finite number; put it in quotes if its text is meant",
    ),
    "an expression in a choice": (
        vary(n={"type": "choice", "values": ["${{inputs.a}}"]}),
        "search_space.n.values[0]: '${{inputs.a}}' cannot stand in a value of a search space; write it out, and put "
        "'${{inputs.NAME}}' in the command",
    ),
    "a parameter without a distribution": (
        make_sweep(search_space={"lr": None, "n": {"type": "randint", "upper": 3}}),
        "search_space.lr: 'lr' must be a distribution of values (a mapping), not nothing; write one, or remove it",
    ),
    "a list for a distribution": (
        make_sweep(search_space={"lr": [1, 2]}),
        "search_space.lr: 'lr' must be a distribution of values (a mapping), not a list",
    ),
    "no mapping": (
        make_sweep(search_space=5),
        "search_space: 'search_space' must be a mapping of distributions of values, not the number 5",
    ),
    "a name": (
        vary(**{"learn-rate": UNIFORM}),
        "search_space.learn-rate: 'learn-rate' cannot be the name of a parameter; use letters, digits and '_', "
        "no digit first",
    ),
}
SETTINGS = {
    "no space": (
        make_sweep(search_space=None, trial={"command": "train", "environment": "azureml:host"}),
        "a sweep job needs 'search_space': the parameters that vary from trial to trial, by name",
    ),
    "an empty space": (
        make_sweep(search_space={}, trial={"command": "train", "environment": "azureml:host"}),
        "search_space: a sweep job needs 'search_space': the parameters that vary from trial to trial, by name",
    ),
    "no objective": (make_sweep(objective=None), "a sweep job needs 'objective'"),
    "a goal": (
        make_sweep(objective={"goal": "minimise", "primary_metric": "loss"}),
        "objective.goal: 'goal' must be 'minimize' or 'maximize', not 'minimise'; did you mean 'minimize'?",
    ),
    "no limits": (make_sweep(limits=None), "a sweep job needs 'limits'"),
    "too many trials": (
        make_sweep(limits={"max_total_trials": 1001}),
        "limits.max_total_trials: 'max_total_trials' must be at most 1000, not 1001",
    ),
    "too many at a time": (
        make_sweep(limits={"max_total_trials": 200, "max_concurrent_trials": 101}),
        "limits.max_concurrent_trials: 'max_concurrent_trials' must be at most 100, not 101",
    ),
    "more at a time than in all": (
        make_sweep(limits={"max_total_trials": 4, "max_concurrent_trials": 5}),
        "limits.max_concurrent_trials: 'max_concurrent_trials' must not be more than 'max_total_trials', which is 4",
    ),
    "an algorithm": (
        make_sweep(sampling_algorithm="bayes"),
        "sampling_algorithm: 'sampling_algorithm' must be 'random', 'grid', 'bayesian', 'gp', 'cmaes' or 'hyperband', "
        "not 'bayes'; did you mean 'bayesian'?",
    ),
    "a grid of a range": (
        make_sweep(sampling_algorithm="grid"),
        "search_space.lr: grid sampling takes choices alone, and 'lr' has a uniform distribution; list the values in a "
        "choice, or use random sampling",
    ),
    "a grid of a range in a choice": (
        {**vary(m={"type": "choice", "values": ["a", {"lr": UNIFORM}]}), "sampling_algorithm": {"type": "grid"}},
        "search_space.m.values[1].lr: grid sampling takes choices alone, and 'm' has a uniform distribution; list the "
        "values in a choice, or use random sampling",
    ),
    "a seed of a grid": (
        {**vary(n={"type": "choice", "values": [1]}), "sampling_algorithm": {"type": "grid", "seed": 3}},
        "sampling_algorithm.seed: grid sampling tries each point once, in order, so 'seed' has no meaning; remove it",
    ),
    "a base": (
        make_sweep(sampling_algorithm={"type": "random", "logbase": 1}),
        "sampling_algorithm.logbase: 'logbase' must be 'e' or a number greater than 0 other than 1, not the number 1",
    ),
    "an infinite base": (
        make_sweep(sampling_algorithm={"type": "random", "logbase": float("inf")}),
        "sampling_algorithm.logbase: 'logbase' must be 'e' or a number greater than 0 other than 1, not the number inf",
    ),
    "no metric": (
        make_sweep(objective={"goal": "minimize", "primary_metric": ""}),
        "objective.primary_metric: 'primary_metric' must be the name of a metric, without blanks around it, not ''",
    ),
    "blanks around a metric": (
        make_sweep(objective={"goal": "minimize", "primary_metric": " loss "}),
        "objective.primary_metric: 'primary_metric' must be the name of a metric, without blanks around it, not "
        "' loss '",
    ),
    "a parameter in a variable": (
        make_sweep(trial={"command": "train", "environment": "azureml:host", "environment_variables": {
            "A": "${{search_space.lr}}"}}),
        "trial.environment_variables.A: '${{search_space.lr}}' cannot stand in an environment variable of a trial; "
        "each trial has its parameters in the variables AZUREML_SWEEP_NAME",
    ),
    "a name that is none": (
        make_sweep(trial={"command": "train ${{search_space.größe}}", "environment": "azureml:host"}),
        "trial.command: '${{search_space.größe}}' is not an expression that smalt knows; a name has letters, digits, "
        "'_', '-' and '.'",
    ),
    "a negative slack": (
        make_sweep(early_termination={"type": "bandit", "slack_factor": -0.1}),
        "early_termination.slack_factor: 'slack_factor' must be at least 0, not -0.1",
    ),
    "two slacks": (
        make_sweep(early_termination={"type": "bandit", "slack_factor": 0.1, "slack_amount": 0.1}),
        "early_termination.slack_amount: a bandit policy has either 'slack_factor' or 'slack_amount'; remove one of "
        "them",
    ),
    "no slack": (
        make_sweep(early_termination={"type": "bandit"}),
        "early_termination: a bandit policy needs 'slack_factor' or 'slack_amount': how far behind the best a trial "
        "may be",
    ),
    "all trials ended": (
        make_sweep(early_termination={"type": "truncation_selection", "truncation_percentage": 100}),
        "early_termination.truncation_percentage: 'truncation_percentage' must be at most 99, not 100",
    ),
    "a parameter that is not there": (
        make_sweep(search_space={"kernel": {"type": "choice", "values": ["rbf"]}}),
        "trial.command: '${{search_space.lr}}' names no parameter of the search space of this sweep",
    ),
    "an input that is not there": (
        make_sweep(trial={"command": "train ${{inputs.lr}} ${{inputs.epoch}}", "environment": "azureml:host"}),
        "trial.command: '${{inputs.epoch}}' names no input of this sweep",
    ),
    "an input that varies": (
        make_sweep(inputs={"lr": 1}),
        "inputs.lr: 'lr' is an input with a value and a parameter of the search space; remove one of them",
    ),
    "a trial of another type": (
        make_sweep(trial={"type": "spark", "code": "azureml:c:1", "entry": {"file": "a.py"}, "conf": {
            "spark.driver.cores": 1, "spark.driver.memory": "1g", "spark.executor.cores": 1,
            "spark.executor.memory": "1g", "spark.executor.instances": 1}}),
        "trial: the trial of a sweep is a command or a pipeline, and this is a Spark component",
    ),
}  # fmt: skip


def vary_component(**keys: Any) -> dict[str, Any]:
    return {**vary(**keys), "trial": COMPONENT}


VALUES = {
    "fractions": (
        vary_component(n=UNIFORM),
        "search_space.n: the input 'n' of the trial is an integer, and a uniform distribution gives fractions; use "
        "randint, a choice, or a distribution with a whole number as 'q'",
    ),
    "a fractional step": (
        vary_component(n={"type": "quniform", "min_value": 1, "max_value": 9, "q": 0.5}),
        "search_space.n: the input 'n' of the trial is an integer, and a rounded uniform distribution gives fractions; "
        "use randint, a choice, or a distribution with a whole number as 'q'",
    ),
    "numbers": (
        vary_component(on={"type": "randint", "upper": 2}),
        "search_space.on: the input 'on' of the trial is a boolean, and a random integer gives numbers; use a choice",
    ),
    "text": (
        vary_component(n={"type": "choice", "values": [1, "many"]}),
        "search_space.n.values[1]: a value of 'n' must be an integer, not 'many'",
    ),
    "a value that is not allowed": (
        vary_component(kernel={"type": "choice", "values": ["rbf", "poly"]}),
        "search_space.kernel.values[1]: a value of 'kernel' must be rbf or linear, not 'poly'",
    ),
    "a bound": (
        vary_component(lr={"type": "uniform", "min_value": 0, "max_value": 2}),
        "search_space.lr.max_value: 'max_value' of 'lr' must be at most 1, not 2",
    ),
    "a mapping": (
        vary_component(n={"type": "choice", "values": [{"a": 1}]}),
        "search_space.n.values[0]: the input 'n' of the trial is an integer, and a mapping becomes JSON text",
    ),
    "data": (
        vary_component(data=UNIFORM),
        "search_space.data: the input 'data' of the trial is data (uri_folder), and a uniform distribution gives "
        "numbers; use a choice",
    ),
    "an unknown parameter": (
        vary_component(kernal={"type": "choice", "values": ["rbf"]}),
        "search_space.kernal: the component of this sweep has no input 'kernal' to vary; did you mean 'kernel'?",
    ),
    "an unknown input": (
        {**vary_component(lr=UNIFORM), "inputs": {"datta": 3}},
        "inputs.datta: the trial has no input 'datta'; did you mean 'data'?",
    ),
    "an unknown output": (
        {**vary_component(lr=UNIFORM), "outputs": {"modle": {}}},
        "outputs.modle: the trial has no output 'modle'; did you mean 'model'?",
    ),
}


@pytest.mark.parametrize(("document", "sentence"), [*RANGES.values(), *SETTINGS.values(), *VALUES.values()],
                         ids=[*RANGES, *SETTINGS, *VALUES])  # fmt: skip
def test_a_mistake_is_one_sentence(document: dict[str, Any], sentence: str) -> None:
    """Of a sweep job: the sentence says what is wrong, and its path where."""
    assert find_problems(document) == [sentence]


def test_all_mistakes_are_said_at_once() -> None:
    """Mistakes of the space, the limits, the objective and the policy are found in one reading."""
    document = make_sweep(
        search_space={"lr": {"type": "uniform", "min_value": 2, "max_value": 1}},
        limits={"max_total_trials": 0},
        objective={"goal": "low", "primary_metric": "loss"},
        early_termination={"type": "bandit"},
    )
    assert len(find_problems(document)) == 4


@pytest.mark.parametrize(
    "distribution",
    [
        {"type": "choice", "values": [1, 2]},
        {"type": "randint", "upper": 9},
        {"type": "quniform", "min_value": 1, "max_value": 9, "q": 2},
        {"type": "qnormal", "mu": 5, "sigma": 2, "q": 1},
    ],
)
def test_an_integer_takes_distributions_of_integers(distribution: dict[str, Any]) -> None:
    """Of a component's integer input: choices of integers, randint, and what is rounded to integers."""
    assert find_problems(vary_component(n=distribution)) == []


def test_zero_slacks_of_the_official_client_are_unset() -> None:
    """The official client sends 0 for the slack that a program does not set."""
    policy = {"type": "bandit", "slack_factor": 0.1, "slack_amount": 0.0}
    assert find_problems(make_sweep(early_termination=policy)) == []


def test_a_command_names_the_parameters_as_inputs_too() -> None:
    """`${{inputs.lr}}` is the point's value if the space has `lr`."""
    assert find_problems(make_sweep(trial={"command": "train ${{inputs.lr}}", "environment": "azureml:host"})) == []


@pytest.mark.parametrize("algorithm", ["gp", "cmaes", "hyperband", "bayesian"])
def test_algorithms_that_learn_take_a_seed(algorithm: str) -> None:
    """The names of smalt's own algorithms are known, alone and with a seed."""
    assert find_problems(make_sweep(sampling_algorithm=algorithm)) == []
    assert find_problems(make_sweep(sampling_algorithm={"type": algorithm, "seed": 3})) == []


def make_step(**keys: Any) -> dict[str, Any]:
    return {"type": "sweep", "trial": COMPONENT, "search_space": {"lr": UNIFORM}, **AIM, **keys}


def make_pipeline(step: dict[str, Any], **inputs: Any) -> dict[str, Any]:
    return {"type": "pipeline", "inputs": inputs, "jobs": {"tune": step}}


BOUND = {"type": "uniform", "min_value": "${{parent.inputs.least}}", "max_value": 0.5}


def test_bounds_of_a_step_are_inputs_of_its_pipeline() -> None:
    """`${{parent.inputs.least}}` as a bound is held to the other bound and to the component's input."""
    step = make_step(search_space={"lr": BOUND})
    assert find_problems(make_pipeline(step, least=0.1)) == []
    assert find_problems(make_pipeline(step, least=0.7)) == [
        "jobs.tune.search_space.lr.max_value: 'max_value' must not be below 'min_value', which is 0.7"
    ]
    assert find_problems(make_pipeline(step, least=-1)) == [
        "jobs.tune.search_space.lr.min_value: 'min_value' of 'lr' must be at least 0, not -1"
    ]
    assert find_problems(make_pipeline(step, least="low")) == [
        "jobs.tune.search_space.lr.min_value: 'min_value' must be a number, not 'low'"
    ]
    assert find_problems(make_pipeline(step, most=1)) == [
        "jobs.tune.search_space.lr.min_value: '${{parent.inputs.least}}' names no input of the pipeline"
    ]
    component = make_pipeline(step, least={"type": "string"})
    assert find_problems(component, "component") == [
        "jobs.tune.search_space.lr.min_value: 'min_value' must be a number, and the pipeline's input 'least' is a "
        "string"
    ]


def test_the_component_of_a_step_names_inputs() -> None:
    """A trial that is copied from a sweep job into a step is told what a component writes instead."""
    trial = {
        "command": "train ${{search_space.lr}}",
        "environment": "azureml:host",
        "inputs": {"lr": {"type": "number"}},
    }
    assert find_problems(make_pipeline(make_step(trial=trial))) == [
        "jobs.tune.trial.command: '${{search_space.lr}}' has a meaning only in the trial of a sweep that is a command "
        "in place; elsewhere declare an input and write '${{inputs.lr}}'"
    ]


def make_sweep_component(**keys: Any) -> dict[str, Any]:
    return {
        "type": "sweep",
        "name": "tuned",
        "trial": COMPONENT,
        "inputs": {"data": {"type": "uri_folder"}},
        "outputs": {"model": {"type": "uri_folder"}},
        "search_space": {"lr": UNIFORM},
        **AIM,
        **keys,
    }


def test_a_sweep_component_is_held_to_its_trial() -> None:
    """Inputs, outputs and parameters of a sweep component are those of the component that is its trial."""
    assert find_problems(make_sweep_component(), "component") == []
    wrong = make_sweep_component(
        inputs={"datta": {"type": "uri_folder"}, "n": {"type": "boolean"}},
        outputs={"modle": {"type": "uri_folder"}},
        search_space={"kernal": {"type": "choice", "values": ["rbf"]}},
    )
    assert find_problems(wrong, "component") == [
        "inputs.datta: the trial has no input 'datta'; did you mean 'data'?",
        "inputs.n: the input 'n' must be an integer, but what this component declares is a boolean (true or false)",
        "outputs.modle: the trial has no output 'modle'; did you mean 'model'?",
        "search_space.kernal: the component of this sweep has no input 'kernal' to vary; did you mean 'kernel'?",
    ]


def test_a_step_of_a_sweep_component_gives_its_inputs() -> None:
    """A step without `trial` takes a sweep component, whose settings it may replace one by one."""
    step = {"component": make_sweep_component(), "inputs": {"data": {"path": "azureml:d:1"}}}
    assert find_problems(make_pipeline(step)) == []
    replaced = {**step, "limits": {"max_total_trials": 2}, "search_space": {"lr": BOUND}}
    assert find_problems(make_pipeline(replaced, least=0.1)) == []
    assert find_problems(make_pipeline({**step, "inputs": {}})) == [
        "jobs.tune: the input 'data' (uri_folder) of the component is not given"
    ]
    assert find_problems(make_pipeline({**step, "type": "sweep", "trial": COMPONENT, **AIM})) == [
        "jobs.tune.trial: a sweep step has either a 'trial' or a sweep component; remove one of them"
    ]
    assert find_problems(make_pipeline({"type": "sweep", "component": COMPONENT})) == [
        "jobs.tune.component: the step's type is sweep, but its component is a command component"
    ]
