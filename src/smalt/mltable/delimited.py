"""The transformation read_delimited: files of separated values, read by polars with types inferred from the first
rows.
"""

from __future__ import annotations

import io
import mmap
import re
from collections.abc import Sequence
from typing import Any, NamedTuple

from . import locations
from .conversions import convert_column, import_polars
from .errors import UserErrorException
from .inference import SAMPLE, STRING, InferredType, infer_type, parse_values, warn_of_loss
from .line_parser import make_header, make_table, parse_rows

CODECS = {"iso88591": "cp1252", "latin1": "cp1252", "windows1252": "cp1252", "utf16": "utf-16"}
_BLANK = re.compile(rb"(?:\A|\n)\r?(?=\n)")
_BLOCK = 1 << 20
_FIRST = 1 << 20
"""Bytes in which the header and the sample are looked for; a file whose first rows are longer is read whole."""


class _DelimitedOptions(NamedTuple):
    delimiter: str
    """One character; of two, as Azure's mltable takes them, the first."""
    header: str
    multi_line: bool
    empty_as_string: bool
    encoding: str
    infer: Any

    @property
    def sample_size(self) -> int:
        return int(self.infer.get("sample_size", SAMPLE)) if isinstance(self.infer, dict) else SAMPLE

    @property
    def get_overrides(self) -> list[tuple[str, Any]]:
        """Columns, and the types that the MLTable gives them."""
        given = self.infer.get("column_type_overrides") or () if isinstance(self.infer, dict) else ()
        return [(name, each["column_type"]) for each in given for name in list_column_names(each["columns"])]

    @property
    def overridden(self) -> set[str]:
        return {name for name, _ in self.get_overrides}


class _DelimitedFile(NamedTuple):
    """A file, ready for polars."""

    uri: str
    source: Any
    """A path, or the bytes of what had to be decoded."""
    names: list[str]
    has_header: bool


def read_frames(uris: Sequence[str], options: dict[str, Any], limit: int | None = None) -> list[Any]:
    """Return a frame per file; with `limit`, only as many of the first rows as are needed for that many in all."""
    said = _DelimitedOptions(
        options.get("delimiter", ",")[0],
        options.get("header", "all_files_same_headers"),
        options.get("support_multi_line", False),
        options.get("empty_as_string", False),
        options.get("encoding", "utf8"),
        options.get("infer_column_types", True),
    )
    files = _open_files(uris, said)
    try:
        types = _infer_types(files, said)
        tables, rows = [], 0
        for file in files:
            left = None if limit is None else max(limit - rows, 0)
            tables.append(_apply_overrides(_read_table(file, said, types, left), said))
            rows += tables[-1].height
    except UnicodeDecodeError as error:
        raise UserErrorException(f"a file is not encoded as {said.encoding}: {error}") from None
    return tables


def _open_files(uris: Sequence[str], said: _DelimitedOptions) -> list[_DelimitedFile]:
    files: list[_DelimitedFile] = []
    names: list[str] | None = None
    for uri in uris:
        source = _read_source(locations.get_readable(uri), said)
        first = _read_first_row(_find_start(source), said)
        if first is None:
            files.append(_DelimitedFile(uri, b"", names or [], False))
            continue
        own = make_header(first)
        if said.header == "no_header":
            files.append(_DelimitedFile(uri, source, [f"Column{index + 1}" for index in range(len(own))], False))
            continue
        has_header = names is None or said.header != "from_first_file"
        if names is None or said.header == "all_files_different_headers":
            names = own
        files.append(_DelimitedFile(uri, source, [*names, *_number_columns(len(names), len(own))], has_header))
    return files


def _number_columns(start: int, end: int) -> list[str]:
    return [f"Column{index + 1}" for index in range(start, end)]


def _read_source(path: str, said: _DelimitedOptions) -> Any:
    codec = CODECS.get(said.encoding)
    if codec is None:
        return path
    with open(path, "rb") as file:
        content = file.read()
    if codec == "utf-16" and content[:2] not in (b"\xff\xfe", b"\xfe\xff"):
        codec = "utf-16-le"
    return content.decode(codec, "replace" if codec == "cp1252" else "strict").encode()


