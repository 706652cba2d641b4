"""Convert to Dataset."""

from __future__ import annotations

import polars as pl

from ..columns import split_names
from ..ports import ComponentPorts, run_component
from ..tables import read_table


def convert_to_dataset(ports: ComponentPorts) -> None:
    """Write any table in the form that components hand on, with missing values where their texts stood."""
    missing = split_names(ports.get_text("missing_values"), "missing_values")
    frame = read_table(ports.find_input("dataset"), "dataset", missing)
    texts = [name for name, type in frame.schema.items() if type == pl.String]
    if missing and texts:
        frame = frame.with_columns(
            pl.when(pl.col(name).is_in(missing)).then(None).otherwise(pl.col(name)).alias(name) for name in texts
        )
    ports.write_table("results_dataset", frame)


if __name__ == "__main__":
    run_component(convert_to_dataset)
