"""The cut of a job's input into mini-batches."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from .errors import ParallelError
from .items import MiniBatch, cut_files, group_files, list_files, list_table_files, make_digest
from .reports import format_count
from .settings import CHANGED_VARIABLE, ParallelSettings, find_folder, get_port
from .tables import cut_table

ROWS_FOLDER = os.path.join(".parallel", "rows")
"""The folder of the working directory with the rows of a table's mini-batches."""
_TABLE = "table.json"
_AS_FILES = ("eval_mount", "eval_download")
"""Modes by which the files that an MLTable names are the items, whatever it says of their content."""


class CutInput(NamedTuple):
    """An input that is cut."""

    batches: Sequence[MiniBatch]
    root: str
    """The path of the input."""
    digest: str
    """Tells this cut from others."""
    words: str
    """A sentence about the cut, for people."""
    has_shutdown: bool = False


def cut_input(settings: ParallelSettings) -> CutInput:
    """Cut the input of the job; raise ParallelError if there is nothing in it."""
    root = get_port(os.environ, "inputs", settings.input)
    table = _read_table(settings, root)
    if table is None:
        return _cut_files(settings, root, list_files(root))
    files = list_table_files(table["entries"], _find_places(), os.path.join(root, "MLTable"))
    if settings.input_mode in _AS_FILES or not table["reads_table"]:
        return _cut_files(settings, root, files, table.get("partition"))
    return _cut_rows(settings, root, files)


def _read_table(settings: ParallelSettings, root: str) -> Any:
    """Return what the server wrote of the input's MLTable; None if it has none."""
    if settings.input_type != "mltable" or not os.path.isfile(os.path.join(root, "MLTable")):
        return None
    path = os.path.join(find_folder(os.environ, os.getcwd()), _TABLE)
    try:
        with open(path, encoding="utf-8") as file:
            return json.load(file)
    except OSError as error:
        raise ParallelError(f"{path}, where smalt describes the MLTable, cannot be read: {error.strerror}") from None


def _find_places() -> Mapping[str, str]:
    """Return the paths of the URIs that the MLTable names."""
    places: Mapping[str, str] = json.loads(os.environ.get("SMALT_DATA") or "{}").get("url-map", {})
    return places


def _cut_files(settings: ParallelSettings, root: str, files: Sequence[str], partition: Any = None) -> CutInput:
    if not files:
        raise ParallelError(f"the input '{settings.input}' has no files, so there is nothing to run")
    keys = settings.partition_keys
    batches = group_files(files, root, keys, partition) if keys else cut_files(files, settings.mini_batch_size or 1)
    digest = make_digest(batches, root, with_stamps=not os.environ.get(CHANGED_VARIABLE))
    return CutInput(batches, root, digest, f"{format_count(len(files), 'file')} in {_describe_batches(batches, keys)}")


def _cut_rows(settings: ParallelSettings, root: str, files: Sequence[str]) -> CutInput:
    sizes = [os.stat(path) for path in files]
    keys = settings.partition_keys
    folder = os.path.join(os.getcwd(), ROWS_FOLDER)
    batches = cut_table(root, folder, settings.mini_batch_size, keys, sum(one.st_size for one in sizes))
    if not batches:
        raise ParallelError(f"the table of the input '{settings.input}' has no rows, so there is nothing to run")
    digest = make_digest(batches, root, with_stamps=False)
    if not os.environ.get(CHANGED_VARIABLE):
        stamps = "".join(f"{one.st_size} {one.st_mtime_ns}\n" for one in sizes)
        digest = hashlib.sha256((digest + stamps).encode()).hexdigest()
    rows = sum(batch.item_count for batch in batches)
    return CutInput(
        batches, root, digest, f"a table of {format_count(rows, 'row')} in {_describe_batches(batches, keys)}"
    )


def _describe_batches(batches: Sequence[MiniBatch], keys: Sequence[str]) -> str:
    cut = "by " + ", ".join(keys) if keys else f"of {batches[0].item_count}"
    return f"{format_count(len(batches), 'mini-batch')} {cut}"
