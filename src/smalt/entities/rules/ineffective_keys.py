"""Keys of a job that are set and have no effect: the lines about them in its log and in `smalt job validate`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from smalt.entities.assets.component import Component
from smalt.entities.jobs.resources import JobResourceConfiguration, TensorFlowDistribution
from smalt.entities.schema.effects import NONE
from smalt.entities.schema.entity import Entity
from smalt.entities.schema.problems import find_nearest
from smalt.entities.steps.bindings import find_component
from smalt.entities.syntax.expression import find_expressions, resolve_port

OWN_SERVICES = ("Tracking", "Studio")
"""The services that Azure ML adds to every job."""


def list_ineffective_keys(job: Entity) -> list[str]:
    """Return one line for each field of a job and of its inline steps that is set and has no effect."""
    return merge_lines(_list_lines_below(job, ""))


def merge_lines(lines: Iterable[tuple[str, str]]) -> list[str]:
    """Return each line once, followed by the steps that it is about; `lines` has pairs of step and line."""
    found: dict[str, list[str]] = {}
    for step, line in lines:
        found.setdefault(line, []).append(step)
    return [f"{line}{_format_steps(steps)}" for line, steps in found.items()]


def _format_steps(steps: list[str]) -> str:
    named = [step for step in dict.fromkeys(steps) if step]
    if not named:
        return ""
    more = f" and {len(named) - 3} more" if len(named) > 3 else ""
    return f" (step{'s' if len(named) > 1 else ''} {', '.join(named[:3])}{more})"


def _list_lines_below(noun: Entity, step: str) -> Iterator[tuple[str, str]]:
    component = find_component(noun)
    yield from ((step, line) for line in list_lines(noun, component))
    jobs = vars(noun if component is None else component).get("jobs")
    for name, below in jobs.items() if isinstance(jobs, Mapping) else ():
        if isinstance(below, Entity):
            yield from _list_lines_below(below, f"{step}.{name}" if step else str(name))


def list_lines(noun: Entity, component: Entity | None = None) -> Iterator[str]:
    """Yield the lines of a job or a step and of its component, without those of the steps below."""
    for one in (noun,) if component is None or component is noun else (noun, component):
        reasons = one.explain_ineffective_keys()
        for key in _list_keys(one, ""):
            if key not in reasons:
                yield f"{key} has no effect on this machine"
        yield from (f"{key} has no effect: {reason}" for key, reason in reasons.items() if reason)
    services = vars(noun).get("services")
    names = [name for name in services or () if name not in OWN_SERVICES]
    if names:
        yield f"services ({', '.join(names)}) are not started on this machine"
    yield from _check_instance_count(vars(noun), vars(component) if component is not None else {})
    yield from _list_undeclared_inputs(vars(noun), component)


def _list_undeclared_inputs(own: Mapping[str, Any], component: Entity | None) -> Iterator[str]:
    """Yield a line for each input that the step's pipeline component does not declare.

    Published files have such inputs. Those of other components are errors.
    """
    if not isinstance(component, Component) or component.type != "pipeline":
        return
    for name in own.get("inputs") or ():
        if name not in component.inputs and not any(other.startswith(f"{name}.") for other in component.inputs):
            near = find_nearest(name, component.inputs)
            hint = f" (did you mean '{near}'?)" if near else ""
            yield f"inputs.{name} has no effect: the component has no such input{hint}"


def _list_keys(noun: Entity, before: str) -> Iterator[str]:
    """Yield the dotted names of fields that are set and have no effect."""
    for name, value in vars(noun).items():
        field = noun._fields.get(name)
        if field is None or name in ("jobs", "services") or not value:
            continue
        key = f"{before}{name}"
        if noun._find_effect(name) == NONE or getattr(type(value), "_effect", "") == NONE:
            yield key
        elif isinstance(value, Entity) and not isinstance(value, Component):
            yield from _list_keys(value, f"{key}.")
        elif isinstance(value, Mapping):
            for own, item in value.items():
                if isinstance(item, Entity):
                    yield from _list_keys(item, f"{key}.{own}.")
    for name in noun.extra if noun._is_open and "extra" in vars(noun) else ():
        if not _is_client_key(name, noun):
            yield f"{before}{name}"


def _is_client_key(name: str, noun: Entity) -> bool:
    """Return True for a key that Azure's clients add by themselves, or a field in their spelling."""
    folded = name.replace("_", "").lower()
    return name.startswith("_") or folded in {field.replace("_", "") for field in noun._fields}


def _check_instance_count(own: Mapping[str, Any], component: Mapping[str, Any]) -> Iterator[str]:
    """Yield a line if several instances are asked for, and no `distribution` makes as many processes of them."""
    if own.get("task") or component.get("task"):  # the instances of a parallel step are processes
        return
    resources = own.get("resources") or component.get("resources")
    distribution = own.get("distribution") or component.get("distribution")
    count = resources.instance_count if isinstance(resources, JobResourceConfiguration) else None
    if not isinstance(count, int):
        return
    if not distribution:
        if count > 1:
            yield f"resources.instance_count: {count} has no effect without 'distribution': the command runs once"
    elif isinstance(distribution, TensorFlowDistribution) and distribution.worker_count:
        processes = distribution.worker_count + (distribution.parameter_server_count or 0)
        if count > processes:
            words = f"worker_count and parameter_server_count of 'distribution' make {processes} processes"
            yield f"resources.instance_count: {count} has no effect: {words}"


def list_unused_inputs(pipeline: Entity) -> list[str]:
    """Return one line for each input of a pipeline that no step reads."""
    inputs, steps = vars(pipeline).get("inputs"), vars(pipeline).get("jobs")
    if not inputs or not steps:
        return []
    read: set[str] = set()
    for text in _list_texts(steps):
        for expression in find_expressions(text):
            if expression.kind == "parent.inputs":
                read.add(resolve_port(expression.name, inputs) or "")
    return [f"the input '{name}' is read by no step of the pipeline" for name in inputs if name not in read]


def list_shared_places(pipeline: Entity) -> list[str]:
    """Return one line for each path that outputs of two steps have, unless it is a folder that both may add to.

    Steps in the blocks of conditions are left out: only one of the two blocks runs.
    """
    steps = vars(pipeline).get("jobs") or {}
    blocks = [vars(step).get(key) for step in steps.values() for key in ("true_block", "false_block")]
    in_blocks = set(_list_texts(blocks))
    writers: dict[str, list[str]] = {}
    for name, step in steps.items():
        component = find_component(step)
        if f"${{{{parent.jobs.{name}}}}}" in in_blocks:
            continue
        for port, output in (vars(step).get("outputs") or {}).items():
            path, type = getattr(output, "path", None), getattr(output, "type", None)
            declared = component.outputs.get(port) if isinstance(component, Component) else None
            if path and "${{" not in str(path) and (type or getattr(declared, "type", None)) != "uri_folder":
                writers.setdefault(str(path), []).append(f"{name}.outputs.{port}")
    return [
        f"{' and '.join(names)} have one path, {path}: the step that ends last replaces what the other wrote"
        for path, names in writers.items()
        if len(names) > 1
    ]


def _list_texts(value: Any) -> Iterator[str]:
    """Yield every text of the steps. Texts inside their components are left out."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Entity):
        if not isinstance(value, Component):
            yield from _list_texts(vars(value))
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _list_texts(item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _list_texts(item)
