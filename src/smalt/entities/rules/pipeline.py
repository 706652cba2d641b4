"""Steps must be bound to what there is, be given what they need, and not wait in a circle."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from smalt.entities.component import Component
from smalt.entities.control_flow import repeated
from smalt.entities.entity import Entity
from smalt.entities.expression import Expression, bindings, parse_one
from smalt.entities.flow import FlowComponent
from smalt.entities.inputs import Input, Output
from smalt.entities.literals import Literal
from smalt.entities.nodes import Node
from smalt.entities.problems import Path, did_you_mean
from smalt.entities.rules.circles import circles
from smalt.entities.rules.expressions import has
from smalt.entities.rules.values import check_literal, check_types, take_path

if TYPE_CHECKING:
    from smalt.entities.reader import Reader

_STEP_NAME = re.compile(r"[A-Za-z0-9_-]+")


class Names(NamedTuple):
    """What a pipeline's expressions can name; `raw` has also what could not be read, which was told of already."""

    inputs: dict[str, Any]
    outputs: Mapping[str, Any]
    steps: Mapping[str, Any]
    raw: Mapping[str, Mapping[str, Any]]
    path: Path = ()
    """Where the pipeline is in its document."""


def check_pipeline(pipeline: Any, data: Mapping[str, Any], path: Path, reader: Reader) -> None:
    """The steps of a pipeline job or component, whose plain data is `data`, at `path`."""
    steps: Mapping[str, Node] = vars(pipeline).get("jobs") or {}
    raw = {key: found if isinstance(found := data.get(key), Mapping) else {} for key in ("inputs", "outputs", "jobs")}
    names = Names(pipeline.inputs, pipeline.outputs, steps, raw, path)
    waits: dict[str, set[str]] = {}
    of_loops = repeated(steps)
    _check_has_steps(pipeline, data, path, reader)
    for name, step in steps.items():
        where = (*path, "jobs", name)
        if not _STEP_NAME.fullmatch(name):
            reader.problem(where, f"'{name}' is no name of a step; use letters, digits, '_' and '-'", at_key=True)
        waits[name] = _check_bindings(step, names, where, reader)
        component = component_of(step)
        if component is not None:
            _check_inputs(step, component, names, where, reader)
            if name not in of_loops and not isinstance(component, FlowComponent):
                check_given(step, component, where, reader)
            _check_outputs(step, component, where, reader)
    _check_settings(pipeline.settings, names, path, reader)
    for circle in circles(waits):
        words = " → ".join((*circle, circle[0]))
        reader.problem((*path, "jobs", circle[0]), f"these steps wait for each other: {words}", at_key=True)


def _check_has_steps(pipeline: Any, data: Mapping[str, Any], path: Path, reader: Reader) -> None:
    """Check that there is something to run; a server's answer may be an older one's, which did not ask."""
    has_component = data.get("component") is not None
    if reader.on_wire:
        return
    if has_component and data.get("jobs"):
        words = f"{pipeline.noun} has either 'jobs' or a 'component' whose steps it runs; remove one of them"
        reader.problem((*path, "component"), words, at_key=True)
    elif not has_component and not data.get("jobs"):
        where = (*path, "jobs") if "jobs" in data else path
        reader.problem(where, f"{pipeline.noun} needs a step: add one under 'jobs'", at_key=True)


def check_component_job(job: Any, component: Component, path: Path, reader: Reader) -> None:
    """Check what a pipeline job gives to the pipeline component that it names."""
    if component.type != "pipeline":
        words = f"a pipeline job runs a pipeline component, and this is {component.noun}; make it a step under 'jobs'"
        reader.problem((*path, "component"), words)
        return
    names = Names({}, {}, {}, {})
    for name, value in job.inputs.items():
        where = (*path, "inputs", name)
        if name in component.inputs:
            _check_value(value, component.inputs[name], names, where, reader)
            take_path(job.inputs, name, component.inputs[name], where, reader)
        else:
            hint = did_you_mean(name, component.inputs)
            reader.problem(where, f"the component of this job has no input '{name}'{hint}", at_key=True)
    for name in job.outputs:
        if name not in component.outputs:
            hint = did_you_mean(name, component.outputs)
            reader.problem((*path, "outputs", name), f"the component of this job has no output '{name}'{hint}", True)
    check_given(job, component, path, reader)


def _check_settings(settings: Any, names: Names, path: Path, reader: Reader) -> None:
    for key in ("on_init", "on_finalize"):
        step = getattr(settings, key, None)
        if isinstance(step, str) and step not in names.steps and step not in names.raw["jobs"]:
            reader.problem((*path, "settings", key), f"'{step}' is no step{did_you_mean(step, names.steps)}")


def component_of(step: Any) -> Component | None:
    """The component of a step, where it is known whole."""
    fields = vars(step)  # not getattr: a step that has none asks its component, at length
    component = fields.get("trial") or fields.get("component")
    return component if isinstance(component, Component) and not component._partial else None


def _check_bindings(step: Node, names: Names, path: Path, reader: Reader) -> set[str]:
    """Check all that the step names of its pipeline; answers the steps that it waits for."""
    waits: set[str] = set()
    for where, text in _texts(step, path):
        for expression in bindings(text):
            if expression.kind == "parent.jobs":
                if _check_step(expression, names, where, reader) and expression.port == "outputs":
                    waits.add(str(expression.job))
            elif expression.kind in ("parent.inputs", "parent.outputs"):
                _check_port(expression, names, where, reader)
            elif expression.kind == "unknown" and expression.name.startswith("parent"):
                forms = "'${{parent.inputs.NAME}}', '${{parent.outputs.NAME}}' or '${{parent.jobs.STEP.outputs.NAME}}'"
                reader.problem(where, f"'{expression.text}' is none of {forms}")
    return waits if step.type not in ("do_while", "parallel_for") else set()


