"""Checks of sweeps: the space fits the algorithm, the trial, and the inputs that it gives values to."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from typing import Any

from smalt.entities.assets.component import Component
from smalt.entities.jobs.inputs import ASSETS, Input, has_default
from smalt.entities.jobs.search_space import (
    Choice,
    ExponentRange,
    HasStep,
    LogNormal,
    Normal,
    QLogNormal,
    QNormal,
    Randint,
    Range,
    SweepDistribution,
    get_sampling_type,
)
from smalt.entities.rules.bindings import PipelineNames
from smalt.entities.rules.content import Source, explain_type_mismatch
from smalt.entities.rules.pipeline import check_ports_given
from smalt.entities.rules.values import check_literal, check_types
from smalt.entities.schema.problems import Path, did_you_mean, format_value
from smalt.entities.schema.reader import Reader
from smalt.entities.syntax.expression import has_expression, parse_binding
from smalt.entities.syntax.literals import PRIMITIVES

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_TRIALS = ("command", "pipeline")
_LARGEST = 1e300
_FARTHEST = 6
"""The distance from the mean that a value can have, in standard deviations."""


def check_sweep(sweep: Any, data: Mapping[str, Any], path: Path, reader: Reader) -> None:
    """Check the trial and the space of a sweep job, step or component; `data` is its document, at `path`."""
    if reader.is_answer:
        return
    trial = vars(sweep).get("trial")
    if isinstance(trial, Component) and trial.type not in _TRIALS:
        words = f"the trial of a sweep is a command or a pipeline, and this is {trial.noun}"
        reader.add_problem((*path, "trial"), words)
    if not data.get("search_space") and data.get("component") is None:
        where = (*path, "search_space") if "search_space" in data else path
        words = f"{sweep.noun} needs 'search_space': the parameters that vary from trial to trial, by name"
        reader.add_problem(where, words, at_key=True)
    if get_sampling_type(vars(sweep).get("sampling_algorithm")) == "hyperband" and data.get("early_termination"):
        words = "hyperband sampling ends trials by a rule of its own; remove 'early_termination', or sample otherwise"
        reader.add_problem((*path, "early_termination"), words, at_key=True)
    space: Mapping[str, Any] = vars(sweep).get("search_space") or {}
    given = {} if isinstance(sweep, Component) else vars(sweep).get("inputs") or {}
    written = data.get("search_space")
    for name, value in written.items() if isinstance(written, Mapping) else ():
        if value is None:
            words = f"'{name}' must be {SweepDistribution.noun} (a mapping), not nothing; write one, or remove it"
            reader.add_problem((*path, "search_space", name), words, at_key=True)
    for name, distribution in space.items():
        where = (*path, "search_space", name)
        if not _NAME.fullmatch(name):
            words = f"'{name}' cannot be the name of a parameter; use letters, digits and '_', no digit first"
            reader.add_problem(where, words, at_key=True)
        if name in given:
            words = f"'{name}' is an input with a value and a parameter of the search space; remove one of them"
            reader.add_problem((*path, "inputs", name), words, at_key=True)
        _check_sampling(distribution, vars(sweep).get("sampling_algorithm"), name, where, reader)


def _check_sampling(distribution: Any, algorithm: Any, name: str, path: Path, reader: Reader) -> None:
    """Check that the algorithm can draw the values."""
    is_grid = get_sampling_type(algorithm) == "grid"
    base = _find_base(algorithm)
    for one, where in _list_distributions(distribution, path):
        if is_grid and not isinstance(one, Choice):
            words = f"grid sampling takes choices alone, and '{name}' has {one.noun}; list the values in a choice"
            reader.add_problem(where, f"{words}, or use random sampling")
        for key in ("min_value", "max_value") if isinstance(one, ExponentRange) else ():
            exponent = vars(one).get(key)
            if isinstance(exponent, (int, float)) and exponent * math.log(base) > math.log(_LARGEST):
                text = "exp" if base == math.e else f"{base:g} to the power "
                words = f"{text}({exponent:g}) is too large; the bounds of {one.noun} are exponents"
                reader.add_problem((*where, key), words)
        mu, sigma = (vars(one).get(key) if isinstance(one, LogNormal | QLogNormal) else None for key in ("mu", "sigma"))
        if isinstance(one, Normal | QNormal):
            _check_size(one, where, reader)
        if not isinstance(mu, (int, float)) or not isinstance(sigma, (int, float)):
            continue
        if (mu + _FARTHEST * sigma) * math.log(base) > math.log(_LARGEST):
            words = f"{one.noun} with 'mu' {mu:g} and 'sigma' {sigma:g} gives numbers that are too large"
            reader.add_problem(where, f"{words}; they are those of the value's logarithm")


def _check_size(distribution: Normal | QNormal, path: Path, reader: Reader) -> None:
    """Check that the values of a normal distribution are numbers that a float can hold."""
    mu, sigma = (vars(distribution).get(key) for key in ("mu", "sigma"))
    if not isinstance(mu, (int, float)) or not isinstance(sigma, (int, float)):
        return
    if abs(float(mu)) + _FARTHEST * float(sigma) > _LARGEST:
        words = f"{distribution.noun} with 'mu' {mu:g} and 'sigma' {sigma:g} gives numbers that are too large"
        reader.add_problem(path, words)


def _find_base(algorithm: Any) -> float:
    """Return the base of the log distributions' bounds; e also if it is wrong, which is said elsewhere."""
    try:
        base = float(getattr(algorithm, "logbase", None) or math.e)
    except ValueError:
        return math.e
    return base if base > 0 else math.e


