"""Conversion of a step that is submitted alone into a job."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from smalt.entities.jobs.inputs import ASSETS, Input, Output
from smalt.entities.jobs.job import Job
from smalt.entities.schema.entity import Entity
from smalt.entities.schema.kinds import JOBS
from smalt.entities.schema.nested import load_noun
from smalt.entities.schema.problems import join_words
from smalt.entities.schema.travel import build_job_values, is_unset
from smalt.entities.steps.bindings import find_component, to_plain_output
from smalt.entities.steps.nodes import Node
from smalt.entities.syntax.expression import remove_empty_blocks
from smalt.exceptions import MissingPositionalArgsError, UserErrorException

if TYPE_CHECKING:
    from smalt.entities.assets.component import Component


def to_job(node: Any) -> Any:
    """Return the job for a step that is submitted alone, and anything else unchanged."""
    if not isinstance(node, Node) or isinstance(node, Job):
        _check_given(node)
        return node
    where = vars(node).get("_line", ("", 0))
    if node.type not in JOBS:
        raise UserErrorException(f"{node.noun} runs only inside a pipeline; call it under @pipeline", where)
    return convert_to_job(node)


def can_be_job(thing: Any) -> bool:
    return isinstance(thing, Node) and not isinstance(thing, Job) and thing.type in JOBS


def convert_to_job(node: Any) -> Any:
    """Return the job for a step that can be one."""
    if node.type == "automl" and find_component(node) is not None:
        return _fill_automl(node)
    noun = load_noun(JOBS[str(node.type)])
    job = noun.__new__(noun)
    values = {name: value for name, value in vars(node).items() if name in noun._fields}
    values["inputs"] = dict(node.inputs)
    values["outputs"] = {name: to_plain_output(value) or Output() for name, value in node.outputs.items()}
    component = find_component(node)
    if component is not None:
        _fill_from_component(values, node, component, noun)
    vars(job).update(values, _line=vars(node).get("_line"))
    job.source_path = node.source_path
    return job


def _fill_automl(node: Any) -> Any:
    """Return the job of an AutoML step whose settings are its component's."""
    from smalt.entities.jobs.automl.components import fill_component

    job = fill_component(node.component, node.inputs, is_whole=False)
    own = {name: value for name, value in vars(node).items() if name in job._fields and not is_unset(value)}
    outputs = {name: to_plain_output(value) or Output() for name, value in node.outputs.items()}
    vars(job).update(own, outputs=outputs, _line=vars(node).get("_line"))
    job.source_path = node.source_path
    return job


def _check_given(job: Any) -> None:
    """Raise MissingPositionalArgsError unless the pipeline has every input that its function needs.

    Inputs may be set after the call, so the check waits until the job is submitted.
    """
    declared = vars(job).get("_declared") or {}
    missing = [
        name
        for name, found in declared.items()
        if job.inputs.get(name) is None and not found.optional and found.default is None
    ]
    if missing:
        names = join_words((repr(name) for name in missing), "and")
        words = f"the pipeline '{job.display_name}' is not given {names}"
        raise MissingPositionalArgsError(words, vars(job).get("_line") or ("", 0))


def _fill_from_component(values: dict[str, Any], node: Node, component: Component, noun: type[Entity]) -> None:
    """Fill in the values that the step leaves to its component."""
    for name, declared in component.inputs.items():
        if declared.default is not None and name not in (values.get("search_space") or ()):
            is_data = declared.type in ASSETS and isinstance(declared.default, str)
            default = Input(type=declared.type, path=declared.default) if is_data else declared.default
            values["inputs"].setdefault(name, default)
    values["inputs"] = {
        name: _apply_mode(value, component.inputs.get(name)) for name, value in values["inputs"].items()
    }
    for name, output in component.outputs.items():
        said = values["outputs"].get(name)
        kept = {} if said is None else vars(said)
        values["outputs"][name] = Output(**{"type": output.type, **_list_given(mode=output.mode), **kept})
    if component.type == "sweep":
        values.update(build_job_values(noun, node, component))
        return
    if "trial" in noun._fields:
        is_command = component.type == "command"
        space = values.get("search_space") or {}
        values["trial"] = make_trial(component, space, values["inputs"]) if is_command else component
        return
    if component.type == "pipeline":
        values["component"] = component
        return
    values.update(build_job_values(noun, node, component))
    if "command" in values:
        values["command"] = remove_empty_blocks(values["command"], values["inputs"])


def fill_from_trial(sweep: Any, component: Component) -> Any:
    """Return the sweep job with a command in place of the command component that is its trial.

    The component's defaults, modes and outputs become the sweep's own where that has none.
    """
    filled = copy.copy(sweep)
    values = dict(vars(sweep))
    values.update(inputs=dict(sweep.inputs), outputs=dict(sweep.outputs))
    _fill_from_component(values, sweep, component, type(sweep))
    vars(filled).update(values)
    return filled


def _list_given(**values: Any) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value is not None}


def _apply_mode(value: Any, declared: Input | None) -> Any:
    """Return data with the mode that the component declares, unless it has its own."""
    if isinstance(value, Input) and value.mode is None and declared is not None and declared.mode is not None:
        return Input(**{**vars(value), "mode": declared.mode})
    return value


def make_trial(component: Component, space: Mapping[str, Any], inputs: Mapping[str, Any]) -> Any:
    """Return the command of each trial, which reads its point of the search space."""
    from smalt.entities.jobs.sweep import Trial

    kept = {name: item for name, item in vars(component).items() if name in Trial._fields}
    text = remove_empty_blocks(str(kept.get("command") or ""), {*space, *inputs})
    for name in space:
        text = text.replace(f"${{{{inputs.{name}}}}}", f"${{{{search_space.{name}}}}}")
    return Trial(**{**kept, "command": text})
