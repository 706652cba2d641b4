"""Normalize Data."""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import Any

import polars as pl

from ..columns import choose_columns
from ..ports import ComponentPorts, run_component
from ..problems import ComponentError, join_names, make_column_error
from ..saved_transformations import save_transformation


def normalize_data(ports: ComponentPorts) -> None:
    """Scale numeric columns, and hand on how, so that other tables are scaled alike."""
    frame, method = ports.read_table("dataset"), ports.get_text("transformation_method", "z_score")
    columns = choose_columns(frame, ports.get_text("columns", "@numeric"), "columns")
    others = [name for name in columns if not frame.schema[name].is_numeric()]
    if others:
        raise ComponentError(f"columns: only numbers can be normalized, and these are none: {join_names(others)}")
    learned = {
        "method": method,
        "use_0": ports.get_flag("use_0_for_constant_columns", True),
        "columns": {name: _learn_scale(frame[name].cast(pl.Float64).drop_nans(), method) for name in columns},
    }
    ports.write_table("transformed_dataset", apply_scales(frame, learned))
    save_transformation(ports.find_output("transformation_function"), "normalize_data", learned)


def _learn_scale(column: pl.Series, method: str) -> list[float | None]:
    """Return the two figures of a column that a method needs."""
    known = column.drop_nulls()
    if method == "log_normal":
        if (known <= 0).any():
            raise ComponentError(f"log_normal needs numbers above 0, and column '{column.name}' has others")
        known = known.log()
    if not len(known) or method in ("logistic", "tanh"):
        return [0.0, 1.0]
    if method == "min_max":
        low, high = float(known.min()), float(known.max())
        return [low, high - low]
    return [known.mean(), known.std(ddof=0)]


def apply_scales(frame: pl.DataFrame, learned: dict[str, Any]) -> pl.DataFrame:
    """Scale the columns of a table as those of another one were."""
    for name, (shift, scale) in learned["columns"].items():
        if name not in frame.columns:
            raise make_column_error(name, frame.columns, "dataset")
        if not frame.schema[name].is_numeric():
            raise ComponentError(f"dataset: column '{name}' holds no numbers")
        frame = frame.with_columns(_scale(frame[name].cast(pl.Float64), learned, shift, scale))
    return frame


def _scale(column: pl.Series, learned: dict[str, Any], shift: float, scale: float) -> pl.Series:
    method = learned["method"]
    if method == "tanh":
        return column.tanh()
    if method == "logistic":
        return 1 / (1 + (-column).exp())
    if scale == 0 or math.isnan(scale):
        constant = 0.0 if learned["use_0"] else None
        return pl.select(pl.when(column.is_not_null()).then(constant)).to_series().alias(column.name).cast(pl.Float64)
    if method == "log_normal":
        if (column <= 0).any():
            raise ComponentError(f"log_normal needs numbers above 0, and column '{column.name}' has others")
        return ((column.log() - shift) / scale).map_elements(NormalDist().cdf, return_dtype=pl.Float64)
    return (column - shift) / scale


if __name__ == "__main__":
    run_component(normalize_data)
