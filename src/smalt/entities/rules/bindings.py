"""Checks of the expressions in a pipeline's steps: each must be allowed in its place and name something that exists."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from smalt.entities.assets.component import Component
from smalt.entities.assets.flow import FlowComponent
from smalt.entities.jobs.control_flow import DoWhile, IfElse, ParallelFor, find_blocks, get_gathered_type
from smalt.entities.jobs.inputs import Output
from smalt.entities.rules import places
from smalt.entities.rules.expressions import check_port, check_text, describe_empty_input, find_texts, is_data
from smalt.entities.rules.places import TextPlace
from smalt.entities.schema.problems import Path, did_you_mean, join_words
from smalt.entities.steps.dependencies import get_text, resolve_source, resolve_steps
from smalt.entities.steps.nodes import Node
from smalt.entities.syntax.expression import Expression, find_expressions, has_expression, parse_binding, resolve_port

if TYPE_CHECKING:
    from smalt.entities.schema.reader import Reader

_TOLD_ELSEWHERE = (places.COMMAND, places.ARGUMENTS)
"""The texts that name a step's own inputs and outputs, which the step checks itself."""

_FREE_OUTPUTS = ("import", "do_while", "parallel_for", "if_else")


def find_nothing(reference: str) -> None:
    """Return None for any component, as whoever has no server does."""


class PipelineNames(NamedTuple):
    """The names that a pipeline's expressions can refer to.

    `raw` also holds parts of the document that could not be read; their problems were reported already.
    """

    inputs: dict[str, Any]
    outputs: Mapping[str, Any]
    steps: Mapping[str, Any]
    raw: Mapping[str, Mapping[str, Any]]
    path: Path = ()
    """The path of the pipeline in its document."""
    empty: Collection[str] = ()
    """The inputs that have no value."""
    read_component: Callable[[str], Component | None] = find_nothing
    """Returns the component that a reference names, or None where only the server knows it."""

    def find_problem(self, expression: Expression) -> str | None:
        if expression.kind in ("parent.inputs", "parent.outputs"):
            word = expression.kind.removeprefix("parent.")
            known = self.inputs if word == "inputs" else self.outputs
            if word == "inputs" and expression.name in self.empty:
                return describe_empty_input(expression.name)
            if (
                resolve_port(expression.name, known) is None
                and resolve_port(expression.name, self.raw[word]) is not None
            ):
                return None
            return check_port(expression, known, f"{word[:-1]} of the pipeline", f"parent.{word}.")
        return self._check_step_expression(expression) if expression.job is not None else None

    def _check_step_expression(self, expression: Expression) -> str | None:
        job = str(expression.job)
        if job not in self.steps:
            if job in self.raw["jobs"]:
                return None
            return f"'{expression.text}' names no step{did_you_mean(job, self.steps)}"
        if expression.kind == "parent.jobs":
            return None
        word = expression.kind.removeprefix("parent.jobs.")
        if isinstance(self.steps[job], (DoWhile, IfElse)):
            inside = [f"'{step}'" for block in find_blocks(self.steps[job]).values() for step in block]
            steps = f": {join_words(inside, 'or')}" if inside else ""
            return (
                f"'{expression.text}' names {self.steps[job].noun}, which has no {word} of its own; "
                f"name those of a step in its blocks{steps}"
            )
        ports = self.list_ports(job, word)
        if ports is None:
            return None
        of = f"{word[:-1]} of the step '{job}'"
        sentence = check_port(expression, ports, of, f"parent.jobs.{job}.{word}.")
        if sentence is None and word == "inputs":
            source = resolve_source(expression, self.steps)
            if isinstance(source, Expression) and source.kind == "parent.jobs.inputs" and source.job in self.steps:
                return f"'{expression.text}' leads back to itself; give one of these inputs a value"
        return sentence

    def list_ports(self, job: str, word: str) -> Mapping[str, Any] | None:
        """Return the inputs or outputs of a step by name, or None if only the server can know them."""
        step = self.steps[job]
        if isinstance(step, ParallelFor):
            return self._list_gathered(step) if word == "outputs" else {}
        if step._partial:
            return _find_written_ports(self.raw["jobs"].get(job), word)
        return list_inputs(step) if word == "inputs" else list_outputs(step)

    def _list_gathered(self, loop: ParallelFor) -> Mapping[str, Any] | None:
        """Return the outputs of a loop over items, as they are gathered from those of its body."""
        body = next((step for step in find_blocks(loop)["body"] if step in self.steps), None)
        if body is None or isinstance(self.steps[body], (DoWhile, IfElse, ParallelFor)):
            return None
        ports = self.list_ports(body, "outputs")
        own = vars(loop).get("outputs") or {}
        return ports and {
            name: Output(type=getattr(own.get(name), "type", None) or get_gathered_type(getattr(port, "type", None)))
            for name, port in ports.items()
        }

    def is_data(self, expression: Expression) -> bool | None:
        """Return True for data and for values that a step writes, False for literals, None if unknown."""
        if expression.kind == "parent.inputs":
            port = resolve_port(expression.name, self.inputs)
            return None if port is None else is_data(self.inputs[port])
        if expression.kind in ("parent.outputs", "parent.jobs.outputs"):
            return True
        source = resolve_source(expression, self.steps)
        if isinstance(source, Expression):
            return None if source.kind == "parent.jobs.inputs" else self.is_data(source)
        step = self.steps.get(str(expression.job))
        component = find_whole_component(step) if step is not None else None
        declared = component.inputs if component is not None else {}
        port = resolve_port(expression.name, declared)
        return is_data(source) if port is None or is_data(declared[port]) is not True else True

    def find_advice(self, expression: Expression, place: TextPlace) -> str:
        """Return advice for a refused expression: for a pipeline's output, the output of the step that writes it."""
        for name, step in self.steps.items() if expression.kind == "parent.outputs" else ():
            for output, value in (vars(step).get("outputs") or {}).items():
                bound = parse_binding(get_text(value))
                if bound is not None and (bound.kind, bound.name) == (expression.kind, expression.name):
                    written = f"${{{{parent.jobs.{name}.outputs.{output}}}}}"
                    return f"write the output of the step that writes it: '{written}'"
        return place.advice


