"""Nouns that programs also use as mappings: `resources["instance_count"]`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


class Keyed:
    """The methods of a dict over what is set; beside `Entity`."""

    def __getitem__(self: Any, key: str) -> Any:
        if key not in self._set():
            raise KeyError(key)
        return self._set()[key]

    def __setitem__(self, key: str, value: Any) -> None:
        setattr(self, key, value)

    def __contains__(self: Any, key: object) -> bool:
        return key in self._set()

    def __iter__(self: Any) -> Iterator[str]:
        return iter(self._set())

    def get(self: Any, key: str, default: Any = None) -> Any:
        return self._set().get(key, default)

    def has_key(self: Any, k: str) -> bool:
        return k in self._set()

    def keys(self: Any) -> list[str]:
        return list(self._set())

    def values(self: Any) -> list[Any]:
        return list(self._set().values())

    def items(self: Any) -> list[tuple[str, Any]]:
        return list(self._set().items())

    def update(self, *args: Any, **kwargs: Any) -> None:
        for key, value in dict(*args, **kwargs).items():
            setattr(self, key, value)
