"""Clean Missing Data."""

from __future__ import annotations

from typing import Any

import polars as pl

from ..columns import choose_columns
from ..naming import make_new_name
from ..ports import ComponentPorts, run_component
from ..problems import ComponentError, join_names, make_column_error
from ..saved_transformations import save_transformation

_ROW, _COLUMN = "remove_entire_row", "remove_entire_column"


def clean_missing_data(ports: ComponentPorts) -> None:
    frame, mode = ports.read_table("dataset"), ports.get_text("cleaning_mode", "custom_substitution_value")
    least, most = ports.get_number("minimum_missing_value_ratio", 0), ports.get_number("maximum_missing_value_ratio", 1)
    columns = [
        name
        for name in choose_columns(frame, ports.get_text("columns", "@all"), "columns")
        if least <= (count_missing(frame[name]) / max(frame.height, 1)) <= most
    ]
    if mode != "custom_substitution_value":
        ports.report_unused(f"with cleaning_mode {mode}", replacement_value="0")
    learned: dict[str, Any] = {
        "mode": mode,
        "columns": columns,
        "values": {},
        "indicators": ports.get_flag("generate_missing_value_indicator_column"),
    }
    if mode == _COLUMN:
        learned["columns"] = [name for name in columns if count_missing(frame[name])]
    elif mode != _ROW:
        text = ports.get_text("replacement_value", "0")
        learned["values"] = {name: find_replacement(frame[name], mode, text) for name in columns}
    ports.write_table("cleaned_dataset", apply_cleaning(frame, learned))
    save_transformation(ports.find_output("cleaning_transformation"), "clean_missing_data", learned)


def count_missing(column: pl.Series) -> int:
    """Return the number of missing values; NaN is one."""
    not_numbers = column.is_nan().sum() if column.dtype.is_float() else 0
    return column.null_count() + int(not_numbers or 0)


def find_replacement(column: pl.Series, mode: str, text: str) -> Any:
    """Return the value that a mode puts where one is missing; None if the column has no value at all."""
    known = column.drop_nans().drop_nulls() if column.dtype.is_float() else column.drop_nulls()
    if mode == "custom_substitution_value":
        return _parse_value(column, text)
    if mode == "replace_with_mode":
        return _to_plain(known.mode().sort()[0]) if len(known) else None
    if not column.dtype.is_numeric():
        if not count_missing(column):
            return None
        raise ComponentError(
            f"{mode} needs numbers, and column '{column.name}' is of type {column.dtype}; choose other columns, or "
            "replace_with_mode"
        )
    if not len(known):
        return None
    return known.mean() if mode == "replace_with_mean" else known.median()


def apply_cleaning(frame: pl.DataFrame, learned: dict[str, Any]) -> pl.DataFrame:
    """Clean a table as another one was cleaned."""
    for name in learned["columns"]:
        if name not in frame.columns:
            raise make_column_error(name, frame.columns, "dataset")
    if learned["mode"] == _COLUMN:
        return frame.drop(learned["columns"])
    is_missing = {name: _find_missing(frame[name]) for name in learned["columns"]}
    if learned["mode"] == _ROW:
        return frame.filter(~pl.any_horizontal([*is_missing.values()])) if is_missing else frame
    empty = [name for name, value in learned["values"].items() if value is None and is_missing[name].any()]
    if empty:
        print(f"still missing, as the columns have no value to learn from: {join_names(empty)}")
    for name, value in learned["values"].items():
        column = frame[name]
        if value is not None and is_missing[name].any():
            filled = column.fill_nan(None) if column.dtype.is_float() else column
            frame = frame.with_columns(_fill_column(filled, value))
        if learned["indicators"]:
            indicator = make_new_name(f"{name}_IsMissing", frame.columns)
            frame = frame.with_columns(is_missing[name].alias(indicator))
    return frame


def _fill_column(column: pl.Series, value: Any) -> pl.Series:
    """Fill what is missing; whole numbers become others if the value is no whole number."""
    if column.dtype.is_integer() and isinstance(value, float) and not value.is_integer():
        column = column.cast(pl.Float64)
    if column.dtype in (pl.Categorical, pl.Enum):
        return column.cast(pl.String).fill_null(str(value)).cast(pl.Categorical)
    return column.fill_null(pl.Series([value]).cast(column.dtype)[0])


def _find_missing(column: pl.Series) -> pl.Series:
    return (column.is_null() | column.is_nan().fill_null(False)) if column.dtype.is_float() else column.is_null()


def _parse_value(column: pl.Series, text: str) -> Any:
    """Return the text as a value of the column; an error only if it would be put there."""
    type = column.dtype
    if type == pl.String or type in (pl.Categorical, pl.Enum):
        return text
    try:
        return _to_plain(pl.Series([text]).cast(pl.Float64 if type.is_numeric() else type)[0])
    except pl.exceptions.PolarsError:
        if not count_missing(column):
            return None
        raise ComponentError(
            f"replacement_value '{text}' is not of the type of column '{column.name}', {type}; choose others"
        ) from None


def _to_plain(value: Any) -> Any:
    return value if isinstance(value, bool | int | float | str) else str(value)


if __name__ == "__main__":
    run_component(clean_missing_data)