def _list_distributions(value: Any, path: Path) -> Iterator[tuple[SweepDistribution, Path]]:
    """Yield a distribution and those in its values, each with its path."""
    if isinstance(value, SweepDistribution):
        yield value, path
        value, path = getattr(value, "values", None), (*path, "values")
    items: Any = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield from _list_distributions(item, (*path, key))


def check_trial_component(sweep: Any, component: Component, path: Path, reader: Reader) -> None:
    """Check the inputs, outputs and space of a sweep job against the component that is its trial."""
    if reader.is_answer or component._partial or component.type not in _TRIALS:
        return
    check_ports_given(sweep, component, "the trial", path, reader)
    check_space(sweep, component, PipelineNames({}, {}, {}, {}), path, reader)


def check_declared_ports(component: Component, trial: Component, path: Path, reader: Reader) -> None:
    """Check the inputs and outputs that a sweep component declares against those of its trial."""
    if reader.is_answer or trial._partial or trial.type not in _TRIALS:
        return
    for name, declared in component.inputs.items():
        where = (*path, "inputs", name)
        if name not in trial.inputs:
            words = f"the trial has no input '{name}'{did_you_mean(name, trial.inputs)}"
            reader.add_problem(where, words, at_key=True)
        elif isinstance(declared, Input):
            check_types(declared.type, trial.inputs[name].type, where, reader, "what this component declares")
            source = Source(declared.type, "what this component declares", "declare it here as {type}")
            takes = trial.inputs[name].type
            wrong = None if reader.on_wire else explain_type_mismatch(name, takes, source, "trial")
            if wrong is not None:
                reader.add_problem(where, wrong)
    for name in component.outputs:
        if name not in trial.outputs:
            words = f"the trial has no output '{name}'{did_you_mean(name, trial.outputs)}"
            reader.add_problem((*path, "outputs", name), words, at_key=True)
    given = {*component.inputs, *(vars(component).get("search_space") or ())}
    for name, declared in trial.inputs.items():
        if name not in given and not declared.optional and not has_default(declared):
            words = f"the trial needs the input '{name}'; declare it under 'inputs', or vary it in the search space"
            reader.add_problem((*path, "trial"), words, at_key=True)


def check_space(sweep: Any, component: Component, names: PipelineNames, path: Path, reader: Reader) -> None:
    """Check that each parameter is an input of the component and that its values are of the input's type."""
    varied = _find_varied_inputs(component)
    for name, distribution in (vars(sweep).get("search_space") or {}).items():
        where = (*path, "search_space", name)
        filled = fill_distribution(distribution, names, where, reader)
        if varied is None:
            continue
        if name not in varied:
            owner = "step" if getattr(sweep, "_is_step", False) else "sweep"
            words = f"the component of this {owner} has no input '{name}' to vary{did_you_mean(name, varied)}"
            reader.add_problem(where, words, at_key=True)
        elif isinstance(varied[name], Input):
            _check_values(filled, varied[name], name, where, reader)


