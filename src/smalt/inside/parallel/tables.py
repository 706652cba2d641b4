"""Mini-batches of a table: its rows, cut by size or by the values of columns, each in a file of its own.

The table is read by another process, so that the coordinator stays small and free of threads.
"""

from __future__ import annotations

import json
import os
import pickle
import shutil
import sys
import traceback
from collections.abc import Iterator, Sequence
from typing import Any

from .errors import ParallelError
from .items import MiniBatch

_DEFAULT_BYTES = 1 << 20
"""The size of a mini-batch where none is given; the service's."""
_INDEX = "index.json"
_ERROR = "error.txt"


def cut_table(root: str, folder: str, size: int, keys: Sequence[str], physical: int) -> list[MiniBatch]:
    """Cut the table of the MLTable at `root` into files in `folder`; `physical` is the size of its files in bytes."""
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    sys.stdout.flush()
    pid = os.fork()
    if pid == 0:
        _cut_in_child(root, folder, size or _DEFAULT_BYTES, keys, physical)
    _, status = os.waitpid(pid, 0)
    if status:
        try:
            with open(os.path.join(folder, _ERROR), encoding="utf-8") as file:
                words = file.read()
        except OSError:
            words = "the process that read it was killed (possibly out of memory)"
        raise ParallelError(f"the table of input_data could not be cut: {words}")
    with open(os.path.join(folder, _INDEX), encoding="utf-8") as file:
        index = json.load(file)
    return [MiniBatch([os.path.join(folder, name)], rows, values, is_table=True) for name, rows, values in index]


def _cut_in_child(root: str, folder: str, size: int, keys: Sequence[str], physical: int) -> None:
    """Cut the table and leave; never returns."""
    code = 1
    try:
        index = []
        for number, (rows, values) in enumerate(_cut_frame(_load_frame(root), size, keys, physical)):
            name = f"{number:07d}.pickle"
            with open(os.path.join(folder, name), "wb") as file:
                pickle.dump(rows.reset_index(drop=True), file, protocol=4)
            index.append([name, len(rows), values])
        with open(os.path.join(folder, _INDEX), "w", encoding="utf-8") as file:
            json.dump(index, file)
        code = 0
    except BaseException as error:
        words = str(error) if isinstance(error, ParallelError) else f"{type(error).__name__}: {error}"
        if not isinstance(error, ParallelError):
            traceback.print_exc()
        with open(os.path.join(folder, _ERROR), "w", encoding="utf-8") as file:
            file.write(words)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _load_frame(root: str) -> Any:
    try:
        import mltable  # type: ignore[import-not-found,unused-ignore]
    except ImportError as error:
        raise ParallelError(f"{error}; add 'mltable' to the environment, by which tables are read") from None
    return mltable.load(root).to_pandas_dataframe()


def _cut_frame(frame: Any, size: int, keys: Sequence[str], physical: int) -> Iterator[tuple[Any, dict[str, Any]]]:
    """Yield the rows of each mini-batch with the values of the keys."""
    if keys:
        missing = [key for key in keys if key not in frame.columns]
        if missing:
            known = ", ".join(map(str, frame.columns))
            raise ParallelError(f"partition_keys: the table has no column '{missing[0]}' (it has: {known})")
        for values, rows in frame.groupby(list(keys), sort=True, dropna=False):
            given = values if isinstance(values, tuple) else (values,)
            yield rows, dict(zip(keys, map(_to_plain, given)))  # noqa: B905
        return
    physical = physical or int(frame.memory_usage(deep=True).sum())
    step = max(1, len(frame) * size // max(1, physical))
    for start in range(0, len(frame), step):
        yield frame.iloc[start : start + step], {}


def _to_plain(value: Any) -> Any:
    """Return a value of a column as JSON can carry it."""
    value = value.item() if hasattr(value, "item") else value
    return value if isinstance(value, (str, int, float, bool)) or value is None else str(value)
