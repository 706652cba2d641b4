"""Sweeps: jobs, and what sweep steps have beyond other steps."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from smalt.entities.assets.component import Component
from smalt.entities.jobs import search_space as nouns
from smalt.entities.jobs.command import CommandComponent, CommandJob
from smalt.entities.jobs.sweep import SweepJob, Trial
from smalt.entities.schema.problems import Path
from smalt.entities.schema.reader import Reader
from smalt.entities.steps.standalone_jobs import fill_from_trial
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
        "Gp": Codec(nouns.GpSamplingAlgorithm, _TYPE),
        "Cmaes": Codec(nouns.CmaesSamplingAlgorithm, _TYPE),
        "Hyperband": Codec(nouns.HyperbandSamplingAlgorithm, _TYPE),
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
    {
        **settings.SHARED,
        "code": CODE,
        "environment": ENVIRONMENT_ID,
        "is_deterministic": Rule("isDeterministic", lambda value, writing: None if value else value),
    },
    defaults={"environmentVariables": {}},
)


def _write_trial(value: Any, writing: Writing) -> Any:
    """Return a command component as the command that it holds, and any other by its id or in place."""
    if isinstance(value, Component) and value.type == "command":
        kept = {name: item for name, item in vars(value).items() if name in Trial._fields}
        value = Trial(**kept)
    if not isinstance(value, (str, Component)):
        return _TRIAL.write(value, writing)
    return _write_reference(value, writing)


def _write_reference(value: Any, writing: Writing) -> Json:
    """Return the id of a component under `componentId`, or the component in place under `component`."""
    from smalt.wire.jobs.steps import COMPONENT

    written = COMPONENT.write(value, writing)
    return {"component" if isinstance(written, dict) else "componentId": written}


def _read_trial(value: Any, path: Path, reader: Reader) -> Any:
    found = _read_reference(value, path, reader)
    return _TRIAL.read(value, path, reader) if found is value else found


class _SweepJob(Codec[SweepJob]):
    """Sweep jobs; a job or component as the trial says what the sweep leaves out."""

    def write(self, noun: SweepJob, writing: Writing) -> Json:
        return super().write(_add_trial(noun), writing)


def _add_trial(noun: SweepJob) -> SweepJob:
    trial = noun.trial
    if isinstance(trial, CommandComponent):
        filled: SweepJob = fill_from_trial(noun, trial)
        return filled
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


def _read_reference(value: Any, path: Path, reader: Reader) -> Any:
    """Return an id, or a component in place, in smalt's form (`component`) or as the service's client has it."""
    if not isinstance(value, Mapping):
        return value
    spec = value.get("component") or _make_nested_codec(value, "properties", "componentSpec")
    if isinstance(spec, Mapping):
        from smalt.wire.jobs.components import read_spec

        return read_spec(spec, path, reader)
    return value.get("componentId") or value


def _make_nested_codec(value: Mapping[str, Any], *keys: str) -> Any:
    found: Any = value
    for key in keys:
        found = found.get(key) if isinstance(found, Mapping) else None
    return found


STEP = {**SWEEP, "trial": Rule("trial", _write_reference, _read_reference)}


def write_component_trial(value: Any, writing: Writing) -> Any:
    """Return the trial of a sweep component: a reference, or a command or component in place, as in YAML."""
    from smalt.wire.jobs.components import write_code, write_environment, write_spec

    if isinstance(value, (str, Component)):
        found = writing.refs.component(value)
        return write_spec(found, writing) if isinstance(found, Component) else found
    special = {"code": write_code, "environment": write_environment}
    return {
        name: special[name](item, writing) if name in special else to_plain(item)
        for name, item in vars(value).items()
        if name in Trial._fields and item is not None
    }
