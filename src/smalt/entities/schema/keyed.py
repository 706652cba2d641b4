"""Nouns that programs also use as mappings, as in `resources["instance_count"]`."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any


class Keyed:
    """A mixin for entities with the methods of a dict over the fields that are set."""

    def __getitem__(self: Any, key: str) -> Any:
        if key not in self._get_set_values():
            raise KeyError(key)
        return self._get_set_values()[key]

    def __setitem__(self, key: str, value: Any) -> None:
        setattr(self, key, value)

    def __contains__(self: Any, key: object) -> bool:
        return key in self._get_set_values()

    def __iter__(self: Any) -> Iterator[str]:
        return iter(self._get_set_values())

    def get(self: Any, key: str, default: Any = None) -> Any:
        return self._get_set_values().get(key, default)

    def has_key(self: Any, k: str) -> bool:
        return k in self._get_set_values()

    def keys(self: Any) -> list[str]:
        return list(self._get_set_values())

    def values(self: Any) -> list[Any]:
        return list(self._get_set_values().values())

    def items(self: Any) -> list[tuple[str, Any]]:
        return list(self._get_set_values().items())

    def update(self, *args: Any, **kwargs: Any) -> None:
        for key, value in dict(*args, **kwargs).items():
            setattr(self, key, value)


_NOTHING = object()


class Mapped(Keyed):
    """A mixin with every method of a dict, as the official SDK's generated classes have."""

    def as_dict(self: Any, *, exclude_readonly: bool = False) -> dict[str, Any]:
        """Return the fields that are set; `exclude_readonly` leaves out those that the service fills in."""
        fields = self._fields
        return {
            name: value
            for name, value in self.to_dict().items()
            if not (exclude_readonly and (name == "id" or fields[name].from_service))
        }

    def clear(self: Any) -> None:
        for name in self._get_set_values():
            del vars(self)[name]

    def copy(self: Any) -> Any:
        return copy.copy(self)

    def pop(self: Any, key: str, default: Any = _NOTHING) -> Any:
        if default is _NOTHING or key in self:
            value = self[key]
            del vars(self)[key]
            return value
        return default

    def popitem(self: Any) -> tuple[str, Any]:
        if not self._get_set_values():
            raise KeyError("nothing is set")
        key = list(self._get_set_values())[-1]
        return key, self.pop(key)

    def setdefault(self: Any, key: str, default: Any = _NOTHING) -> Any:
        if key not in self:
            self[key] = None if default is _NOTHING else default
        return self.get(key)
