"""Resolution of the expressions in a pipeline's nodes, once the pipeline's own inputs are known."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from smalt.entities import Input, Output
from smalt.entities.schema.entity import Entity
from smalt.entities.syntax.expression import MACROS, Expression, has_expression, parse_binding, parse_text, resolve_port
from smalt.entities.syntax.literals import PRIMITIVES, to_text
from smalt.exceptions import ValidationException
from smalt.service.secrets.references import convert_between


@dataclass
class BindingScope:
    """The names that the nodes of one pipeline can see."""

    pipeline: str
    inputs: Mapping[str, Any]
    """The pipeline's inputs: bare values, or Input with a path."""
    outputs: Mapping[str, Output]
    bound_inputs: Callable[[str], Mapping[str, Any]]
    """Gives the inputs of a node, as they are bound."""
    read_value: Callable[[str, Input], str]
    """Reads the value that a step before this pipeline wrote for an input of a primitive type."""
    made: dict[str, Mapping[str, Output]] = field(default_factory=dict)
    """node → where its outputs are written, by name."""
    artifacts: dict[str, str] = field(default_factory=dict)
    """node → the URI of its artifact root."""

    def resolve_value(self, text: str, node_job: str = "") -> Any:
        """The literal or data that a text stands for; `node_job` is the name of the job whose input it is."""
        alone = parse_binding(text)
        return (
            self.resolve_text(text, node_job)
            if alone is None or alone.kind == "name"
            else self._resolve_expression(alone)
        )

    def resolve_text(self, text: str, node_job: str = "") -> str:
        """The text with the literals that it names put in; data cannot be in it."""
        return "".join(
            part if isinstance(part, str) else self._resolve_part(part, node_job) for part in parse_text(text)
        )

    def resolve_path(self, text: str | None) -> str | None:
        """The path of an output with the literals that it names put in; its macros are its step's to fill in."""
        if not has_expression(text):
            return text
        parts = parse_text(str(text))
        return "".join(
            part if isinstance(part, str) else part.text if part.kind in MACROS else self._resolve_part(part, "")
            for part in parts
        )

    def resolve_field(self, value: Any) -> Any:
        """A setting of a node, be it a text or made of many, with the literals that it names put in."""
        if isinstance(value, str):
            return convert_between(value, self.resolve_text) if has_expression(value) else value
        if isinstance(value, Entity):
            plain = value.to_dict()
            filled = self.resolve_field(plain)
            return value if filled == plain else type(value).from_dict(filled)
        if isinstance(value, Mapping):
            return {key: self.resolve_field(item) for key, item in value.items()}
        return [self.resolve_field(item) for item in value] if isinstance(value, (list, tuple)) else value

    def _resolve_part(self, expression: Expression, node_job: str) -> str:
        if expression.kind == "name" and node_job:
            return node_job
        found = self._resolve_expression(expression)
        if isinstance(found, Input) and found.type in PRIMITIVES and expression.kind == "parent.inputs":
            return self.read_value(expression.name, found)  # its step has ended before this pipeline began
        if isinstance(found, (Input, Output)):
            raise self._make_error(f"{expression.text} is data or made by a step, and cannot be within text")
        return "" if found is None else to_text(found)

    def _resolve_expression(self, expression: Expression) -> Any:
        if expression.kind == "parent.inputs":
            port = resolve_port(expression.name, self.inputs)
            return None if port is None else self.inputs[port]
        if expression.kind == "parent.jobs.inputs":
            return self._find_node_input(expression)
        if expression.kind == "parent.jobs.outputs":
            return self._find_node_output(expression)
        raise self._make_error(f"{expression.text} cannot stand here")

    def find_output(self, text: str) -> tuple[str, Output] | None:
        """The name and the place of the pipeline's output that a text is bound to."""
        alone = parse_binding(text)
        if alone is None or alone.kind != "parent.outputs":
            return None
        port = resolve_port(alone.name, self.outputs)
        if port is None:
            raise self._make_error(f"{alone.text} names no output of it")
        return port, self.outputs[port]

    def _find_node_input(self, expression: Expression) -> Any:
        known = self.bound_inputs(str(expression.job))
        value = known.get(resolve_port(expression.name, known) or "")
        bound = value.path if isinstance(value, Input) else value
        if not isinstance(bound, str) or not has_expression(bound):
            return value
        found = self.resolve_value(bound)
        return found if not isinstance(value, Input) or isinstance(found, Input) else copy_with(value, path=found)

    def _find_node_output(self, expression: Expression) -> Input:
        job = str(expression.job)
        made = self.made.get(job, {})
        port = resolve_port(expression.name, made)
        if port is not None:
            return Input(type=made[port].type, path=made[port].path)
        if resolve_port(expression.name, ("artifacts",)) and job in self.artifacts:
            return Input(type="uri_folder", path=self.artifacts[job])
        raise self._make_error(f"node '{job}' has no output '{expression.name}'")

    def _make_error(self, words: str) -> ValidationException:
        return ValidationException(f"pipeline '{self.pipeline}': {words}")


def resolve_input(value: Any, scope: BindingScope, job: str) -> Any:
    """Return the value of an input with its expressions filled in; `job` is the name of the job whose input it is."""
    if has_expression(value):
        return scope.resolve_value(value, job)
    if isinstance(value, Input) and has_expression(value.path):
        found = scope.resolve_value(value.path or "", job)
        path = found.path if isinstance(found, Input) else found
        kind = value.type or (found.type if isinstance(found, Input) else None)
        return None if path is None else copy_with(value, path=path, type=kind)
    return value


def copy_with(entity: Any, **changes: Any) -> Any:
    """A copy with some attributes changed."""
    from copy import copy

    changed = copy(entity)
    for name, value in changes.items():
        setattr(changed, name, value)
    return changed


def fill_expressions(text: str, values: Mapping[str, str]) -> str:
    """The text with the expressions of these kinds, such as "name", filled in."""
    return "".join(part if isinstance(part, str) else values.get(part.kind, part.text) for part in parse_text(text))


def expand_macros(path: str, *, name: str, output: str, datastore: str) -> str:
    """The path with the service's macros filled in; `${{name}}` is the step's job name, not its pipeline's."""
    if not has_expression(path):
        return path
    return fill_expressions(path, {"name": name, "output_name": output, "default_datastore": datastore})
