"""Configurations that a compute is made or attached from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from smalt.v1.exceptions import ComputeTargetException


class ComputeConfiguration:
    """A compute of v2 without its name, and the settings that mean nothing here."""

    def __init__(self, make: Callable[..., Any], fields: Mapping[str, Any], without_effect: Mapping[str, Any]) -> None:
        self._make, self._fields, self.without_effect = make, dict(fields), dict(without_effect)

    def __getattr__(self, name: str) -> Any:
        """Return a setting by v1's name, as programs read those that they have given."""
        for settings in (vars(self).get("without_effect", {}), vars(self).get("_fields", {})):
            if name in settings:
                return settings[name]
        raise AttributeError(f"this configuration has no '{name}'")

    def build_entity(self, name: str) -> Any:
        return self._make(name=name, **{key: value for key, value in self._fields.items() if value is not None})

    def validate_configuration(self) -> None:
        """Do nothing: what is wrong is said when the compute is made."""


class RefusedConfiguration(ComputeConfiguration):
    """A kind of compute that has no form in v2: the sentence comes when it is attached."""

    def __init__(self, kind: str, advice: str, fields: Mapping[str, Any]) -> None:
        super().__init__(dict, {}, fields)
        self.kind, self.advice = kind, advice

    def build_entity(self, name: str) -> Any:
        raise ComputeTargetException(f"{self.kind} '{name}' is not attached: v2 has no such compute; {self.advice}")
