"""Traits and metadata: facts about a table besides its data."""

from __future__ import annotations

from typing import Any

from .errors import UserErrorException


class Traits:
    """The columns that are the index and the time of each row."""

    def __init__(self, content: dict[str, Any]) -> None:
        self._content = content

    @property
    def timestamp_column(self) -> str:
        return str(self._get("timestamp_column", "the timestamp column is not set"))

    @timestamp_column.setter
    def timestamp_column(self, column_name: str) -> None:
        if not isinstance(column_name, str):
            raise UserErrorException(f"the timestamp column is a string, not {column_name!r}")
        self._content.setdefault("traits", {})["timestamp_column"] = column_name

    @property
    def index_columns(self) -> list[str]:
        return list(self._get("index_columns", "the index columns are not set"))

    @index_columns.setter
    def index_columns(self, index_columns_list: list[str]) -> None:
        if index_columns_list and not isinstance(index_columns_list, list):
            raise UserErrorException(f"the index columns are a list of strings, not {index_columns_list!r}")
        self._content.setdefault("traits", {})["index_columns"] = index_columns_list

    @property
    def _columns(self) -> set[str]:
        said = self._content.get("traits") or {}
        time = said.get("timestamp_column")
        return {*(said.get("index_columns") or ()), *([time] if time else ())}

    def _get(self, name: str, missing: str) -> Any:
        found = (self._content.get("traits") or {}).get(name)
        if found is None:
            raise UserErrorException(f"{missing}; set table.traits.{name} first")
        return found


class Metadata:
    """Properties by their names."""

    def __init__(self, content: dict[str, Any]) -> None:
        self._content = content

    def has(self, key: str) -> bool:
        return _get_name(key) in (self._content.get("metadata") or {})

    def get(self, key: str) -> Any:
        return (self._content.get("metadata") or {}).get(_get_name(key))

    def add(self, key: str, value: Any) -> None:
        self._content.setdefault("metadata", {})[_get_name(key)] = value


def _get_name(key: object) -> str:
    if not isinstance(key, str):
        raise UserErrorException(f"metadata has names that are strings, not {key!r}")
    return key
