"""The names, parameters and defaults that programs use."""

from __future__ import annotations

from tests.mltable.cases import Case

_PARAMETERS = "[[p.name, repr(p.default)] for p in __import__('inspect').signature({}).parameters.values()]"
_PUBLIC = "sorted(name for name in dir({}) if name[0] != '_')"
_MEMBERS = "[[one.name, one.value] for one in {}]"

_FILES = {"a.csv": "a,b\n1,2\n"}
_TABLE = "paths:\n  - file: ./a.csv\ntransformations:\n  - read_delimited: {}\n"
_FUNCTIONS = (
    "load", "from_paths", "from_delimited_files", "from_parquet_files", "from_json_lines_files", "from_delta_lake",
    *(f"DataType.{name}" for name in ("to_bool", "to_datetime", "to_float", "to_int", "to_stream", "to_string")),
    *(
        f"MLTable.{name}"
        for name in (
            "convert_column_types", "drop_columns", "extract_columns_from_partition_format", "filter",
            "get_partition_count", "keep_columns", "random_split", "save", "select_partitions", "show", "skip", "take",
            "take_random_sample", "to_pandas_dataframe", "validate",
        )
    ),
)  # fmt: skip


def cases():
    made = [Case("surface: all", _FILES, None, "sorted(m.__all__)")]
    for name in _FUNCTIONS:
        made.append(Case(f"surface: {name}", _FILES, None, _PARAMETERS.format(f"m.{name}")))
    for name in ("t", "t.traits", "t.metadata", "m.DataType"):
        made.append(Case(f"surface: names of {name}", _FILES, _TABLE, _PUBLIC.format(name)))
    for name in ("MLTableHeaders", "MLTableFileEncoding"):
        made.append(Case(f"surface: {name}", _FILES, None, _MEMBERS.format(f"m.{name}")))
    return made
