"""The check that the inputs of steps are given data that can be of their types, wherever it comes from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from smalt.entities.jobs.inputs import Input, Output
from smalt.entities.rules.bindings import PipelineNames, find_whole_component
from smalt.entities.rules.content import Source, explain_type_mismatch
from smalt.entities.rules.prebuilt_steps import Readers, ReadPort, find_port
from smalt.entities.rules.writers import find_writer
from smalt.entities.schema.problems import Path
from smalt.entities.steps.dependencies import get_text, resolve_source
from smalt.entities.steps.step_types import get_component
from smalt.entities.syntax.expression import Expression, has_expression, parse_binding, resolve_port

if TYPE_CHECKING:
    from smalt.entities.schema.reader import Reader


_OF_PIPELINE = "give the pipeline such a folder with 'type: {type}'"
_OF_STEP = "write such a folder and declare that output as {type}"
_OF_COMPONENT = "write such a folder and declare it as {type} in the component of %s"


def check_bound_types(
    step: Any, inputs: Mapping[str, Any], names: PipelineNames, path: Path, reader: Reader, owner: str = "step"
) -> None:
    """Check the types of what a step's inputs are given; `path` is that of the inputs, whose `owner` may be another.

    An input of mode direct is text, and prebuilt components read a file as a table.
    """
    component = find_whole_component(step)
    for name, value in inputs.items():
        declared = component.inputs.get(name) if component is not None else None
        source = find_source(value, names)
        if source is None:
            continue
        words = _explain_mismatch(step, name, value, declared, source, names, owner)
        if words is not None:
            reader.add_problem((*path, name), words)


def check_bound_output(
    step: Any, name: str, output: str, written: Output, names: PipelineNames, path: Path, reader: Reader
) -> None:
    """Check the type of an output of a loop's body that the next round has as the input of this name."""
    component = find_whole_component(step)
    declared = component.inputs.get(name) if component is not None else (vars(step).get("inputs") or {}).get(name)
    if not isinstance(declared, Input):
        return
    source = _describe_output(output, "the body", "", written, step, names)
    words = _explain_mismatch(step, name, None, declared, source, names) if source is not None else None
    if words is not None:
        reader.add_problem(path, words)


def _explain_mismatch(
    step: Any, name: str, value: Any, declared: Any, source: Source, names: PipelineNames, owner: str = "step"
) -> str | None:
    """Return the sentence for a file that the step, or one in the pipeline that it is, takes for a folder; else None.

    None also if the input is only text to the step, or all that read it take a file as a table.
    """
    origin = ReadPort(source.type, source.mode)
    port = find_port(value, declared, origin)
    if source.type != "uri_file" or port.mode == "direct":
        return None
    readers = Readers(step, name, value, names.read_component, origin)
    words = explain_type_mismatch(name, port.type, source, owner)
    if words is not None:
        return None if readers.take_files() else words
    inner = readers.find_inner_marked()
    return explain_type_mismatch(inner.input, inner.port.type, source, owner, ".".join(inner.steps)) if inner else None


def find_source(value: Any, names: PipelineNames) -> Source | None:
    """Return where the data of an input comes from; None if that is not known, or it is no data.

    Nor is it known of an output that is given another type than its component's: that is told where it stands.
    """
    text = get_text(value)
    if not has_expression(text):
        return Source(value.type, mode=value.mode) if isinstance(value, Input) else None
    expression = parse_binding(text)
    found = resolve_source(expression, names.steps) if expression is not None else None
    if not isinstance(found, Expression):
        return find_source(found, names) if isinstance(found, Input) and not has_expression(found.path) else None
    if found.kind == "parent.inputs":
        port = resolve_port(found.name, names.inputs)
        given = names.inputs[port] if port is not None else None
        if not isinstance(given, Input):
            return None
        return Source(given.type, f"the pipeline's input '{port}'", _OF_PIPELINE, given.mode)
    if found.kind != "parent.jobs.outputs" or found.job not in names.steps:
        return None
    outputs = names.list_ports(str(found.job), "outputs") or {}
    port = resolve_port(found.name, outputs)
    written = outputs[port] if port is not None else None
    step = names.steps[str(found.job)]
    own = (vars(step).get("outputs") or {}).get(port)
    if not isinstance(written, Output) or (isinstance(own, Output) and own.type not in (None, written.type)):
        return None
    return _describe_output(str(port), f"'{found.job}'", str(found.job), written, step, names)


def _describe_output(name: str, of: str, job: str, written: Output, step: Any, names: PipelineNames) -> Source | None:
    """Return what an output of a step is; of a nested pipeline, what the step in it writes. None if that is wrong."""
    words = f"the output '{name}' of {of}"
    if written.type != "uri_file":
        inner = find_writer(step, name, names.read_component)
        if inner is not None and inner.output is None:
            return None
        if inner is not None and inner.output is not None:
            place = ".".join(filter(None, (job, *inner.steps)))
            remedy = _OF_COMPONENT % f"'{place}'" if inner.has_component else _OF_STEP
            return Source(inner.output.type, f"{words}, which '{place}' writes,", remedy)
    remedy = _OF_STEP if get_component(step) is None else _OF_COMPONENT % of
    return Source(written.type, words, remedy)
