"""Add Columns."""

from __future__ import annotations

import polars as pl

from ..naming import make_new_name
from ..ports import ComponentPorts, run_component


def add_columns(ports: ComponentPorts) -> None:
    """Write the columns of both tables side by side; where one has fewer rows, its values are missing."""
    first, second = ports.read_table("left_dataset"), ports.read_table("right_dataset")
    renamed: dict[str, str] = {}
    for name in second.columns:
        renamed[name] = make_new_name(name, {*first.columns, *renamed.values()})
    if first.height != second.height:
        print(f"the tables have {first.height:,} and {second.height:,} rows; what the shorter one lacks is missing")
    rows = max(first.height, second.height)
    first, second = (pl.concat([frame, frame.clear(rows - frame.height)]) for frame in (first, second))
    ports.write_table("results_dataset", first.with_columns(second.rename(renamed).get_columns()))


if __name__ == "__main__":
    run_component(add_columns)