def _find_start(source: Any) -> bytes:
    if isinstance(source, bytes):
        return source[:_FIRST]
    with open(source, "rb") as file:
        return file.read(_FIRST)


def _read_first_row(start: bytes, said: _DelimitedOptions) -> list[str | None] | None:
    text = start.decode("utf-8-sig", "replace")
    if said.multi_line:
        return next(iter(parse_rows(text, said.delimiter, True)), None)
    line = next((line for line in text.replace("\r\n", "\n").split("\n") if line), None)
    return None if line is None else parse_rows(line, said.delimiter, False)[0]


def _infer_types(files: list[_DelimitedFile], said: _DelimitedOptions) -> dict[str, InferredType]:
    """Return what the first rows of all files together say of each column."""
    if said.infer is False:
        return {}
    sample: dict[str, list[str | None]] = {}
    rows = 0
    for file in files:
        if rows >= said.sample_size:
            break
        table = _read_texts(file, said, said.sample_size - rows)
        for name in table.columns:
            sample.setdefault(name, []).extend(table[name].to_list())
        rows += table.height
    types = {name: infer_type(values) for name, values in sample.items() if name not in said.overridden}
    for name, inferred in types.items():
        warn_of_loss(name, inferred)
    return types


def _read_table(
    file: _DelimitedFile, said: _DelimitedOptions, types: dict[str, InferredType], limit: int | None
) -> Any:
    p = import_polars()
    wanted = {name: types.get(name, STRING) for name in file.names}
    direct = {"int": p.Int64, "float": p.Float64, "boolean": p.Boolean}
    schema = {name: p.Int64 if each.digits else direct.get(each.type, p.String) for name, each in wanted.items()}
    table = _read_by_polars(file, said, schema, limit)
    if table is None or any(_has_other_values(table, name, each) for name, each in wanted.items()):
        table = _read_texts(file, said, limit)
    return _convert_types(table, types)


def _convert_types(table: Any, types: dict[str, InferredType]) -> Any:
    p = import_polars()
    made = []
    for name in table.columns:
        each = types.get(name, STRING)
        if table.schema[name] == p.String:
            made.append(parse_values(table[name], each))
        elif each.digits and table.schema[name] == p.Int64:
            made.append((p.col(name) == 1).alias(name))
    return table.with_columns(made)


def _has_other_values(table: Any, name: str, each: InferredType) -> bool:
    """True if a column that looked like 0 and 1 has another value."""
    if not each.digits or not table.height:
        return False
    least, most = table[name].min(), table[name].max()
    return least is not None and (least < 0 or most > 1)


def _read_texts(file: _DelimitedFile, said: _DelimitedOptions, limit: int | None) -> Any:
    """Return the file's rows as texts, without conversion."""
    p = import_polars()
    table = _read_by_polars(file, said, dict.fromkeys(file.names, p.String), limit)
    return _read_by_lines(file, said, limit) if table is None else table


def _read_by_polars(file: _DelimitedFile, said: _DelimitedOptions, schema: dict[str, Any], limit: int | None) -> Any:
    """Return the table that polars reads from the file; None if it cannot, or not as Azure's mltable does."""
    p = import_polars()
    if file.source == b"" or not schema:
        return p.DataFrame(schema=schema)
    if len(said.delimiter.encode()) > 1 or _find_start(file.source)[:2].lstrip(b"\r").startswith(b"\n"):
        return None
    table = None
    if limit is not None and (
        start := _cut_start(file.source)
    ):  # polars looks through all of a file for its first rows
        table = _parse_rows(start, file, said, schema, limit)
    if table is None or (limit is not None and table.height < limit):
        table = _parse_rows(file.source, file, said, schema, limit)
    if table is None or not said.empty_as_string:
        return table
    texts = [name for name, type in table.schema.items() if type == p.String]
    return table.with_columns(p.col(texts).fill_null("")) if texts else table


def _cut_start(source: Any) -> bytes:
    """Return the first whole lines of a large file; nothing of a small one."""
    start = _find_start(source)
    return start[: start.rfind(b"\n") + 1] if len(start) == _FIRST else b""


