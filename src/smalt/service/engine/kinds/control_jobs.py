"""The jobs of if_else and do_while: what a pipeline's plan makes of such a step, and what its end means for readers.

The job of a step of control flow is a pipeline whose steps are those in its blocks, so every client can read it. The
steps that read an output of a block wait for the control job, and are planned with a place of the control job's own,
which is *promised*. When the control job completes, each promised place becomes that of the child that wrote the
output: by a record that every reader follows, never by a copy (`Outcome.moved_outputs`).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from smalt.entities import Input, Output, PipelineJob
from smalt.entities.jobs.control_flow import ControlFlowNode, DoWhile, IfElse, find_blocks
from smalt.entities.jobs.pipeline import PipelineJobSettings
from smalt.entities.schema.travel import Travel, list_values
from smalt.entities.steps.dependencies import find_dependencies, find_sources, get_text, resolve_steps
from smalt.entities.syntax.expression import find_expressions, has_expression, remove_empty_blocks
from smalt.entities.syntax.literals import PRIMITIVES, convert, to_text
from smalt.service.data.job_data import primitive_values
from smalt.service.engine.kinds import places
from smalt.service.engine.kinds.places import ARTIFACTS
from smalt.service.engine.kinds.properties import FORCED
from smalt.service.engine.kinds.protocol import NO_CHANGES, SKIPPED, Changes, CompositeView, Error, make_error
from smalt.service.engine.submission.bindings import BindingScope, copy_with, resolve_input
from smalt.service.records import jobs
from smalt.service.records.jobs import Job

if TYPE_CHECKING:
    from smalt.service.engine.kinds.pipeline import Planner

PROMISED = "smalt.promised"
"""The property of a control job with the planned URI of each output of its blocks, by "step.output"."""

BRANCH_INPUTS = "smalt.branch_inputs"
"""The property of a job that reads outputs of steps which may not run: a list of `note_branch_inputs`."""

CONDITION = "condition"
"""The input of a control job that decides."""

_IN_JOB = ("command", "code", "inputs", "outputs", "jobs")
"""Fields of a step that the planner of the control job fills in, with the names of that job."""


def find_awaited_steps(node: Any, steps: Mapping[str, Any]) -> set[str]:
    """Return the steps whose outputs a step reads, or is decided by."""
    awaited = find_dependencies(node, steps)
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
    nodes = planner.nodes
    inside = list(_find_steps_inside(node_name, nodes))
    inputs: dict[str, Any] = {}
    outputs: dict[str, Output] = {}
    made: dict[str, places.Made] = {}
    promised: dict[str, str] = {}
    steps: dict[str, Any] = {}
    in_loops = _find_loop_steps(node_name, nodes)
    branches = _find_branch_steps(node_name, nodes)
    notes: list[dict[str, Any]] = []
    for step in inside:
        node = nodes[step]
        if isinstance(node, ControlFlowNode):
            key = CONDITION if step == node_name else f"{step}.{CONDITION}"
            steps[step] = _resolve_condition(node, key, inputs, inside, scope)
            continue
        promises = _make_promises(planner, step, name, scope)
        promised.update({f"{step}.{output}": str(one.path) for output, one in promises.items()})
        steps[step] = _resolve_outer_names(step, node, inside, nodes, scope)
        _bind_outputs(planner, steps[step], step in in_loops, promises, outputs, made, scope)
        component = planner.find_component(node)
        notes += _make_notes(planner.branch_outputs, steps[step].inputs, component, ("jobs", step, "inputs"))
        scope.made[step] = {output: one for output, one in promises.items() if output != "artifacts"}
        scope.artifacts[step] = promised[f"{step}.artifacts"]
        if step in branches:
            planner.branch_outputs.update({str(one.path): f"{step}.{output}" for output, one in promises.items()})
    settings = {key: value for key, value in planner.settings.items() if key not in ("on_init", "on_finalize")}
    settings = scope.resolve_field(settings)
    job = PipelineJob(
        jobs=steps, inputs=inputs, outputs=outputs, settings=PipelineJobSettings.from_dict(settings), compute=None
    )
    job.properties.update(places.note(made))
    job.properties[PROMISED] = json.dumps(promised)
    if notes:
        job.properties[BRANCH_INPUTS] = json.dumps(notes)
    if str(settings.get("force_rerun")).lower() == "true":
        job.properties[FORCED] = planner.why_forced
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


def _make_promises(planner: Planner, step: str, name: str, scope: BindingScope) -> dict[str, Output]:
    """Return the planned place of each output of a step in a block of the control job of that name."""
    node = planner.nodes[step]
    component = planner.find_component(node)
    declared = (component.outputs if component is not node else {}) or {}
    given = node.outputs or {}
    promises: dict[str, Output] = {}
    for output in {**declared, **given, "artifacts": None}:
        form = declared.get(output)
        form = form if isinstance(form, Output) else Output()
        promises[output] = planner.make_output(name, f"{step}.{output}", form, given.get(output), scope)
    return promises


def _resolve_outer_names(
    name: str, node: Any, inside: Sequence[str], nodes: Mapping[str, Any], scope: BindingScope
) -> Any:
    """Return the step with all that it names outside of the control job filled in."""
    inputs = {}
    for key, value in (node.inputs or {}).items():
        text = get_text(value)
        awaited = {one for expression in find_expressions(text) for one in resolve_steps(expression, nodes)}
        filled = resolve_input(value, scope, "${{name}}") if value is not None and awaited.isdisjoint(inside) else value
        if filled is not None:
            inputs[key] = filled
    step = copy_with(node, inputs=inputs)
    for key, value in list_values(node, Travel.JOB):
        if key not in _IN_JOB:
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


def note_branch_inputs(
    branch_outputs: Mapping[str, str], inputs: Mapping[str, Any], component: Any, path: tuple[str, ...]
) -> dict[str, str]:
    """Return the property that says which inputs of a job are outputs of steps that may not run."""
    notes = _make_notes(branch_outputs, inputs, component, path)
    return {BRANCH_INPUTS: json.dumps(notes)} if notes else {}


def _make_notes(
    branch_outputs: Mapping[str, str], inputs: Mapping[str, Any], component: Any, path: tuple[str, ...]
) -> list[dict[str, Any]]:
    notes = []
    for name, value in inputs.items() if branch_outputs else ():
        source = branch_outputs.get(get_text(value))
        if source is not None:
            form = (getattr(component, "inputs", None) or {}).get(name)
            is_optional = bool(getattr(form, "optional", False))
            notes.append({"input": [*path, name], "of": source, "is_optional": is_optional})
    return notes


def handle_missing_outputs(view: CompositeView, child: Job) -> Changes:
    """Return what the outputs that a completed control job did not make mean for the siblings that read them.

    An optional input is left out; a step that needs the output is skipped.
    """
    promised = read_promised(view.read_child_properties(child))
    if not promised:
        return NO_CHANGES
    ran = set(find_steps_that_ran(view, child))
    missing = {key for key in promised if key.partition(".")[0] not in ran}
    skipped: list[tuple[Job, Error]] = []
    rewritten: list[tuple[Job, Mapping[str, Any]]] = []
    for reader in jobs.list_dependents(view.context.db, child) if missing else ():
        body = view.read_child_properties(reader)
        notes = json.loads((body.get("properties") or {}).get(BRANCH_INPUTS) or "[]")
        absent = [note for note in notes if note["of"] in missing]
        needed = next((note for note in absent if not note["is_optional"]), None)
        if needed is not None:
            step, _, output = needed["of"].partition(".")
            why = f"it reads the output '{output}' of step '{step}', which '{child.node}' did not run"
            skipped.append((reader, make_error(why, SKIPPED)))
        elif absent:
            rewritten.append((reader, _remove_inputs(body, [note["input"] for note in absent])))
    return Changes(cancel=skipped, rewrite=rewritten)


def _remove_inputs(body: Mapping[str, Any], paths: Iterable[Sequence[str]]) -> dict[str, Any]:
    """Return the REST properties of a job without these inputs, and without the optional parts of its command."""
    changed: dict[str, Any] = json.loads(json.dumps(body))
    for path in paths:
        place: Any = changed
        for key in path[:-1]:
            place = place.get(key) or {}
        place.pop(path[-1], None)
    if isinstance(changed.get("command"), str):
        changed["command"] = remove_empty_blocks(changed["command"], changed.get("inputs") or {})
    return changed


def find_steps_that_ran(view: CompositeView, control: Job) -> Iterator[str]:
    """Yield the steps in the blocks of a control job that became jobs."""
    for child in jobs.list_children(view.context.db, control.id):
        if read_promised(view.read_child_properties(child)):
            yield from find_steps_that_ran(view, child)
        else:
            yield get_step(child)


def get_step(child: Job) -> str:
    """Return the step that a child of a control job is; the child of a loop has the number of its iteration besides."""
    return str(child.node).partition(".")[0]


def read_promised(properties: Mapping[str, Any]) -> dict[str, str]:
    """Return the planned URI of each output of a control job, by "step.output"; nothing for other jobs."""
    promised: dict[str, str] = json.loads((properties.get("properties") or {}).get(PROMISED) or "{}")
    return promised


def find_moved(view: CompositeView, children: Iterable[Job]) -> dict[str, str]:
    """Return planned URI → URI of the output that a child wrote, for the outputs that a control job promised."""
    promised = read_promised(view.body)
    moved: dict[str, str] = {}
    for child in children:
        for key, uri in _read_written(view, child).items():
            there = view.follow(child, uri)
            if key in promised and promised[key] != there:
                moved[promised[key]] = there
    return moved


def _read_written(view: CompositeView, child: Job) -> dict[str, str]:
    """Return the planned URI of each output of a child, by "step.output"."""
    properties = view.read_child_properties(child)
    if promised := read_promised(properties):
        return promised
    step = get_step(child)
    written = {f"{step}.{name}": uri for name, uri in read_output_uris(properties).items()}
    return {f"{step}.artifacts": ARTIFACTS.format(job=child.name), **written}


def read_output_uris(properties: Mapping[str, Any]) -> dict[str, str]:
    """Return the URI of each output in the REST properties of a planned job."""
    outputs = properties.get("outputs") or {}
    return {name: str(output["uri"]) for name, output in outputs.items() if output and output.get("uri")}


def make_boolean_reader(view: CompositeView, uri: str, what: str) -> Callable[[], bool]:
    """Return a function that reads, in a thread, the boolean that a step wrote; `what` names it in errors."""
    location = view.context.data.locate(view.follow(view.job, uri), view.workspace)
    folder = f"{view.context.home.shell_safe_path}/workspaces/{view.workspace.folder}/jobs/{view.job.name}/{CONDITION}"

    def read() -> bool:
        path = view.context.data.prepare_input(location, "boolean", None, folder)
        return convert(primitive_values.value_read(what, path, "boolean"), "boolean") is True

    return read
