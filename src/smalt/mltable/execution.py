"""A table's transformations, one after the other, on a polars frame."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from . import delimited, filters, json_lines, locations, parquet, partitions
from .conversions import converted, pl
from .errors import UserErrorException
from .streams import is_stream

PATH = "Path"


class Frame:
    """What a table is at a point of its transformations: first its files, a row each, then what they hold."""

    def __init__(self, paths: list[dict[str, str]]) -> None:
        self.paths = paths
        self.uris = [""]
        self.has_read = False
        self.options: dict[str, Any] = {}
        """Those it was read with."""
        self.counts: list[int] = []
        """Rows that each file gave."""
        self.streams: set[str] = set()
        self.table: Any = None

    def list_files(self) -> None:
        uris = [uri for entry in self.paths for uri in locations.files(entry)]
        self.table = pl().DataFrame({PATH: uris}, schema={PATH: pl().String})
        self.streams = {PATH}


def run(content: dict[str, Any], most: int | None = None) -> Frame:
    """The table that an MLTable describes; with `most`, its first rows only."""
    frame = Frame(content["paths"])
    steps = [(name, arguments) for each in content["transformations"] for name, arguments in each.items()]
    if most is not None:
        steps.append(("take", most))
    if not steps or steps[0][0] != "read_delta_lake":
        frame.list_files()
    for index, (name, arguments) in enumerate(steps):
        following = steps[index + 1] if index + 1 < len(steps) else ("", None)
        if name.startswith("read_"):
            _read(frame, name, arguments, following)
        else:
            _STEPS[name](frame, arguments)
    return frame


def _read(frame: Frame, name: str, options: dict[str, Any], following: tuple[str, Any]) -> None:
    column = options.get("path_column", PATH)
    if frame.has_read or (frame.table is not None and column not in frame.streams.intersection(frame.table.columns)):
        raise UserErrorException(f"{name} reads the files of the column '{column}', and the table has no such one here")
    limit = following[1] if following[0] == "take" else None
    if name == "read_delta_lake":
        _read_delta(frame, options)
        return
    uris = frame.table[PATH].to_list()
    if name == "read_delimited":
        tables = delimited.read(uris, options, limit)
    elif name == "read_json_lines":
        tables = json_lines.read(uris, options, limit)
    else:
        tables = parquet.read(uris)
    others = frame.table.drop(PATH)
    _joined(frame, uris, tables, others, options)


def _read_delta(frame: Frame, options: dict[str, Any]) -> None:
    found = [
        pair
        for entry in frame.paths
        for pair in parquet.read_delta(
            next(iter(entry.values())), options.get("version_as_of"), options.get("timestamp_as_of")
        )
    ]
    _joined(frame, [uri for uri, _ in found], [table for _, table in found], None, options)


def _joined(frame: Frame, uris: list[str], tables: list[Any], others: Any, options: dict[str, Any]) -> None:
    """The rows of all files below each other, after the columns that came of their paths."""
    p = pl()
    frame.has_read, frame.streams, frame.options = True, set(), options
    frame.uris, frame.counts = uris, [table.height for table in tables]
    made = []
    for index, table in enumerate(tables):
        ahead = [p.lit(locations.plain(uris[index])).alias(PATH)] if options.get("include_path_column") else []
        if others is not None and others.width:
            row = others.row(index)
            ahead += [
                p.lit(value, dtype=type).alias(name)
                for value, (name, type) in zip(row, others.schema.items())  # noqa: B905
                if name not in table.columns
            ]
        made.append(table.select([*ahead, p.all()]) if ahead else table)
    kept = [table for table in made if table.width]
    frame.table = p.concat(kept, how="diagonal_relaxed") if len(kept) > 1 else kept[0] if kept else p.DataFrame()


def _extract(frame: Frame, arguments: dict[str, Any]) -> None:
    p = pl()
    format = arguments["partition_format"]
    if frame.has_read:
        empty = [p.lit(None).alias(name) for name in partitions.parse(format).columns]
        frame.table = frame.table.with_columns(empty)
        return
    paths = [locations.plain(uri) for uri in frame.table[PATH]]
    columns = partitions.columns_of(paths, format)
    frame.table = frame.table.with_columns([p.Series(name, values) for name, values in columns.items()])
    frame.table = frame.table.with_columns(p.col(p.Datetime).dt.cast_time_unit("ns"))


def _filter(frame: Frame, expression: str) -> None:
    if frame.table.width:
        frame.table = frame.table.filter(filters.polars_expression(expression, frame.table.schema))


def _take(frame: Frame, count: int) -> None:
    frame.table = frame.table.head(count)


def _skip(frame: Frame, count: int) -> None:
    frame.table = frame.table.slice(count)


def _sample(frame: Frame, arguments: dict[str, Any]) -> None:
    chances = arguments.get("sampler_arguments") or {}
    low, high = chances.get("probability_lower_bound", 0.0), chances.get("probability", 1.0)
    drawn = _drawn(frame.table.height, chances.get("seed"))
    frame.table = frame.table.filter(pl().Series((drawn >= low) & (drawn < high)))


def _take_random_sample(frame: Frame, arguments: dict[str, Any]) -> None:
    drawn = _drawn(frame.table.height, arguments.get("seed"))
    frame.table = frame.table.filter(pl().Series(drawn < arguments.get("probability", 1.0)))


def _drawn(count: int, seed: int | None) -> Any:
    """A number for each row, the same for the same seed on every machine."""
    import numpy

    return numpy.random.Generator(numpy.random.PCG64(seed)).random(count)


def chosen(columns: Any, names: list[str]) -> list[str]:
    """The columns that a selector means, in the order of the table."""
    if isinstance(columns, dict):
        pattern = re.compile(columns["pattern"], re.IGNORECASE if columns.get("ignore_case") else 0)
        return [name for name in names if bool(pattern.search(name)) != bool(columns.get("invert"))]
    wanted = {columns} if isinstance(columns, str) else set(columns)
    return [name for name in names if name in wanted]


def _drop(frame: Frame, columns: Any) -> None:
    frame.table = frame.table.drop(chosen(columns, frame.table.columns))


def _keep(frame: Frame, columns: Any) -> None:
    kept = chosen(columns, frame.table.columns)
    if not kept and frame.table.width:
        raise UserErrorException(f"keep_columns keeps none; the columns are {', '.join(frame.table.columns)}")
    frame.table = frame.table.select(kept)


def _convert(frame: Frame, conversions: list[dict[str, Any]]) -> None:
    for each in conversions:
        type = each["column_type"]
        to_stream = type == "stream_info" or (isinstance(type, dict) and "stream_info" in type)
        for name in chosen(each["columns"], frame.table.columns):
            if to_stream and name not in frame.streams:
                uris = [value if is_stream(value) else None for value in frame.table[name].cast(pl().String)]
                frame.table = frame.table.with_columns(pl().Series(name, uris, dtype=pl().String))
            elif not to_stream:
                frame.table = converted(frame.table, name, type)
            (frame.streams.add if to_stream else frame.streams.discard)(name)


def partition_count(content: dict[str, Any]) -> int:
    frame = run(content)
    return len(_partition_rows(frame))


def _partition_rows(frame: Frame) -> list[int]:
    """The rows of each partition: of a file, or of a text file as many as begin in each partition_size of it."""
    if not frame.has_read:
        return [1] * int(frame.table.height)
    size = frame.options.get("partition_size")
    made: list[int] = []
    for uri, rows in zip(frame.uris, frame.counts):  # noqa: B905
        begun = _begun(locations.local(uri), size, rows) if size else [rows]
        made += begun
    return made


def _begun(path: str, size: int, rows: int) -> list[int]:
    counts = []
    with open(path, "rb") as file:
        before = 1  # the first line begins at the start
        while content := file.read(size):
            counts.append(before + content.count(b"\n", 0, len(content) - 1))
            before = int(content.endswith(b"\n"))
    counts = counts or [0]
    counts[0] -= sum(counts) - rows  # the header
    return counts if counts[0] >= 0 else [rows]


def _select(frame: Frame, indices: list[int]) -> None:
    rows = _partition_rows(frame)
    for index in indices:
        if index >= len(rows):
            raise UserErrorException(f"there is no partition {index}; the table has {len(rows)}")
    parts = [frame.table.slice(sum(rows[:index]), rows[index]) for index in sorted(set(indices))]
    frame.table = pl().concat(parts)


_STEPS: dict[str, Callable[[Frame, Any], None]] = {
    "extract_columns_from_partition_format": _extract,
    "filter": _filter,
    "take": _take,
    "skip": _skip,
    "sample": _sample,
    "take_random_sample": _take_random_sample,
    "drop_columns": _drop,
    "keep_columns": _keep,
    "convert_column_types": _convert,
    "select_partitions": _select,
}
