"""The edits of `update`: --set, --add and --remove on the YAML-shaped dictionary of an entity, as `az` applies them."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

import click

from smalt.cli.arguments import SEPARATOR

_STEP = re.compile(r"[^.\[\]]+|\[\d+\]")


def pairs(values: Sequence[str], option: str = "--set") -> list[tuple[str, str]]:
    """Each `key=value` split at its first equals sign."""
    result = []
    for value in values:
        key, equals, text = value.partition("=")
        if not equals or not key.strip():
            raise click.UsageError(f"{option} takes KEY=VALUE, and '{value}' is not one")
        result.append((key.strip(), text))
    return result


def tags(values: Sequence[str]) -> dict[str, str]:
    return dict(pairs([value for value in values if value], "--tags"))


def apply(
    document: dict[str, Any],
    *,
    sets: Sequence[str] = (),
    adds: Sequence[str] = (),
    removes: Sequence[str] = (),
    force_string: bool = False,
) -> None:
    """Edit `document` in place: first what is set, then what is added to lists, then what is removed."""
    for key, text in pairs(sets):
        _put(document, _steps(key), _value(text, force_string))
    for path, *values in _groups(adds, "--add", "a list and what to add to it", 2):
        for value in values:
            _append(document, _steps(path), _item(value, force_string))
    for path, *index in _groups(removes, "--remove", "what to remove", 1):
        _remove(document, [*_steps(path), *(_index(text) for text in index)])


def _groups(options: Sequence[str], option: str, takes: str, least: int) -> list[list[str]]:
    groups = [text.split(SEPARATOR) for text in options]
    if any(len(group) < least or not group[0] for group in groups):
        raise click.UsageError(f"{option} takes {takes}")
    return groups


def _index(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise click.UsageError(f"--remove takes a key and, for a list, a number; '{text}' is not a number") from None


def _steps(path: str) -> list[str | int]:
    steps: list[str | int] = [int(step[1:-1]) if step.startswith("[") else step for step in _STEP.findall(path)]
    if not steps:
        _missing(f"'{path}' names no key; write it as a.b or list[0].b")
    return steps


def _value(text: str, force_string: bool) -> Any:
    """JSON where the text is JSON, as `az` has it, else the text itself."""
    if force_string:
        return text
    try:
        return json.loads(text)
    except ValueError:
        return text


def _item(text: str, force_string: bool) -> Any:
    key, equals, value = text.partition("=")
    if equals and not text.lstrip().startswith(("{", "[", '"')):
        return {key: _value(value, force_string)}
    return _value(text, force_string)


def _put(document: dict[str, Any], steps: list[str | int], value: Any) -> None:
    holder = _walk(document, steps[:-1], make=True)
    last = steps[-1]
    is_item = isinstance(holder, list) and isinstance(last, int) and last < len(holder)
    if not is_item and not (isinstance(holder, dict) and isinstance(last, str)):
        _missing(f"there is no '{_path(steps)}' to set")
    holder[last] = value


def _append(document: dict[str, Any], steps: list[str | int], value: Any) -> None:
    holder = _walk(document, steps[:-1], make=True)
    items = holder.setdefault(steps[-1], []) if isinstance(holder, dict) else None
    if not isinstance(items, list):
        _missing(f"'{_path(steps)}' is not a list, so nothing can be added to it")
    else:
        items.append(value)


def _remove(document: dict[str, Any], steps: list[str | int]) -> None:
    holder = _walk(document, steps[:-1], make=False)
    try:
        del holder[steps[-1]]
    except (KeyError, IndexError, TypeError):
        _missing(f"there is no '{_path(steps)}' to remove")


def _walk(document: Any, steps: list[str | int], make: bool) -> Any:
    here = document
    for step in steps:
        if make and isinstance(here, dict) and here.get(str(step)) is None:
            here[step] = {}
        try:
            here = here[step]
        except (KeyError, IndexError, TypeError):
            _missing(f"there is no '{_path(steps)}'")
    return here


def _path(steps: list[str | int]) -> str:
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps).lstrip(".")


def _missing(sentence: str) -> None:
    raise click.UsageError(sentence)
