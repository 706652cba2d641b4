"""Reading of plain data as the noun of a given kind."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from smalt.entities.schema.earlier_types import explain_earlier_type
from smalt.entities.schema.entity import Entity
from smalt.entities.schema.kinds import KINDS, STEPS, find_component_type, find_deployment_type, find_job_type
from smalt.entities.schema.nested import load_noun
from smalt.entities.schema.problems import Problem, add_article, did_you_mean, format_value, join_words
from smalt.entities.schema.reader import Reader


def read(data: Any, kind: str, *, type: str | None = None) -> tuple[Entity | None, list[Problem]]:
    """Return the entity, as far as it could be read, and every problem with it."""
    reader = Reader()
    return read_document(reader, data, kind, type), reader.problems


def read_document(reader: Reader, data: Any, kind: str, type: str | None = None) -> Entity | None:
    """Return the entity, or None; problems go to `reader`."""
    if not isinstance(data, Mapping):
        reader.add_problem((), f"{_format_kind(kind)} is a mapping of keys to values, not {format_value(data)}")
        return None
    noun = choose_noun(reader, data, kind, type)
    return None if noun is None else noun._read_document(data, reader)


def choose_noun(reader: Reader, data: Mapping[str, Any], kind: str, type: str | None) -> type[Entity] | None:
    """Return the class for a document of a kind, or None after reporting why there is none."""
    table = KINDS[kind]
    if isinstance(table, str):
        return load_noun(table)
    given = type or data.get("type")
    if given is None:
        given = _guess_type(kind, data)
    if given is None:
        reader.add_problem((), f"{_format_kind(kind)} needs 'type': {join_words(table)}")
        return None
    folded = given.lower().replace("_", "") if isinstance(given, str) else None
    for known, where in table.items():
        if known.replace("_", "") == folded:
            return load_noun(where)
    if kind == "job" and isinstance(given, str) and given in STEPS:
        reader.add_problem(("type",), f"a job of type '{given}' can only be a step of a pipeline")
        return None
    words = f"unknown type {format_value(given)} of {_format_kind(kind)}"
    earlier = explain_earlier_type(given, _format_kind(kind), table)
    reader.add_problem(("type",), earlier or f"{words}{did_you_mean(given, table) or _list_types(table)}")
    return None


def _guess_type(kind: str, data: Mapping[str, Any]) -> str | None:
    if kind == "job":
        return find_job_type(data)
    if kind in ("online_deployment", "batch_deployment"):
        return find_deployment_type(kind, data)
    return find_component_type(data) if kind == "component" else None


def _list_types(table: Mapping[str, str]) -> str:
    return f"; it may be {join_words(table)}"


def _format_kind(kind: str) -> str:
    return add_article(kind.replace("_", " "))
