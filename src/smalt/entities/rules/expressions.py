"""Checks of expressions in texts: each must be allowed in its place and name something that exists."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any, Protocol

from smalt.entities.assets.component import Component
from smalt.entities.jobs.inputs import Input, Output
from smalt.entities.rules import places
from smalt.entities.rules.places import TextPlace, Use
from smalt.entities.schema.entity import Entity
from smalt.entities.schema.problems import Path, did_you_mean, find_nearest
from smalt.entities.syntax.expression import (
    KINDS,
    MACROS,
    OPEN,
    OWN,
    Expression,
    find_expressions,
    has_expression,
    has_unclosed_expression,
    parse_binding,
    resolve_port,
)
from smalt.entities.syntax.literals import PRIMITIVES

if TYPE_CHECKING:
    from smalt.entities.schema.reader import Reader

Ports = Mapping[str, Mapping[str, Any]]
"""Inputs, outputs and parameters by name, by kind of expression: "inputs", "outputs", "search_space"."""

_SINGULAR = {"inputs": "input", "outputs": "output", "search_space": "parameter of the search space"}


class NameScope(Protocol):
    """The names that the expressions of a text can refer to."""

    def find_problem(self, expression: Expression) -> str | None:
        """Return the sentence about an expression that names nothing, or None."""

    def is_data(self, expression: Expression) -> bool | None:
        """Return True for data and for values that a step writes, False for literals, None if unknown."""

    def find_advice(self, expression: Expression, place: TextPlace) -> str:
        """Return advice on what to write in place of a refused expression."""


class OwnNames:
    """The inputs and outputs of the noun that a text is in; `words` name it, as in "this command job"."""

    def __init__(self, words: str, ports: Ports, empty: Collection[str] = ()) -> None:
        self._words, self._ports, self._empty = words, ports, empty

    def find_problem(self, expression: Expression) -> str | None:
        ports = self._ports.get(expression.kind)
        if ports is None:
            return None
        if expression.kind == "inputs" and expression.name in self._empty:
            return describe_empty_input(expression.name)
        of = f"{_SINGULAR[expression.kind]} of {self._words}"
        return check_port(expression, ports, of, f"{expression.kind}.")

    def is_data(self, expression: Expression) -> bool | None:
        return None

    def find_advice(self, expression: Expression, place: TextPlace) -> str:
        return place.advice


def find_empty_inputs(data: Mapping[str, Any], path: Path, reader: Reader) -> list[str]:
    """Return the inputs that a document names without a value.

    Clients send such inputs for unset ones, and `--set inputs.x=null` is text, so neither counts.
    """
    inputs = data.get("inputs")
    if reader.on_wire or not isinstance(inputs, Mapping):
        return []
    return [
        name for name, value in inputs.items() if value is None and not reader.get_written_text((*path, "inputs", name))
    ]


def describe_empty_input(name: str) -> str:
    """Return the sentence about an input named without a value."""
    return f"the input '{name}' has no value; write one, or \"\" for empty text"


def check_port(expression: Expression, ports: Mapping[str, Any], of: str, prefix: str) -> str | None:
    """Return the sentence about a missing input or output, or about the `.path` of one that is not data, else None."""
    port = resolve_port(expression.name, ports)
    if port is None:
        stem = expression.name.partition(".")[0]
        hint = did_you_mean(expression.name, ports)
        if not hint and stem in ports:
            hint = f"; write '${{{{{prefix}{stem}}}}}' for all of '{stem}'"
        return f"'{expression.text}' names no {of}{hint}"
    if port != expression.name and is_data(ports[port]) is False:
        return f"'{expression.text}' asks for the path of '{port}', which is not data; write '${{{{{prefix}{port}}}}}'"
    return None


def is_data(port: Any) -> bool | None:
    """Return True if an input or output, given or declared, is data; None if its type is known only elsewhere."""
    if isinstance(port, (Input, Output)):
        return port.type not in PRIMITIVES
    if isinstance(port, str) and has_expression(port):
        return None
    return False if isinstance(port, (str, int, float)) else None


def check_text(text: object, place: TextPlace, known: NameScope, path: Path, reader: Reader) -> None:
    """Report each expression that the place does not allow or that names nothing, and text where none is allowed."""
    if place.is_free or not isinstance(text, str) or not has_expression(text):
        return
    is_alone = parse_binding(text) is not None
    if has_unclosed_expression(text):
        reader.add_problem(path, f"the text has a '${{{{' that is not an expression; write one as '{KINDS['inputs']}'")
    for expression in dict.fromkeys(find_expressions(text)):
        sentence = _check_kind(expression, place, known, reader) or known.find_problem(expression)
        sentence = sentence or _check_use(expression, place, is_alone, known)
        if sentence:
            reader.add_problem(path, sentence)


def _check_kind(expression: Expression, place: TextPlace, known: NameScope, reader: Reader) -> str | None:
    if expression.kind == "unknown":
        return _describe_unknown(expression)
    if expression.kind == "creation_context.trigger_time" and expression.kind in place.uses:
        hint = "has a meaning only in the job of a schedule"
        return None if reader.in_schedule else f"'{expression.text}' {hint}; write the time itself"
    if expression.kind in place.uses:
        return None
    if expression.kind == "search_space" and place not in (places.TRIAL_VARIABLE, places.SPACE_VALUE):
        hint = f"elsewhere declare an input and write '${{{{inputs.{expression.name}}}}}'"
        return f"'{expression.text}' has a meaning only in the trial of a sweep that is a command in place; {hint}"
    advice = known.find_advice(expression, place)
    return f"'{expression.text}' cannot stand in {place.words}{f'; {advice}' if advice else ''}"


def _describe_unknown(expression: Expression) -> str:
    first, _, rest = expression.name.partition(".")
    if first == "parent":
        forms = f"'{KINDS['parent.inputs']}', '{KINDS['parent.outputs']}' or '{KINDS['parent.jobs.outputs']}'"
        return f"'{expression.text}' is none of {forms}"
    if first == "jobs" and rest:
        return f"'{expression.text}' is not an expression; did you mean '${{{{parent.{expression.name}}}}}'?"
    if rest and first in OWN:
        return (
            f"'{expression.text}' is not an expression that smalt knows; a name has letters, digits, '_', '-' and '.'"
        )
    near = find_nearest(first, (*OWN, "parent", "secrets")) if rest else find_nearest(first, MACROS)
    hint = f"; did you mean '${{{{{near}{'.' if rest else ''}{rest}}}}}'?" if near else ""
    return f"'{expression.text}' is not an expression that smalt knows{hint}"


def _check_use(expression: Expression, place: TextPlace, is_alone: bool, known: NameScope) -> str | None:
    """Return the sentence about data, or text around an expression, that the place does not allow, else None."""
    use = place.uses[expression.kind]
    if use is Use.LITERAL and known.is_data(expression):
        return f"'{expression.text}' is data, and {place.words} takes text, numbers and booleans alone"
    if is_alone or use in (Use.TEXT, Use.LITERAL):
        return None
    if use is Use.WHOLE or known.is_data(expression):
        return f"'{expression.text}' is data or a step, so no text can stand around it; {_describe_split(expression)}"
    return None


def _describe_split(expression: Expression) -> str:
    if expression.kind == "parent.outputs":
        return "write it alone, and the rest of the path in the command"
    return "make it an input of its own, and put the text around '${{inputs.NAME}}' in the command"


def check_fields(noun: Any, table: Mapping[str, TextPlace], known: NameScope, path: Path, reader: Reader) -> None:
    """Check the texts of a job or component; `table` maps its keys to places."""
    if reader.is_answer:
        return
    for key, place in table.items():
        owner, _, inner = key.rpartition(".")
        holder = vars(noun).get(owner) if owner else noun
        value = vars(holder).get(inner) if isinstance(holder, Entity) else None
        for where, text in find_texts(value, (*path, *key.split("."))) if value is not None else ():
            check_text(text, places.find_port_place(place, where[len(path) :]), known, where, reader)


def find_texts(value: Any, path: Path) -> list[tuple[Path, str]]:
    """Return every text with an expression in it, with its path. Texts inside components are left out."""
    found: list[tuple[Path, str]] = []
    _add_texts(value, path, found)
    return found


def _add_texts(value: Any, path: Path, found: list[tuple[Path, str]]) -> None:
    if isinstance(value, str):
        if OPEN in value:
            found.append((path, value))
        return
    if isinstance(value, Entity):
        own: Any = () if isinstance(value, Component) else vars(value).items()
        items: Any = [(key, item) for key, item in own if key[0] != "_"]
    elif isinstance(value, dict):
        items = value.items()
    else:
        items = enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        if isinstance(item, (str, dict, list, Entity)) and not (isinstance(item, str) and OPEN not in item):
            _add_texts(item, (*path, key), found)


def check_own(
    noun: Any,
    words: str,
    table: Mapping[str, TextPlace],
    path: Path,
    reader: Reader,
    search_space: Any = None,
    data: Mapping[str, Any] = {},
) -> None:
    """Check the texts of a noun that may name its own inputs and outputs, and those of a sweep its parameters too."""
    ports: dict[str, Mapping[str, Any]] = {"inputs": noun.inputs, "outputs": noun.outputs}
    if search_space is not None:
        ports["search_space"] = search_space
    given = reader.item_inputs.get(path, ())
    if given is None:
        del ports["inputs"]
    else:
        ports["inputs"] = {**dict.fromkeys(given), **noun.inputs}
    empty = find_empty_inputs(data, path, reader)
    if isinstance(noun, Component):  # where inputs are declared, that is told at their place
        ports["inputs"] = {**dict.fromkeys(empty), **ports.get("inputs", {})}
        empty = []
    check_fields(noun, table, OwnNames(words, ports, empty), path, reader)
