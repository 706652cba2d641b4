"""Sweeps: jobs, and what sweep steps have beyond other steps."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from smalt.entities.assets.component import Component
from smalt.entities.jobs import search_space as nouns
from smalt.entities.jobs.command import CommandJob
from smalt.entities.jobs.sweep import SweepJob, Trial
from smalt.entities.schema.problems import Path
from smalt.entities.schema.reader import Reader
from smalt.wire.encoding.casing import fold_case
from smalt.wire.encoding.codec import Codec, Json, Rule, TaggedCodec, Writing, make_nested_rule, to_plain
from smalt.wire.encoding.envelope import Envelope
from smalt.wire.jobs import settings
from smalt.wire.jobs.command import CODE, ENVIRONMENT_ID, JOB, JOB_DEFAULTS

_ARGUMENTS = {
    "choice": ("values",),
    "uniform": ("min_value", "max_value"),
    "loguniform": ("min_value", "max_value"),
    "quniform": ("min_value", "max_value", "q"),
    "qloguniform": ("min_value", "max_value", "q"),
    "normal": ("mu", "sigma"),
    "lognormal": ("mu", "sigma"),
    "qnormal": ("mu", "sigma", "q"),
    "qlognormal": ("mu", "sigma", "q"),
    "randint": ("upper",),
}
"""The keys of a distribution: `["uniform", [0.1, 0.9]]` in a sweep job on the wire, and as in YAML in a step."""

_TYPE = {"type": Rule("")}


def _write_space(value: Mapping[str, Any], writing: Writing) -> Any:
    space = to_plain(value)
    return space if writing.in_node else {name: _to_list(item) for name, item in space.items()}


def _to_list(value: Any) -> Any:
    """A distribution as a list, also where it stands in a choice's mapping."""
    names = _ARGUMENTS.get(value.get("type", "")) if isinstance(value, dict) else None
    if names is None:
        return value
    arguments = [value[name] for name in names]
    if value["type"] == "choice":
        arguments = [[_write_inner(item, _to_list) for item in value["values"]]]
    return [value["type"], arguments]


def _write_inner(item: Any, change: Any) -> Any:
    return (
        {name: change(each) for name, each in item.items()} if isinstance(item, dict) and "type" not in item else item
    )


def _read_space(value: Any, path: Path, reader: Reader) -> Any:
    if not isinstance(value, Mapping):
        return value
    return {name: _from_list(item) for name, item in value.items()}


def _from_list(value: Any) -> Any:
    if not (isinstance(value, list) and len(value) == 2):
        return value
    kind, arguments = value
    names = _ARGUMENTS.get(kind) if isinstance(kind, str) else None
    if names is None or not isinstance(arguments, list) or len(arguments) != len(names):
        return value
    found: Json = {"type": kind, **dict(zip(names, arguments, strict=True))}
    if kind == "choice" and isinstance(found["values"], list):
        found["values"] = [_write_inner(item, _from_list) for item in found["values"]]
    return found


_SAMPLING = TaggedCodec(
    "samplingAlgorithmType",
    {
        "Random": Codec(nouns.RandomSamplingAlgorithm, _TYPE),
        "Grid": Codec(nouns.GridSamplingAlgorithm, _TYPE),
        "Bayesian": Codec(nouns.BayesianSamplingAlgorithm, _TYPE),
    },
)


def write_sampling(value: Any, writing: Writing) -> Any:
    if writing.in_node or not isinstance(value, str):
        return to_plain(value) if writing.in_node else _SAMPLING.write(value, writing)
    return {"samplingAlgorithmType": value.capitalize()}


def read_sampling(value: Any, path: Path, reader: Reader) -> Any:
    if not isinstance(value, Mapping):
        return value
    given = {fold_case(str(key)): item for key, item in value.items() if item is not None}
    kind = given.get("samplingalgorithmtype", given.get("type"))
    return kind.lower() if len(given) == 1 and isinstance(kind, str) else _SAMPLING.read(value, path, reader)


