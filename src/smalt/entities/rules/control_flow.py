"""The rules for steps of control flow: each step is in one block, and a loop's mapping names ports of its body."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from smalt.entities.jobs.control_flow import (
    ControlFlowNode,
    DoWhile,
    IfElse,
    ParallelFor,
    find_blocks,
    find_mapped_inputs,
    find_mapped_texts,
    find_outermost,
    find_owners,
    parse_port_name,
)
from smalt.entities.jobs.inputs import Input, Output
from smalt.entities.rules.bindings import PipelineNames, find_whole_component, list_inputs, list_outputs
from smalt.entities.rules.bound_types import check_bound_output
from smalt.entities.rules.values import check_types
from smalt.entities.schema.problems import Path, Problem, did_you_mean, format_value
from smalt.entities.steps.dependencies import find_sources, get_text
from smalt.entities.syntax.expression import Expression, find_expressions, has_expression, parse_binding, resolve_port
from smalt.entities.syntax.literals import PRIMITIVES, convert

if TYPE_CHECKING:
    from smalt.entities.schema.reader import Reader

_FORM = "${{parent.jobs.STEP}}"


def check_control_flow(names: PipelineNames, settings: Any, path: Path, reader: Reader) -> None:
    """Check the blocks, conditions and mappings of a pipeline's steps of control flow."""
    steps = names.steps
    owned: dict[str, str] = {}
    for name, node in steps.items():
        where = (*path, "jobs", name)
        for key, block in _find_blocks(node).items():
            for text in block:
                _check_block(name, key, text, steps, owned, settings, where, reader)
        if isinstance(node, (IfElse, DoWhile)):
            _check_has_no_ports(node, where, reader)
        if isinstance(node, IfElse):
            _check_readers(name, node, steps, path, reader)
    check_ports(names, path, reader)
    owners = find_owners(steps)
    _check_shared_outputs(steps, owners, path, reader)
    for name in owners:
        if find_outermost(name, owners) in owners and name in find_blocks(steps[owners[name]]).get("body", [name]):
            words = (
                f"'{name}' is in a block of '{owners[name]}', which is in a block of it in turn; take one of them out"
            )
            reader.add_problem((*path, "jobs", name), words, at_key=True)


def _check_shared_outputs(steps: Mapping[str, Any], owners: Mapping[str, str], path: Path, reader: Reader) -> None:
    """Refuse a pipeline output that a loop's body shares with a step that runs as well.

    Each would overwrite the other, and a reader of one would get the data of the other. Steps of the two blocks of one
    if_else may share an output: only one of them runs.
    """
    writers: dict[str, list[tuple[str, str]]] = {}
    for name, step in steps.items():
        for output, value in (vars(step).get("outputs") or {}).items():
            for expression in find_expressions(get_text(value)):
                if expression.kind == "parent.outputs":
                    writers.setdefault(str(expression.name), []).append((name, output))
    for shared, found in writers.items():
        bodies = {name for name, _ in found if name in owners and isinstance(steps[owners[name]], DoWhile)}
        bodies |= {name for name, _ in found if isinstance(steps[name], ParallelFor)}
        for index, (name, output) in enumerate(found):
            for other, _ in found[:index]:
                if {name, other} & bodies and not _are_alternatives(name, other, steps, owners):
                    is_loop = any(isinstance(steps[step], ParallelFor) for step in (name, other))
                    which = "is a loop" if is_loop else "is in a loop"
                    words = f"the output '{shared}' of the pipeline is bound to '{other}' too, and one of them {which}"
                    where = (*path, "jobs", name, "outputs", output)
                    reader.add_problem(where, f"{words}; give each of them an output of its own")
                    break


def _are_alternatives(one: str, other: str, steps: Mapping[str, Any], owners: Mapping[str, str]) -> bool:
    """Return True if two steps are in different blocks of one if_else, so that at most one of them runs."""
    ways = dict(_find_ways(one, steps, owners))
    return any(name in ways and ways[name] != key for name, key in _find_ways(other, steps, owners))


