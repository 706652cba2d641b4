"""Execution of a table's transformations, one after the other, on a polars frame."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from . import delimited, filters, json_lines, locations, parquet, partitions
from .conversions import convert_column, import_polars
from .errors import UserErrorException
from .streams import is_stream

PATH = "Path"


class TableState:
    """The state of a table between transformations: first its files, a row each, then their contents."""

    def __init__(self, paths: list[dict[str, str]]) -> None:
        self.paths = paths
        self.uris = [""]
        self.has_read = False
        self.options: dict[str, Any] = {}
        """The options with which it was read."""
        self.counts: list[int] = []
        """Rows that each file gave."""
        self.streams: set[str] = set()
        self.table: Any = None

    def list_files(self) -> None:
        uris = [uri for entry in self.paths for uri in locations.list_files(entry)]
        self.table = import_polars().DataFrame({PATH: uris}, schema={PATH: import_polars().String})
        self.streams = {PATH}


def run_transformations(content: dict[str, Any], most: int | None = None) -> TableState:
    """Return the table that an MLTable describes; with `most`, its first rows only."""
    frame = TableState(content["paths"])
    steps = [(name, arguments) for each in content["transformations"] for name, arguments in each.items()]
    if most is not None:
        steps.append(("take", most))
    if not steps or steps[0][0] != "read_delta_lake":
        frame.list_files()
    for index, (name, arguments) in enumerate(steps):
        following = steps[index + 1] if index + 1 < len(steps) else ("", None)
        if name.startswith("read_"):
            _read_files(frame, name, arguments, following)
        else:
            _STEPS[name](frame, arguments)
    return frame


def _read_files(frame: TableState, name: str, options: dict[str, Any], following: tuple[str, Any]) -> None:
    column = options.get("path_column", PATH)
    if frame.has_read or (frame.table is not None and column not in frame.streams.intersection(frame.table.columns)):
        raise UserErrorException(f"{name} reads the files of the column '{column}', and the table has no such one here")
    limit = following[1] if following[0] == "take" else None
    if name == "read_delta_lake":
        _read_delta_table(frame, options)
        return
    uris = frame.table[PATH].to_list()
    if name == "read_delimited":
        tables = delimited.read_frames(uris, options, limit)
    elif name == "read_json_lines":
        tables = json_lines.read_frames(uris, options, limit)
    else:
        tables = parquet.read_frames(uris)
    others = frame.table.drop(PATH)
    _join_tables(frame, uris, tables, others, options)


def _read_delta_table(frame: TableState, options: dict[str, Any]) -> None:
    found = [
        pair
        for entry in frame.paths
        for pair in parquet.read_delta(
            next(iter(entry.values())), options.get("version_as_of"), options.get("timestamp_as_of")
        )
    ]
    _join_tables(frame, [uri for uri, _ in found], [table for _, table in found], None, options)


def _join_tables(frame: TableState, uris: list[str], tables: list[Any], others: Any, options: dict[str, Any]) -> None:
    """Return the rows of all files below each other, after the columns from their paths."""
    p = import_polars()
    frame.has_read, frame.streams, frame.options = True, set(), options
    frame.uris, frame.counts = uris, [table.height for table in tables]
    made = []
    for index, table in enumerate(tables):
        ahead = [p.lit(locations.strip_scheme(uris[index])).alias(PATH)] if options.get("include_path_column") else []
        if others is not None and others.width:
            row = others.row(index)
            double = [name for name in others.columns if name in table.columns]
            if double:
                raise UserErrorException(
                    f"{uris[index]} has a column '{double[0]}', which the path of the file has, too"
                )
            ahead += [
                p.lit(value, dtype=type).alias(name)
                for value, (name, type) in zip(row, others.schema.items())  # noqa: B905
            ]
        made.append(table.select([*ahead, p.all()]) if ahead else table)
    kept = [table for table in made if table.width]
    frame.table = p.concat(kept, how="diagonal_relaxed") if len(kept) > 1 else kept[0] if kept else p.DataFrame()


def _extract_columns(frame: TableState, arguments: dict[str, Any]) -> None:
    """Add the columns in the paths of files; once they are read, in the texts of a column, which stay texts."""
    p = import_polars()
    format, column = arguments["partition_format"], arguments.get("path_column", PATH)
    parsed = partitions.parse_format(format)
    double = [name for name in parsed.columns if name in frame.table.columns]
    if double:
        raise UserErrorException(f"partition_format '{format}': the table has a column '{double[0]}' already")
    if frame.has_read:
        texts = frame.table[column] if column in frame.table.columns else p.Series([None] * frame.table.height)
        texts = texts if texts.dtype == p.String else p.Series([None] * frame.table.height)
        columns = partitions.match_texts(texts, parsed)
    else:
        texts = [locations.strip_scheme(uri) for uri in frame.table[PATH]]
        columns = partitions.extract_columns(texts, format)
    dates = {parsed.date: p.Datetime} if parsed.date else {}
    series = [p.Series(name, values, dtype=dates.get(name)) for name, values in columns.items()]
    frame.table = frame.table.with_columns(series)
    frame.table = frame.table.with_columns(p.col(p.Datetime).dt.cast_time_unit("ns"))
    if arguments.get("ignore_errors"):
        frame.table = frame.table.filter(
            p.Series([partitions.is_fitting(text, parsed) for text in texts], dtype=p.Boolean)
        )


def _filter_rows(frame: TableState, expression: str) -> None:
    if frame.table.width:
        frame.table = frame.table.filter(filters.compile_expression(expression, frame.table.schema))


def _take_rows(frame: TableState, count: int) -> None:
    frame.table = frame.table.head(count)


def _skip_rows(frame: TableState, count: int) -> None:
    frame.table = frame.table.slice(count)


def _sample_rows(frame: TableState, arguments: dict[str, Any]) -> None:
    chances = arguments.get("sampler_arguments") or {}
    low, high = chances.get("probability_lower_bound", 0.0), chances.get("probability", 1.0)
    drawn = _draw_numbers(frame.table.height, chances.get("seed"))
    frame.table = frame.table.filter(import_polars().Series((drawn >= low) & (drawn < high)))


def _take_random_sample(frame: TableState, arguments: dict[str, Any]) -> None:
    drawn = _draw_numbers(frame.table.height, arguments.get("seed"))
    frame.table = frame.table.filter(import_polars().Series(drawn < arguments.get("probability", 1.0)))


def _draw_numbers(count: int, seed: int | None) -> Any:
    """Draw a number for each row, the same for the same seed on every machine."""
    import numpy

    return numpy.random.Generator(numpy.random.PCG64(seed)).random(count)


def select_columns(columns: Any, names: list[str]) -> list[str]:
    """Return the columns that a selector names, in the order of the table."""
    if isinstance(columns, dict):
        pattern = re.compile(columns["pattern"], re.IGNORECASE if columns.get("ignore_case") else 0)
        return [name for name in names if bool(pattern.search(name)) != bool(columns.get("invert"))]
    wanted = {columns} if isinstance(columns, str) else set(columns)
    return [name for name in names if name in wanted]


def _drop_columns(frame: TableState, columns: Any) -> None:
    frame.table = frame.table.drop(select_columns(columns, frame.table.columns))


def _keep_columns(frame: TableState, columns: Any) -> None:
    kept = select_columns(columns, frame.table.columns)
    if not kept and frame.table.width:
        raise UserErrorException(f"keep_columns keeps none; the columns are {', '.join(frame.table.columns)}")
    frame.table = frame.table.select(kept)


def _convert_columns(frame: TableState, conversions: list[dict[str, Any]]) -> None:
    for each in conversions:
        type = each["column_type"]
        to_stream = type == "stream_info" or (isinstance(type, dict) and "stream_info" in type)
        for name in select_columns(each["columns"], frame.table.columns):
            if to_stream and name not in frame.streams:
                uris = [value if is_stream(value) else None for value in frame.table[name].cast(import_polars().String)]
                frame.table = frame.table.with_columns(import_polars().Series(name, uris, dtype=import_polars().String))
            elif not to_stream:
                frame.table = convert_column(frame.table, name, type)
            (frame.streams.add if to_stream else frame.streams.discard)(name)


def count_partitions(content: dict[str, Any]) -> int:
    frame = run_transformations(content)
    return len(_list_partition_rows(frame))


def _list_partition_rows(frame: TableState) -> list[int]:
    """Return the rows of each partition: a file's, or those that begin in each partition_size of a text file."""
    if not frame.has_read:
        return [1] * int(frame.table.height)
    size = frame.options.get("partition_size")
    made: list[int] = []
    for uri, rows in zip(frame.uris, frame.counts):  # noqa: B905
        begun = _find_started(locations.resolve_local(uri), size, rows) if size else [rows]
        made += begun
    return made


