"""Expansion of a pipeline job that names a component into one with the component's steps."""

from __future__ import annotations

import copy
from typing import Any

from smalt.entities.jobs.inputs import ASSETS, Input, Output
from smalt.entities.jobs.pipeline import PipelineJob, PipelineJobSettings
from smalt.entities.syntax.expression import has_expression

_OF_OUTPUTS = ("type", "mode", "description")


def expand_component(job: PipelineJob, component: Any) -> PipelineJob:
    """Return the job with the steps of its pipeline component; what the job sets overrides the component."""
    made = copy.copy(job)
    defaults = {name: _convert_default(found) for name, found in component.inputs.items() if found.default is not None}
    given = {name: _fit_value(value, component.inputs.get(name)) for name, value in job.inputs.items()}
    settings = {**_settings_to_dict(component.settings), **_settings_to_dict(job.settings)}
    vars(made).update(
        jobs=component.jobs,
        inputs={**defaults, **given},
        outputs={name: _merge_output(job.outputs.get(name), found) for name, found in component.outputs.items()},
        settings=PipelineJobSettings.from_dict(settings),
    )
    return made


def _convert_default(declared: Input) -> Any:
    """Return a default in the form that jobs give it: data as an Input."""
    if declared.type in ASSETS:
        return Input(type=declared.type, path=declared.default, mode=declared.mode)
    return declared.default


def _fit_value(value: Any, declared: Input | None) -> Any:
    """Return what is given with the declared mode; text for declared data is its path."""
    if isinstance(value, str) and declared is not None and declared.type in ASSETS and not has_expression(value):
        return Input(type=declared.type, path=value, mode=declared.mode)
    if isinstance(value, Input) and declared is not None and declared.mode is not None and value.mode is None:
        return Input(**{**vars(value), "mode": declared.mode})
    return value


def _merge_output(said: Output | None, declared: Output) -> Output:
    values = {key: getattr(declared, key) for key in _OF_OUTPUTS if getattr(declared, key) is not None}
    return Output(**{**values, **({} if said is None else vars(said))})


def _settings_to_dict(settings: PipelineJobSettings | None) -> dict[str, Any]:
    return {} if settings is None else settings.to_dict()
