"""The checks of an AutoML job: its tables, and the columns that it names, where they can be read at once."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from smalt.automl_program.checks import list_featurized_columns
from smalt.automl_program.headers import SUFFIXES, list_repeated, read_header
from smalt.automl_program.problems import join_columns, shorten
from smalt.entities import Input
from smalt.entities.jobs.automl.job import DATA
from smalt.entities.rules.sentences import explain_missing_table
from smalt.entities.schema.problems import did_you_mean
from smalt.entities.syntax.expression import has_expression, parse_binding, resolve_port
from smalt.exceptions import SmaltError

if TYPE_CHECKING:
    from smalt.service.engine.submission.checks import Checker

_HEAD = 1 << 16
"""The bytes of a table in which its header is looked for."""
_KEEP_COLUMNS = frozenset({"take", "skip", "take_random_sample", "filter", "convert_column_types"})
"""Transformations of an MLTable that leave its columns as they are."""
_ENCODINGS = {"iso88591": "iso-8859-1", "latin1": "latin-1", "windows1252": "cp1252", "utf8": "utf-8-sig"}


def check_automl(checker: Checker, where: str, job: Any, around: Mapping[str, Any]) -> None:
    """Check the tables of a job or a step, and that the columns that it names are in them.

    `around` has the inputs of the pipeline around a step and, with a dot before the name, those of the step itself.
    """
    checker.check_environment(where, job.environment_id, "environment_id")
    for name in DATA:
        given = getattr(job, name)
        if isinstance(given, Input) and not given.path:
            checker.add(f"{where}{name}", explain_missing_table(name))
        table = _find_table(given, around)
        if table is None or not table.path or has_expression(table.path):
            continue
        known = len(checker.problems)
        kind = table.type or "mltable"
        checker.check_table(f"{where}{name}", table.path, kind)
        if len(checker.problems) == known:
            _check_columns(checker, where, job, name, table.path, kind)


def _find_table(given: Any, around: Mapping[str, Any]) -> Input | None:
    """Return the data of a table; that of the pipeline's input that it is bound to."""
    table = given if isinstance(given, Input) else Input(path=given) if given else None
    bound = parse_binding(table.path) if table is not None else None
    if bound is None or bound.kind not in ("parent.inputs", "inputs"):
        return table
    name = bound.name if bound.kind == "parent.inputs" else f".{bound.name}"
    source = around.get(resolve_port(name, around) or "")
    return _find_table(source, {} if source is given else around) if bound.kind == "inputs" else _get_data(source)


def _get_data(source: Any) -> Input | None:
    return source if isinstance(source, Input) else None


def _check_columns(checker: Checker, where: str, job: Any, name: str, uri: str, kind: str) -> None:
    try:
        place = checker.context.resolve(checker.pins.get_reference("data", uri), checker.workspace)
        if place.path is None or place.late:
            return
        columns = read_columns(place.path, kind)
    except (OSError, SmaltError):
        return  # the search says what is wrong
    if columns is None:
        return
    if not columns:
        checker.add(f"{where}{name}", "the table is empty")
        return
    for column in list_repeated(columns):
        checker.add(f"{where}{name}", f"the table has two columns named '{shorten(column)}'; rename one of them")
    for key, column in _list_named_columns(job, is_training=name == DATA[0]):
        if column not in columns:
            hint = did_you_mean(column, columns) or f"; it has {join_columns(columns)}"
            checker.add(f"{where}{key}", f"{name} has no column '{column}'{hint}")


def _list_named_columns(job: Any, *, is_training: bool) -> Iterator[tuple[str, str]]:
    """Yield the key and the name of each column that a table has to have; other tables need only the target."""
    forecasting = job.forecasting
    named: dict[str, Any] = {"target_column_name": job.target_column_name}
    if is_training:
        named["weight_column_name"] = job.weight_column_name
        named["cv_split_column_names"] = job.cv_split_column_names
        for key, column in list_featurized_columns(job.make_settings()):
            named.setdefault(key, []).append(column)
    if forecasting is not None:
        named["forecasting.time_column_name"] = forecasting.time_column_name
        named["forecasting.time_series_id_column_names"] = forecasting.time_series_id_column_names
    for key, value in named.items():
        for column in value if isinstance(value, list) else [value]:
            if isinstance(column, str) and not has_expression(column):
                yield key, column


def read_columns(path: Path, kind: str) -> list[str] | None:
    """Return the columns of a table on this machine from its first line; None if they do not stand there."""
    if kind == "mltable":
        return _read_table_columns(path)
    return read_header(path).columns if path.suffix.lower() in SUFFIXES and path.is_file() else None


def _read_table_columns(folder: Path) -> list[str] | None:
    try:
        content = yaml.load(
            (folder / "MLTable").read_bytes(), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        )  # fmt: skip
    except (yaml.YAMLError, UnicodeDecodeError):
        return None
    paths = content.get("paths") if isinstance(content, Mapping) else None
    first = paths[0] if isinstance(paths, list) and paths and isinstance(paths[0], Mapping) else {}
    written = first.get("file")
    if not isinstance(written, str) or "://" in written or ":" in written.split("/")[0]:
        return None
    columns: list[str] | None = None
    for step in content.get("transformations") or []:
        name, options = next(iter(step.items())) if isinstance(step, Mapping) and step else (step, None)
        if name == "read_delimited":
            columns = _read_delimited(folder / written, options if isinstance(options, Mapping) else {})
        elif name in ("drop_columns", "keep_columns") and columns is not None:
            columns = _select_columns(columns, name, options)
        elif name not in _KEEP_COLUMNS:
            return None
        if columns is None:
            return None
    return columns


def _read_delimited(path: Path, options: Mapping[str, Any]) -> list[str] | None:
    header = str(options.get("header", "all_files_same_headers"))
    if header == "no_header" or options.get("include_path_column"):
        return None
    encoding = str(options.get("encoding", "utf8"))
    names = _read_header(path, str(options.get("delimiter", ","))[:1] or ",", _ENCODINGS.get(encoding, encoding))
    return names and [name.strip() or f"Column{index}" for index, name in enumerate(names, 1)]


def _select_columns(columns: list[str], name: str, options: Any) -> list[str] | None:
    chosen = [options] if isinstance(options, str) else options
    if not isinstance(chosen, list) or not all(isinstance(one, str) for one in chosen):
        return None
    return [one for one in columns if (one in chosen) is (name == "keep_columns")]


def _read_header(path: Path, delimiter: str, encoding: str) -> list[str] | None:
    with path.open("rb") as file:
        head = file.read(_HEAD)
    try:
        text = head.decode(encoding, errors="ignore")
    except LookupError:
        return None
    if "\n" not in text and len(head) == _HEAD:
        return None
    return next(csv.reader(io.StringIO(text), delimiter=delimiter), None)
