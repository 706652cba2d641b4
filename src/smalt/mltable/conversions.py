"""Conversions of columns, as polars expressions; a value that cannot be converted becomes empty, as in Azure's
mltable.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from .errors import UserErrorException
from .inference import BOOLEANS

_NANOSECONDS = (-9_223_372_036_854_775, 9_223_372_036_854_775)
"""The range of 64 bits of nanoseconds, in microseconds."""


def import_polars() -> Any:
    """Return polars, which belongs to the job's environment."""
    try:
        import polars
    except ImportError:
        raise UserErrorException("MLTable needs polars; add polars to the job's environment") from None
    return polars


def parse_text(column: Any, type: str) -> Any:
    """Convert texts to boolean, int or float."""
    p = import_polars()
    stripped = column.str.strip_chars()
    if type == "boolean":
        return stripped.replace_strict(BOOLEANS, default=None, return_dtype=p.Boolean)
    floats = stripped.str.strip_prefix("+").cast(p.Float64, strict=False)
    if type == "float":
        return floats
    whole = stripped.str.strip_prefix("+").cast(p.Int64, strict=False)
    return p.coalesce(whole, _truncate_floats(floats))


def parse_datetimes(column: Any, formats: Sequence[str]) -> Any:
    """Convert texts to datetimes, UTC if they have a zone; the first format that fits a value is used."""
    p = import_polars()
    stripped = column.str.strip_chars()
    tried = [_parse_format(stripped, format) for format in formats]
    return p.coalesce(tried) if tried else p.lit(None)


def parse_uniform_datetimes(texts: Any, formats: Sequence[str]) -> Any:
    """Convert a series of texts of one plain form to datetimes; None if they are not of one."""
    if len(formats) != 1 or "%.f" in formats[0] or "z" in formats[0]:
        return None
    made = texts.str.to_datetime(formats[0], time_unit="us", strict=False, exact=True)
    if made.null_count() != texts.null_count():
        return None
    numbers = made.dt.timestamp("us")
    low, high = numbers.min(), numbers.max()
    return made.dt.cast_time_unit("ns") if low is None or _NANOSECONDS[0] <= low <= high <= _NANOSECONDS[1] else None


def convert_column(table: Any, name: str, column_type: Any) -> Any:
    """Return the table with a column converted; a column without any value left has no type, as in Azure's mltable."""
    p = import_polars()
    table = table.with_columns(_make_conversion(name, table.schema[name], column_type).alias(name))
    return table.with_columns(p.lit(None).alias(name)) if table[name].null_count() == table.height else table


def _make_conversion(name: str, dtype: Any, column_type: Any) -> Any:
    """Return the column converted to what an MLTable file has under `column_type`."""
    p = import_polars()
    column = p.col(name)
    if isinstance(column_type, str):
        return _SIMPLE[column_type](column, dtype)
    kind, arguments = next(iter(column_type.items()))
    if kind == "boolean":
        return _convert_booleans(column, dtype, arguments)
    if kind == "stream_info":
        return column
    formats = arguments["formats"]
    return _to_datetime(
        column, dtype, [formats] if isinstance(formats, str) else formats, arguments.get("date_constant")
    )


def _parse_format(column: Any, format: str) -> Any:
    p = import_polars()
    made = column.str.to_datetime(format, time_unit="us", strict=False, exact=True)
    if "%z" in format or "%#z" in format:
        made = made.dt.convert_time_zone("UTC").dt.replace_time_zone(None)
    number = made.dt.timestamp("us")
    fine = column.str.to_datetime(format, time_unit="ns", strict=False, exact=True)
    if "%z" in format or "%#z" in format:
        fine = fine.dt.convert_time_zone("UTC").dt.replace_time_zone(None)
    return p.when(number.is_between(*_NANOSECONDS)).then(fine).otherwise(None)


def _truncate_floats(floats: Any) -> Any:
    """Convert to integers as Rust's `as` does: towards zero, clamped to the range, 0 for NaN."""
    p = import_polars()
    inside = floats.fill_nan(0.0)
    return (
        p.when(inside >= 2.0**63)
        .then(p.lit(2**63 - 1, dtype=p.Int64))
        .when(inside <= -(2.0**63))
        .then(p.lit(-(2**63), dtype=p.Int64))
        .otherwise(inside.cast(p.Int64, strict=False))
    )


