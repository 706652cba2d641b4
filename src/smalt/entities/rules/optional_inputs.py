"""The check that an optional input without a default stands only in a `$[[…]]` block of the command."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from smalt.entities.jobs.inputs import Input
from smalt.entities.schema.problems import Path
from smalt.entities.syntax.expression import Expression, parse_command

if TYPE_CHECKING:
    from smalt.entities.schema.reader import Reader


def check_optional(component: Any, path: Path, reader: Reader) -> None:
    """Check the command of a component, unless it is registered: an older smalt may have accepted it."""
    command = vars(component).get("command")
    if reader.on_wire or not isinstance(command, str):
        return
    outside = [part for part in parse_command(command) if isinstance(part, Expression) and part.kind == "inputs"]
    for expression in dict.fromkeys(outside):
        declared = component.inputs.get(expression.name)
        if isinstance(declared, Input) and declared.optional and declared.default is None:
            words = (
                f"the input '{expression.name}' is optional and has no default; give it one, or put "
                f"'{expression.text}' into a '$[[…]]' block of the command, which is left out without it"
            )
            reader.add_problem((*path, "command"), words)