def _find_varied_inputs(component: Component) -> Mapping[str, Any] | None:
    """Return the inputs that a space can give values to; of a sweep component those of its trial, None if unknown."""
    if component.type != "sweep":
        return component.inputs
    trial = vars(component).get("trial")
    if isinstance(trial, Component):
        return trial.inputs
    return None if isinstance(trial, str) else vars(component).get("search_space") or {}


def fill_distribution(distribution: Any, names: PipelineNames, path: Path, reader: Reader) -> Any:
    """Return a distribution with the values of the pipeline's inputs, as far as they are known; report wrong ones."""
    bound = {key: value for key, value in vars(distribution).items() if _is_binding(value)} if distribution else {}
    if not bound:
        return distribution
    values = dict(vars(distribution))
    for key, text in bound.items():
        expression = parse_binding(text)
        value = names.inputs.get(expression.name) if expression is not None else None
        if isinstance(value, Input):
            if value.type in PRIMITIVES and value.type not in ("integer", "number"):
                words = f"'{key}' must be a number, and the pipeline's input '{expression and expression.name}' is a"
                reader.add_problem((*path, key), f"{words} {value.type}")
            values.pop(key)
        elif value is None:
            values.pop(key)
        else:
            values[key] = value
    within = Reader()
    within.in_step = True
    filled = type(distribution)._read_data(
        {**values, **dict.fromkeys(bound.keys() - values.keys(), "${{")}, path, within
    )
    reader.problems += within.problems
    return filled if filled is not None and not within.problems else distribution


def _is_binding(value: Any) -> bool:
    return isinstance(value, str) and has_expression(value) and parse_binding(value) is not None


def _check_values(distribution: Any, declared: Input, name: str, path: Path, reader: Reader) -> None:
    """Check that all values of a distribution are of the declared type and in its range."""
    if isinstance(distribution, Choice):
        for index, value in enumerate(vars(distribution).get("values") or ()):
            _check_choice(value, declared, name, (*path, "values", index), reader)
        return
    if not isinstance(distribution, SweepDistribution):
        return
    kind = declared.type or "string"
    words = f"the input '{name}' of the trial is {_describe_type(kind)}"
    if kind == "boolean" or kind in ASSETS:
        reader.add_problem(path, f"{words}, and {distribution.noun} gives numbers; use a choice")
    elif kind == "integer" and not _has_whole_numbers(distribution):
        advice = "use randint, a choice, or a distribution with a whole number as 'q'"
        reader.add_problem(path, f"{words}, and {distribution.noun} gives fractions; {advice}")
    elif kind in ("integer", "number"):
        _check_bounds(distribution, declared, name, path, reader)


def _check_choice(value: Any, declared: Input, name: str, path: Path, reader: Reader) -> None:
    if isinstance(value, SweepDistribution):
        _check_values(value, declared, name, path, reader)
    elif isinstance(value, (dict, list)):
        if declared.type not in (None, "string"):
            words = f"the input '{name}' of the trial is {_describe_type(str(declared.type))}"
            reader.add_problem(path, f"{words}, and {format_value(value)} becomes JSON text")
    elif not has_expression(value):
        check_literal(value, declared, path, reader, f"a value of '{name}'")


def _describe_type(kind: str) -> str:
    return f"data ({kind})" if kind in ASSETS else f"{'an' if kind == 'integer' else 'a'} {kind}"


def _has_whole_numbers(distribution: SweepDistribution) -> bool:
    q = vars(distribution).get("q")
    if isinstance(distribution, HasStep):
        return not isinstance(q, (int, float)) or float(q).is_integer()
    return isinstance(distribution, Randint)


def _check_bounds(distribution: SweepDistribution, declared: Input, name: str, path: Path, reader: Reader) -> None:
    """Check the bounds of a uniform distribution against the smallest and largest value of the input."""
    if not isinstance(distribution, Range) or isinstance(distribution, ExponentRange):
        return
    limits = Input(type="number", min=declared.min, max=declared.max)
    for key in ("min_value", "max_value"):
        bound = vars(distribution).get(key)
        if isinstance(bound, (int, float)):
            check_literal(bound, limits, (*path, key), reader, f"'{key}' of '{name}'")