def _find_ways(step: str, steps: Mapping[str, Any], owners: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return the steps of control flow around a step, from the inside, each with the block that the step is in."""
    found: list[tuple[str, str]] = []
    while step in owners and owners[step] not in {name for name, _ in found}:
        owner = owners[step]
        found.append((owner, next(key for key, block in find_blocks(steps[owner]).items() if step in block)))
        step = owner
    return found


def check_ports(names: PipelineNames, path: Path, reader: Reader) -> None:
    """Check the conditions and mappings: again on the server, once registered components are known."""
    for name, node in names.steps.items():
        if isinstance(node, IfElse):
            _check_if_else(name, node, names, (*path, "jobs", name), reader)
        elif isinstance(node, DoWhile):
            _check_do_while(node, names, (*path, "jobs", name), reader)
        elif isinstance(node, ParallelFor):
            from smalt.entities.rules.parallel_for import check_parallel_for  # which needs rules that need this module

            check_parallel_for(name, node, names, (*path, "jobs", name), reader)


def lift_waits(waits: Mapping[str, set[str]], steps: Mapping[str, Any]) -> dict[str, set[str]]:
    """Return which steps wait for which, where what waits for a step in a block waits for the step of control flow."""
    owners = find_owners(steps)
    if not owners:
        return {name: set(awaited) for name, awaited in waits.items()}
    lifted: dict[str, set[str]] = {}
    for name, awaited in waits.items():
        outer = find_outermost(name, owners)
        lifted.setdefault(outer, set()).update({find_outermost(one, owners) for one in awaited} - {outer})
    return lifted


def _find_blocks(node: Any) -> dict[str, list[str]]:
    keys: tuple[str, ...] = ("true_block", "false_block") if isinstance(node, IfElse) else ()
    keys = ("body",) if isinstance(node, (DoWhile, ParallelFor)) else keys
    given = {key: getattr(node, key, None) for key in keys}
    return {key: list(block) if isinstance(block, list) else [block] for key, block in given.items() if block}


def _check_block(
    name: str,
    key: str,
    text: str,
    steps: Mapping[str, Any],
    owned: dict[str, str],
    settings: Any,
    where: Path,
    reader: Reader,
) -> None:
    found = parse_binding(text)
    if found is None or found.kind != "parent.jobs":
        if found is None or found.kind in ("parent.jobs.outputs", "parent.jobs.inputs"):
            reader.add_problem((*where, key), f"{key} names a step, as '{_FORM}', not '{text}'")
        return
    step = str(found.job)
    if step not in steps:
        return  # told with the other expressions
    if step == name:
        reader.add_problem((*where, key), f"{key} names the step itself; name another one")
    elif step in owned:
        other = "twice" if owned[step] == f"jobs.{name}.{key}" else f"in {owned[step]}, too"
        reader.add_problem((*where, key), f"'{step}' is named {other}; a step is in one block of one step")
    elif step in [getattr(settings, edge, None) for edge in ("on_init", "on_finalize")]:
        reader.add_problem(
            (*where, key), f"'{step}' is the pipeline's on_init or on_finalize step, and cannot be in a block"
        )
    elif key == "body" and isinstance(steps[step], ControlFlowNode):
        reader.add_problem((*where, key), f"the body is a command or pipeline step, and '{step}' is {steps[step].noun}")
    owned.setdefault(step, f"jobs.{name}.{key}")


def _check_if_else(name: str, node: IfElse, names: PipelineNames, where: Path, reader: Reader) -> None:
    if not node.true_block and not node.false_block and not node._partial:
        reader.add_problem(
            where, "an if_else step needs a true_block or a false_block; name a step in one of them", True
        )
    condition = node.condition
    if not isinstance(condition, str):
        return
    found = parse_binding(condition)
    if found is not None and found.kind == "parent.jobs.inputs" and found.job in names.steps:
        found = _find_bound_to_input(found, names, where, reader)
    if found is not None and found.kind == "parent.inputs":
        value = names.inputs.get(resolve_port(found.name, names.inputs) or "")
        _check_is_boolean(value, f"the pipeline's input '{found.name}'", where, reader)
        return
    if found is None:
        if not has_expression(condition) and isinstance(convert(condition, "boolean"), Problem):
            form = "'${{parent.jobs.STEP.outputs.NAME}}'"
            reader.add_problem((*where, "condition"), f"the condition is true, false or an output as {form}")
        return
    if found.kind == "parent.jobs.outputs" and found.job in names.steps:
        if find_owners(names.steps).get(str(found.job)) == name:
            words = f"the condition is an output of '{found.job}', which runs only once the condition is known"
            reader.add_problem((*where, "condition"), words)
            return
        outputs = names.list_ports(str(found.job), "outputs") or {}
        _check_is_value(outputs.get(resolve_port(found.name, outputs) or ""), (*where, "condition"), reader)


def _find_bound_to_input(found: Expression, names: PipelineNames, where: Path, reader: Reader) -> Expression | None:
    """Return the binding of the step's input that a condition names; a fixed value must be a boolean."""
    given = vars(names.steps[str(found.job)]).get("inputs") or {}
    value = given.get(resolve_port(found.name, given) or "")
    bound = parse_binding(value) if isinstance(value, str) else None
    if bound is None and not has_expression(get_text(value)):
        _check_is_boolean(value, f"the input '{found.name}' of '{found.job}'", where, reader)
    return bound


def _check_is_boolean(value: Any, what: str, where: Path, reader: Reader) -> None:
    """Check the input that is a condition; `what` names it."""
    if isinstance(value, Input):
        kind = value.type or "uri_folder"
        if kind not in ("boolean", "string"):
            form = f"of type {kind}" if kind in PRIMITIVES else f"data ({kind})"
            words = f"the condition is a boolean, and {what} is {form}"
            reader.add_problem((*where, "condition"), words)
    elif value is not None and isinstance(convert(value, "boolean"), Problem):
        words = f"the condition is true or false, and {what} is {format_value(value)}"
        reader.add_problem((*where, "condition"), words)


def _check_has_no_ports(node: Any, where: Path, reader: Reader) -> None:
    for key in ("inputs", "outputs"):
        if vars(node).get(key):
            words = f"{node.noun} has no {key} of its own; write them in the steps of its blocks"
            reader.add_problem((*where, key), words, at_key=True)


def _check_readers(name: str, node: IfElse, steps: Mapping[str, Any], path: Path, reader: Reader) -> None:
    """Check that no step of one block reads an output of the other: only one of the two runs."""
    blocks = find_blocks(node)
    for key, other in (("true_block", "false_block"), ("false_block", "true_block")):
        apart = _find_steps_below(blocks[other], steps)
        for step in _find_steps_below(blocks[key], steps) - apart:
            for port, value in (vars(steps[step]).get("inputs") or {}).items():
                for source in sorted(find_sources(value, steps) & apart):
                    words = (
                        f"'{step}' is in the {key} of '{name}' and '{source}' is in its {other}, so only one of the "
                        "two runs; read the output of another step"
                    )
                    reader.add_problem((*path, "jobs", step, "inputs", port), words)


def _find_steps_below(names: Iterable[str], steps: Mapping[str, Any]) -> set[str]:
    """Return the steps of these names and those in their blocks, at whatever depth."""
    found: set[str] = set()
    left = [name for name in names if name in steps]
    while left:
        name = left.pop()
        if name not in found:
            found.add(name)
            left += [one for block in find_blocks(steps[name]).values() for one in block if one in steps]
    return found


def _check_do_while(node: DoWhile, names: PipelineNames, where: Path, reader: Reader) -> None:
    steps = names.steps
    step = steps.get(next(iter(find_blocks(node)["body"]), ""))
    if step is None or node._partial:
        return
    body = find_blocks(node)["body"][0]
    mapped = [*node.mapping, *find_mapped_texts(node)]
    for key, text in (("condition", node.condition), *(("mapping", one) for one in mapped)):
        found = parse_binding(text) if isinstance(text, str) else None
        if found is None or found.job not in steps or found.job == body:
            continue
        if not isinstance(steps[str(found.job)], (IfElse, DoWhile)):  # told with the other expressions
            reader.add_problem((*where, key), f"'{text}' names '{found.job}', and the body is '{body}'; name the body")
        return
    outputs, inputs = list_outputs(step), list_inputs(step)
    if outputs is not None:
        _check_outputs_of_body(node, outputs, where, reader)
    for name in find_mapped_inputs(node) if inputs is not None else ():
        if inputs is not None and name not in inputs:
            reader.add_problem((*where, "mapping"), f"the body has no input '{name}'{did_you_mean(name, inputs)}")
    component = find_whole_component(step)
    for name, output in find_mapped_inputs(node).items():
        written, place = (outputs or {}).get(output), (*where, "mapping", output)
        if not isinstance(written, Output):
            continue
        declared = component.inputs.get(name) if component is not None else None
        if isinstance(declared, Input):
            source = f"the output '{output}' of the body"
            check_types(written.type or "uri_folder", declared.type, place, reader, source, name)
        if not reader.on_wire:
            check_bound_output(step, name, output, written, names, place, reader)


def _check_outputs_of_body(node: DoWhile, outputs: Mapping[str, Any], where: Path, reader: Reader) -> None:
    """Check that the body has the outputs that the condition and the mapping name."""
    if isinstance(node.condition, str):
        name = parse_port_name(node.condition)
        if name not in outputs and name.lower() not in ("true", "false"):
            reader.add_problem((*where, "condition"), f"the body has no output '{name}'{did_you_mean(name, outputs)}")
        else:
            _check_is_value(outputs.get(name), (*where, "condition"), reader)
    for name in dict.fromkeys(find_mapped_inputs(node).values()):
        if name not in outputs:
            reader.add_problem((*where, "mapping"), f"the body has no output '{name}'{did_you_mean(name, outputs)}")


def _check_is_value(output: Any, path: Path, reader: Reader) -> None:
    kind = getattr(output, "type", None)
    if kind in ("integer", "number"):
        reader.add_problem(path, f"the condition is a boolean, and that output is of type {kind}; declare a boolean")
    elif kind is not None and kind not in PRIMITIVES:
        reader.add_problem(path, f"the condition is a boolean, and that output is data ({kind})")
