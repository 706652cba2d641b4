"""`${{…}}` in commands, paths and bindings, and the optional blocks `$[[…]]`."""

from __future__ import annotations

import re
from collections.abc import Container, Iterator
from functools import lru_cache
from typing import NamedTuple

_PATTERN = re.compile(r"\$\{\{\s*([^{}]*?)\s*\}\}")
_BLOCK = re.compile(r"\$\[\[(.*?)\]\]", re.DOTALL)


class Expression(NamedTuple):
    """One `${{…}}`.

    `kind` is "inputs", "outputs", "parent.inputs", "parent.outputs", "parent.jobs", "search_space", "macro" (`name`,
    `output_name`, `default_datastore`, …) or "unknown". `rest` is what follows the name, such as "path".
    """

    text: str
    kind: str
    name: str
    job: str | None = None
    port: str | None = None
    """Of "parent.jobs": "outputs" or "inputs"."""
    rest: str = ""


class Optional(NamedTuple):
    """A `$[[…]]` block: kept only where all the inputs in it have values."""

    text: str
    parts: list[str | Expression]


def parse(text: str) -> list[str | Expression]:
    """The text cut into plain pieces and expressions."""
    parts: list[str | Expression] = []
    end = 0
    for match in _PATTERN.finditer(text):
        if match.start() > end:
            parts.append(text[end : match.start()])
        parts.append(parse_one(match.group(0)))
        end = match.end()
    if end < len(text):
        parts.append(text[end:])
    return parts


def parse_command(text: str) -> list[str | Expression | Optional]:
    """The same, with each `$[[…]]` block as one piece."""
    parts: list[str | Expression | Optional] = []
    end = 0
    for match in _BLOCK.finditer(text):
        parts.extend(parse(text[end : match.start()]))
        parts.append(Optional(match.group(0), parse(match.group(1))))
        end = match.end()
    parts.extend(parse(text[end:]))
    return parts


def trim(command: str, inputs: Container[str]) -> str:
    """`command` without the optional blocks that stay out because an input of theirs has no value."""
    if "$[[" not in command:
        return command
    return "".join(_kept(part, inputs) for part in parse_command(command))


def _kept(part: str | Expression | Optional, inputs: Container[str]) -> str:
    if isinstance(part, Optional) and not is_given(part, inputs):
        return ""
    return part if isinstance(part, str) else part.text


def is_given(block: Optional, inputs: Container[str]) -> bool:
    return all(one.name in inputs for one in block.parts if isinstance(one, Expression) and one.kind == "inputs")


def bindings(text: str) -> Iterator[Expression]:
    """All expressions of a text, also those in optional blocks."""
    if "${{" not in text:
        return iter(())
    return (parse_one(match.group(0)) for match in _PATTERN.finditer(text))


def as_binding(value: object) -> Expression | None:
    """The one expression that a value consists of, or None."""
    if not isinstance(value, str) or not value.lstrip().startswith("${{"):
        return None
    match = _PATTERN.fullmatch(value.strip())
    return parse_one(match.group(0)) if match else None


@lru_cache(maxsize=4096)
def parse_one(text: str) -> Expression:
    match = _PATTERN.fullmatch(text)
    words = match.group(1).split(".") if match else []
    if len(words) >= 3 and words[0] == "parent" and words[1] in ("inputs", "outputs"):
        return Expression(text, f"parent.{words[1]}", words[2], rest=".".join(words[3:]))
    if len(words) >= 5 and words[:2] == ["parent", "jobs"] and words[3] in ("inputs", "outputs"):
        return Expression(text, "parent.jobs", words[4], words[2], words[3], ".".join(words[5:]))
    if len(words) == 3 and words[:2] == ["parent", "jobs"]:
        return Expression(text, "parent.jobs", "", words[2])
    if len(words) >= 2 and words[0] in ("inputs", "outputs", "search_space"):
        return Expression(text, words[0], words[1], rest=".".join(words[2:]))
    if len(words) == 1 and words[0]:
        return Expression(text, "macro", words[0])
    return Expression(text, "unknown", ".".join(words))
