"""Export Data."""

from __future__ import annotations

from ..ports import ComponentPorts, run_component
from ..problems import ComponentError


def export_data(ports: ComponentPorts) -> None:
    """Write a table as one file, into the folder that the output's path names."""
    frame, kind = ports.read_table("dataset"), ports.get_text("file_format", "csv")
    name = ports.get_text("file_name", "data")
    if "/" in name or name in (".", ".."):
        raise ComponentError(f"file_name is '{name}'; give a name without a folder, which is the path of the output")
    path = ports.find_output("exported") / f"{name}.{kind}"
    writers = {
        "csv": lambda: frame.write_csv(path),
        "tsv": lambda: frame.write_csv(path, separator="\t"),
        "parquet": lambda: frame.write_parquet(path),
        "jsonl": lambda: frame.write_ndjson(path),
    }
    writers[kind]()
    print(f"{path.name}: {frame.height:,} rows, {frame.width:,} columns")


if __name__ == "__main__":
    run_component(export_data)
