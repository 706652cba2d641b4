"""Documents of jobs and components as the oracle reads them: bindings, typed literals, `--set`, the order of steps."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Mapping
from typing import Any

from tests.model.facts import Document, Refusal

BINDING = re.compile(r"\$\{\{\s*([^}]+?)\s*\}\}")
_BOOLEANS = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}


class Literal(str):
    """The text of a literal, which knows its type."""

    kind = "string"


def literal(value: Any) -> Literal:
    """Return a value of a document as a literal."""
    made = Literal(value)
    kinds = {bool: "boolean", int: "integer", float: "number"}
    made.kind = getattr(value, "kind", kinds.get(type(value), "string"))
    return made


def converted(value: Literal, spec: Document) -> Literal:
    """Return a literal as an input of a declared type has it."""
    made = literal(_converted(value, spec["type"]))
    allowed = [str(literal(_converted(literal(one), spec["type"]))) for one in spec.get("enum", ())]
    if allowed and made not in allowed:
        raise Refusal(f"'{value}' is none of {allowed}")
    if made.kind in ("integer", "number") and not spec.get("min", -1e9) <= float(made) <= spec.get("max", 1e9):
        raise Refusal(f"{value} is out of range")
    return made


def _converted(value: Literal, wanted: str) -> Any:
    """Return a Python value; a text is one of the type where it is written so."""
    if wanted == "string" or value.kind == wanted:
        return _python(value, value.kind) if wanted != "string" else str(value)
    text = str(value).strip()
    if wanted == "boolean" and value.kind == "string" and text.lower() in _BOOLEANS:
        return _BOOLEANS[text.lower()]
    if wanted == "integer" and value.kind == "string" and re.fullmatch(r"[+-]?\d+(_\d+)*", text):
        return int(text)
    if wanted == "number" and value.kind == "integer":
        return float(text)
    if wanted == "number" and value.kind == "string" and re.fullmatch(r"[+-]?[\d_]+(\.\d*)?(e[+-]?\d+)?", text):
        return float(text)
    raise Refusal(f"'{value}' ({value.kind}) for {wanted}")


def _python(value: Literal, kind: str) -> Any:
    return {"boolean": lambda text: text == "True", "integer": int, "number": float}.get(kind, str)(str(value))


def readers(name: str, jobs: Document) -> set[str]:
    """Return the steps that read what a step writes, and those that read what these write."""
    direct = {one for one in jobs if f"parent.jobs.{name}." in str(jobs[one])}
    return direct.union(*(readers(one, jobs) for one in direct))


def read_by(node: Document) -> set[str]:
    """Return the steps whose outputs a step reads."""
    return {one.group(1) for one in re.finditer(r"parent\.jobs\.(\w+)\.", str(node))}


def with_defaults(component: Document, given: Mapping[str, Any]) -> Document:
    declared = component.get("inputs") or {}
    for name in given:
        if name not in declared:
            raise Refusal(name)
    defaults = {name: spec["default"] for name, spec in declared.items() if "default" in spec}
    missing = [name for name in declared if name not in defaults and name not in given]
    if missing:
        raise Refusal(missing)
    return {**defaults, **given}


def filled(text: str, values: Mapping[str, Any]) -> Any:
    """Return a word of a command with its `${{inputs.…}}` replaced; a word that is one binding is its value."""

    def found(expression: str) -> Any:
        name = expression.removeprefix("inputs.")
        if not expression.startswith("inputs.") or name not in values:
            raise Refusal(expression)
        return values[name]

    whole = BINDING.fullmatch(text)
    return found(whole[1]) if whole else BINDING.sub(lambda one: str(found(one[1])), text)


def set_at(document: Document, key: str, value: Any) -> None:
    """Do what `--set` does; a key that names no input that is there is refused."""
    *folders, last = key.split(".")
    here: Any = document
    for name in folders:
        if name == "tags":
            here.setdefault("tags", {})
        if name not in here:
            raise Refusal(key)
        here = here[name]
    if "inputs" in folders[-1:] and last not in here:
        raise Refusal(f"no input '{last}'")
    here[last] = _typed(value, here.get(last))


def _typed(text: str, before: Any) -> Any:
    """Return a value of `--set`: a number where one is written as Python writes it, unless it replaces a text."""
    if isinstance(before, (int, float)):
        for kind in (int, float):
            with contextlib.suppress(ValueError):
                if str(kind(text)) == text:
                    return kind(text)
    return text


def ordered(jobs: Document, first: str | None, last: str | None) -> list[str]:
    """Return the steps' names so that each comes after what it reads."""
    found: list[str] = [first] if first in jobs and first is not None else []
    rest = [name for name in jobs if name not in (first, last)]
    while rest:
        ready = [name for name in rest if not any(f"parent.jobs.{one}." in str(jobs[name]) for one in rest)]
        if not ready:
            raise Refusal("steps that wait for each other")
        found += ready
        rest = [name for name in rest if name not in ready]
    return found + ([last] if last in jobs and last is not None else [])


def clean(path: str) -> str:
    """Return a local path without './' and '..', or a URI without its last slash."""
    return path.rstrip("/") if "://" in path else os.path.normpath(path)


def replaced(value: Any, old: str, new: str) -> Any:
    """Return a copy of a document with a text replaced in all its texts."""
    if isinstance(value, dict):
        return {key: replaced(one, old, new) for key, one in value.items()}
    return value.replace(old, new) if isinstance(value, str) else value
