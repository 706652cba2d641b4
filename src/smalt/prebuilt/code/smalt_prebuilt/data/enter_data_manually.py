"""Enter Data Manually."""

from __future__ import annotations

import polars as pl

from .. import tables
from ..ports import ComponentPorts, run_component
from ..problems import ComponentError

_SEPARATORS = {"csv": ",", "tsv": "\t"}


def enter_data_manually(ports: ComponentPorts) -> None:
    text, kind = ports.get_text("data"), ports.get_text("data_format", "csv")
    if not text.strip():
        raise ComponentError("data is empty; write the rows, one on each line")
    has_header = ports.get_flag("has_header", True)
    try:
        content = f"{text.strip(chr(10))}\n".encode()
        frame = tables.parse_delimited(content, _SEPARATORS[kind], has_header=has_header)
    except pl.exceptions.PolarsError as error:
        raise ComponentError(f"data cannot be read as {kind}: {str(error).splitlines()[0]}") from None
    if not has_header:
        frame.columns = [f"Col{index + 1}" for index in range(frame.width)]
    ports.write_table("dataset", frame)


if __name__ == "__main__":
    run_component(enter_data_manually)