def _find_written_ports(step: Any, word: str) -> Mapping[str, Any] | None:
    """Return the ports of an inline step that could be read only in part, as far as its document has them."""
    if not isinstance(step, Mapping) or "component" in step or "trial" in step:
        return None
    ports = step.get(word)
    return ports if isinstance(ports, Mapping) else None


def find_whole_component(step: Any) -> Component | None:
    """Return the component of a step if it was read without problems."""
    fields = vars(step)  # not getattr: a step that has none asks its component, at length
    component = fields.get("trial") or fields.get("component")
    return component if isinstance(component, Component) and not component._partial else None


def list_outputs(step: Node) -> Mapping[str, Any] | None:
    """Return the outputs of a step by name, or None if only the server can know them."""
    return _list_ports(step, "outputs")


def list_inputs(step: Node) -> Mapping[str, Any] | None:
    return _list_ports(step, "inputs")


def find_undeclared_inputs(step: Node) -> list[str]:
    """Return the inputs that an inline step names and does not have: the items of a loop give them."""
    own = vars(step).get("inputs") or {}
    texts = [text for where, text in find_texts(step, ()) if where[0] not in ("inputs", "outputs")]
    named = [one.name for text in texts for one in find_expressions(text) if one.kind == "inputs"]
    return [name.removesuffix(".path") for name in dict.fromkeys(named) if resolve_port(name, own) is None]


def _list_ports(step: Node, word: str) -> Mapping[str, Any] | None:
    if step._partial:
        return None
    own: Mapping[str, Any] = getattr(step, word, None) or {}
    component = find_whole_component(step)
    if component is not None:
        if isinstance(component, FlowComponent):
            return None
        declared: Mapping[str, Any] = getattr(component, word)
        return {**own, **declared} if word == "outputs" else {**declared, **own}
    has_component = vars(step).get("component") is not None or vars(step).get("trial") is not None
    if has_component or step.type in _FREE_OUTPUTS:
        return None
    always = {name: Output(type=kind) for name, kind in step._own_outputs.items()} if word == "outputs" else {}
    return {**always, **own}


def check_step(step: Node, names: PipelineNames, path: Path, reader: Reader) -> set[str]:
    """Check every name of the pipeline that a step refers to, and return the steps that it depends on."""
    waits: set[str] = set()
    for where, text in find_texts(step, path):
        within = where[len(path) :]
        place = places.find_step_place(within)
        if place in _TOLD_ELSEWHERE or place.is_free:
            continue
        check_text(text, place, names, where, reader)
        for expression in find_expressions(text):
            waits.update(resolve_steps(expression, names.steps))
    for name, value in (vars(step).get("outputs") or {}).items():
        if isinstance(value, str) and not has_expression(value):
            words = "an output of a step is '${{parent.outputs.NAME}}', or a mapping with 'path' and the like"
            reader.add_problem((*path, "outputs", name), f"{words}, not '{value}'")
    return waits & names.steps.keys() if step.type != "do_while" else set()


def find_unwritten_outputs(
    outputs: Mapping[str, Any], steps: Mapping[str, Any], written: Mapping[str, Any]
) -> Iterator[str]:
    """Yield each output of a pipeline that is to be registered and that no step writes.

    `written` has the steps as their document has them, of which some may not have been read.
    """
    bound = {
        expression.name
        for step in steps.values()
        for value in (vars(step).get("outputs") or {}).values()
        for expression in find_expressions(get_text(value))
        if expression.kind == "parent.outputs"
    }
    named = {
        one.name
        for key, step in written.items()
        if key not in steps or steps[key]._partial
        for one in find_expressions(str(step))
        if one.kind == "parent.outputs"
    }
    for name, output in outputs.items():
        if isinstance(output, Output) and output.name and name not in bound | named:
            yield name
