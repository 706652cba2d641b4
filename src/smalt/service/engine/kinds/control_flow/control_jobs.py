"""The jobs of steps of control flow: what their ends mean for those who read outputs of the steps in their blocks.

The job of a step of control flow is a pipeline whose steps are those in its blocks, so every client can read it. The
steps that read an output of a block wait for the control job, and are planned with a place of the control job's own,
which is *promised*. When the control job completes, each promised place becomes that of the child that wrote the
output: by a record that every reader follows, never by a copy (`Outcome.moved_outputs`).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from smalt.entities.jobs.control_flow import ControlFlowNode, DoWhile, IfElse, ParallelFor, find_blocks
from smalt.entities.steps.dependencies import get_text
from smalt.entities.syntax.expression import remove_empty_blocks
from smalt.entities.syntax.literals import convert
from smalt.service.data.job_data import primitive_values
from smalt.service.engine.kinds.places import ARTIFACTS
from smalt.service.engine.kinds.properties import BOUND, BRANCH_INPUTS, PROMISED, SKIPPED_STEPS
from smalt.service.engine.kinds.protocol import (
    SKIPPED,
    Changes,
    CompositeView,
    Error,
    NewChild,
    cancel_dependents,
)
from smalt.service.engine.outcome import make_error
from smalt.service.records import job_data, job_needs, jobs
from smalt.service.records.jobs import Job

if TYPE_CHECKING:
    from smalt.service.engine.kinds.pipeline_plan import Planner

IF_ELSE = "if_else"
"""The type of a job that runs one of two blocks: what the other needs does not matter to it."""

PARALLEL_FOR = "parallel_for"
"""The type of a job that runs a step for each item: its outputs are its own, gathered from those of the step."""

CONDITION = "condition"
"""The input of a control job that decides."""


def note_branch_inputs(
    branch_outputs: Mapping[str, str], inputs: Mapping[str, Any], component: Any
) -> tuple[dict[str, str], bool]:
    """Return the property that says which inputs of a job may have no data; True if the job is skipped without one."""
    notes = list_branch_inputs(branch_outputs, inputs, component, ("inputs",))
    return {BRANCH_INPUTS: json.dumps(notes)} if notes else {}, not all(note["is_optional"] for note in notes)


def list_branch_inputs(
    branch_outputs: Mapping[str, str], inputs: Mapping[str, Any], component: Any, path: tuple[str, ...]
) -> list[dict[str, Any]]:
    """Return a note for each input that reads an output of a step that may not run; `path` leads to the inputs."""
    notes = []
    for name, value in inputs.items() if branch_outputs else ():
        source = branch_outputs.get(get_text(value))
        if source is not None:
            form = (getattr(component, "inputs", None) or {}).get(name)
            is_optional = bool(getattr(form, "optional", False))
            notes.append({"input": [*path, name], "of": source, "is_optional": is_optional})
    return notes


def has_branches(planner: Planner, component: Any) -> bool:
    """Return True for a pipeline with an if_else in it, at whatever depth: it may not write all of its outputs."""
    steps = (getattr(component, "jobs", None) or {}).values()
    return any(
        isinstance(step, IfElse)
        or (not isinstance(step, ControlFlowNode) and has_branches(planner, planner.find_component(step)))
        for step in steps
    )


def handle_missing_outputs(view: CompositeView, child: Job) -> Changes:
    """Return what the outputs that a child did not write, as it or a part of it did not run, mean for their readers.

    An optional input is left out; a step that needs the output is skipped. In the blocks of an if_else that reads it,
    only the step that needs it is.
    """
    missing = find_missing_outputs(view, child)
    skipped: list[tuple[Job, Error]] = []
    rewritten: list[tuple[Job, Mapping[str, Any]]] = []
    for reader in job_needs.list_dependents(view.context.db, child) if missing else ():
        body = view.read_child_properties(reader)
        notes = json.loads((body.get("properties") or {}).get(BRANCH_INPUTS) or "[]")
        absent = [note for note in notes if note["of"] in missing]
        needed = {get_noted_step(note): _explain_missing(child, note) for note in absent if not note["is_optional"]}
        whole = needed.get(None) or (next(iter(needed.values()), None) if reader.type != IF_ELSE else None)
        if whole is not None:
            skipped.append((reader, whole))
        elif absent:
            changed = _remove_inputs(body, [note["input"] for note in absent if note["is_optional"]])
            if needed:
                changed["properties"][SKIPPED_STEPS] = json.dumps({**read_skipped_steps(body), **needed})
            rewritten.append((reader, changed))
    return Changes(cancel=skipped, rewrite=rewritten)


def handle_skipped(view: CompositeView, child: Job, final: str | None) -> Changes:
    """Return what follows from a skipped step: what needs it is skipped, and optional inputs are left out."""
    changes = handle_missing_outputs(view, child)
    handled = {one.id for one, _ in (*changes.rewrite, *changes.cancel)}
    others = [(one, why) for one, why in cancel_dependents(view, child, spared=final) if one.id not in handled]
    goes_on = [str(one.node) for one, _ in changes.rewrite]
    return changes._replace(
        cancel=[*changes.cancel, *others], starts_after_failure=(*goes_on, *([final] if final else []))
    )


def _explain_missing(child: Job, note: Mapping[str, Any]) -> Error:
    step, _, output = note["of"].partition(".")
    if step != child.node:
        why = f"it reads the output '{output}' of step '{step}', which '{child.node}' did not run"
    elif child.status == "Completed":
        why = f"it reads the output '{output}' of step '{step}', which no step in it wrote"
    else:
        why = f"it needs '{child.node}', which was skipped"
    return make_error(why, SKIPPED)


def get_noted_step(note: Mapping[str, Any]) -> str | None:
    """Return the step of a control job that a note is about; None if it is about the job itself."""
    path = note["input"]
    return path[1] if path[0] == "jobs" else None


def read_skipped_steps(properties: Mapping[str, Any]) -> dict[str, Error]:
    """Return the steps in the blocks of an if_else that cannot run, as they need what was not written."""
    steps: dict[str, Error] = json.loads((properties.get("properties") or {}).get(SKIPPED_STEPS) or "{}")
    return steps


def skip_children(view: CompositeView, children: Iterator[NewChild]) -> Iterator[NewChild]:
    """Yield the children of an if_else, those that cannot run as skipped; control jobs in it are told theirs."""
    cannot_run = read_skipped_steps(view.body)
    for child in children:
        node = view.entity.jobs[child.node]
        is_loop = isinstance(node, (DoWhile, ParallelFor))
        inside = [child.node, *(find_blocks(node)["body"] if is_loop else [])]
        child.skipped = next((cannot_run[step] for step in inside if step in cannot_run), None)
        if cannot_run and isinstance(node, IfElse):
            child.body.setdefault("properties", {})[SKIPPED_STEPS] = json.dumps(cannot_run)
            child.entity = None
        yield child


def _remove_inputs(body: Mapping[str, Any], paths: Iterable[Sequence[str]]) -> dict[str, Any]:
    """Return the REST properties of a job without these inputs, and without the optional parts of its command.

    The steps of a pipeline lose the inputs that are bound to its own.
    """
    changed: dict[str, Any] = json.loads(json.dumps(body))
    paths = list(paths)
    absent = {f"${{{{parent.inputs.{path[1]}}}}}" for path in paths if path[0] == "inputs"}
    for step in (changed.get("jobs") or {}).values() if absent else ():
        given = step.get("inputs") or {}
        for name in [name for name, value in given.items() if _get_written_text(value) in absent]:
            del given[name]
    for path in paths:
        place: Any = changed
        for key in path[:-1]:
            place = place.get(key) or {}
        place.pop(path[-1], None)
    if isinstance(changed.get("command"), str):
        changed["command"] = remove_empty_blocks(changed["command"], changed.get("inputs") or {})
    return changed


def _get_written_text(value: Any) -> str:
    """Return the text of an input in the REST properties of a step, without spaces."""
    text = value.get("value", value.get("uri")) if isinstance(value, Mapping) else value
    return str(text).replace(" ", "")


def find_missing_outputs(view: CompositeView, child: Job) -> set[str]:
    """Return the outputs of an ended child that it did not write, as "step.output"."""
    properties = view.read_child_properties(child)
    named = set(read_promised(properties)) or {f"{child.node}.{name}" for name in read_output_uris(properties)}
    return named and named - _find_written_outputs(view, child)


def _find_written_outputs(view: CompositeView, child: Job) -> set[str]:
    """Return the outputs that a child wrote, or the children of a control job: of a loop, its last iteration."""
    if child.status != "Completed":
        return set()
    if child.type == PARALLEL_FOR or not read_promised(view.read_child_properties(child)):
        step = get_step(child)
        return {f"{step}.{name}" for name in ("artifacts", *job_data.read_data(view.context.db, child.id, "output"))}
    by_step = {get_step(one): _find_written_outputs(view, one) for one in jobs.list_children(view.context.db, child.id)}
    return set().union(*by_step.values())


def get_step(child: Job) -> str:
    """Return the step that a child of a control job is; the child of a loop has the number of its iteration besides."""
    return str(child.node).partition(".")[0]


def read_promised(properties: Mapping[str, Any]) -> dict[str, str]:
    """Return the planned URI of each output of a control job, by "step.output"; nothing for other jobs."""
    promised: dict[str, str] = json.loads((properties.get("properties") or {}).get(PROMISED) or "{}")
    return promised


def find_moved(view: CompositeView, children: Iterable[Job]) -> dict[str, str]:
    """Return planned URI → URI of the output that a child wrote, for the outputs that a control job promised.

    The pipeline's output that an output is bound to has it, too.
    """
    promised = read_promised(view.body)
    bound = json.loads((view.body.get("properties") or {}).get(BOUND) or "{}")
    moved: dict[str, str] = {}
    for child in children:
        for key, uri in _read_written(view, child).items():
            there = view.follow(child, uri)
            planned = [promised[key], bound.get(key)] if key in promised else []
            moved.update({one: there for one in planned if one is not None and one != there})
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

    def read_boolean() -> bool:
        path = view.context.data.prepare_input(location, "boolean", None, folder)
        return convert(primitive_values.value_read(what, path, "boolean"), "boolean") is True

    return read_boolean