def _find_started(path: str, size: int, rows: int) -> list[int]:
    counts = []
    with open(path, "rb") as file:
        before = 1  # the first line begins at the start
        while content := file.read(size):
            counts.append(before + content.count(b"\n", 0, len(content) - 1))
            before = int(content.endswith(b"\n"))
    counts = counts or [0]
    counts[0] -= sum(counts) - rows  # the header
    return counts if counts[0] >= 0 else [rows]


def _select_partitions(frame: TableState, indices: list[int]) -> None:
    rows = _list_partition_rows(frame)
    for index in indices:
        if index >= len(rows):
            raise UserErrorException(f"there is no partition {index}; the table has {len(rows)}")
    parts = [frame.table.slice(sum(rows[:index]), rows[index]) for index in sorted(set(indices))]
    frame.table = import_polars().concat(parts)


_STEPS: dict[str, Callable[[TableState, Any], None]] = {
    "extract_columns_from_partition_format": _extract_columns,
    "filter": _filter_rows,
    "take": _take_rows,
    "skip": _skip_rows,
    "sample": _sample_rows,
    "take_random_sample": _take_random_sample,
    "drop_columns": _drop_columns,
    "keep_columns": _keep_columns,
    "convert_column_types": _convert_columns,
    "select_partitions": _select_partitions,
}
