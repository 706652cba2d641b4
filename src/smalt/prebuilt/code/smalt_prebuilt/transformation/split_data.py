"""Split Data."""

from __future__ import annotations

import random
import re

import polars as pl

from ..columns import find_column
from ..ports import ComponentPorts, run_component
from ..problems import ComponentError

_COMPARISON = re.compile(r"\s*(<=|>=|==|!=|<|>|=)\s*(.+?)\s*")

_OPTIONS = ("stratification_column", "column", "regular_expression", "relational_expression")


def split_data(ports: ComponentPorts) -> None:
    """Write two tables with each row in one of them."""
    frame, mode = ports.read_table("dataset"), ports.get_text("splitting_mode", "split_rows")
    own = {"stratification_column"} if mode == "split_rows" else {"column", mode}
    ports.report_unused(f"with splitting_mode {mode}", *(name for name in _OPTIONS if name not in own))
    if mode != "split_rows":
        defaults = {"fraction": "0.5", "randomized_split": "true", "random_seed": "0"}
        ports.report_unused(f"with splitting_mode {mode}", **defaults)
    if mode == "split_rows":
        first = choose_rows(frame, ports)
    elif mode == "regular_expression":
        first = match_rows(frame, ports)
    else:
        first = compare_rows(frame, ports)
    ports.write_table("results_dataset1", frame.filter(first))
    ports.write_table("results_dataset2", frame.filter(~first))


def choose_rows(frame: pl.DataFrame, ports: ComponentPorts) -> pl.Series:
    """Return True for the rows of the first output: a fraction of all, or of each group of equal values."""
    fraction = ports.get_number("fraction", 0.5)
    if not 0 <= fraction <= 1:
        raise ComponentError(f"fraction is {fraction:g}; give a number from 0 to 1")
    groups = [[*range(frame.height)]]
    if stratification := ports.get_text("stratification_column"):
        column = frame[find_column(frame, stratification, "stratification_column")]
        found: dict[object, list[int]] = {}
        for index, value in enumerate(column.to_list()):
            found.setdefault(value, []).append(index)
        groups = [*found.values()]
    generator = random.Random(ports.get_whole_number("random_seed", 0))
    taken: set[int] = set()
    for rows in groups:
        if ports.get_flag("randomized_split", True):
            generator.shuffle(rows)
        taken.update(rows[: round(len(rows) * fraction)])
    return pl.Series([index in taken for index in range(frame.height)], dtype=pl.Boolean)


def match_rows(frame: pl.DataFrame, ports: ComponentPorts) -> pl.Series:
    """Return True for the rows whose text the regular expression finds; missing values are in the second output."""
    name = find_column(frame, ports.get_text("column"), "column")
    expression = ports.get_text("regular_expression")
    if not expression:
        raise ComponentError("regular_expression is needed with this splitting_mode")
    try:
        return frame[name].cast(pl.String).str.contains(expression).fill_null(False)
    except pl.exceptions.ComputeError as error:
        raise ComponentError(f"regular_expression '{expression}' is not valid: {str(error).splitlines()[0]}") from None


def compare_rows(frame: pl.DataFrame, ports: ComponentPorts) -> pl.Series:
    """Return True for the rows that a comparison such as `> 30` holds for; missing values are in the second output."""
    name = find_column(frame, ports.get_text("column"), "column")
    found = _COMPARISON.fullmatch(ports.get_text("relational_expression"))
    if not found:
        raise ComponentError("relational_expression must be a comparison with a value, such as '> 30' or '== sedan'")
    sign, text = found.groups()
    column, value = frame[name], text.strip("\"'")
    try:
        other = pl.Series([value]).cast(pl.String if column.dtype in (pl.Categorical, pl.Enum) else column.dtype)
    except pl.exceptions.PolarsError:
        raise ComponentError(
            f"relational_expression: '{value}' is not of the type of column '{name}', {column.dtype}"
        ) from None
    compared = column.cast(other.dtype)
    results = {
        "<": lambda: compared < other[0],
        "<=": lambda: compared <= other[0],
        ">": lambda: compared > other[0],
        ">=": lambda: compared >= other[0],
        "==": lambda: compared == other[0],
        "=": lambda: compared == other[0],
        "!=": lambda: compared != other[0],
    }
    return results[sign]().fill_null(False)


if __name__ == "__main__":
    run_component(split_data)
