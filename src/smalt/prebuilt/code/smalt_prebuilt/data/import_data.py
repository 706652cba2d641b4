"""Import Data."""

from __future__ import annotations

from ..columns import split_names
from ..ports import ComponentPorts, run_component
from ..problems import ComponentError
from ..tables import parse_delimited, read_table


def import_data(ports: ComponentPorts) -> None:
    """Write data that lies in files as a table."""
    source, separator = ports.find_input("source"), ports.get_text("separator")
    missing = split_names(ports.get_text("missing_values"), "missing_values")
    if separator or not ports.get_flag("has_header", True):
        if not source.is_file():
            raise ComponentError("separator and has_header need one file as the source, not a folder")
        is_tabs = separator in ("\\t", "tab") or (not separator and source.suffix == ".tsv")
        separator = "\t" if is_tabs else separator or ","
        if len(separator) != 1:
            raise ComponentError(f"separator is '{separator}'; give one character, or tab")
        frame = parse_delimited(source, separator, has_header=ports.get_flag("has_header", True), missing=missing)
        if not ports.get_flag("has_header", True):
            frame.columns = [f"Col{index + 1}" for index in range(frame.width)]
    else:
        frame = read_table(source, "source", missing)
    ports.write_table("dataset", frame)


if __name__ == "__main__":
    run_component(import_data)
