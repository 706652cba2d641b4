"""Tables between components, and the files of users that stand for one.

A table is a folder with `data.parquet` and an `MLTable` that reads it, so it is an MLTable to every other job, too.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl

from .problems import ComponentError, join_names

DATA, DOCUMENT = "data.parquet", "MLTable"
_DOCUMENT = f"type: mltable\npaths:\n  - file: ./{DATA}\ntransformations:\n  - read_parquet\n"
_SEPARATORS = {".csv": ",", ".tsv": "\t", ".tab": "\t"}
_LINES = (".jsonl", ".ndjson")
_PACKED = (".gz", ".zst")
KINDS = ("csv", "tsv", "parquet", "json", "jsonl")
"""The kinds of files that are tables."""


def write_table(folder: Path, frame: pl.DataFrame) -> None:
    """Write a table into a folder that is there."""
    repeated = sorted({name for name in frame.columns if frame.columns.count(name) > 1})
    if repeated:
        raise ComponentError(f"two columns would be called {join_names(repeated)}")
    frame.write_parquet(folder / DATA)
    (folder / DOCUMENT).write_text(_DOCUMENT, encoding="utf-8")


def read_table(path: Path, what: str, missing: Sequence[str] = ()) -> pl.DataFrame:
    """Read a table of a component, an MLTable, a file, or a folder of files of one kind.

    `what` names the input in errors; `missing` are the texts that stand for a missing value in files of text.
    """
    if not path.exists():
        raise ComponentError(f"{what}: {path} does not exist")
    if path.is_file():
        return _read_file(path, what, missing)
    if (path / DOCUMENT).is_file():
        return _read_mltable(path, what)
    files = _list_files(path)
    if not files:
        raise ComponentError(f"{what}: {path} has no file that is a table; it needs one that ends in {_name_endings()}")
    frames = [_read_file(file, what, missing) for file in files]
    for file, frame in zip(files, frames, strict=True):
        if set(frame.columns) != set(frames[0].columns):
            differing = join_names(sorted(set(frame.columns) ^ set(frames[0].columns)))
            raise ComponentError(f"{what}: {file.name} and {files[0].name} differ in their columns: {differing}")
    return pl.concat([frame.select(frames[0].columns) for frame in frames], how="vertical_relaxed")


def _list_files(folder: Path) -> list[Path]:
    found = (path for path in sorted(folder.rglob("*")) if path.is_file())
    visible = [
        path for path in found if not any(part.startswith((".", "_")) for part in path.relative_to(folder).parts)
    ]
    return [path for path in visible if _get_ending(path) in {f".{kind}" for kind in KINDS} | {".tab", ".ndjson"}]


def _read_mltable(folder: Path, what: str) -> pl.DataFrame:
    if (folder / DOCUMENT).read_text(encoding="utf-8", errors="replace") == _DOCUMENT:
        return pl.read_parquet(folder / DATA)
    import mltable  # type: ignore[import-not-found, unused-ignore]  # where the environment has it

    try:
        return pl.from_pandas(mltable.load(str(folder)).to_pandas_dataframe())
    except Exception as error:  # whatever its paths and steps lead to
        raise ComponentError(f"{what}: its MLTable cannot be read: {' '.join(str(error).split())}") from None


def _read_file(path: Path, what: str, missing: Sequence[str]) -> pl.DataFrame:
    ending = _get_ending(path)
    try:
        if ending == ".parquet":
            return pl.read_parquet(path)
        if ending in _LINES:
            return pl.read_ndjson(path, infer_schema_length=None)
        if ending == ".json":
            return pl.read_json(path, infer_schema_length=None)
        if ending in _SEPARATORS:
            return parse_delimited(path, _SEPARATORS[ending], missing=missing)
    except (pl.exceptions.PolarsError, UnicodeDecodeError) as error:
        words = " ".join(str(error).split("\n\n")[0].split())
        raise ComponentError(f"{what}: {path.name} cannot be read as a table: {words}") from None
    raise ComponentError(f"{what}: {path.name} is not known to be a table; its name must end in {_name_endings()}")


def parse_delimited(
    source: Any, separator: str, *, has_header: bool = True, missing: Sequence[str] = ()
) -> pl.DataFrame:
    """Read separated values (a path or bytes); types are those that all rows agree on."""
    return pl.read_csv(
        source,
        separator=separator,
        has_header=has_header,
        null_values=[*missing] or None,
        infer_schema_length=None,
    )


def _get_ending(path: Path) -> str:
    """Return the ending that says what a file is: '.csv' of a.csv and of a.csv.gz."""
    endings = [ending.lower() for ending in path.suffixes]
    if endings and endings[-1] in _PACKED:
        endings.pop()
    return endings[-1] if endings else ""


def _name_endings() -> str:
    return ", ".join(f".{kind}" for kind in KINDS[:-1]) + f" or .{KINDS[-1]}"
