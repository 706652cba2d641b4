"""Checks of an MLTable document; every problem is a path into the document and a sentence."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from typing import Any

from . import filters, partitions
from .datatypes import ENCODINGS, SIMPLE_TYPES, MLTableHeaders
from .errors import UserErrorException

__all__ = ["ENCODINGS", "find_problems"]


def find_problems(content: Any) -> list[tuple[tuple[Any, ...], str]]:
    """Return every problem of a document, in its order; a key in parentheses, (key,), means the key itself."""
    return list(_check_document(content, ()))


def _check_document(content: Any, where: Any) -> Iterator[Any]:
    if not isinstance(content, dict):
        yield where, "an MLTable is a mapping with 'paths:' and 'transformations:'"
        return
    known = ("$schema", "type", "metadata", "paths", "traits", "transformations", "query_source")
    yield from _check_keys(content, known, where, "an MLTable")
    if content.get("type", "mltable") != "mltable":
        yield (*where, "type"), f"the type is 'mltable', not {content['type']!r}"
    if "query_source" in content:
        yield (*where, ("query_source",)), "smalt does not ask databases; write what the query gives into files"
    elif "paths" not in content:
        yield where, "'paths:' is missing; list what the table is made of, as in '- file: ./data.csv'"
    else:
        yield from _check_list(content["paths"], (*where, "paths"), _check_path, "paths")
    if not isinstance(content.get("metadata", {}), dict):
        yield (*where, "metadata"), "metadata must be a mapping"
    yield from _check_traits(content.get("traits", {}), (*where, "traits"))
    if "transformations" in content:
        yield from _check_list(
            content["transformations"], (*where, "transformations"), _check_transformation, "transformations"
        )


def _check_keys(value: dict[Any, Any], known: Iterable[str], where: Any, what: str) -> Iterator[Any]:
    for key in value:
        if key not in known:
            near = difflib.get_close_matches(str(key), list(known), n=1)
            hint = f"did you mean '{near[0]}'?" if near else f"it knows {', '.join(known)}"
            yield (*where, (key,)), f"{what} has no '{key}'; {hint}"


def _check_list(value: Any, where: Any, check: Any, what: str) -> Iterator[Any]:
    if not isinstance(value, list):
        yield where, f"{what} must be a list"
        return
    for index, each in enumerate(value):
        yield from check(each, (*where, index))


def _check_path(value: Any, where: Any) -> Iterator[Any]:
    kinds = ("file", "folder", "pattern")
    if not isinstance(value, dict):
        yield where, f"a path says what it is: write '- file: {value}', '- folder: …' or '- pattern: …'"
        return
    yield from _check_keys(value, kinds, where, "a path")
    if sum(key in value for key in kinds) > 1:
        yield where, "a path is one of file, folder and pattern; write each as its own entry"
    for key in kinds:
        if key in value and not (isinstance(value[key], str) and value[key]):
            yield (*where, key), f"{key} must be a text"


def _check_traits(value: Any, where: Any) -> Iterator[Any]:
    if not isinstance(value, dict):
        yield where, "traits must be a mapping"
        return
    if not isinstance(value.get("timestamp_column", ""), str):
        yield (*where, "timestamp_column"), "timestamp_column must be a text"
    index = value.get("index_columns", [])
    if not isinstance(index, list) or not all(isinstance(each, str) for each in index):
        yield (*where, "index_columns"), "index_columns must be a list of texts"


def _check_transformation(value: Any, where: Any) -> Iterator[Any]:
    alone = ("read_delimited", "read_parquet", "read_json_lines", "read_delta_lake")
    if isinstance(value, str) and value in alone:
        return
    if isinstance(value, dict) and len(value) == 1:
        name, arguments = next(iter(value.items()))
        if name in _TRANSFORMATIONS:
            yield from _TRANSFORMATIONS[name](arguments, (*where, name))
            return
    elif isinstance(value, dict) and len(value) > 1:
        listed = ", ".join(str(name) for name in value)
        yield where, f"a transformation is one step, and here are {listed}; start each with its own '-'"
        return
    name = next(iter(value)) if isinstance(value, dict) and value else value
    near = difflib.get_close_matches(str(name), list(_TRANSFORMATIONS), n=1)
    hint = f"did you mean '{near[0]}'?" if near else f"the transformations are {', '.join(_TRANSFORMATIONS)}"
    if name in _TRANSFORMATIONS:
        hint = f"write what it does, as in '- {name}: …'"
    yield where, f"'{name}' is not a transformation; {hint}"


def _make_options_check(what: str, **known: Any) -> Any:
    def check(value: Any, where: Any) -> Iterator[Any]:
        if value is None:
            return
        if not isinstance(value, dict):
            yield where, f"{what} must be a mapping of its options: {', '.join(known)}"
            return
        yield from _check_keys(value, known, where, what)
        for key, each in known.items():
            if value.get(key) is not None:
                yield from each(value[key], (*where, key))

    return check


def _make_type_check(type: Any, what: str, least: float | None = None, most: float | None = None) -> Any:
    def check(value: Any, where: Any) -> Iterator[Any]:
        fits = isinstance(value, type) and (not isinstance(value, bool) or type is bool)
        if not fits or (least is not None and value < least) or (most is not None and value > most):
            yield where, f"{where[-1]} must be {what}, not {value!r}"

    return check


def _make_choice_check(values: Iterable[str]) -> Any:
    def check(value: Any, where: Any) -> Iterator[Any]:
        if value not in list(values):
            yield where, f"{where[-1]} is one of {', '.join(values)}, not {value!r}"

    return check


def _check_delimiter(value: Any, where: Any) -> Iterator[Any]:
    if not isinstance(value, str) or not 1 <= len(value) <= 2:
        yield where, f"delimiter must be a text of one or two characters, not {value!r}"


def _check_inference(value: Any, where: Any) -> Iterator[Any]:
    if isinstance(value, bool):
        return
    if not isinstance(value, dict):
        yield where, "infer_column_types must be true, false or a mapping with sample_size and column_type_overrides"
        return
    yield from _check_keys(value, ("sample_size", "column_type_overrides"), where, "infer_column_types")
    if "sample_size" in value:
        yield from _make_type_check(int, "a number above 0", 1)(value["sample_size"], (*where, "sample_size"))
    yield from _check_conversions(value.get("column_type_overrides", []), (*where, "column_type_overrides"))


def _check_columns(value: Any, where: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        yield from _make_options_check("a pattern of columns", pattern=_TEXT, ignore_case=_BOOL, invert=_BOOL)(
            value, where
        )
        if "pattern" not in value:
            yield where, "columns by pattern need 'pattern:', a regular expression"
        return
    listed = [value] if isinstance(value, str) else value
    if not isinstance(listed, list) or not all(isinstance(each, str) for each in listed):
        yield where, "columns are a text, a list of texts, or a mapping with 'pattern:'"


def _check_conversions(value: Any, where: Any) -> Iterator[Any]:
    yield from _check_list(value, where, _check_conversion, str(where[-1]))


def _check_conversion(value: Any, where: Any) -> Iterator[Any]:
    if not isinstance(value, dict):
        yield where, "a conversion is a mapping with 'columns:' and 'column_type:'"
        return
    yield from _check_keys(value, ("columns", "column_type"), where, "a conversion")
    for key in ("columns", "column_type"):
        if key not in value:
            yield where, f"the conversion lacks '{key}:'"
    if "columns" in value:
        yield from _check_columns(value["columns"], (*where, "columns"))
    if "column_type" in value:
        yield from _check_column_type(value["column_type"], (*where, "column_type"))


def _check_column_type(value: Any, where: Any) -> Iterator[Any]:
    if isinstance(value, str):
        if value not in SIMPLE_TYPES:
            hint = "; write 'datetime:' with its 'formats:' below" if value == "datetime" else ""
            yield where, f"'{value}' is not a type of a column; the types are {', '.join(SIMPLE_TYPES)}{hint}"
        return
    if not isinstance(value, dict) or len(value) != 1:
        yield where, f"a column_type is one of {', '.join(SIMPLE_TYPES)}, or a mapping of one of boolean and datetime"
        return
    name, arguments = next(iter(value.items()))
    if name not in _TYPES:
        yield (*where, (name,)), f"a column_type with options is one of {', '.join(_TYPES)}, not '{name}'"
        return
    yield from _TYPES[name](arguments or {}, (*where, name))
    if name == "datetime" and "formats" not in (arguments or {}):
        yield (*where, name), "a datetime needs its formats, as in formats: '%Y-%m-%d'"


def _check_texts(value: Any, where: Any) -> Iterator[Any]:
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        yield where, f"{where[-1]} must be a list of texts"


def _check_formats(value: Any, where: Any) -> Iterator[Any]:
    if not isinstance(value, str):
        yield from _check_texts(value, where)


def _check_filter(value: Any, where: Any) -> Iterator[Any]:
    if not isinstance(value, str):
        yield where, "filter must be a text, as in filter: \"col('age') > 0\""
        return
    try:
        filters.parse_expression(value)
    except UserErrorException as error:
        yield where, error.message


def _check_partition_format(value: Any, where: Any) -> Iterator[Any]:
    if not isinstance(value, dict) or not isinstance(value.get("partition_format"), str):
        yield where, "extract_columns_from_partition_format needs 'partition_format:', as in '/year={year}/{name}.csv'"
        return
    try:
        partitions.parse_format(value["partition_format"])
    except UserErrorException as error:
        yield (*where, "partition_format"), error.message


def _check_partitions(value: Any, where: Any) -> Iterator[Any]:
    if not isinstance(value, list) or not all(type(each) is int and each >= 0 for each in value):
        yield where, "select_partitions must be a list of numbers from 0"


_TEXT, _BOOL = _make_type_check(str, "a text"), _make_type_check(bool, "true or false")
_ENCODING, _COUNT = _make_choice_check(ENCODINGS), _make_type_check(int, "a number from 0", 0)
_PATH_COLUMN = {"include_path_column": _BOOL, "path_column": _TEXT}
_PROBABILITY = _make_type_check((int, float), "a number between 0 and 1", 0, 1)
_TYPES = {
    "boolean": _make_options_check(
        "boolean",
        true_values=_check_texts,
        false_values=_check_texts,
        mismatch_as=_make_choice_check(("error", "true", "false")),
    ),
    "datetime": _make_options_check("datetime", formats=_check_formats, date_constant=_TEXT),
    "stream_info": _make_options_check(
        "stream_info", subscription=_TEXT, resource_group=_TEXT, workspace_name=_TEXT, escaped=_BOOL
    ),
}
_TRANSFORMATIONS: dict[str, Any] = {
    "read_delimited": _make_options_check(
        "read_delimited", delimiter=_check_delimiter, header=_make_choice_check(MLTableHeaders.__members__),
        support_multi_line=_BOOL, empty_as_string=_BOOL, encoding=_ENCODING, infer_column_types=_check_inference,
        partition_size=_make_type_check(int, "a number", 1), **_PATH_COLUMN,
    ),
    "read_parquet": _make_options_check("read_parquet", **_PATH_COLUMN),
    "read_json_lines": _make_options_check(
        "read_json_lines", invalid_lines=_make_choice_check(("error", "drop")), encoding=_ENCODING,
        partition_size=_make_type_check(int, "a number", 1), **_PATH_COLUMN,
    ),
    "read_delta_lake": _make_options_check(
        "read_delta_lake", version_as_of=_COUNT, timestamp_as_of=_TEXT, include_path_column=_BOOL
    ),
    "extract_columns_from_partition_format": _check_partition_format,
    "select_partitions": _check_partitions,
    "sample": _make_options_check(
        "sample", sampler=_make_choice_check(("random_percent", "randomPercent")),
        sampler_arguments=_make_options_check(
            "sampler_arguments", seed=_make_type_check(int, "a number"), probability=_PROBABILITY,
            probability_lower_bound=_PROBABILITY,
        ),
    ),
    "filter": _check_filter,
    "take": _COUNT,
    "take_random_sample": _make_options_check(
        "take_random_sample", probability=_PROBABILITY, seed=_make_type_check(int, "a number")
    ),
    "skip": _COUNT,
    "drop_columns": _check_columns,
    "keep_columns": _check_columns,
    "convert_column_types": _check_conversions,
}  # fmt: skip
