"""Rows of a database as an Arrow table on the disk, whose column types fit every row."""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.ipc
import pyarrow.parquet

from .errors import TransferError

TABLE, DESCRIPTION = "data.parquet", "MLTable"
_MLTABLE = f"""type: mltable
paths:
  - file: ./{TABLE}
transformations:
  - read_parquet:
      include_path_column: false
"""


class SpooledTable:
    """A table of which any number of rows may come: each batch is kept in a file until all types are known."""

    def __init__(self, names: Sequence[str], scratch: str) -> None:
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise TransferError(f"the query returns two columns named '{twice[0]}'; give one of them another name")
        self._names = list(names)
        self._scratch = scratch
        self._files: list[str] = []
        self._schema = pa.schema([(name, pa.null()) for name in names])
        self.count = 0

    def add_rows(self, rows: Sequence[Sequence[Any]]) -> None:
        columns = [_make_array(name, [row[at] for row in rows]) for at, name in enumerate(self._names)]
        table = pa.Table.from_arrays(columns, names=self._names)
        self._schema = _unify_schemas(self._schema, table.schema)
        path = os.path.join(self._scratch, f"{len(self._files)}.arrow")
        with pa.OSFile(path, "wb") as file, pa.ipc.new_file(file, table.schema) as writer:
            writer.write_table(table)
        self._files.append(path)
        self.count += len(rows)

    def write_files(self, folder: str) -> list[str]:
        """Write the table as an MLTable of one Parquet file; return the names of the files."""
        schema = pa.schema(
            [(one.name, pa.string() if pa.types.is_null(one.type) else one.type) for one in self._schema]
        )
        path = os.path.join(folder, TABLE)
        with pyarrow.parquet.ParquetWriter(path, schema) as writer:
            for table in self._read_batches():
                try:
                    writer.write_table(table.cast(schema))
                except pa.ArrowInvalid as error:
                    raise TransferError(f"the values of a column have no type in common: {error}") from None
        with open(path, "rb+") as file:
            os.fsync(file.fileno())
        with open(os.path.join(folder, DESCRIPTION), "w", encoding="utf-8") as text:
            text.write(_MLTABLE)
            text.flush()
            os.fsync(text.fileno())
        return [TABLE, DESCRIPTION]

    def _read_batches(self) -> Iterator[pa.Table]:
        for path in self._files:
            with pa.memory_map(path) as file:
                yield pa.ipc.open_file(file).read_all()


def _unify_schemas(before: pa.Schema, batch: pa.Schema) -> pa.Schema:
    fields = []
    for old, new in zip(before, batch):  # noqa: B905
        try:
            [merged] = pa.unify_schemas([pa.schema([old]), pa.schema([new])], promote_options="permissive")
        except (pa.ArrowInvalid, pa.ArrowTypeError):
            raise TransferError(_describe_mix(old.name, (str(old.type), str(new.type)))) from None
        fields.append(merged)
    return pa.schema(fields)


def _make_array(name: str, values: list[Any]) -> pa.Array:
    plain = [_to_plain(value) for value in values]
    try:
        return pa.array(plain)
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError, OverflowError) as error:
        kinds = sorted({type(value).__name__ for value in plain if value is not None})
        if len(kinds) > 1:
            raise TransferError(_describe_mix(name, kinds)) from None
        raise TransferError(f"the column '{name}' cannot be kept in a table: {error}") from None


def _describe_mix(name: str, kinds: Iterable[str]) -> str:
    return f"the column '{name}' has values of the types {' and '.join(kinds)}; cast it to one of them in the query"


def _to_plain(value: Any) -> Any:
    """Return a value of a type that Arrow knows."""
    if isinstance(value, memoryview):
        return bytes(value)
    if isinstance(value, dict):
        return json.dumps(value, default=str)
    return str(value) if isinstance(value, uuid.UUID) else value
