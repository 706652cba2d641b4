"""Data frames of files: by the package mltable where the job's environment has it, else by pandas."""

from __future__ import annotations

import importlib
import json
import os
import tempfile

from .errors import make_exception, make_user_error

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    Step = dict[str, Any]
    TableFile = tuple[str, str]
    """A file, and the path that the column of paths has for it."""

MLTABLE = "MLTable"
_SAME_HEADERS, _NO_HEADER, _WITH_PATH = "all_files_same_headers", "no_header", "include_path_column"
_BY_NAMES = ("keep_columns", "drop_columns")
_ENCODINGS = {"utf8": "utf-8", "iso88591": "latin-1", "latin1": "latin-1", "ascii": "ascii", "utf16": "utf-16",
              "windows1252": "cp1252"}  # fmt: skip
_USUAL = {"support_multi_line": (False, True), "empty_as_string": (False,), "infer_column_types": (True,),
          "invalid_lines": ("error",)}  # fmt: skip
"""The values of options with which pandas reads as mltable does."""


def list_files(path: str) -> list[str]:
    """The file of that path, or all below the folder, but hidden ones."""
    if not os.path.isdir(path):
        return [path]
    found = []
    for parent, folders, names in os.walk(path):
        folders[:] = sorted(name for name in folders if not name.startswith((".", "_")))
        found += [os.path.join(parent, name) for name in sorted(names) if not name.startswith((".", "_"))]
    return found


def read_frame(path: str, steps: list[Step] | None = None) -> Any:
    """A data frame of a file, a folder of files of one kind, or an MLTable; `steps` say how, where they are given."""
    if steps:
        return read_files([(file, "/" + os.path.relpath(file, path)) for file in list_files(path)], steps)
    if os.path.isfile(os.path.join(path, MLTABLE)):
        mltable = find_mltable()
        if mltable is not None:
            return mltable.load(path).to_pandas_dataframe()
    pandas = import_pandas()
    found = [file for file in list_files(path) if _get_ending(file) in _READERS]
    if not found:
        raise make_user_error(
            "nothing at '{}' can be read as a table; files must end in {}".format(path, ", ".join(sorted(_READERS)))
        )
    frames = [_READERS[_get_ending(file)](pandas, file) for file in found]
    return frames[0] if len(frames) == 1 else pandas.concat(frames, ignore_index=True)


def read_files(files: list[TableFile], steps: list[Step], *, prefers_mltable: bool = False) -> Any:
    """A data frame of files of this machine, read and changed as MLTable's steps say.

    pandas does what it does as mltable, unless that is preferred and there; all else only mltable does.
    """
    if not files:
        raise make_user_error("there are no files to read as a table")
    hard = _find_hard_step(steps, len(files))
    mltable = find_mltable() if hard or prefers_mltable else None
    if mltable is not None:
        return _read_by_mltable(mltable, files, steps)
    if hard:
        raise make_user_error(f"'{hard}' of a table needs the package mltable; add it to the job's environment")
    frame: Any = None
    for step in steps:
        name, given = _split_step(step)
        frame = _read_by_pandas(files, name, given) if name in _FILE_READERS else _CHANGES[name](frame, given)
    return frame


def _split_step(step: Step) -> tuple[str, Any]:
    ((name, given),) = step.items()
    return name, given


def _find_hard_step(steps: list[Step], count: int) -> str:
    """Return the first step, or option of one, that only mltable does; the empty text if there is none."""
    for index, (name, given) in enumerate(map(_split_step, steps)):
        if name not in (_CHANGES if index else _FILE_READERS) or (name in _BY_NAMES and isinstance(given, dict)):
            return name
        options = given if isinstance(given, dict) and not index else {}
        for option, usual in _USUAL.items():
            if options.get(option, usual[0]) not in usual:
                return f"{option}: {options[option]}"
        header = options.get("header", _SAME_HEADERS)
        if header not in (_SAME_HEADERS, _NO_HEADER) and count > 1:
            return f"header: {header}"
    return ""


