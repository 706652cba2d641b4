"""The jobs that a pipeline's plan makes of its steps of control flow: pipelines of the steps in their blocks."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from smalt.entities import Input, Output, PipelineJob
from smalt.entities.jobs.control_flow import (
    ControlFlowNode,
    DoWhile,
    IfElse,
    ParallelFor,
    find_blocks,
    find_repeated_steps,
)
from smalt.entities.jobs.pipeline import PipelineJobSettings
from smalt.entities.schema.travel import Travel, list_values
from smalt.entities.steps.dependencies import find_dependencies, find_sources, get_text, resolve_steps
from smalt.entities.syntax.expression import find_expressions, has_expression
from smalt.entities.syntax.literals import PRIMITIVES, to_text
from smalt.service.engine.kinds import places
from smalt.service.engine.kinds.control_flow.control_jobs import CONDITION, has_branches, list_branch_inputs
from smalt.service.engine.kinds.control_flow.gathering import make_gathered_outputs
from smalt.service.engine.kinds.control_flow.loop_items import ITEMS, find_item_sources, resolve_items
from smalt.service.engine.kinds.properties import BOUND, BRANCH_INPUTS, FORCED, PROMISED
from smalt.service.engine.kinds.step_jobs import find_forcing, list_inherited_settings
from smalt.service.engine.submission.bindings import BindingScope, copy_with, resolve_input

if TYPE_CHECKING:
    from smalt.service.engine.kinds.pipeline_plan import Planner

_IN_JOB = ("command", "code", "inputs", "outputs", "jobs")
"""Fields of a step that the planner of the control job fills in, with the names of that job."""


def find_awaited_steps(node: Any, steps: Mapping[str, Any]) -> set[str]:
    """Return the steps whose outputs a step reads, or is decided by."""
    awaited = find_dependencies(node, steps)
    if isinstance(node, ParallelFor):
        return awaited | find_item_sources(node, steps)
    return awaited | find_sources(node.condition, steps) if isinstance(node, IfElse) else awaited


def find_exclusive_labels(planner: Planner) -> set[tuple[str, str]]:
    """Return (step, output of the pipeline) of steps in a false_block, if the true_block writes the output as well.

    Only one of the two runs, so they do not share the place.
    """
    found: set[tuple[str, str]] = set()
    for node in planner.nodes.values():
        if isinstance(node, IfElse):
            blocks = find_blocks(node)
            true = {label for step in blocks["true_block"] for label in _find_labels(planner, step)}
            found |= {(step, label) for step in blocks["false_block"] for label in _find_labels(planner, step) & true}
    return found


def _find_labels(planner: Planner, step: str) -> set[str]:
    given = (getattr(planner.nodes.get(step), "outputs", None) or {}).values()
    return {label for label in map(planner.find_label, given) if label is not None}


def make_control_job(planner: Planner, node_name: str, name: str, scope: BindingScope) -> PipelineJob:
    """Return the job of a step of control flow; `scope` learns where the outputs of its blocks are promised."""
    parts = _ControlJobParts(planner, node_name, name, scope)
    for step in parts.steps_inside:
        node = planner.nodes[step]
        if isinstance(node, ParallelFor):
            parts.add_parallel_for(step, node)
        elif isinstance(node, ControlFlowNode):
            parts.add_decision(step, node)
        elif step in parts.of_parallel_for:
            parts.add_inner_step(step, node)
        else:
            parts.add_step(step, node)
    return parts.make_job()


@dataclass
class _ControlJobParts:
    """The parts of a control job, which its steps add to."""

    planner: Planner
    node_name: str
    """The step of control flow that the job is of."""
    name: str
    """The name of the job."""
    scope: BindingScope
    inputs: dict[str, Any] = field(default_factory=dict)
    outputs: dict[str, Output] = field(default_factory=dict)
    made: dict[str, places.Made] = field(default_factory=dict)
    promised: dict[str, str] = field(default_factory=dict)
    bound: dict[str, str] = field(default_factory=dict)
    steps: dict[str, Any] = field(default_factory=dict)
    notes: list[dict[str, Any]] = field(default_factory=list)

    @cached_property
    def steps_inside(self) -> list[str]:
        return list(_find_steps_inside(self.node_name, self.planner.nodes))

    @cached_property
    def of_parallel_for(self) -> set[str]:
        """The steps that run for each item: what reads their outputs reads what is gathered of them."""
        return find_repeated_steps({step: self.planner.nodes[step] for step in self.steps_inside})

    @cached_property
    def _in_loops(self) -> set[str]:
        return _find_loop_steps(self.node_name, self.planner.nodes)

    @cached_property
    def _branches(self) -> set[str]:
        return _find_branch_steps(self.node_name, self.planner.nodes)

    def add_decision(self, step: str, node: ControlFlowNode) -> None:
        key = CONDITION if step == self.node_name else f"{step}.{CONDITION}"
        self.steps[step] = _resolve_condition(node, key, self.inputs, self.steps_inside, self.scope)
        source = self.planner.branch_outputs.get(get_text(self.inputs.get(key)))
        if source is not None:
            where = ["inputs", key] if step == self.node_name else ["jobs", step, CONDITION]
            self.notes.append({"input": where, "of": source, "is_optional": False})

    def add_parallel_for(self, step: str, node: ParallelFor) -> None:
        key = ITEMS if step == self.node_name else f"{step}.{ITEMS}"
        self.steps[step], sources = resolve_items(self.planner, step, key, self.inputs, self.steps_inside, self.scope)
        path = ["inputs", key] if step == self.node_name else ["jobs", step, ITEMS]
        self.notes += [{"input": path, "of": source, "is_optional": False} for source in sources]
        declared = make_gathered_outputs(self.planner, node)
        if step != self.node_name:
            self._promise_outputs(step, declared)
            return
        for output, form in declared.items():
            given = (node.outputs or {}).get(output)
            self.outputs[output] = self.planner.make_output(self.name, output, form, given, self.scope)
            self.made[output] = self.planner.describe_place(output, given)
        self.promised.update({f"{step}.{output}": str(one.path) for output, one in self.outputs.items()})
        self.scope.made[step] = dict(self.outputs)
        vars(self.steps[step])["outputs"] = {}

    def add_inner_step(self, step: str, node: Any) -> None:
        """Add the body of a `parallel_for`, whose outputs only the iterations have."""
        self.steps[step] = _resolve_outer_names(step, node, self.steps_inside, self.planner.nodes, self.scope)
        component = self.planner.find_component(node)
        self.notes += list_branch_inputs(
            self.planner.branch_outputs, self.steps[step].inputs, component, ("jobs", step, "inputs")
        )

    def add_step(self, step: str, node: Any) -> None:
        self.add_inner_step(step, node)
        component = self.planner.find_component(node)
        declared = (component.outputs if component is not node else {}) or {}
        self._promise_outputs(step, {**declared, "artifacts": None})

    def _promise_outputs(self, step: str, declared: Mapping[str, Any]) -> None:
        planner, scope = self.planner, self.scope
        promises, bound_to = _make_promises(planner, step, declared, self.name, scope)
        self.bound.update(bound_to)
        self.promised.update({f"{step}.{output}": str(one.path) for output, one in promises.items()})
        is_repeated = step in self._in_loops
        _bind_outputs(planner, self.steps[step], is_repeated, promises, self.outputs, self.made, scope)
        scope.made[step] = {output: one for output, one in promises.items() if output != "artifacts"}
        if "artifacts" in promises:
            scope.artifacts[step] = self.promised[f"{step}.artifacts"]
        if step in self._branches or has_branches(planner, planner.find_component(planner.nodes[step])):
            planner.branch_outputs.update({str(one.path): f"{step}.{output}" for output, one in promises.items()})

    def make_job(self) -> PipelineJob:
        planner = self.planner
        settings = list_inherited_settings(planner, self.scope)
        job = PipelineJob(
            jobs=self.steps,
            inputs=self.inputs,
            outputs=self.outputs,
            settings=PipelineJobSettings.from_dict(settings),
            compute=None,
        )
        job.properties.update(places.note(self.made))
        job.properties[PROMISED] = json.dumps(self.promised)
        if self.bound:
            job.properties[BOUND] = json.dumps(self.bound)
        if self.notes:
            job.properties[BRANCH_INPUTS] = json.dumps(self.notes)
        if not all(note["is_optional"] for note in self.notes):
            planner.branch_outputs.update({uri: key for key, uri in self.promised.items()})
        if str(settings.get("force_rerun")).lower() == "true":
            job.properties[FORCED] = find_forcing(planner)
        return job


def _find_steps_inside(name: str, nodes: Mapping[str, Any]) -> Iterator[str]:
    """Yield the step of control flow, and all steps in its blocks, at whatever depth."""
    yield name
    for block in find_blocks(nodes[name]).values():
        for step in block:
            yield from _find_steps_inside(step, nodes)


def _find_loop_steps(name: str, nodes: Mapping[str, Any]) -> set[str]:
    inside = list(_find_steps_inside(name, nodes))
    return {one for loop in inside if isinstance(nodes[loop], DoWhile) for one in _find_steps_inside(loop, nodes)}


def _find_branch_steps(name: str, nodes: Mapping[str, Any]) -> set[str]:
    inside = list(_find_steps_inside(name, nodes))
    return {one for branch in inside if isinstance(nodes[branch], IfElse) for one in _find_steps_inside(branch, nodes)}


def _resolve_condition(node: Any, key: str, inputs: dict[str, Any], inside: Sequence[str], scope: BindingScope) -> Any:
    """Return a step of control flow whose condition is an input of the control job, if the pipeline around has it."""
    if not isinstance(node, IfElse):
        return node
    condition: Any = node.condition
    if has_expression(condition):
        if any(one.kind == "parent.jobs.outputs" and one.job in inside for one in find_expressions(condition)):
            return node
        condition = scope.resolve_value(condition)
    if isinstance(condition, Input):
        kind = condition.type if condition.type in PRIMITIVES else "boolean"
        inputs[key] = Input(type=kind, path=condition.path)
    else:
        inputs[key] = to_text(condition)
    return copy_with(node, condition=f"${{{{parent.inputs.{key}}}}}")


def _make_promises(
    planner: Planner, step: str, declared: Mapping[str, Any], name: str, scope: BindingScope
) -> tuple[dict[str, Output], dict[str, str]]:
    """Return each output of a step in a block of the control job `name`, and what they are bound to, for `BOUND`.

    The planned place of an output is its own even if it is bound to an output of the pipeline, since the steps of other
    blocks may be bound to the same one.
    """
    given = planner.nodes[step].outputs or {}
    promises: dict[str, Output] = {}
    bound: dict[str, str] = {}
    for output in {**declared, **given}:
        form = declared.get(output)
        form = form if isinstance(form, Output) else Output()
        key = f"{step}.{output}"
        one = promises[output] = planner.make_output(name, key, form, given.get(output), scope)
        if planner.find_label(given.get(output)) is not None:
            bound[key] = str(one.path)
            promises[output] = copy_with(one, path=planner.make_output(name, key, form, None, scope).path)
    return promises, bound


def _resolve_outer_names(
    name: str, node: Any, inside: Sequence[str], nodes: Mapping[str, Any], scope: BindingScope
) -> Any:
    """Return the step with all that it names outside of the control job filled in."""
    inputs = {}
    for key, value in node.list_inputs().items():
        text = get_text(value)
        awaited = {one for expression in find_expressions(text) for one in resolve_steps(expression, nodes)}
        filled = resolve_input(value, scope, "${{name}}") if value is not None and awaited.isdisjoint(inside) else value
        if filled is not None:
            inputs[key] = filled
    step = copy_with(node, inputs={key: value for key, value in inputs.items() if key not in node._data_keys})
    vars(step).update({key: value for key, value in inputs.items() if key in node._data_keys})
    for key, value in list_values(node, Travel.JOB):
        if key not in (*_IN_JOB, *node._data_keys) and Travel.LITERAL not in node._fields[key].travels:
            vars(step)[key] = scope.resolve_field(value)
    if vars(node).get("settings") is not None:
        vars(step)["settings"] = scope.resolve_field(vars(node)["settings"])
    return step


def _bind_outputs(
    planner: Planner,
    step: Any,
    is_repeated: bool,
    promises: Mapping[str, Output],
    outputs: dict[str, Output],
    made: dict[str, places.Made],
    scope: BindingScope,
) -> None:
    """Let the outputs of a step be those of the control job that the pipeline's outputs are bound to.

    Each iteration of a loop has a place of its own, except where the user gave the path.
    """
    own = dict(step.outputs or {})
    for output, given in own.items():
        label = planner.find_label(given)
        if label is None:
            if isinstance(given, Output) and has_expression(given.path):
                own[output] = copy_with(given, path=scope.resolve_path(given.path))
            continue
        place = planner.describe_place(output, given)
        if is_repeated and place.given is None:
            registered = given if isinstance(given, Output) else Output()
            own[output] = Output(
                type=promises[output].type, mode=promises[output].mode, name=registered.name, version=registered.version
            )
            continue
        above = scope.outputs[label]
        outputs[label] = copy_with(above, name=None, version=None)
        made[label] = place._replace(is_shared=True) if is_repeated else place
    vars(step)["outputs"] = own
