"""The `sweep` method of command steps, which returns a sweep step."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from smalt.entities.assets.component import Component
from smalt.entities.jobs.command import CommandNode
from smalt.entities.jobs.resources import QueueSettings
from smalt.entities.jobs.search_space import SweepDistribution
from smalt.entities.jobs.sweep import SweepNode
from smalt.entities.schema.problems import did_you_mean, join_words
from smalt.entities.schema.reader import Reader
from smalt.entities.schema.travel import build_job_values
from smalt.entities.steps.bindings import StepInputs, StepOutputs, find_component
from smalt.entities.steps.calls import get_inline_component
from smalt.entities.steps.collector import add_step, remove_step
from smalt.entities.steps.nodes import Node
from smalt.exceptions import UnexpectedKeywordError, UserErrorException
from smalt.machine.source_lines import find_caller


def make_sweep(
    node: CommandNode,
    *,
    primary_metric: str,
    goal: str,
    sampling_algorithm: Any = "random",
    compute: str | None = None,
    max_concurrent_trials: int | None = None,
    max_total_trials: int | None = None,
    timeout: int | None = None,
    trial_timeout: int | None = None,
    early_termination_policy: Any = None,
    search_space: Mapping[str, Any] | None = None,
    identity: Any = None,
    queue_settings: Any = None,
    job_tier: str | None = None,
    priority: str | None = None,
) -> SweepNode:
    where = find_caller()
    component = find_component(node) or get_inline_component(node)
    fixed = {name: value for name, value in node.inputs.items() if not isinstance(value, SweepDistribution)}
    space = {name: value for name, value in node.inputs.items() if isinstance(value, SweepDistribution)}
    space.update(search_space or {})
    _check_space(space, component, where)
    for name in space:
        fixed.pop(name, None)
    given = {
        "objective": {"primary_metric": primary_metric, "goal": goal},
        "sampling_algorithm": sampling_algorithm,
        "early_termination": _convert_policy(early_termination_policy),
        "search_space": space,
        "limits": {
            "max_total_trials": max_total_trials, "max_concurrent_trials": max_concurrent_trials,
            "timeout": timeout, "trial_timeout": trial_timeout,
        },
        "compute": compute, "identity": identity,
        "queue_settings": _merge_queue_settings(queue_settings or node.queue_settings, job_tier, priority),
    }  # fmt: skip
    new = _read_fields({key: value for key, value in given.items() if value is not None}, where)
    common = [name for name, field in Node._fields.items() if SweepNode._fields[name] is field]
    for name in common:
        if vars(node).get(name) is not None:
            vars(new).setdefault(name, vars(node)[name])
    vars(new)["trial"] = _with_settings(component, node, {*common, "queue_settings"})
    vars(new)["inputs"] = StepInputs(new, fixed)
    vars(new)["outputs"] = StepOutputs(new, node.outputs)
    vars(new)["_line"] = where
    remove_step(node)
    add_step(new)
    return new


def _check_space(space: Mapping[str, Any], component: Any, where: Any) -> None:
    for name in space:
        if name not in component.inputs:
            words = did_you_mean(name, component.inputs) or f"; there are {join_words(component.inputs, 'and')}"
            raise UnexpectedKeywordError(f"the step has no input '{name}' to vary{words}", where)


def _with_settings(component: Component, node: CommandNode, of_sweep: set[str]) -> Component:
    """Return the component as the trials run it: with what the step sets and the sweep does not have."""
    own = build_job_values(type(component), node, component, without=of_sweep)
    changes = {name: value for name, value in own.items() if vars(component).get(name) != value}
    if not changes:
        return component
    trial = copy.copy(component)
    vars(trial).update(changes, id=None)
    return trial


def _read_fields(given: Mapping[str, Any], where: tuple[str, int]) -> SweepNode:
    """Return a sweep step with each field read by its own shape."""
    new = SweepNode.__new__(SweepNode)
    reader = Reader()
    for key, value in given.items():
        if key == "limits":  # trials may be said later
            value = {name: item for name, item in value.items() if item is not None}
            value.setdefault("max_total_trials", 1)
        vars(new)[key] = SweepNode._fields[key].shape.read_value(value, (key,), reader)
    if given["limits"]["max_total_trials"] is None:
        vars(new)["limits"].__dict__.pop("max_total_trials", None)
    if reader.problems:
        raise UserErrorException(str(reader.problems[0]), where)
    return new


def _convert_policy(policy: Any) -> Any:
    return {"type": policy} if isinstance(policy, str) else policy


def _merge_queue_settings(settings: Any, job_tier: str | None, priority: str | None) -> Any:
    given = {key: value for key, value in (("job_tier", job_tier), ("priority", priority)) if value is not None}
    if settings is None and not given:
        return None
    known = vars(settings) if isinstance(settings, QueueSettings) else settings or {}
    return {**known, **given}
