"""From a file, and what the command line adds to it, to an entity."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from smalt.cli import edits


def read(kind: str, file: str | None, sets: Sequence[str], given: Mapping[str, Any]) -> Any:
    """The entity of `file`, or of the options alone where there is no file; `given` has what was not None."""
    values = {key: value for key, value in given.items() if value not in (None, (), {}, [])}
    if file is None:
        return _from_options(kind, values, sets)
    from smalt import yaml

    overrides = [*flat(values), *edits.pairs(sets)]
    return yaml.load(file, kind, overrides=overrides)


def built(kind: str, values: Mapping[str, Any]) -> Any:
    """The entity that these values describe."""
    from smalt.entities import read as read_entity
    from smalt.exceptions import Located, ValidationException

    entity, problems = read_entity(dict(values), kind)
    if problems or entity is None:
        raise ValidationException([Located("", 0, 0, problem.message) for problem in problems])
    return entity


def flat(values: Mapping[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    """Nested values as the keys and texts of --set."""
    result: list[tuple[str, str]] = []
    for key, value in values.items():
        if isinstance(value, Mapping):
            result.extend(flat(value, f"{prefix}{key}."))
        else:
            result.append((prefix + key, str(value)))
    return result


def local(path: str | None) -> str | None:
    """A path of the command line as it must stand in a document: absolute where it is a local one."""
    if path is None or "://" in path or path.startswith("azureml:"):
        return path
    return os.path.abspath(os.path.expanduser(path))


def _from_options(kind: str, values: dict[str, Any], sets: Sequence[str]) -> Any:
    if not values and not sets:
        raise click.UsageError(f"say what {kind} to make: give its file with --file")
    edits.apply(values, sets=sets)
    return built(kind, values)


def text_of(path: str) -> str:
    """The text of a file named on the command line."""
    try:
        return Path(path).read_text()
    except OSError as error:
        raise click.UsageError(f"cannot read {path}: {error.strerror}") from None