EARLY_TERMINATION = TaggedCodec(
    "policyType",
    {
        "Bandit": Codec(nouns.BanditPolicy, _TYPE),
        "MedianStopping": Codec(nouns.MedianStoppingPolicy, _TYPE),
        "TruncationSelection": Codec(nouns.TruncationSelectionPolicy, _TYPE),
    },
)
_JOB_LIMITS = Codec(
    nouns.SweepJobLimits,
    {"timeout": settings.make_duration_rule("timeout"), "trial_timeout": settings.make_duration_rule("trialTimeout")},
    constants={"jobLimitsType": "Sweep"},
)
_STEP_LIMITS = Codec(nouns.SweepJobLimits)


def _write_limits(value: Any, writing: Writing) -> Any:
    return (_STEP_LIMITS if writing.in_node else _JOB_LIMITS).write(value, writing)


SWEEP = {
    "search_space": Rule("searchSpace", _write_space, _read_space),
    "sampling_algorithm": Rule("samplingAlgorithm", write_sampling, read_sampling),
    "objective": make_nested_rule(Codec(nouns.Objective), "objective"),
    "early_termination": make_nested_rule(EARLY_TERMINATION, "earlyTermination"),
    "limits": Rule("limits", _write_limits, _JOB_LIMITS.read),
    "resources": settings.SHARED["resources"],
    "queue_settings": settings.SHARED["queue_settings"],
}

_TRIAL = Codec(
    Trial,
    {**settings.SHARED, "code": CODE, "environment": ENVIRONMENT_ID},
    defaults={"environmentVariables": {}},
)


def _write_trial(value: Any, writing: Writing) -> Any:
    """A command component is what it holds."""
    if isinstance(value, str):
        return {"componentId": writing.refs.asset(value, "components")}
    if isinstance(value, Component):
        kept = {name: item for name, item in vars(value).items() if name in Trial._fields}
        value = Trial(**kept)
    return _TRIAL.write(value, writing)


def _read_trial(value: Any, path: Path, reader: Reader) -> Any:
    if isinstance(value, Mapping) and isinstance(value.get("componentId"), str):
        return value["componentId"]
    return _TRIAL.read(value, path, reader)


class _SweepJob(Codec[SweepJob]):
    """Sweep jobs; a command job as the trial says what the sweep leaves out."""

    def write(self, noun: SweepJob, writing: Writing) -> Json:
        return super().write(_add_trial(noun), writing)


def _add_trial(noun: SweepJob) -> SweepJob:
    trial = noun.trial
    if not isinstance(trial, CommandJob):
        return noun
    sweep = copy.copy(noun)
    vars(sweep).update({name: getattr(noun, name) or getattr(trial, name) for name in ("compute", "inputs", "outputs")})
    timeout = trial.limits.timeout if trial.limits is not None else None
    if timeout is not None and (noun.limits is None or noun.limits.trial_timeout is None):
        sweep.limits = copy.copy(noun.limits) if noun.limits is not None else nouns.SweepJobLimits()
        sweep.limits.trial_timeout = timeout
    return sweep


SWEEP_JOB = _SweepJob(
    SweepJob,
    {**JOB, **SWEEP, "trial": Rule("trial", _write_trial, _read_trial)},
    constants={"jobType": "Sweep"},
    defaults=JOB_DEFAULTS,
)
RESOURCES = Envelope(SWEEP_JOB)


def _write_step_trial(value: Any, writing: Writing) -> Any:
    from smalt.wire.jobs.steps import COMPONENT

    written = COMPONENT.write(value, writing)
    return {"component" if isinstance(written, dict) else "componentId": written}


def _read_step_trial(value: Any, path: Path, reader: Reader) -> Any:
    """An id, or a component in place, in smalt's form (`component`) or as the service's client has it."""
    if not isinstance(value, Mapping):
        return value
    spec = value.get("component") or _make_nested_codec(value, "properties", "componentSpec")
    if isinstance(spec, Mapping):
        from smalt.wire.jobs.components import read_spec

        return read_spec(spec, path, reader)
    return value.get("componentId", value)


def _make_nested_codec(value: Mapping[str, Any], *keys: str) -> Any:
    found: Any = value
    for key in keys:
        found = found.get(key) if isinstance(found, Mapping) else None
    return found


STEP = {**SWEEP, "trial": Rule("trial", _write_step_trial, _read_step_trial)}
