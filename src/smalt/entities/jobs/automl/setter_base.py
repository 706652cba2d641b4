"""The base of the setters of AutoML jobs."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Any

from smalt.entities.schema.entity import Entity, merge_values
from smalt.entities.schema.problems import did_you_mean
from smalt.exceptions import UserErrorException
from smalt.machine.source_lines import find_caller


class AutoMLSetters:
    """The parts of which the `set_…` methods are built."""

    def set_values(self: Any, given: Mapping[str, Any]) -> None:
        for name, value in given.items():
            if value is None:
                continue
            field = self._fields.get(name)
            if field is None:
                words = did_you_mean(name, self._fields)
                raise UserErrorException(f"{self.noun} has no '{name}'{words}", find_caller())
            if name == "primary_metric" and isinstance(value, Enum):
                value = value.name.lower()  # as in YAML
            vars(self)[name] = self._read_field(field, name, _to_plain_data(value))

    def _update_settings(self: Any, name: str, given: Mapping[str, Any]) -> None:
        known = merge_values(vars(self).get(name), _list_given(given))
        if known:
            self.set_values({name: known})

    def _add_parameters(self: Any, given: Mapping[str, Any]) -> None:
        self.set_values({"training_parameters": {**(self.training_parameters or {}), **_list_given(given)}})


def _list_given(values: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value is not None}


def _to_plain_data(value: Any) -> Any:
    """Return the value with every enum member, at any depth, replaced by its value."""
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Mapping):
        return {key: _to_plain_data(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_to_plain_data(item) for item in value]
    if isinstance(value, Entity) and type(value)._fields:
        for key, item in list(vars(value).items()):
            if isinstance(item, Enum):
                vars(value)[key] = item.value
    return value
