"""The text that bash runs: the user's command with its expressions replaced."""

from __future__ import annotations

from collections.abc import Mapping

from smalt.entities.syntax.expression import Expression, OptionalBlock, has_all_inputs, parse_command, resolve_port
from smalt.exceptions import ValidationException


def render_command(
    command: str, inputs: Mapping[str, str], outputs: Mapping[str, str], macros: Mapping[str, str]
) -> str:
    """`command` with `${{inputs.x}}` and the like filled in; a `$[[…]]` block only where all it names has a value."""
    text = ""
    for part in parse_command(command):
        if isinstance(part, OptionalBlock):
            if has_all_inputs(part, inputs):
                text += "".join(_render_part(one, inputs, outputs, macros) for one in part.parts)
        else:
            text += _render_part(part, inputs, outputs, macros)
    return text


def _render_part(
    part: str | Expression, inputs: Mapping[str, str], outputs: Mapping[str, str], macros: Mapping[str, str]
) -> str:
    if isinstance(part, str):
        return part
    if part.kind in macros:
        return macros[part.kind]
    values = {"inputs": inputs, "outputs": outputs}.get(part.kind, {})
    port = resolve_port(part.name, values)
    if port is not None:
        return values[port]
    if part.kind in ("inputs", "outputs"):
        known = ", ".join(sorted(values)) or "none"
        raise ValidationException(
            f"the command uses {part.text}, but this job has no value for that {part.kind[:-1]} (it has: {known}); "
            "give it one, or put the argument in an optional block $[[…]]"
        )
    return part.text
