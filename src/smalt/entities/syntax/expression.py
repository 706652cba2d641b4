"""The grammar of `${{…}}` in commands, paths and bindings, and of the optional blocks `$[[…]]`.

    inputs.NAME   outputs.NAME   search_space.NAME             of the job, step or component itself
    parent.inputs.NAME   parent.outputs.NAME                   of the pipeline that a step is in
    parent.jobs.STEP   parent.jobs.STEP.inputs.NAME   parent.jobs.STEP.outputs.NAME
    name   output_name   default_datastore   creation_context.trigger_time
    secrets.NAME   keyvault:URL

NAME is all that follows, with its dots: members of groups have them, as in `inputs.params.ratio`.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterator
from functools import lru_cache
from typing import NamedTuple

OPEN = "${{"
_PATTERN = re.compile(r"\$\{\{\s*([^{}]*?)\s*\}\}")
_BLOCK = re.compile(r"\$\[\[(.*?)\]\]", re.DOTALL)
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")

OWN = ("inputs", "outputs", "search_space")
MACROS = ("name", "output_name", "default_datastore", "creation_context.trigger_time")
KINDS = {
    "inputs": "${{inputs.NAME}}",
    "outputs": "${{outputs.NAME}}",
    "search_space": "${{search_space.NAME}}",
    "parent.inputs": "${{parent.inputs.NAME}}",
    "parent.outputs": "${{parent.outputs.NAME}}",
    "parent.jobs.inputs": "${{parent.jobs.STEP.inputs.NAME}}",
    "parent.jobs.outputs": "${{parent.jobs.STEP.outputs.NAME}}",
    "parent.jobs": "${{parent.jobs.STEP}}",
    **{macro: f"${{{{{macro}}}}}" for macro in MACROS},
    "secrets": "${{secrets.NAME}}",
}
"""Every kind of expression, as it is written."""


class Expression(NamedTuple):
    """A `${{…}}`; `kind` is one of KINDS, or "unknown" with all its text as `name`."""

    text: str
    kind: str
    name: str = ""
    job: str | None = None
    """The step that a "parent.jobs…" names."""


class OptionalBlock(NamedTuple):
    """A `$[[…]]` block, which is kept only if all the inputs in it have values."""

    text: str
    parts: list[str | Expression]


def parse_text(text: str) -> list[str | Expression]:
    """Return the text cut into plain pieces and expressions."""
    parts: list[str | Expression] = []
    end = 0
    for match in _PATTERN.finditer(text):
        if match.start() > end:
            parts.append(text[end : match.start()])
        parts.append(parse_expression(match.group(0)))
        end = match.end()
    if end < len(text):
        parts.append(text[end:])
    return parts


def parse_command(text: str) -> list[str | Expression | OptionalBlock]:
    """Return a command cut into plain pieces, expressions and `$[[…]]` blocks."""
    parts: list[str | Expression | OptionalBlock] = []
    end = 0
    for match in _BLOCK.finditer(text):
        parts.extend(parse_text(text[end : match.start()]))
        parts.append(OptionalBlock(match.group(0), parse_text(match.group(1))))
        end = match.end()
    parts.extend(parse_text(text[end:]))
    return parts


def remove_empty_blocks(command: str, inputs: Container[str]) -> str:
    """Return the command without the optional blocks in which an input has no value."""
    if "$[[" not in command:
        return command
    return "".join(_render_part(part, inputs) for part in parse_command(command))


def _render_part(part: str | Expression | OptionalBlock, inputs: Container[str]) -> str:
    if isinstance(part, OptionalBlock) and not has_all_inputs(part, inputs):
        return ""
    return part if isinstance(part, str) else part.text


def has_all_inputs(block: OptionalBlock, inputs: Container[str]) -> bool:
    named = (one for one in block.parts if isinstance(one, Expression) and one.kind == "inputs")
    return all(resolve_port(one.name, inputs) is not None for one in named)


def find_expressions(text: str) -> Iterator[Expression]:
    """Yield every expression of a text, also those in optional blocks."""
    if OPEN not in text:
        return iter(())
    return (parse_expression(match.group(0)) for match in _PATTERN.finditer(text))


def has_unclosed_expression(text: str) -> bool:
    """Return True if the text has a `${{` that no `}}` closes."""
    return text.count(OPEN) > sum(1 for _ in _PATTERN.finditer(text))


def has_expression(value: object) -> bool:
    return isinstance(value, str) and OPEN in value


def parse_binding(value: object) -> Expression | None:
    """Return the one expression that a value consists of, or None."""
    if not isinstance(value, str) or not value.lstrip().startswith(OPEN):
        return None
    match = _PATTERN.fullmatch(value.strip())
    return parse_expression(match.group(0)) if match else None


def resolve_port(name: str, known: Container[str]) -> str | None:
    """Return the input or output that a name refers to: itself, or `data` for `data.path`; None if it is unknown.

    Every lookup of a name comes here, so that a name is the same port everywhere.
    """
    if name in known:
        return name
    data = name.removesuffix(".path")
    return data if data != name and data in known else None


@lru_cache(maxsize=4096)
def parse_expression(text: str) -> Expression:
    match = _PATTERN.fullmatch(text)
    inner = match.group(1) if match else ""
    if inner in MACROS:
        return Expression(text, inner)
    if inner.startswith("keyvault:"):
        return Expression(text, "secrets", inner)
    first, _, name = inner.partition(".")
    if first == "secrets" and name:
        return Expression(text, "secrets", name)
    if first == "parent":
        return _parse_parent(text, name) or Expression(text, "unknown", inner)
    known = first in OWN and _NAME.fullmatch(name)
    return Expression(text, first, name) if known else Expression(text, "unknown", inner)


def _parse_parent(text: str, inner: str) -> Expression | None:
    """Return the expression after `parent.`: a port of the pipeline, a step, or a port of a step."""
    word, _, name = inner.partition(".")
    if word in ("inputs", "outputs"):
        return Expression(text, f"parent.{word}", name) if _NAME.fullmatch(name) else None
    job, _, rest = name.partition(".")
    if word != "jobs" or not _NAME.fullmatch(job):
        return None
    if not rest:
        return Expression(text, "parent.jobs", "", job)
    port, _, name = rest.partition(".")
    known = port in ("inputs", "outputs") and _NAME.fullmatch(name)
    return Expression(text, f"parent.jobs.{port}", name, job) if known else None
