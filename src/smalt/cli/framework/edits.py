"""The edits of `update`: --set, --add and --remove on the YAML-shaped dictionary of an entity."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from smalt.cli.framework.arguments import SEPARATOR

if TYPE_CHECKING:
    from smalt.yaml.overrides import Setting

_NAMING = frozenset({"name", "version", "endpoint_name"})
_STEP = re.compile(r"[^.\[\]]+|\[\d+\]")


def pairs(values: Sequence[str], option: str = "--set") -> list[tuple[str, str]]:
    """Each `key=value` split at its first equals sign."""
    result = []
    for value in values:
        key, equals, text = value.partition("=")
        if not equals or not key.strip():
            raise click.UsageError(f"{option} takes KEY=VALUE, and '{value}' is not one")
        if not text and key.strip() in _NAMING:
            raise click.UsageError(f"{option} {key.strip()}= gives no {key.strip()}; is a variable of the shell unset?")
        result.append((key.strip(), text))
    return result


def tags(values: Sequence[str]) -> dict[str, str]:
    return dict(pairs([value for value in values if value], "--tags"))


def additions(document: Mapping[str, Any], adds: Sequence[str], are_texts: bool = False) -> list[Setting]:
    """What --add puts at the ends of lists of `document`."""
    from smalt.yaml.overrides import Setting

    result: list[Setting] = []
    lengths: dict[str, int] = {}
    for path, *values in _groups(adds, "--add", "a list and what to add to it", 2):
        at = lengths.setdefault(path, _length(document, _steps(path)))
        for number, value in enumerate(values, at):
            key, equals, text = value.partition("=")
            is_pair = equals and not value.lstrip().startswith(("{", "[", '"'))
            name = f"{path}[{number}].'{key}'" if is_pair else f"{path}[{number}]"
            result.append(Setting(f"--add {path}", name, text if is_pair else value, not are_texts))
        lengths[path] = at + len(values)
    return result


def remove(document: dict[str, Any], removes: Sequence[str]) -> None:
    """Take out of `document` what --remove names."""
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


def _length(document: Any, steps: list[str | int]) -> int:
    """How many items the list has at these steps; a list that is not there yet has none."""
    here = document
    for step in steps:
        try:
            here = here[step]
        except KeyError:
            return 0
        except (IndexError, TypeError):
            _missing(f"there is no '{_path(steps)}'")
    if here is not None and not isinstance(here, list):
        _missing(f"'{_path(steps)}' is not a list, so nothing can be added to it")
    return len(here or ())


def _remove(document: dict[str, Any], steps: list[str | int]) -> None:
    holder = document
    try:
        for step in steps[:-1]:
            holder = holder[step]  # type: ignore[index]
        del holder[steps[-1]]  # type: ignore[arg-type]
    except (KeyError, IndexError, TypeError):
        _missing(f"there is no '{_path(steps)}' to remove")


def _path(steps: list[str | int]) -> str:
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps).lstrip(".")


def _missing(sentence: str) -> None:
    raise click.UsageError(sentence)
