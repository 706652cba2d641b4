"""Checks of on_init and on_finalize: the steps that run before and after all others must be able to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from smalt.entities.jobs.control_flow import ControlFlowNode
from smalt.entities.schema.problems import Path, did_you_mean, join_words
from smalt.entities.steps.dependencies import find_dependencies

if TYPE_CHECKING:
    from smalt.entities.schema.reader import Reader

EDGES = ("on_init", "on_finalize")
_WHEN = {"on_init": "before", "on_finalize": "after"}


def check_settings(
    settings: Any,
    steps: Mapping[str, Any],
    raw: Mapping[str, Any],
    waits: Mapping[str, set[str]],
    path: Path,
    reader: Reader,
) -> None:
    """Check the settings of a pipeline.

    `raw` also holds steps that could not be read; `waits` maps each step to the steps that it depends on.
    """
    named = {key: step for key in EDGES if isinstance(step := getattr(settings, key, None), str)}
    for key, step in named.items():
        sentence = _check_exists(step, steps, raw) or _check_unconnected(key, step, steps, waits)
        if sentence:
            reader.add_problem((*path, "settings", key), sentence)
    if len(named) == 2 and len(set(named.values())) == 1:
        for key, step in named.items():
            words = f"'{step}' cannot be both on_init and on_finalize; name two steps"
            reader.add_problem((*path, "settings", key), words)
    elif named and not steps.keys() - set(named.values()) and {*named.values(), *raw} <= steps.keys():
        words = f"the pipeline has no steps other than {join_words(named, 'and')}; add the steps between them"
        reader.add_problem((*path, "settings", next(iter(named))), words)


def check_step_settings(step: Any, component: Any, path: Path, reader: Reader) -> None:
    """Check the settings of a nested pipeline's step against the steps of its component."""
    steps: Mapping[str, Any] = vars(component).get("jobs") or {}
    settings = vars(step).get("settings")
    if settings is not None and steps:
        waits = {name: find_dependencies(inner, steps) for name, inner in steps.items()}
        check_settings(settings, steps, {}, waits, path, reader)


def _check_exists(step: str, steps: Mapping[str, Any], raw: Mapping[str, Any]) -> str | None:
    if step in steps or step in raw:
        return None
    return f"'{step}' is not a step{did_you_mean(step, steps)}"


def _check_unconnected(key: str, step: str, steps: Mapping[str, Any], waits: Mapping[str, set[str]]) -> str | None:
    """Return the sentence about a step that reads or is read by another, and so cannot run apart from all."""
    if isinstance(steps.get(step), ControlFlowNode):
        return f"'{step}' is a step of control flow, which cannot be the {key} step"
    read = sorted(waits.get(step, ()))
    readers = [name for name, awaited in waits.items() if step in awaited]
    if not read and not readers:
        return None
    what = f"reads an output of {_join_names(read)}" if read else f"is read by {_join_names(readers)}"
    why = f"the {key} step runs {_WHEN[key]} all others and cannot be bound to any"
    return f"'{step}' {what}, but {why}; remove the binding"


def _join_names(names: list[str]) -> str:
    return join_words((f"'{name}'" for name in names), "and")
