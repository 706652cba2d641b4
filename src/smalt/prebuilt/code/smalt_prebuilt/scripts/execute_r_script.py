"""Execute R Script."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path

import polars as pl

from ..ports import ComponentPorts, run_component
from ..problems import ComponentError

_WRAPPER = Path(__file__).with_name("execute_r_script.R")
_MISSING = "__smalt_missing__"
"""The text between Python and R for a missing value; `NA` may be a text of the user's."""


def execute_r_script(ports: ComponentPorts) -> None:
    """Call the script's azureml_main(dataframe1, dataframe2) in R, and write the frames of the list that it returns."""
    program = shutil.which("Rscript")
    if program is None:
        raise ComponentError("R is not on this machine: install it, so that Rscript is in the PATH of the server")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "script.R").write_text(ports.get_text("r_script"), encoding="utf-8")
        for number in (1, 2):
            if ports.has_input(f"dataset{number}"):
                write_frame(folder, number, ports.read_table(f"dataset{number}"))
        done = subprocess.run([program, "--vanilla", str(_WRAPPER), str(folder)], check=False)
        if done.returncode:
            problem = folder / "problem.txt"
            said = (
                problem.read_text(encoding="utf-8").strip() if problem.exists() else f"R ended with {done.returncode}"
            )
            raise ComponentError(f"r_script: {' '.join(said.split())}")
        for number, output in ((1, "result_dataset"), (2, "result_dataset2")):
            ports.write_table(output, read_frame(folder, number))


def write_frame(folder: Path, number: int, frame: pl.DataFrame) -> None:
    """Write a table as R reads it, with the class of each column."""
    kinds = []
    for type in frame.schema.values():
        whole = "integer" if type in (pl.Int8, pl.Int16, pl.Int32, pl.UInt8, pl.UInt16) else "numeric"
        kinds.append(whole if type.is_numeric() else "logical" if type == pl.Boolean else "character")
    flags = [name for name, type in frame.schema.items() if type == pl.Boolean]
    frame = frame.with_columns(pl.col(name).cast(pl.String).str.to_uppercase() for name in flags)
    frame.write_csv(folder / f"in{number}.csv", null_value=_MISSING, quote_style="non_numeric")
    (folder / f"in{number}.kinds").write_text("".join(f"{kind}\n" for kind in kinds), encoding="utf-8")


def read_frame(folder: Path, number: int) -> pl.DataFrame:
    """Read what R wrote, in the types that its columns had there."""
    path = folder / f"out{number}.csv"
    if not path.exists():
        return pl.DataFrame()
    types = {"numeric": pl.Float64, "integer": pl.Int64, "logical": pl.Boolean, "character": pl.String}
    kinds = (folder / f"out{number}.kinds").read_text(encoding="utf-8").splitlines()
    names = pl.read_csv(path, n_rows=0).columns
    schema = {name: types.get(kind, pl.String) for name, kind in zip(names, kinds, strict=True)}
    texts = {name: pl.String if type == pl.Boolean else type for name, type in schema.items()}
    frame = pl.read_csv(path, schema=texts, null_values=[_MISSING])
    flags = [name for name, type in schema.items() if type == pl.Boolean]
    return frame.with_columns((pl.col(name) == "TRUE").alias(name) for name in flags)


if __name__ == "__main__":
    run_component(execute_r_script)
