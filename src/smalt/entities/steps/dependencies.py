"""Dependencies among the steps of a pipeline, and the steps that can never start."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from smalt.entities.jobs.inputs import Input, Output
from smalt.entities.syntax.expression import Expression, find_expressions, parse_binding, resolve_port


def find_dependencies(step: Any, steps: Mapping[str, Any]) -> set[str]:
    """Return the steps whose outputs a step reads."""
    return {name for value in step.list_inputs().values() for name in find_sources(value, steps)}


def find_sources(value: Any, steps: Mapping[str, Any]) -> set[str]:
    """Return the steps whose outputs are in the value of an input."""
    return {name for expression in find_expressions(get_text(value)) for name in resolve_steps(expression, steps)}


def resolve_steps(expression: Expression, steps: Mapping[str, Any]) -> Iterator[str]:
    """Yield the steps whose outputs an expression reads; another step's input is followed to its own binding."""
    seen: set[tuple[str, str]] = set()
    left = [expression]
    while left:
        found = left.pop()
        job = found.job or ""
        if found.kind == "parent.jobs.outputs":
            yield job
        elif found.kind == "parent.jobs.inputs" and job in steps and (job, found.name) not in seen:
            seen.add((job, found.name))
            given = getattr(steps[job], "inputs", None) or {}
            left.extend(find_expressions(get_text(given.get(resolve_port(found.name, given) or ""))))


def resolve_source(expression: Expression, steps: Mapping[str, Any]) -> Any:
    """Return the value or expression that a step's input finally comes from; itself if it leads back to itself."""
    seen: set[tuple[str | None, str]] = set()
    found = expression
    while found.kind == "parent.jobs.inputs" and found.job in steps and (found.job, found.name) not in seen:
        seen.add((found.job, found.name))
        given = getattr(steps[str(found.job)], "inputs", None) or {}
        value = given.get(resolve_port(found.name, given) or "")
        inner = parse_binding(get_text(value))
        if inner is None:
            return value
        found = inner
    return found


def get_text(value: Any) -> str:
    """Return the text of an input or output that may be an expression."""
    text = value.path if isinstance(value, (Input, Output)) else value
    return text if isinstance(text, str) else ""


def find_unstartable(needs: Mapping[str, Collection[str]]) -> list[str]:
    """Return the steps that can never start: they wait for each other or for a missing step.

    `needs` maps each step to the steps that it depends on.
    """
    left = {name: set(needed) for name, needed in needs.items()}
    users: dict[str, list[str]] = {}
    for name, needed in left.items():
        for one in needed:
            users.setdefault(one, []).append(name)
    free = [name for name, needed in left.items() if not needed]
    while free:
        name = free.pop()
        del left[name]
        for user in users.get(name, ()):
            left[user].discard(name)
            if not left[user]:
                free.append(user)
    return list(left)
