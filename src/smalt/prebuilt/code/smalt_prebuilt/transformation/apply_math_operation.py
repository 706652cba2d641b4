"""Apply Math Operation."""

from __future__ import annotations

from collections.abc import Callable

import polars as pl

from ..columns import choose_columns
from ..naming import make_new_name
from ..ports import ComponentPorts, run_component
from ..problems import ComponentError, join_names, make_column_error

_ALONE: dict[str, Callable[[pl.Series], pl.Series]] = {
    "abs": lambda column: column.abs(),
    "negate": lambda column: -column,
    "square": lambda column: column * column,
    "sqrt": lambda column: column.sqrt(),
    "exp": lambda column: column.exp(),
    "ln": lambda column: column.log(),
    "log10": lambda column: column.log10(),
    "ceiling": lambda column: column.ceil(),
    "floor": lambda column: column.floor(),
    "round": lambda column: column.round(),
    "sin": lambda column: column.sin(),
    "cos": lambda column: column.cos(),
}
_WITH_OPERAND: dict[str, Callable[[pl.Series, pl.Series], pl.Series]] = {
    "add": lambda column, other: column + other,
    "subtract": lambda column, other: column - other,
    "multiply": lambda column, other: column * other,
    "divide": lambda column, other: column / other,
    "power": lambda column, other: column**other,
    "modulo": lambda column, other: column % other,
    "equal_to": lambda column, other: column == other,
    "not_equal_to": lambda column, other: column != other,
    "greater_than": lambda column, other: column > other,
    "greater_than_or_equal_to": lambda column, other: column >= other,
    "less_than": lambda column, other: column < other,
    "less_than_or_equal_to": lambda column, other: column <= other,
}


def apply_math_operation(ports: ComponentPorts) -> None:
    frame, operation = ports.read_table("dataset"), ports.get_text("operation")
    columns = choose_columns(frame, ports.get_text("columns", "@numeric"), "columns")
    others = [name for name in columns if not frame.schema[name].is_numeric()]
    if others:
        raise ComponentError(f"columns: only numbers can be used, and these are none: {join_names(others)}")
    if operation in _ALONE:
        ports.report_unused(f"with {operation}", "operand")
    made = []
    for name in columns:
        column = frame[name].cast(pl.Float64)
        if operation in _ALONE:
            made.append(_ALONE[operation](column).alias(name))
        else:
            made.append(_WITH_OPERAND[operation](column, find_operand(frame, ports)).alias(name))
    mode = ports.get_text("output_mode", "append")
    if mode == "result_only":
        frame = pl.DataFrame(made)
    elif mode == "in_place":
        frame = frame.with_columns(made)
    else:
        for column in made:
            frame = frame.with_columns(column.alias(make_new_name(f"{operation}({column.name})", frame.columns)))
    ports.write_table("results_dataset", frame)


def find_operand(frame: pl.DataFrame, ports: ComponentPorts) -> pl.Series:
    """Return the second argument: a column, or a number in each row."""
    text = ports.get_text("operand")
    if not text:
        raise ComponentError(f"operand is needed with {ports.get_text('operation')}: a number, or a column's name")
    if text in frame.columns:
        if not frame.schema[text].is_numeric():
            raise ComponentError(f"operand: column '{text}' holds no numbers")
        return frame[text].cast(pl.Float64)
    try:
        number = float(text)
    except ValueError:
        raise make_column_error(text, frame.columns, "operand") from None
    return pl.Series([number] * frame.height, dtype=pl.Float64)


if __name__ == "__main__":
    run_component(apply_math_operation)