def _to_string(column: Any, dtype: Any) -> Any:
    p = import_polars()
    if dtype == p.String:
        return column
    if dtype == p.Boolean:
        return p.when(column).then(p.lit("True")).when(~column).then(p.lit("False")).otherwise(None)
    if dtype.is_float():
        return column.map_elements(_format_float, return_dtype=p.String)
    if dtype == p.Datetime:
        return column.map_elements(_format_datetime, return_dtype=p.String)
    if dtype.is_nested():
        return column.map_elements(_format_json, return_dtype=p.String)
    return column.cast(p.String)


def _to_int(column: Any, dtype: Any) -> Any:
    p = import_polars()
    if dtype == p.String:
        return parse_text(column, "int")
    if dtype.is_float():
        return _truncate_floats(column)
    return column.cast(p.Int64, strict=False) if dtype.is_integer() else p.lit(None)


def _to_float(column: Any, dtype: Any) -> Any:
    p = import_polars()
    if dtype == p.String:
        return parse_text(column, "float")
    return column.cast(p.Float64, strict=False) if dtype.is_numeric() else p.lit(None)


def _to_boolean(column: Any, dtype: Any) -> Any:
    p = import_polars()
    if dtype == p.String:
        return parse_text(column, "boolean")
    if dtype.is_numeric():
        return column != 0
    return column if dtype == p.Boolean else p.lit(None)


_SIMPLE: dict[str, Callable[[Any, Any], Any]] = {
    "string": _to_string,
    "int": _to_int,
    "float": _to_float,
    "boolean": _to_boolean,
    "stream_info": lambda column, dtype: column,
}


def _convert_booleans(column: Any, dtype: Any, arguments: dict[str, Any]) -> Any:
    p = import_polars()
    if dtype != p.String:
        return _to_boolean(column, dtype)
    known = BOOLEANS
    if arguments.get("true_values") is not None:
        known = {
            **dict.fromkeys(arguments["true_values"], True),
            **dict.fromkeys(arguments.get("false_values") or (), False),
        }
    otherwise = {"true": True, "false": False}.get(arguments.get("mismatch_as", "error"))
    made = column.replace_strict(known, default=None, return_dtype=p.Boolean)
    return made if otherwise is None else p.when(column.is_not_null()).then(made.fill_null(otherwise))


def _to_datetime(column: Any, dtype: Any, formats: Sequence[str], constant: str | None) -> Any:
    p = import_polars()
    if dtype in (p.Datetime, p.Date):
        return column
    if dtype != p.String:
        return p.lit(None)
    text = column.str.strip_chars()
    if constant is not None:
        text = p.lit(constant) + text
    known = [format.replace(".%f", "%.f").replace("%z", "%#z") for format in formats]
    for format in known:
        if not any(part in format for part in ("%Y", "%y", "%s", "%D", "%F", "%x", "%c", "%+", "%G", "%v")):
            raise UserErrorException(
                f"the datetime format '{format}' has no year; give a date_constant to put before each value"
            )
    return parse_datetimes(text, known)


def _format_float(value: float) -> str:
    """Format a float without an exponent: 1.5 and 2."""
    if value != value:
        return "NaN"
    if value in (float("inf"), float("-inf")):
        return "inf" if value > 0 else "-inf"
    if value == int(value):
        return str(int(value)) if value or str(value)[0] != "-" else "-0"
    text = repr(value)
    if "e" not in text:
        return text
    import decimal

    return f"{decimal.Decimal(text):f}"


def _format_datetime(value: Any) -> str:
    fraction = value.microsecond
    text = value.strftime("%Y-%m-%dT%H:%M:%S")
    if fraction:
        text += f".{fraction // 1000:03d}" if fraction % 1000 == 0 else f".{fraction:06d}"
    return f"{text}+00:00"


def _format_json(value: Any) -> str:
    import json

    return str(json.dumps(value.to_list() if hasattr(value, "to_list") else value, default=str))