def _texts(value: Any, path: Path) -> Iterator[tuple[Path, str]]:
    """Every text with an expression in it, of a step but not of its component."""
    if isinstance(value, str):
        if "${{" in value:
            yield path, value
    elif isinstance(value, Entity):
        for key, item in vars(value).items():
            if not isinstance(item, (Component, bool)):
                yield from _texts(item, (*path, key))
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _texts(item, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _texts(item, (*path, index))


def _check_port(expression: Expression, names: Names, path: Path, reader: Reader) -> None:
    word = "input" if expression.kind == "parent.inputs" else "output"
    known = names.inputs if word == "input" else names.outputs
    if not has(expression, known) and not has(expression, names.raw[f"{word}s"]):
        hint = did_you_mean(expression.name, known)
        reader.problem(path, f"'{expression.text}' names no {word} of the pipeline{hint}")


def _check_step(expression: Expression, names: Names, path: Path, reader: Reader) -> bool:
    """Whether the step of an expression is there; tells of it, or of its output, where not."""
    job = str(expression.job)
    if job not in names.steps:
        if job not in names.raw["jobs"]:
            reader.problem(path, f"'{expression.text}' names no step{did_you_mean(job, names.steps)}")
        return False
    if expression.port == "outputs":
        outputs = outputs_of(names.steps[job])
        if outputs is None and names.steps[job]._partial:
            outputs = _written_outputs(names.raw["jobs"].get(job))
        if outputs is not None and not has(expression, outputs):
            hint = did_you_mean(expression.name, outputs)
            reader.problem(path, f"'{expression.text}' names no output of the step '{job}'{hint}")
    return True


def _written_outputs(step: Any) -> Mapping[str, Any] | None:
    """The outputs of an inline step that could not be read whole, where at least they stand there."""
    if not isinstance(step, Mapping) or "component" in step or "trial" in step:
        return None
    outputs = step.get("outputs")
    return outputs if isinstance(outputs, Mapping) else None


def outputs_of(step: Node) -> Mapping[str, Any] | None:
    """The outputs that a step has, by name; None where only the server can know."""
    if step._partial:
        return None
    component = component_of(step)
    if component is not None:
        return None if isinstance(component, FlowComponent) else {**step.outputs, **component.outputs}
    has_component = vars(step).get("component") is not None or vars(step).get("trial") is not None
    if has_component or step.type in ("import", "do_while", "parallel_for", "if_else"):
        return None
    return step.outputs


def _check_inputs(step: Node, component: Component, names: Names, path: Path, reader: Reader) -> None:
    if isinstance(component, FlowComponent):
        return
    for name, value in step.inputs.items():
        declared = component.inputs.get(name)
        where = (*path, "inputs", name)
        if declared is not None:
            _check_value(value, declared, names, where, reader)
            take_path(step.inputs, name, declared, where, reader)
        elif component.type != "pipeline":
            hint = did_you_mean(name, component.inputs)
            reader.problem(where, f"the component of this step has no input '{name}'{hint}", at_key=True)
    for name in getattr(step, "search_space", None) or ():
        if name not in component.inputs:
            hint = did_you_mean(name, component.inputs)
            words = f"the component of this step has no input '{name}' to vary{hint}"
            reader.problem((*path, "search_space", name), words, at_key=True)


def check_given(step: Any, component: Component, path: Path, reader: Reader) -> None:
    """All inputs that a component must have are given."""
    given = {*step.inputs, *(getattr(step, "search_space", None) or ())}
    for name, declared in component.inputs.items():
        if name not in given and not step._partial and not declared.optional and declared.default is None:
            kind = f" ({declared.type})" if declared.type else ""
            reader.problem(path, f"the input '{name}'{kind} of the component is not given", at_key=True)


def _check_outputs(step: Node, component: Component, path: Path, reader: Reader) -> None:
    if isinstance(component, FlowComponent) or component.type in ("automl", "import", "data_transfer"):
        return
    for name in step.outputs:
        if name not in component.outputs:
            hint = did_you_mean(name, component.outputs)
            words = f"the component of this step has no output '{name}'{hint}"
            reader.problem((*path, "outputs", name), words, at_key=True)


def _check_value(value: Input | Literal, declared: Input, names: Names, path: Path, reader: Reader) -> None:
    if isinstance(value, Input):
        if value.type is not None and "${{" not in (value.path or ""):
            check_types(value.type, declared.type, path, reader, "what is given")
        return
    if not isinstance(value, str) or "${{" not in value:
        check_literal(value, declared, path, reader)
        return
    expression = parse_one(value.strip())
    if expression.kind == "parent.inputs" and expression.name in names.inputs and not expression.rest:
        _check_source(names.inputs[expression.name], declared, path, reader, expression)
        take_path(names.inputs, expression.name, declared, (*names.path, "inputs", expression.name), reader)
    elif expression.kind == "parent.jobs" and expression.port == "outputs":
        job = str(expression.job)
        output = (outputs_of(names.steps[job]) or {}).get(expression.name) if job in names.steps else None
        if isinstance(output, Output):
            source = f"the output '{expression.name}' of '{job}'"
            check_types(output.type or "uri_folder", declared.type, path, reader, source)


def _check_source(given: Any, declared: Input, path: Path, reader: Reader, expression: Expression) -> None:
    """An input of the pipeline that is passed on to a step."""
    if isinstance(given, Input):
        source = f"the pipeline's input '{expression.name}'"
        check_types(given.type or "uri_folder", declared.type, path, reader, source)
    else:
        check_literal(given, declared, path, reader)
