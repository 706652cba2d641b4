"""Remove Duplicate Rows."""

from __future__ import annotations

from ..columns import choose_columns
from ..ports import ComponentPorts, run_component


def remove_duplicate_rows(ports: ComponentPorts) -> None:
    """Keep one row of those that are equal in the key columns, in the order of the rows."""
    frame = ports.read_table("dataset")
    keys = choose_columns(frame, ports.get_text("key_columns", "@all"), "key_columns")
    kept = "first" if ports.get_flag("retain_first_duplicate_row", True) else "last"
    left = frame.unique(keys, keep=kept, maintain_order=True)
    print(f"{frame.height - left.height:,} rows removed")
    ports.write_table("results_dataset", left)


if __name__ == "__main__":
    run_component(remove_duplicate_rows)
