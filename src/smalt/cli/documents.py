"""From a file, and what the command line adds to it, to an entity."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from smalt.cli import edits
from smalt.entities.references import is_mlflow

if TYPE_CHECKING:
    from smalt.yaml.overrides import Setting


def read(kind: str, file: str | None, sets: Sequence[str], given: Mapping[str, Any]) -> Any:
    """The entity of `file`, or of the options alone where there is no file; what is None is not given."""
    from smalt import yaml

    values = {key: value for key, value in given.items() if value not in (None, (), {}, [])}
    if file is not None:
        overrides = [*flat(values), *settings(sets)]
        return yaml.load(file, kind, overrides=overrides, data_must_exist=True)
    if not values and not sets:
        raise click.UsageError(f"say what {kind} to make: give its file with --file")
    text, overrides = json.dumps(values), settings(sets)
    return yaml.load_text(text, kind, folder=os.getcwd(), name="", overrides=overrides, data_must_exist=True)


def changed(entity: Any, changes: Mapping[str, Any], given: Mapping[str, Any] = {}) -> Any:
    """A copy of `entity` with the values of options, and the edits of --set, --add and --remove."""
    from smalt.yaml.loading import edited

    if not given and not any(changes[key] for key in ("set", "add", "remove")):
        raise click.UsageError("say what to change, with --set, --add or --remove")
    are_texts = changes["force_string"]
    entity = edited(entity, [*flat(given), *settings(changes["set"], are_texts)])
    if changes["add"]:
        entity = edited(entity, edits.additions(entity.to_dict(), changes["add"], are_texts))
    if changes["remove"]:
        document = entity.to_dict()
        edits.remove(document, changes["remove"])
        entity = type(entity).from_dict(document)
    return entity


def settings(sets: Sequence[str], are_texts: bool = False) -> list[Setting]:
    """The values of --set; with --force-string each is the text that it is written as."""
    from smalt.yaml.overrides import Setting

    return [Setting(f"--set {name}", name, text, not are_texts) for name, text in edits.pairs(sets)]


def flat(values: Mapping[str, Any], option: str = "", prefix: str = "") -> list[Setting]:
    """The values of options, each put where the document has it; nested ones beside what is there."""
    from smalt.yaml.overrides import Setting

    result: list[Setting] = []
    for key, value in values.items():
        if value is None:
            continue
        argument = option or f"--{key.replace('_', '-')}"
        name = f"{prefix}'{key}'"
        if isinstance(value, Mapping):
            result.extend(flat(value, argument, f"{name}."))
        else:
            result.append(Setting(argument, name, value))
    return result


def local(path: str | None) -> str | None:
    """A path of the command line as it must stand in a document: absolute where it is a local one."""
    if path is None or "://" in path or path.startswith("azureml:") or is_mlflow(path):
        return path
    return os.path.abspath(os.path.expanduser(path))
