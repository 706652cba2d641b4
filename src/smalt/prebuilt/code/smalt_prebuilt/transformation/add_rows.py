"""Add Rows."""

from __future__ import annotations

import polars as pl

from ..ports import ComponentPorts, run_component
from ..problems import ComponentError, join_names


def add_rows(ports: ComponentPorts) -> None:
    """Write the rows of both tables, the second one's below; columns go by their names."""
    first, second = ports.read_table("dataset1"), ports.read_table("dataset2")
    only = sorted(set(first.columns) ^ set(second.columns))
    if only:
        raise ComponentError(f"both tables need the same columns, and only one of them has {join_names(only)}")
    second = second.select(first.columns)
    for name in first.columns:
        one, other = first.schema[name], second.schema[name]
        if _get_kind(one) != _get_kind(other) and pl.Null not in (one, other):
            raise ComponentError(
                f"column '{name}' is of type {one} in dataset1 and {other} in dataset2; make them the same with "
                "edit_metadata"
            )
        if one != other and pl.Categorical in (one, other):
            first, second = (frame.with_columns(pl.col(name).cast(pl.String)) for frame in (first, second))
    ports.write_table("results_dataset", pl.concat([first, second], how="vertical_relaxed"))


def _get_kind(type: pl.DataType) -> str:
    if type.is_numeric():
        return "number"
    if type in (pl.String, pl.Categorical, pl.Enum):
        return "text"
    return str(type)


if __name__ == "__main__":
    run_component(add_rows)
