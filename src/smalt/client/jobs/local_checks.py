"""Checks of a job that need no server although a server makes them: for `smalt job validate --local`.

Each sentence is the one with which the server refuses the job, at the same place.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from smalt.client.connection.name_rules import check_name
from smalt.client.jobs.validation import add_places
from smalt.entities.jobs.automl.job import DATA
from smalt.entities.jobs.inputs import ASSETS, Input, Output
from smalt.entities.rules.bindings import find_nothing
from smalt.entities.rules.content import explain_path_mismatch
from smalt.entities.rules.prebuilt_steps import Readers, explain_lacking_table, list_accepted_types
from smalt.entities.rules.sentences import (
    explain_bad_reference,
    explain_empty_reference,
    explain_missing_environment,
    explain_missing_path,
    explain_missing_spark_file,
    explain_missing_table,
    explain_same_version,
)
from smalt.entities.steps.bindings import find_component
from smalt.entities.syntax.expression import has_expression
from smalt.entities.syntax.references import PREFIX, parse_reference
from smalt.exceptions import LocatedProblem, ValidationException

_FILES = ("py_files", "jars", "files", "archives")


def check_alone(job: Any) -> None:
    """Raise ValidationException with every problem of a job from a file that can be told without a server."""
    if job.name:
        check_name("job", job.name)
    problems = [*_check_environment(job), *_check_noun(job, "")]
    if problems:
        raise ValidationException(add_places(job, [LocatedProblem("", 0, 0, one) for one in dict.fromkeys(problems)]))


def add_local_problems(error: ValidationException, file: str) -> ValidationException:
    """Return the error of a job's file with what else can be told of the parts that could be read.

    A place is told of once: what is wrong there may be the cause of what else seems wrong.
    """
    job = error.partial
    if job is None:
        return error
    known = {(one.line, one.column) for one in error.problems if one.file == file}
    found = [LocatedProblem("", 0, 0, one) for one in dict.fromkeys(_check_noun(job, ""))]
    others = [one for one in add_places(job, found) if one.line and (one.line, one.column) not in known]
    if not any("environment" in one.message for one in error.problems):
        others += add_places(job, [LocatedProblem("", 0, 0, one) for one in _check_environment(job)])
    others = [one._replace(file=file) if one.line else one for one in others]
    own = sorted(
        (*(one for one in error.problems if one.file == file), *others), key=lambda one: (one.line == 0, *one[1:3])
    )
    return ValidationException([*own, *(one for one in error.problems if one.file != file)])


def _check_environment(job: Any) -> Iterator[str]:
    trial = vars(job).get("trial")
    if job.type == "command" and not job.environment:
        yield explain_missing_environment("this job")
    if job.type == "sweep" and "environment" in getattr(trial, "_fields", ()) and not trial.environment:
        yield f"trial: {explain_missing_environment('the trial')}"


def _check_noun(noun: Any, where: str) -> Iterator[str]:
    """Yield the problems of a job or a step, and of the steps in it."""
    component = find_component(noun)
    for owner, prefix in ((noun, where), (vars(noun).get("trial"), f"{where}trial.")):
        code = getattr(owner, "code", None)
        if isinstance(code, str) and code == PREFIX:
            yield f"{prefix}code: {explain_empty_reference(code)}"
    yield from _check_files(noun, where)
    yield from _check_inputs(noun, f"{where}inputs.", getattr(component, "inputs", None) or {})
    yield from _check_tables(noun, where)
    yield from _check_versions(noun, f"{where}outputs.")
    steps = vars(noun).get("jobs")
    for name, step in steps.items() if isinstance(steps, Mapping) else ():
        if hasattr(step, "_fields"):
            yield from _check_noun(step, f"{where}jobs.{name}.")


def _check_files(noun: Any, where: str) -> Iterator[str]:
    """Yield the files that a Spark job names and its local code lacks."""
    code = vars(noun).get("code")
    if noun.type != "spark" or not isinstance(code, str) or not os.path.isdir(code):
        return
    named = [("entry.file", noun.entry.file)] if noun.entry and noun.entry.file else []
    named += [(key, one) for key in _FILES for one in vars(noun).get(key) or ()]
    for key, path in named:
        plain = str(path).partition("#")[0].removeprefix("./")
        is_relative = "://" not in plain and not plain.startswith("/") and "*" not in plain
        if is_relative and not os.path.isfile(os.path.join(code, plain)):
            yield f"{where}{key}: {explain_missing_spark_file(path)}"


def _check_inputs(noun: Any, where: str, declared: Mapping[str, Any]) -> Iterator[str]:
    inputs = vars(noun).get("inputs")
    for name, value in inputs.items() if isinstance(inputs, Mapping) else ():
        type = getattr(declared.get(name), "type", None)
        if isinstance(value, str) and type in ASSETS:
            value = Input(type=type, path=value)
        if not isinstance(value, Input) or value._partial:
            continue
        if not value.path:
            yield f"{where}{name}: {explain_missing_path(str(name))}"
            continue
        readers = Readers(noun, name, value, find_nothing)
        types = list_accepted_types(value, type, readers)
        path = str(value.path)
        problem = _explain_data(path, types, needs_marker=readers.evaluate_tables())
        if problem is None and os.path.isabs(path):
            problem = explain_lacking_table(f"file://{quote(path)}", path, value, readers)
        if problem:
            yield f"{where}{name}: {problem}"


def _check_tables(noun: Any, where: str) -> Iterator[str]:
    """Yield the problems of the tables that an AutoML job names."""
    for name in DATA if noun.type == "automl" else ():
        given = getattr(noun, name, None)
        table = given if isinstance(given, Input) else Input(path=given) if given else None
        if table is None:
            continue
        kind, path = table.type or "mltable", str(table.path or "")
        if not path:
            yield f"{where}{name}: {explain_missing_table(name)}"
        elif problem := _explain_data(path, [kind], needs_marker=True):
            yield f"{where}{name}: {problem}"


def _explain_data(path: str, types: Sequence[str | None], *, needs_marker: bool) -> str | None:
    """Return why local data is of none of these types; None if it may be of one, or is text."""
    if has_expression(path):
        return None
    if path.startswith(PREFIX) and not path.startswith(f"{PREFIX}//") and parse_reference(path) is None:
        return explain_bad_reference(path)
    if not os.path.isabs(path):
        return None
    uri = f"file://{quote(path)}"
    wrong = [explain_path_mismatch(uri, path, type, needs_marker=needs_marker) for type in types]
    return wrong[0] if all(wrong) else None


def _check_versions(noun: Any, where: str) -> Iterator[str]:
    """Yield the outputs that are to become the same version as another."""
    outputs = vars(noun).get("outputs")
    known: dict[tuple[bool, str, str], Any] = {}
    for name, output in outputs.items() if isinstance(outputs, Mapping) else ():
        if not isinstance(output, Output) or not output.name or not output.version or has_expression(output.version):
            continue
        is_model = str(output.type).endswith("_model")
        key = (is_model, output.name, str(output.version))
        if key in known:
            yield f"{where}{name}: {explain_same_version(is_model, *key[1:], known[key])}"
        known[key] = name
