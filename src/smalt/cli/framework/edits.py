"""Edits of `update`: --set, --add and --remove on the YAML dictionary of an entity."""

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


def split_pairs(values: Sequence[str], option: str = "--set") -> list[tuple[str, str]]:
    """Return each `key=value` split at its first equals sign."""
    result = []
    for value in values:
        key, equals, text = value.partition("=")
        if not equals or not key.strip():
            raise click.UsageError(f"{option} takes KEY=VALUE, and '{value}' is not one")
        if not text and key.strip() in _NAMING:
            raise click.UsageError(f"{option} {key.strip()}= gives no {key.strip()}; is a variable of the shell unset?")
        result.append((key.strip(), text))
    return result


def parse_tags(values: Sequence[str]) -> dict[str, str]:
    return dict(split_pairs([value for value in values if value], "--tags"))


def parse_additions(document: Mapping[str, Any], adds: Sequence[str], are_texts: bool = False) -> list[Setting]:
    """Return the settings by which --add appends to lists of the document."""
    from smalt.yaml.overrides import Setting

    result: list[Setting] = []
    lengths: dict[str, int] = {}
    for path, *values in _split_groups(adds, "--add", "a list and what to add to it", 2):
        at = lengths.setdefault(path, _get_list_length(document, _parse_path(path)))
        for number, value in enumerate(values, at):
            key, equals, text = value.partition("=")
            is_pair = equals and not value.lstrip().startswith(("{", "[", '"'))
            name = f"{path}[{number}].'{key}'" if is_pair else f"{path}[{number}]"
            result.append(Setting(f"--add {path}", name, text if is_pair else value, not are_texts))
        lengths[path] = at + len(values)
    return result


def remove_values(document: dict[str, Any], removes: Sequence[str]) -> None:
    """Remove the values that --remove names from the document."""
    for path, *index in _split_groups(removes, "--remove", "what to remove", 1):
        _remove_value(document, [*_parse_path(path), *(_parse_index(text) for text in index)])


def _split_groups(options: Sequence[str], option: str, takes: str, least: int) -> list[list[str]]:
    groups = [text.split(SEPARATOR) for text in options]
    if any(len(group) < least or not group[0] for group in groups):
        raise click.UsageError(f"{option} takes {takes}")
    return groups


def _parse_index(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise click.UsageError(f"--remove takes a key and, for a list, a number; '{text}' is not a number") from None


def _parse_path(path: str) -> list[str | int]:
    steps: list[str | int] = [int(step[1:-1]) if step.startswith("[") else step for step in _STEP.findall(path)]
    if not steps:
        _raise_usage_error(f"'{path}' names no key; write it as a.b or list[0].b")
    return steps


def _get_list_length(document: Any, steps: list[str | int]) -> int:
    """Return the length of the list at these steps; 0 if there is no list yet."""
    here = document
    for step in steps:
        try:
            here = here[step]
        except KeyError:
            return 0
        except (IndexError, TypeError):
            _raise_usage_error(f"there is no '{_format_path(steps)}'")
    if here is not None and not isinstance(here, list):
        _raise_usage_error(f"'{_format_path(steps)}' is not a list, so nothing can be added to it")
    return len(here or ())


def _remove_value(document: dict[str, Any], steps: list[str | int]) -> None:
    holder = document
    try:
        for step in steps[:-1]:
            holder = holder[step]  # type: ignore[index]
        del holder[steps[-1]]  # type: ignore[arg-type]
    except (KeyError, IndexError, TypeError):
        _raise_usage_error(f"there is no '{_format_path(steps)}' to remove")


def _format_path(steps: list[str | int]) -> str:
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps).lstrip(".")


def _raise_usage_error(sentence: str) -> None:
    raise click.UsageError(sentence)
