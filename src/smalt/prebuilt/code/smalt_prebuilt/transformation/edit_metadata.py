"""Edit Metadata."""

from __future__ import annotations

import polars as pl

from ..columns import choose_columns, split_names
from ..ports import ComponentPorts, run_component
from ..problems import ComponentError, join_names

_TYPES: dict[str, pl.DataType | type[pl.DataType]] = {
    "string": pl.String,
    "integer": pl.Int64,
    "floating_point": pl.Float64,
    "boolean": pl.Boolean,
    "date_time": pl.Datetime("us"),
}
_TRUE, _FALSE = ("true", "yes", "t", "y", "1", "1.0"), ("false", "no", "f", "n", "0", "0.0")


def edit_metadata(ports: ComponentPorts) -> None:
    """Change types, categories and names of columns; a value that does not fit the new type is an error."""
    frame = ports.read_table("dataset")
    columns = choose_columns(frame, ports.get_text("columns"), "columns")
    type, categorical = ports.get_text("data_type", "unchanged"), ports.get_text("categorical", "unchanged")
    if type != "date_time":
        ports.report_unused(f"with data_type {type}", "date_time_format")
    for name in columns:
        column = frame[name]
        if type != "unchanged":
            column = convert_column(column, type, ports.get_text("date_time_format"))
        if categorical == "make_categorical":
            column = column.cast(pl.String).cast(pl.Categorical)
        elif categorical == "make_noncategorical" and column.dtype in (pl.Categorical, pl.Enum):
            column = column.cast(pl.String)
        frame = frame.with_columns(column)
    if text := ports.get_text("new_column_names"):
        frame = rename_columns(frame, columns, split_names(text, "new_column_names"))
    ports.write_table("results_dataset", frame)


def convert_column(column: pl.Series, type: str, format: str) -> pl.Series:
    if column.dtype in (pl.Categorical, pl.Enum):
        column = column.cast(pl.String)
    if type == "boolean" and not column.dtype.is_numeric():
        plain = column.cast(pl.String).str.strip_chars().str.to_lowercase()
        made = (
            pl.select(pl.when(plain.is_in(_TRUE)).then(True).when(plain.is_in(_FALSE)).then(False)).to_series()
        ).alias(column.name)
    elif type == "date_time" and column.dtype == pl.String:
        made = _parse_times(column, format)
    else:
        plain = column.str.strip_chars() if column.dtype == pl.String and type != "string" else column
        if type == "integer" and plain.dtype == pl.String:
            plain = plain.cast(pl.Float64, strict=False) if plain.cast(pl.Int64, strict=False).null_count() else plain
        made = plain.cast(_TYPES[type], strict=False)
        if type == "integer" and plain.dtype.is_float():
            made = pl.select(pl.when(plain == made).then(made)).to_series().alias(column.name)  # 1.5 does not fit
    lost = column.filter(made.is_null() & column.is_not_null())
    if len(lost):
        shown = join_names(str(value) for value in lost.unique(maintain_order=True)[:3])
        raise ComponentError(f"column '{column.name}' has values that are no {type}: {shown}; clean them before")
    return made


def _parse_times(column: pl.Series, format: str) -> pl.Series:
    try:
        return column.str.to_datetime(format or None, strict=False, time_unit="us")
    except pl.exceptions.PolarsError:
        raise ComponentError(
            f"column '{column.name}' has times in an unknown form; set date_time_format, such as %d.%m.%Y"
        ) from None


def rename_columns(frame: pl.DataFrame, columns: list[str], names: list[str]) -> pl.DataFrame:
    if len(names) != len(columns):
        raise ComponentError(f"new_column_names has {len(names)} names, and {len(columns)} columns are chosen")
    renamed = dict(zip(columns, names, strict=True))
    every = [renamed.get(name, name) for name in frame.columns]
    if repeated := sorted({name for name in every if every.count(name) > 1}):
        raise ComponentError(f"new_column_names: two columns would be called {join_names(repeated)}")
    return frame.rename(renamed)


if __name__ == "__main__":
    run_component(edit_metadata)
