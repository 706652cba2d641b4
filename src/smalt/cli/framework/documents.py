"""Entities built from a file and the options of the command line."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from smalt.cli.framework import edits
from smalt.entities.schema.problems import join_words
from smalt.entities.syntax.references import is_mlflow_uri
from smalt.exceptions import ValidationException

if TYPE_CHECKING:
    from smalt.yaml.overrides import Setting

_IDENTITY = ("name", "version", "id", "type", "creation_context", "endpoint_name")


def read_document(kind: str, file: str | None, sets: Sequence[str], given: Mapping[str, Any]) -> Any:
    """Return the entity of `file`, or of the options alone if there is no file; options that are None are left out."""
    from smalt import yaml

    values = {key: value for key, value in given.items() if value not in (None, (), {}, [])}
    if file is not None:
        overrides = [*flatten_options(values), *parse_settings(sets)]
        try:
            entity = yaml.load(file, kind, overrides=overrides, data_must_exist=True)
        except ValidationException as error:
            if kind != "job":
                raise
            from smalt.client.jobs.local_checks import add_local_problems

            raise add_local_problems(error, file) from None
        _print_warnings(entity)
        return entity
    if not values and not sets:
        raise click.UsageError(f"say what {kind} to create: give its file with --file")
    text, overrides = json.dumps(values), parse_settings(sets)
    return yaml.load_text(text, kind, folder=os.getcwd(), name="", overrides=overrides, data_must_exist=True)


def _print_warnings(entity: Any) -> None:
    from smalt.yaml.loading import list_warnings

    context = click.get_current_context(silent=True)
    for warning in () if context is not None and context.params.get("only_show_errors") else list_warnings(entity):
        click.echo(f"warning: {warning}", err=True)


def apply_changes(entity: Any, changes: Mapping[str, Any], given: Mapping[str, Any] = {}) -> Any:
    """Return a copy of the entity with the values of options, and the edits of --set, --add and --remove."""
    from smalt.yaml.loading import apply_overrides

    if not given and not any(changes[key] for key in ("set", "add", "remove")):
        raise click.UsageError("name a change with --set, --add or --remove")
    are_texts = changes["force_string"]
    entity = apply_overrides(entity, [*flatten_options(given), *parse_settings(changes["set"], are_texts)])
    if changes["add"]:
        entity = apply_overrides(entity, edits.parse_additions(entity.to_dict(), changes["add"], are_texts))
    if changes["remove"]:
        document = entity.to_dict()
        edits.remove_values(document, changes["remove"])
        entity = type(entity).from_dict(document)
    return entity


def update_entity(
    entity: Any, changes: Mapping[str, Any], write: Callable[[Any], Any], given: Mapping[str, Any] = {}
) -> Any:
    """Return the result of `write` for the entity with the options' values and edits.

    Raises ClickException if an edit had no effect.
    """
    wanted = apply_changes(entity, changes, given)
    before, asked = entity.to_dict(), wanted.to_dict()
    _check_changeable(entity, before, asked)
    after = (result := write(wanted)).to_dict()
    stayed = [key for key in _find_differing_keys(before, asked) if after.get(key) == before.get(key)]
    if stayed:
        words = join_words((f"'{key}'" for key in stayed), "and")
        old = "the old value stays" if len(stayed) == 1 else "the old values stay"
        raise click.ClickException(f"{words} of {entity.noun} cannot be changed by an update, so {old}")
    return result


def check_no_edits(changes: Mapping[str, Any]) -> None:
    """Raise UsageError for --add and --remove, which have no effect with --file."""
    if any(changes[key] for key in ("add", "remove")):
        raise click.UsageError("--add and --remove cannot be combined with --file; use --set")


def check_sets_apply(sets: Sequence[str], part: Any) -> None:
    """Raise UsageError for a --set of a step that is left out of a pipeline."""
    from smalt.yaml.overrides import split_name

    for name, _ in edits.split_pairs(sets):
        where, *rest = map(str, split_name(name) or [""])
        known = getattr(part, where, {}) if where in ("jobs", "inputs", "outputs") else {}
        if rest and where in ("jobs", "inputs", "outputs") and rest[0] not in known:
            why = "that step is left out" if where == "jobs" else "it belongs to steps that are left out"
            raise click.UsageError(f"--set {name} has no effect: {why}")


def _check_changeable(entity: Any, before: Mapping[str, Any], document: Mapping[str, Any]) -> None:
    """Raise UsageError for a change of a field that identifies the entity, or that only the service sets."""
    for key in _find_differing_keys(before, document):
        field = type(entity)._fields.get(key)
        if key in _IDENTITY or (field is not None and field.from_service):
            raise click.UsageError(f"'{key}' of {entity.noun} cannot be changed; create another one")


def _find_differing_keys(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    return [key for key in {**before, **after} if before.get(key) != after.get(key)]


def parse_settings(sets: Sequence[str], are_texts: bool = False) -> list[Setting]:
    """Return the values of --set; with `are_texts` (--force-string) each is taken as text."""
    from smalt.yaml.overrides import Setting

    return [Setting(f"--set {name}", name, text, not are_texts) for name, text in edits.split_pairs(sets)]


def flatten_options(values: Mapping[str, Any], option: str = "", prefix: str = "") -> list[Setting]:
    """Return the values of options as settings at their places in the document; nested values keep their neighbours."""
    from smalt.yaml.overrides import Setting

    result: list[Setting] = []
    for key, value in values.items():
        if value is None:
            continue
        argument = option or f"--{key.replace('_', '-')}"
        name = f"{prefix}'{key}'"
        if isinstance(value, Mapping):
            result.extend(flatten_options(value, argument, f"{name}."))
        else:
            result.append(Setting(argument, name, value))
    return result


def to_local_path(path: str | None) -> str | None:
    """Return a path of the command line as a document needs it: absolute if it is local."""
    if path is None or "://" in path or path.startswith("azureml:") or is_mlflow_uri(path):
        return path
    return os.path.abspath(os.path.expanduser(path))
