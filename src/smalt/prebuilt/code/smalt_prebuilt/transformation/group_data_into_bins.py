"""Group Data into Bins."""

from __future__ import annotations

from typing import Any

import polars as pl

from ..columns import choose_columns, split_names
from ..naming import make_new_name
from ..ports import ComponentPorts, run_component
from ..problems import ComponentError, join_names, make_column_error
from ..saved_transformations import save_transformation


def group_data_into_bins(ports: ComponentPorts) -> None:
    """Replace numbers by the numbers of their bins, from 1; an edge belongs to the bin above it."""
    frame = ports.read_table("dataset")
    columns = choose_columns(frame, ports.get_text("columns"), "columns")
    others = [name for name in columns if not frame.schema[name].is_numeric()]
    if others or not columns:
        raise ComponentError(f"columns: only numbers have bins, and these are none: {join_names(others)}")
    learned = {
        "edges": {name: find_edges(frame[name], ports) for name in columns},
        "output": ports.get_text("output_mode", "append"),
        "categorical": ports.get_flag("tag_columns_as_categorical", True),
    }
    ports.write_table("quantized_dataset", apply_bins(frame, learned))
    save_transformation(ports.find_output("binning_function"), "group_data_into_bins", learned)


def find_edges(column: pl.Series, ports: ComponentPorts) -> list[float]:
    """Return the edges between the bins of a column, one fewer than bins."""
    mode, count = ports.get_text("binning_mode", "quantiles"), ports.get_whole_number("number_of_bins", 10)
    known = column.cast(pl.Float64).drop_nans().drop_nulls()
    if mode != "custom_edges":
        ports.report_unused(f"with binning_mode {mode}", "bin_edges")
    if mode == "custom_edges":
        ports.report_unused("with binning_mode custom_edges", number_of_bins="10")
        return _parse_edges(ports.get_text("bin_edges"))
    if not len(known):
        return []
    shares = [number / count for number in range(1, count)]
    if mode == "quantiles":
        found = {known.quantile(share, "linear") for share in shares} - {None, known.min()}
        edges = sorted(edge for edge in found if edge is not None)
    else:
        low, high = float(known.min()), float(known.max())
        edges = sorted({low + share * (high - low) for share in shares} - {low})
    if len(edges) < count - 1:
        print(f"column '{column.name}' has {len(edges) + 1} bins, as its values give no more")
    return edges


def _parse_edges(text: str) -> list[float]:
    try:
        edges = [float(part) for part in split_names(text, "bin_edges")]
    except ValueError:
        raise ComponentError(f"bin_edges is '{text}'; give numbers with commas between them") from None
    if not edges or edges != sorted(set(edges)):
        raise ComponentError("bin_edges needs rising numbers with commas between them, such as 0, 10, 100")
    return edges


def apply_bins(frame: pl.DataFrame, learned: dict[str, Any]) -> pl.DataFrame:
    """Group the columns of a table as those of another one were."""
    made: list[pl.Series] = []
    for name, edges in learned["edges"].items():
        if name not in frame.columns:
            raise make_column_error(name, frame.columns, "dataset")
        if not frame.schema[name].is_numeric():
            raise ComponentError(f"dataset: column '{name}' holds no numbers")
        column = frame[name].cast(pl.Float64).fill_nan(None)
        bins = pl.Series(name, [1] * len(column), dtype=pl.Int64)
        for edge in edges:
            bins = bins + (column >= edge).cast(pl.Int64)
        bins = pl.select(pl.when(column.is_not_null()).then(bins)).to_series().alias(name)
        made.append(bins.cast(pl.String).cast(pl.Categorical) if learned["categorical"] else bins)
    if learned["output"] == "in_place":
        return frame.with_columns(made)
    if learned["output"] == "result_only":
        return pl.DataFrame(made)
    for column in made:
        frame = frame.with_columns(column.alias(make_new_name(f"{column.name}_quantized", frame.columns)))
    return frame


if __name__ == "__main__":
    run_component(group_data_into_bins)
