"""Reading of tables: CSV, Parquet, JSON lines and MLTable."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd

from .headers import SUFFIXES, list_repeated, read_header
from .problems import AutoMLError


def read_table(name: str, path: Path, kind: str | None) -> Any:
    """Return the table of an input as a data frame; `name` is the field that names it."""
    if not path.exists():
        raise AutoMLError(f"{name}: there is nothing at '{path}'")
    try:
        frame = _read_table(name, path, kind)
    except AutoMLError:
        raise
    except Exception as error:
        raise AutoMLError(f"{name}: '{path}' cannot be read as a table: {_first_line(error)}") from None
    if frame.empty:
        raise AutoMLError(f"{name}: the table at '{path}' has no rows")
    frame.columns = [str(column) for column in frame.columns]
    if repeated := list_repeated(list(frame.columns)):
        raise AutoMLError(f"{name}: the table has two columns named '{repeated[0]}'; rename one of them")
    return frame.reset_index(drop=True)


def _read_table(name: str, path: Path, kind: str | None) -> Any:
    if path.is_dir() and (path / "MLTable").is_file():
        return _read_mltable(name, path)
    if kind == "mltable":
        raise AutoMLError(f"{name}: an input of type mltable is a folder with a file 'MLTable'; '{path}' is not")
    if path.is_dir():
        return _read_folder(name, path)
    return _find_reader(path)(path)


def _read_mltable(name: str, path: Path) -> Any:
    try:
        mltable = importlib.import_module("mltable")
    except ImportError:
        raise AutoMLError(f"{name}: the package 'mltable' is not installed, so '{path}' cannot be read") from None
    return mltable.load(str(path)).to_pandas_dataframe()


def _read_folder(name: str, path: Path) -> Any:
    files = sorted(one for one in path.rglob("*") if one.is_file() and one.suffix.lower() in _READERS)
    if not files:
        raise AutoMLError(f"{name}: the folder '{path}' has no file that ends in {', '.join(_READERS)}")
    return pd.concat([_find_reader(one)(one) for one in files], ignore_index=True)


def _find_reader(path: Path) -> Callable[[Path], Any]:
    return _READERS.get(path.suffix.lower(), _read_delimited)


def _read_delimited(path: Path) -> Any:
    separator, columns = read_header(path)
    if repeated := list_repeated(columns):  # pandas would name the second 'y.1', a feature that tells the target
        raise ValueError(f"it has two columns named '{repeated[0]}'; rename one of them")
    for encoding in ("utf-8-sig", "latin-1"):
        try:
            return pd.read_csv(path, sep=separator, encoding=encoding, low_memory=False)
        except UnicodeDecodeError:
            continue
    raise AssertionError("every file is latin-1")


def _read_json_lines(path: Path) -> Any:
    return pd.read_json(path, lines=True)


_READERS: dict[str, Callable[[Path], Any]] = {
    **dict.fromkeys(SUFFIXES, _read_delimited),
    ".parquet": pd.read_parquet,
    ".jsonl": _read_json_lines,
}


def _first_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
