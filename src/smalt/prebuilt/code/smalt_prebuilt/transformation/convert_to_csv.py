"""Convert to CSV."""

from __future__ import annotations

from ..ports import ComponentPorts, run_component


def convert_to_csv(ports: ComponentPorts) -> None:
    frame = ports.read_table("dataset")
    frame.write_csv(ports.find_output("results_dataset") / "data.csv")
    print(f"data.csv: {frame.height:,} rows, {frame.width:,} columns")


if __name__ == "__main__":
    run_component(convert_to_csv)
