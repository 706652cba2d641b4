"""From a file, and what the command line adds to it, to an entity."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from typing import Any

import click

from smalt.cli import edits
from smalt.entities.references import is_mlflow


def read(kind: str, file: str | None, sets: Sequence[str], given: Mapping[str, Any]) -> Any:
    """The entity of `file`, or of the options alone where there is no file; what is None is not given."""
    from smalt import yaml

    values = {key: value for key, value in given.items() if value not in (None, (), {}, [])}
    if file is not None:
        return yaml.load(file, kind, overrides=[*flat(values), *edits.pairs(sets)], data_must_exist=True)
    if not values and not sets:
        raise click.UsageError(f"say what {kind} to make: give its file with --file")
    text, overrides = json.dumps(values), edits.pairs(sets)
    return yaml.load_text(text, kind, folder=os.getcwd(), name="", overrides=overrides, data_must_exist=True)


def changed(entity: Any, changes: Mapping[str, Any]) -> Any:
    """A copy of `entity` with the edits of --set, --add and --remove."""
    if not any(changes[key] for key in ("set", "add", "remove")):
        raise click.UsageError("say what to change, with --set, --add or --remove")
    document = entity.to_dict()
    edits.apply(
        document,
        sets=changes["set"],
        adds=changes["add"],
        removes=changes["remove"],
        force_string=changes["force_string"],
    )
    return type(entity).from_dict(document)


def flat(values: Mapping[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    """Nested values as the keys and texts of --set."""
    result: list[tuple[str, str]] = []
    for key, value in values.items():
        if isinstance(value, Mapping):
            result.extend(flat(value, f"{prefix}{key}."))
        else:
            result.append((prefix + key, json.dumps(value)))
    return result


def local(path: str | None) -> str | None:
    """A path of the command line as it must stand in a document: absolute where it is a local one."""
    if path is None or "://" in path or path.startswith("azureml:") or is_mlflow(path):
        return path
    return os.path.abspath(os.path.expanduser(path))
