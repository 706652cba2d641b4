"""Checks of whole pipelines: bindings name what exists, required inputs are given, and no steps wait in a cycle."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from smalt.entities.assets.component import Component
from smalt.entities.assets.flow import FlowComponent
from smalt.entities.jobs.control_flow import find_repeated_steps
from smalt.entities.jobs.inputs import Input, Output, has_default
from smalt.entities.rules import places
from smalt.entities.rules.bindings import (
    PipelineNames,
    check_step,
    find_nothing,
    find_unwritten_outputs,
    find_whole_component,
)
from smalt.entities.rules.bound_types import check_bound_types
from smalt.entities.rules.control_flow import check_control_flow, lift_waits
from smalt.entities.rules.cycles import find_cycles
from smalt.entities.rules.expressions import check_fields, find_empty_inputs
from smalt.entities.rules.overrides import check_output_type, check_overrides
from smalt.entities.rules.sentences import explain_missing_path
from smalt.entities.rules.settings import check_settings, check_step_settings
from smalt.entities.rules.values import check_literal, check_types, convert_path
from smalt.entities.schema.problems import Path, did_you_mean
from smalt.entities.steps.dependencies import find_dependencies, get_text
from smalt.entities.steps.nodes import Node
from smalt.entities.syntax.expression import Expression, has_expression, parse_binding, resolve_port
from smalt.entities.syntax.literals import PRIMITIVES, Literal

if TYPE_CHECKING:
    from smalt.entities.schema.reader import Reader

_STEP_NAME = re.compile(r"[A-Za-z0-9_-]+")


def check_pipeline(pipeline: Any, data: Mapping[str, Any], path: Path, reader: Reader) -> None:
    """Check the steps of a pipeline job or component; `data` is its document, at `path`."""
    if reader.is_answer:
        return
    steps: Mapping[str, Node] = vars(pipeline).get("jobs") or {}
    raw = {key: found if isinstance(found := data.get(key), Mapping) else {} for key in ("inputs", "outputs", "jobs")}
    is_component = isinstance(pipeline, Component)
    empty = [] if is_component else find_empty_inputs(data, path, reader)  # of a component, that is told where it is
    names = PipelineNames(pipeline.inputs, pipeline.outputs, steps, raw, path, empty)
    table = places.OF_COMPONENT if is_component else places.OF_PIPELINE
    check_fields(pipeline, table, names, path, reader)
    waits: dict[str, set[str]] = {}
    of_loops = find_repeated_steps(steps)
    _check_has_steps(pipeline, data, path, reader)
    for name, step in steps.items():
        where = (*path, "jobs", name)
        if not _STEP_NAME.fullmatch(name):
            words = f"'{name}' cannot be the name of a step; use letters, digits, '_' and '-'"
            reader.add_problem(where, words, at_key=True)
        waits[name] = check_step(step, names, where, reader)
        component = find_whole_component(step)
        if component is not None:
            check_component_step(step, component, names, name in of_loops, where, reader)
        elif isinstance(vars(step).get("component"), str) and not reader.on_wire:
            check_overrides(step, None, where, reader)
        if not reader.on_wire:  # there when a job is submitted: one that was accepted earlier stays so
            check_bound_types(step, vars(step).get("inputs") or {}, names, (*where, "inputs"), reader)
    _check_graph(pipeline, names, waits, path, reader)


def check_component_step(
    step: Any, component: Component, names: PipelineNames, is_repeated: bool, path: Path, reader: Reader
) -> None:
    """Check the inputs, outputs and settings of a step against its component; a loop gives a step further inputs."""
    check_overrides(step, component, path, reader)
    _check_inputs(step, component, names, path, reader)
    if not is_repeated and not isinstance(component, FlowComponent):
        check_given(step, component, path, reader)
    _check_outputs(step, component, path, reader)
    check_step_settings(step, component, path, reader)


def _check_graph(
    pipeline: Any, names: PipelineNames, waits: Mapping[str, set[str]], path: Path, reader: Reader
) -> None:
    """Check that every step can start, that on_init and on_finalize stand apart, and that outputs are written."""
    component = None if names.steps else find_whole_component(pipeline)
    steps = names.steps or getattr(component, "jobs", None) or {}
    if steps or vars(pipeline).get("component") is None:
        awaited = waits or {name: find_dependencies(step, steps) for name, step in steps.items()}
        check_settings(vars(pipeline).get("settings"), steps, names.raw["jobs"], awaited, path, reader)
    is_whole = names.raw["jobs"].keys() == steps.keys() and not any(step._partial for step in steps.values())
    is_known = component is None and (is_whole or not reader.on_wire)
    for name in find_unwritten_outputs(pipeline.outputs, steps, names.raw["jobs"]) if steps and is_known else ():
        words = f"the output '{name}' is to be registered, but no step writes it; bind a step's output to it"
        reader.add_problem((*path, "outputs", name), f"{words}: '${{{{parent.outputs.{name}}}}}'", at_key=True)
    check_control_flow(names, vars(pipeline).get("settings"), path, reader)
    for circle in find_cycles(lift_waits(waits, names.steps)):
        words = " → ".join((*circle, circle[0]))
        reader.add_problem((*path, "jobs", circle[0]), f"these steps wait for each other: {words}", at_key=True)


def _check_has_steps(pipeline: Any, data: Mapping[str, Any], path: Path, reader: Reader) -> None:
    """Check that there is something to run. Answers of a server are exempt: an older one did not check."""
    has_component = data.get("component") is not None
    if reader.on_wire:
        return
    if has_component and data.get("jobs"):
        words = f"{pipeline.noun} has either 'jobs' or a 'component' whose steps it runs; remove one of them"
        reader.add_problem((*path, "component"), words, at_key=True)
    elif not has_component and not data.get("jobs"):
        where = (*path, "jobs") if "jobs" in data else path
        reader.add_problem(where, f"{pipeline.noun} needs a step: add one under 'jobs'", at_key=True)
    steps = data.get("jobs")
    for name, step in steps.items() if isinstance(steps, Mapping) else ():
        if step is None:
            words = f"the step '{name}' is empty; write 'component' or 'command' under it, or remove it"
            reader.add_problem((*path, "jobs", name), words, at_key=True)


def check_component_job(
    job: Any,
    component: Component,
    path: Path,
    reader: Reader,
    read_component: Callable[[str], Component | None] = find_nothing,
) -> None:
    """Check the inputs and outputs of a pipeline job against the pipeline component that it names."""
    if component.type != "pipeline":
        words = f"a pipeline job runs a pipeline component, and this is {component.noun}; make it a step under 'jobs'"
        reader.add_problem((*path, "component"), words)
        return
    check_ports_given(job, component, "the component of this job", path, reader, read_component)


def check_ports_given(
    job: Any,
    component: Component,
    words: str,
    path: Path,
    reader: Reader,
    read_component: Callable[[str], Component | None] = find_nothing,
) -> None:
    """Check the inputs and outputs of a job against those of a component that runs for it; `words` name that."""
    names = PipelineNames({}, {}, {}, {}, read_component=read_component)
    for name, value in job.inputs.items():
        where = (*path, "inputs", name)
        if name in component.inputs:
            if not _lacks_path(value) or reader.on_wire:  # a file may leave a path to whoever submits it
                check_value(value, component.inputs[name], names, where, reader)
            convert_path(job.inputs, name, component.inputs[name], where, reader)
        else:
            hint = did_you_mean(name, component.inputs)
            reader.add_problem(where, f"{words} has no input '{name}'{hint}", at_key=True)
    for name in job.outputs:
        if name not in component.outputs:
            hint = did_you_mean(name, component.outputs)
            reader.add_problem((*path, "outputs", name), f"{words} has no output '{name}'{hint}", True)
    if not reader.on_wire:
        owner = "trial" if job.type == "sweep" else "component"
        check_bound_types(job, job.inputs, names, (*path, "inputs"), reader, owner)
    check_given(job, component, path, reader)


def resolve_literals(step: Any, component: Component, inputs: Mapping[str, Any]) -> dict[str, Literal]:
    """Return the literals that a nested pipeline's inputs have in this step, given the outer pipeline's `inputs`."""
    found: dict[str, Literal] = {}
    for name, declared in component.inputs.items():
        value = step.inputs.get(name)
        if value is None and has_default(declared):
            value = declared.default
        bound = parse_binding(get_text(value))
        if bound is not None and bound.kind == "parent.inputs":
            value = inputs.get(resolve_port(bound.name, inputs) or "")
        if declared.type in PRIMITIVES and isinstance(value, (str, int, float)) and not has_expression(get_text(value)):
            found[name] = value
    return found


def _check_inputs(step: Node, component: Component, names: PipelineNames, path: Path, reader: Reader) -> None:
    if isinstance(component, FlowComponent):
        return
    for name, value in step.inputs.items():
        declared = component.inputs.get(name)
        where = (*path, "inputs", name)
        if declared is not None:
            check_value(value, declared, names, where, reader)
            convert_path(step.inputs, name, declared, where, reader)
        elif component.type != "pipeline":  # of which real files have more than is declared; the job's log tells of it
            hint = did_you_mean(name, component.inputs)
            reader.add_problem(where, f"the component of this step has no input '{name}'{hint}", at_key=True)
    if vars(step).get("search_space"):
        from smalt.entities.rules.sweep import check_space

        check_space(step, component, names, path, reader)


def check_given(step: Any, component: Component, path: Path, reader: Reader) -> None:
    """Check that every required input of a component is given."""
    given = {*step.inputs, *(getattr(step, "search_space", None) or ())}
    for name, declared in component.inputs.items():
        if name not in given and not step._partial and not declared.optional and not has_default(declared):
            kind = f" ({declared.type})" if declared.type else ""
            reader.add_problem(path, f"the input '{name}'{kind} of the component is not given", at_key=True)


def _check_outputs(step: Node, component: Component, path: Path, reader: Reader) -> None:
    if isinstance(component, FlowComponent) or component.type in ("automl", "import", "data_transfer"):
        return
    for name in step.outputs:
        if name not in component.outputs:
            hint = did_you_mean(name, component.outputs)
            words = f"the component of this step has no output '{name}'{hint}"
            reader.add_problem((*path, "outputs", name), words, at_key=True)
        else:
            check_output_type(step.outputs[name], component.outputs[name], (*path, "outputs", name), reader)


def check_value(value: Input | Literal, declared: Input, names: PipelineNames, path: Path, reader: Reader) -> None:
    """Check what an input of a step is given against its declaration."""
    if isinstance(value, Input):
        if _lacks_path(value):
            reader.add_problem(path, explain_missing_path(str(path[-1])), at_key=True)
        elif value.type is not None and not has_expression(value.path):
            check_types(value.type, declared.type, path, reader, "what is given")
        return
    if not isinstance(value, str) or not has_expression(value):
        check_literal(value, declared, path, reader)
        return
    expression = parse_binding(value)
    if expression is None or names.find_problem(expression):
        return
    if expression.kind == "parent.inputs" and expression.name in names.inputs:
        _check_source(names.inputs[expression.name], declared, path, reader, expression)
        convert_path(names.inputs, expression.name, declared, (*names.path, "inputs", expression.name), reader)
    elif expression.kind == "parent.jobs.outputs" and expression.job in names.steps:
        output = (names.list_ports(str(expression.job), "outputs") or {}).get(expression.name)
        if isinstance(output, Output):
            source = f"the output '{expression.name}' of '{expression.job}'"
            check_types(output.type or "uri_folder", declared.type, path, reader, source)


def _lacks_path(value: Input | Literal) -> bool:
    return isinstance(value, Input) and not value.path


def _check_source(given: Any, declared: Input, path: Path, reader: Reader, expression: Expression) -> None:
    """Check an input of the pipeline that is passed on to a step."""
    if isinstance(given, Input):
        source = f"the pipeline's input '{expression.name}'"
        check_types(given.type or "uri_folder", declared.type, path, reader, source)
    else:
        check_literal(given, declared, path, reader)
