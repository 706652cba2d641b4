"""When a pipeline's function has returned and its steps have names: promises become expressions."""

from __future__ import annotations

from typing import Any

from smalt.entities.component import Component
from smalt.entities.entity import Entity
from smalt.entities.inputs import Input
from smalt.entities.sweep import SweepDistribution
from smalt.entities.wiring import Promise
from smalt.exceptions import UserErrorException


def resolve(node: Any, words: str) -> None:
    """In place."""
    values = vars(node)
    inputs = values.get("inputs")
    for name, value in (inputs or {}).items():
        if isinstance(value, SweepDistribution) and node.type != "sweep":
            line = values.get("_line") or ("", 0)
            told = f"{words} is given a distribution for '{name}'; call .sweep(…) on it to vary the input"
            raise UserErrorException(told, line)
        dict.__setitem__(inputs, name, _input(value))
    for name, value in values.items():
        if name not in ("inputs", "outputs", "component", "trial"):
            values[name] = _value(value)


def _input(value: Any) -> Any:
    if isinstance(value, Promise):
        return value.binding()
    if isinstance(value, Input) and isinstance(value.path, Promise):
        path = value.path.binding()
        return path if value.mode is None else Input(path=path, mode=value.mode)
    return value


def _value(value: Any) -> Any:
    if isinstance(value, Promise):
        return value.binding()
    if isinstance(value, dict):
        for key, item in value.items():
            dict.__setitem__(value, key, _value(item))
    elif isinstance(value, list):
        value[:] = [_value(item) for item in value]
    elif isinstance(value, Entity) and not isinstance(value, Component):
        for key, item in vars(value).items():
            vars(value)[key] = _value(item)
    return value
