"""Select Columns in Dataset."""

from __future__ import annotations

from ..columns import choose_columns
from ..ports import ComponentPorts, run_component
from ..problems import ComponentError


def select_columns_in_dataset(ports: ComponentPorts) -> None:
    frame = ports.read_table("dataset")
    chosen = choose_columns(frame, ports.get_text("columns"), "columns")
    if not chosen:
        raise ComponentError("columns leaves no column; name those that are to stay")
    ports.write_table("results_dataset", frame.select(chosen))


if __name__ == "__main__":
    run_component(select_columns_in_dataset)
