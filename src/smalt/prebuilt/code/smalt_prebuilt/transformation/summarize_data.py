"""Summarize Data."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import polars as pl

from ..ports import ComponentPorts, run_component

_COUNTS = ("Count", "Unique Value Count", "Missing Value Count")
_TEXTS = ("Feature", "Type", "Mode")
_PERCENTILES = (0.5, 1, 5, 95, 99, 99.5)


def _make_percentile(part: float) -> Callable[[pl.Series], Any]:
    return lambda one: one.quantile(part / 100, "linear")


_FIGURES: dict[str, Callable[[pl.Series], Any]] = {
    "Min": lambda one: one.min(),
    "Max": lambda one: one.max(),
    "Mean": lambda one: one.mean(),
    "Mean Deviation": lambda one: (one - one.mean()).abs().mean(),
    "1st Quartile": lambda one: one.quantile(0.25, "linear"),
    "Median": lambda one: one.median(),
    "3rd Quartile": lambda one: one.quantile(0.75, "linear"),
    "Range": lambda one: one.max() - one.min(),
    "Sample Variance": lambda one: one.var(),
    "Sample Standard Deviation": lambda one: one.std(),
    "Sample Skewness": lambda one: one.skew(bias=False) if len(one) > 2 else None,
    "Sample Kurtosis": lambda one: one.kurtosis(bias=False) if len(one) > 3 else None,
    **{f"P{part:g}": _make_percentile(part) for part in _PERCENTILES},
}
"""The figures that only numbers have."""
_TYPES: dict[str, Any] = {
    **dict.fromkeys(_TEXTS, pl.String),
    **dict.fromkeys(_COUNTS, pl.Int64),
    **dict.fromkeys(_FIGURES, pl.Float64),
}


def summarize_data(ports: ComponentPorts) -> None:
    """Write a row of figures for each column."""
    frame = ports.read_table("dataset")
    rows = [summarize_column(column) for column in frame]
    ports.write_table("results_dataset", pl.DataFrame(rows, schema_overrides=_TYPES, infer_schema_length=None))


def summarize_column(column: pl.Series) -> dict[str, Any]:
    """Return the figures of a column; NaN is missing, too, and the mode is the least of the most frequent values."""
    if column.dtype.is_float():
        column = column.fill_nan(None)
    known = column.drop_nulls()
    is_flat = not column.dtype.is_nested()
    found: dict[str, Any] = {
        "Feature": column.name,
        "Type": str(column.dtype),
        "Count": len(column),
        "Unique Value Count": known.n_unique() if is_flat else None,
        "Missing Value Count": len(column) - len(known),
        "Mode": str(known.mode().sort()[0]) if is_flat and len(known) else None,
    }
    numbers = known.cast(pl.Float64) if column.dtype.is_numeric() and len(known) else None
    return {**found, **{name: None if numbers is None else figure(numbers) for name, figure in _FIGURES.items()}}


if __name__ == "__main__":
    run_component(summarize_data)
