"""The rows that are exported: of a CSV or Parquet file, a folder of such files, or an MLTable."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import Any

import pyarrow as pa
import pyarrow.compute
import pyarrow.csv
import pyarrow.parquet

from .errors import TransferError

_DELIMITERS = {".csv": ",", ".tsv": "\t"}
_PARQUET = (".parquet", ".pq")
_WHOLE = r"^-?(0|[1-9][0-9]{0,17})$"
_REAL = r"^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?$"


class RowSource:
    """A table on the disk, which is read in batches."""

    schema: pa.Schema

    @property
    def names(self) -> list[str]:
        return list(self.schema.names)

    def read_batches(self, wanted: Mapping[str, pa.DataType]) -> Iterator[pa.RecordBatch]:
        """Yield the rows; the text of a file becomes of the types that are wanted for its columns."""
        raise NotImplementedError


def open_source(path: str, type: str) -> RowSource:
    """Return the rows of an input of this type."""
    if type == "mltable":
        return _WholeTable(_load_mltable(path))
    files = [path] if os.path.isfile(path) else sorted(_list_files(path))
    if not files:
        raise TransferError("the input 'source' has no CSV, TSV or Parquet file to export")
    endings = {os.path.splitext(one)[1].lower() for one in files}
    if endings <= set(_PARQUET):
        return _ParquetFiles(files)
    if len(endings) == 1 and endings <= set(_DELIMITERS):
        return _TextFiles(files, _DELIMITERS[endings.pop()])
    kinds = "a table is exported from .csv, .tsv or .parquet files, all of one kind, and 'source'"
    if "" in endings:
        name = next(os.path.basename(one) for one in files if not os.path.splitext(one)[1])
        advice = f"a step that writes it as a file needs an output with a path such as PATH/{name}.csv"
        raise TransferError(f"{kinds} has the file '{name}' without an ending; {advice}")
    raise TransferError(f"{kinds} has {', '.join(sorted(map(repr, endings)))}")


class _ParquetFiles(RowSource):
    def __init__(self, files: list[str]) -> None:
        self._files = files
        self.schema = pyarrow.parquet.read_schema(files[0]).remove_metadata()
        for one in files[1:]:
            _refuse_other_columns(files[0], self.names, one, pyarrow.parquet.read_schema(one).names)

    def read_batches(self, wanted: Mapping[str, pa.DataType]) -> Iterator[pa.RecordBatch]:
        for one in self._files:
            with pyarrow.parquet.ParquetFile(one) as file:
                yield from file.iter_batches(10_000, columns=self.names)


class _TextFiles(RowSource):
    """Delimited text. An unquoted empty value is NULL."""

    def __init__(self, files: list[str], delimiter: str) -> None:
        self._files, self._delimiter = files, delimiter
        names = self._read_header(files[0])
        for one in files[1:]:
            _refuse_other_columns(files[0], names, one, self._read_header(one))
        self.schema = pa.schema([(name, pa.string()) for name in names])
        self.schema = pa.schema(list(self._find_types().items()))

    def read_batches(self, wanted: Mapping[str, pa.DataType]) -> Iterator[pa.RecordBatch]:
        types = {name: wanted.get(name, self.schema.field(name).type) for name in self.names}
        for one in self._files:
            try:
                yield from self._open_file(one, types)
            except pa.ArrowInvalid as error:
                raise TransferError(f"'{os.path.basename(one)}' does not fit the table: {error}") from None

    def _find_types(self) -> dict[str, pa.DataType]:
        """Return the types for a new table: a column of numbers only, none with a leading zero, is one of numbers."""
        ways = {name: [pa.int64(), pa.float64()] for name in self.names}
        seen: set[str] = set()
        for batch in self.read_batches({}):
            for name, column in zip(batch.schema.names, batch.columns):  # noqa: B905
                if column.null_count < len(column):
                    seen.add(name)
                for type, pattern in ((pa.int64(), _WHOLE), (pa.float64(), _REAL)):
                    if type in ways[name]:
                        fits = pyarrow.compute.all(pyarrow.compute.match_substring_regex(column, pattern)).as_py()
                        if fits is False:
                            ways[name].remove(type)
        return {name: ways[name][0] if ways[name] and name in seen else pa.string() for name in self.names}

    def _read_header(self, path: str) -> list[str]:
        try:
            with self._open_file(path, {}) as reader:
                names = list(reader.schema.names)
        except pa.ArrowInvalid as error:
            raise TransferError(f"'{os.path.basename(path)}' cannot be read: {error}") from None
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise TransferError(f"'{os.path.basename(path)}' has two columns named '{twice[0]}'")
        return names

    def _open_file(self, path: str, types: Mapping[str, pa.DataType]) -> Any:
        return pyarrow.csv.open_csv(
            path,
            parse_options=pyarrow.csv.ParseOptions(delimiter=self._delimiter, newlines_in_values=True),
            convert_options=pyarrow.csv.ConvertOptions(
                column_types=dict(types),
                null_values=[""],
                strings_can_be_null=True,
                quoted_strings_can_be_null=False,
                include_columns=list(types) or None,
            ),
        )


class _WholeTable(RowSource):
    def __init__(self, table: pa.Table) -> None:
        self._table = table
        self.schema = table.schema

    def read_batches(self, wanted: Mapping[str, pa.DataType]) -> Iterator[pa.RecordBatch]:
        yield from self._table.to_batches(10_000)


def _load_mltable(path: str) -> pa.Table:
    import mltable  # type: ignore[import-not-found]
    from mltable import execution

    return execution.run_transformations(mltable.load(path)._load).table.to_arrow()


def _list_files(folder: str) -> Iterator[str]:
    for top, folders, names in os.walk(folder, followlinks=True):
        folders[:] = [one for one in folders if not one.startswith((".", "_"))]
        for name in names:
            if not name.startswith((".", "_")) and name != "MLTable":
                yield os.path.join(top, name)


def _refuse_other_columns(first: str, names: list[str], other: str, found: list[str]) -> None:
    if sorted(names) != sorted(found):
        odd = sorted(set(names) ^ set(found))
        one, two = os.path.basename(first), os.path.basename(other)
        raise TransferError(f"'{one}' and '{two}' do not have the same columns: only one of them has '{odd[0]}'")