def _read_by_mltable(mltable: Any, files: list[TableFile], steps: list[Step]) -> Any:
    paths = [{"file": os.path.abspath(file)} for file, _ in files]
    with tempfile.TemporaryDirectory(prefix="smalt-dataset-") as folder:
        with open(os.path.join(folder, MLTABLE), "w", encoding="utf-8") as written:
            json.dump({"paths": paths, "transformations": steps}, written)
        frame = mltable.load(folder).to_pandas_dataframe()
    if "Path" in frame and any(
        isinstance(given, dict) and given.get(_WITH_PATH) for step in steps for given in step.values()
    ):
        shown = {os.path.abspath(file): name for file, name in files}
        frame["Path"] = [shown.get(str(path), path) for path in frame["Path"]]
    return frame


def _read_by_pandas(files: list[TableFile], name: str, given: Any) -> Any:
    given = given if isinstance(given, dict) else {}
    pandas, frames = import_pandas(), []
    for file, shown in files:
        frames.append(_FILE_READERS[name](pandas, file, given))
        if given.get("header") == _NO_HEADER:
            frames[-1].columns = [f"Column{index + 1}" for index in range(len(frames[-1].columns))]
        if given.get(_WITH_PATH):
            frames[-1].insert(0, "Path", shown)
    return frames[0] if len(frames) == 1 else pandas.concat(frames, ignore_index=True)


def _read_delimited(pandas: Any, file: str, given: Any) -> Any:
    header = None if given.get("header") == _NO_HEADER else 0
    separator = given.get("delimiter", ",")
    return pandas.read_csv(file, sep=separator, header=header, encoding=_find_encoding(given))


def _find_encoding(given: Any) -> str:
    name = str(given.get("encoding") or "utf8")
    if name not in _ENCODINGS:
        raise make_user_error(f"the encoding '{name}' is none of {', '.join(sorted(_ENCODINGS))}")
    return _ENCODINGS[name]


def _sample_rows(frame: Any, given: Any) -> Any:
    """One of the two parts that share the rows of a frame between them."""
    chances = given["sampler_arguments"]
    low, high, seed = chances["probability_lower_bound"], chances["probability"], chances["seed"]
    first = frame.sample(frac=low or high, random_state=seed)
    part = frame.drop(first.index) if low else first.sort_index()
    return part.reset_index(drop=True)


_FILE_READERS: dict[str, Callable[[Any, str, Any], Any]] = {
    "read_delimited": _read_delimited,
    "read_parquet": lambda pandas, file, given: pandas.read_parquet(file),
    "read_json_lines": lambda pandas, file, given: pandas.read_json(file, lines=True, encoding=_find_encoding(given)),
}
_CHANGES: dict[str, Callable[[Any, Any], Any]] = {
    "keep_columns": lambda frame, given: frame[list_names(given)],
    "drop_columns": lambda frame, given: frame.drop(columns=list_names(given)),
    "take": lambda frame, given: frame.head(given),
    "skip": lambda frame, given: frame.iloc[given:].reset_index(drop=True),
    "sample": _sample_rows,
}
_READERS: dict[str, Callable[[Any, str], Any]] = {
    ".csv": lambda pandas, file: pandas.read_csv(file),
    ".tsv": lambda pandas, file: pandas.read_csv(file, sep="\t"),
    ".txt": lambda pandas, file: pandas.read_csv(file, sep=None, engine="python"),
    ".parquet": lambda pandas, file: pandas.read_parquet(file),
    ".json": lambda pandas, file: pandas.read_json(file),
    ".jsonl": lambda pandas, file: pandas.read_json(file, lines=True),
    ".xlsx": lambda pandas, file: pandas.read_excel(file),
}


def _get_ending(file: str) -> str:
    return os.path.splitext(file[: -len(".gz")] if file.endswith(".gz") else file)[1].lower()


def list_names(columns: str | Sequence[str]) -> list[str]:
    return [columns] if isinstance(columns, str) else list(columns)


def import_pandas() -> Any:
    try:
        return importlib.import_module("pandas")
    except ImportError:
        raise make_exception("a data frame needs pandas; add it to the job's environment") from None


def find_mltable() -> Any:
    """Return the package mltable; None where the job's environment has none."""
    try:
        return importlib.import_module("mltable")
    except ImportError:
        return None
