"""Promises turned into expressions, once a pipeline's function has returned and its steps have names."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from smalt.entities.assets.component import Component
from smalt.entities.jobs.inputs import Input
from smalt.entities.jobs.search_space import SweepDistribution
from smalt.entities.schema.entity import Entity
from smalt.entities.steps.bindings import Promise, StepOutput
from smalt.exceptions import UserErrorException


def resolve_step(node: Any, words: str, steps: Collection[int]) -> None:
    """Resolve a step in place; `steps` are the ids of the pipeline's steps, whose outputs alone it may read."""
    values = vars(node)
    inputs = values.get("inputs")
    for name, value in (inputs or {}).items():
        if isinstance(value, SweepDistribution) and node.type != "sweep":
            line = values.get("_line") or ("", 0)
            told = f"{words} is given a distribution for '{name}'; call .sweep(…) on it to vary the input"
            raise UserErrorException(told, line)
        source = value.path if isinstance(value, Input) else value
        if isinstance(source, StepOutput) and id(source._node) not in steps:
            told = f"{words} is given for '{name}' an output of a step that is not in this pipeline"
            raise UserErrorException(f"{told}; pass it to the pipeline as an input", values.get("_line") or ("", 0))
        dict.__setitem__(inputs, name, _resolve_input(value))
    for name, value in values.items():
        if name not in ("inputs", "outputs", "component", "trial"):
            values[name] = _resolve_value(value)


def _resolve_input(value: Any) -> Any:
    if isinstance(value, Promise):
        return value.to_binding()
    if isinstance(value, Input) and isinstance(value.path, Promise):
        path = value.path.to_binding()
        return path if value.mode is None else Input(path=path, mode=value.mode)
    return value


def _resolve_value(value: Any) -> Any:
    if isinstance(value, Promise):
        return value.to_binding()
    if isinstance(value, dict):
        if any(isinstance(key, Promise) for key in value):  # the mapping of a do_while
            return {_resolve_value(key): _resolve_value(item) for key, item in value.items()}
        for key, item in value.items():
            dict.__setitem__(value, key, _resolve_value(item))
    elif isinstance(value, list):
        value[:] = [_resolve_value(item) for item in value]
    elif isinstance(value, Entity) and not isinstance(value, Component):
        for key, item in vars(value).items():
            vars(value)[key] = _resolve_value(item)
    return value