def _parse_rows(
    source: Any, file: _DelimitedFile, said: _DelimitedOptions, schema: dict[str, Any], limit: int | None
) -> Any:
    """Return the rows of a file, or of its start, without those of blank lines; None if polars reads them otherwise."""
    p = import_polars()
    quotes = limit is not None or _has_quotes(source)
    try:
        table = p.read_csv(
            source, has_header=False, skip_rows=1 if file.has_header else 0, separator=said.delimiter,
            schema=schema, n_rows=limit, quote_char='"' if quotes else None, infer_schema=False,
            low_memory=True,  # in smaller pieces, which is faster, too
        )  # fmt: skip
    except (p.exceptions.PolarsError, ValueError):
        return None
    return _remove_blank_rows(table, file, said, limit, quotes)


def _remove_blank_rows(
    table: Any, file: _DelimitedFile, said: _DelimitedOptions, limit: int | None, quotes: bool
) -> Any:
    """Return the table without the rows of blank lines; None if a value spans lines though that was not enabled."""
    p = import_polars()
    blank = _find_blank_rows(table)
    if limit is not None:
        return None if blank or (quotes and not said.multi_line and _has_line_breaks(table)) else table
    if quotes and not said.multi_line and _split_lines(file.source) != table.height + file.has_header:
        return None
    found = _count_blank_lines(file.source) if blank else 0
    if blank and not found:  # a row of nothing, unless polars made one of a header alone
        return table if _split_lines(file.source) >= table.height + file.has_header else None
    if not found:
        return table
    return table.filter(~p.all_horizontal(p.all().is_null())) if found == blank else None


def _has_quotes(source: Any) -> bool:
    if isinstance(source, bytes):
        return b'"' in source
    with open(source, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        return content.find(b'"') >= 0


def _has_line_breaks(table: Any) -> bool:
    p = import_polars()
    texts = [name for name, type in table.schema.items() if type == p.String]
    if not texts or not table.height:
        return False
    return any(table.select(p.col(texts).str.contains("\n", literal=True).any()).row(0))


def _find_blank_rows(table: Any) -> int:
    if not table.width or not all(table[name].null_count() for name in table.columns):
        return 0
    p = import_polars()
    return int(table.select(p.all_horizontal(p.all().is_null()).sum()).item())


def _split_lines(source: Any) -> int:
    import numpy

    count, last = 0, b"\n"
    with io.BytesIO(source) if isinstance(source, bytes) else open(source, "rb") as file:
        while block := file.read(_BLOCK):
            count += int(numpy.count_nonzero(numpy.frombuffer(block, numpy.uint8) == 10))
            last = block[-1:]
    return count + (last != b"\n")


def _count_blank_lines(source: Any) -> int:
    if isinstance(source, bytes):
        return len(_BLANK.findall(source))
    with open(source, "rb") as file:
        return len(_BLANK.findall(file.read()))


def _read_by_lines(file: _DelimitedFile, said: _DelimitedOptions, limit: int | None) -> Any:
    rows = None
    if limit is not None:  # the first of a large file
        start = _find_start(file.source)
        rows = _split_rows(start[: start.rfind(b"\n") + 1], file, said) if len(start) == _FIRST else None
    if rows is None or len(rows) <= (limit or 0):
        content = file.source
        if not isinstance(content, bytes):
            with open(content, "rb") as opened:
                content = opened.read()
        rows = _split_rows(content, file, said)
    table = make_table(rows[:limit] if limit is not None else rows, file.names, import_polars())
    return table.with_columns(import_polars().all().fill_null("")) if said.empty_as_string else table


def _split_rows(content: bytes, file: _DelimitedFile, said: _DelimitedOptions) -> list[list[str | None]]:
    rows = parse_rows(content.decode("utf-8-sig"), said.delimiter, said.multi_line)
    return rows[1:] if file.has_header else rows


def _apply_overrides(table: Any, said: _DelimitedOptions) -> Any:
    """Return the table with the `column_type_overrides` of infer_column_types applied."""
    for name, type in said.get_overrides:
        table = convert_column(table, name, type) if name in table.columns else table
    return table


def list_column_names(columns: str | list[str]) -> list[str]:
    return [columns] if isinstance(columns, str) else columns
