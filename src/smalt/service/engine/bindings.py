"""What the expressions of a pipeline's nodes stand for, once the pipeline's own inputs are known."""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass, field
from typing import Any

from smalt.entities import Input, Output
from smalt.entities.expression import Expression, parse
from smalt.exceptions import ValidationException
from smalt.service.secrets.references import around


@dataclass
class Scope:
    """The names that a node of one pipeline can see."""

    pipeline: str
    inputs: Mapping[str, Any]
    """The pipeline's inputs: bare values, or Input with a path."""
    outputs: Mapping[str, Output]
    nodes: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    """Inputs of the nodes planned so far."""
    made: dict[tuple[str, str], Output] = field(default_factory=dict)
    """(node, output) → where it is written."""
    artifacts: dict[str, str] = field(default_factory=dict)
    """node → the URI of its artifact root."""

    def value(self, binding: str) -> tuple[Any, set[str]]:
        """What `binding` stands for and the nodes that it makes wait; a text with other text in it stays text."""
        parts = parse(binding)
        if len(parts) == 1 and isinstance(parts[0], Expression):
            return self._one(parts[0])
        needs: set[str] = set()
        text = ""
        for part in parts:
            if isinstance(part, Expression):
                value, more = self._one(part)
                needs |= more
                text += _as_text(value)
            else:
                text += part
        return text, needs

    def text(self, value: Any) -> Any:
        """A string with the pipeline's inputs put in; anything else as it is."""
        if not isinstance(value, str) or "${{" not in value:
            return value
        return around(value, lambda text: str(_as_text(self.value(text)[0])))

    def _one(self, expression: Expression) -> tuple[Any, set[str]]:
        if expression.kind == "parent.inputs":
            return self.inputs.get(_port(expression, self.inputs)), set()
        if expression.kind == "parent.outputs" and (name := _port(expression, self.outputs)) in self.outputs:
            return self.outputs[name], set()
        if expression.kind == "parent.jobs" and (job := expression.job) is not None:
            if expression.port == "inputs":
                known = self.nodes.get(job, {})
                return known.get(_port(expression, known)), set()
            whole = f"{expression.name}.{expression.rest}"
            return self._of_node(job, whole if (job, whole) in self.made else expression.name)
        if expression.kind == "macro":
            return expression.text, set()
        raise ValidationException(f"pipeline '{self.pipeline}': {expression.text} names nothing that it has")

    def _of_node(self, job: str, name: str) -> tuple[Any, set[str]]:
        if (job, name) in self.made:
            output = self.made[(job, name)]
            return Input(type=output.type, path=output.path), {job}
        if name == "artifacts" and job in self.artifacts:
            return Input(type="uri_folder", path=self.artifacts[job]), {job}
        raise ValidationException(f"pipeline '{self.pipeline}': node '{job}' has no output '{name}'")


def _port(expression: Expression, known: Container[str]) -> str:
    """The name of an input or output; that of one in a group has a dot: `${{parent.inputs.params.ratio}}`."""
    whole = f"{expression.name}.{expression.rest}"
    return whole if expression.rest and whole in known else expression.name


def needs_of(value: Any) -> set[str]:
    """The nodes whose outputs a node's input refers to."""
    text = value.path if isinstance(value, Input) else value
    if not isinstance(text, str) or "${{" not in text:
        return set()
    return {
        part.job for part in parse(text) if isinstance(part, Expression) and part.kind == "parent.jobs" and part.job
    }


def is_bound(value: Any) -> bool:
    return isinstance(value, str) and "${{" in value


def expand_macros(path: str, *, name: str, output: str, datastore: str) -> str:
    """The service's macros in output paths; `${{name}}` is the step's job name, not its pipeline's."""
    for macro, value in (("name", name), ("output_name", output), ("default_datastore", datastore)):
        path = path.replace("${{" + macro + "}}", value).replace("${{ " + macro + " }}", value)
    return path


def _as_text(value: Any) -> str:
    if isinstance(value, (Input, Output)):
        return value.path or ""
    return "" if value is None else str(value)
