"""Clip Values."""

from __future__ import annotations

import polars as pl

from ..columns import choose_columns
from ..naming import make_new_name
from ..ports import ComponentPorts, run_component
from ..problems import ComponentError, join_names

_SIDES = {"clip_peaks": ("upper",), "clip_subpeaks": ("lower",), "clip_peaks_and_subpeaks": ("lower", "upper")}
_PORTS = {"upper": ("upper_threshold", "upper_substitute"), "lower": ("lower_threshold", "lower_substitute")}
_DEFAULTS = {"upper_threshold": "99", "lower_threshold": "1"}


def clip_values(ports: ComponentPorts) -> None:
    """Replace the values of columns beyond their thresholds."""
    frame, mode = ports.read_table("dataset"), ports.get_text("clip_mode", "clip_peaks_and_subpeaks")
    columns = choose_columns(frame, ports.get_text("columns", "@numeric"), "columns")
    others = [name for name in columns if not frame.schema[name].is_numeric()]
    if others:
        raise ComponentError(f"columns: only numbers can be clipped, and these are none: {join_names(others)}")
    for side in {"upper", "lower"} - {*_SIDES[mode]}:
        threshold, substitute = _PORTS[side]
        ports.report_unused(f"with {mode}", **{threshold: _DEFAULTS[threshold], substitute: "threshold"})
    overwrites, marks = ports.get_flag("overwrite", True), ports.get_flag("add_indicator_columns")
    for name in columns:
        column = frame[name].cast(pl.Float64).fill_nan(None)
        clipped, is_beyond = clip_column(column, _SIDES[mode], ports)
        target = name if overwrites else make_new_name(f"{name}_clipped", frame.columns)
        frame = frame.with_columns(clipped.alias(target))
        if marks:
            frame = frame.with_columns(is_beyond.alias(make_new_name(f"{name}_IsClipped", frame.columns)))
    ports.write_table("results_dataset", frame)


def clip_column(column: pl.Series, sides: tuple[str, ...], ports: ComponentPorts) -> tuple[pl.Series, pl.Series]:
    """Return the column with substitutes, and which of its values they stand for."""
    found, beyond = column, pl.Series([False] * len(column), dtype=pl.Boolean)
    thresholds = {side: find_threshold(column, side, ports) for side in sides}
    low, high = thresholds.get("lower"), thresholds.get("upper")
    if low is not None and high is not None and low > high:
        raise ComponentError(
            f"lower_threshold is above upper_threshold for column '{column.name}': {low:g} and {high:g}"
        )
    for side, threshold in thresholds.items():
        if threshold is None:
            continue
        is_out = (column > threshold if side == "upper" else column < threshold).fill_null(False)
        kind = ports.get_text(_PORTS[side][1], "threshold")
        values = {"threshold": threshold, "mean": column.mean(), "median": column.median(), "missing": None}
        found = pl.select(pl.when(is_out).then(pl.lit(values[kind], dtype=pl.Float64)).otherwise(found)).to_series()
        beyond = beyond | is_out
    return found, beyond


def find_threshold(column: pl.Series, side: str, ports: ComponentPorts) -> float | None:
    """Return the threshold of a column; None if it is a percentile of no values."""
    name = _PORTS[side][0]
    value = ports.get_number(name, float(_DEFAULTS[name]))
    if ports.get_text("threshold_kind", "percentile") == "constant":
        return value
    if not 0 <= value <= 100:
        raise ComponentError(f"{name} is {value:g}; give a percentile from 0 to 100, or set threshold_kind to constant")
    return column.quantile(value / 100, "linear")


if __name__ == "__main__":
    run_component(clip_values)
