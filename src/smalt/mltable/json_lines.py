"""The transformation read_json_lines: one JSON object per line. A column has the type of its first value, as in
Azure's mltable.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Sequence
from typing import Any

from . import locations
from .conversions import import_polars
from .delimited import CODECS
from .errors import UserErrorException


def read_frames(uris: Sequence[str], options: dict[str, Any], limit: int | None = None) -> list[Any]:
    """Return a frame per file; all have columns of the same types."""
    drop = options.get("invalid_lines", "error") == "drop"
    encoding = options.get("encoding", "utf8")
    records, counts = [], []
    for uri in uris:
        found = _read_records(locations.get_readable(uri), encoding, drop)
        records += found
        counts.append(len(found))
        if limit is not None and len(records) >= limit:
            break
    counts += [0] * (len(uris) - len(counts))
    table = _make_table(records)
    tables, start = [], 0
    for count in counts:
        tables.append(table.slice(start, count))
        start += count
    return tables


def _read_records(path: str, encoding: str, drop: bool) -> list[dict[str, Any]]:
    found = []
    with open(path, encoding=CODECS.get(encoding, "utf-8-sig"), newline="\n") as file:
        for number, line in enumerate(file, 1):
            if not line.strip():
                continue
            try:
                record = json.loads(line)
            except ValueError:
                record = None
            if isinstance(record, dict):
                found.append(record)
            elif not drop:
                raise UserErrorException(
                    f"{path}:{number}: the line is not a JSON object; correct it, or read with invalid_lines: drop"
                )
    return found


def _make_table(records: list[dict[str, Any]]) -> Any:
    p = import_polars()
    names: dict[str, None] = {}
    for record in records:
        names.update(dict.fromkeys(record))
    made = {}
    for name in names:
        values = [record.get(name) for record in records]
        first = next((value for value in values if value is not None), None)
        kept = [value if type(value) is type(first) else None for value in values]
        lost = sum(value is not None for value in values) - sum(value is not None for value in kept)
        if lost:
            warnings.warn(
                f"column '{name}': {lost} values are not {type(first).__name__} as the first one is, and are empty, "
                "as with Azure's mltable",
                stacklevel=2,
            )
        made[name] = _make_series(name, kept, p)
    return p.DataFrame(made)


def _make_series(name: str, values: list[Any], p: Any) -> Any:
    try:
        return p.Series(name, values, strict=True)
    except (p.exceptions.PolarsError, TypeError, OverflowError):
        return p.Series(name, [None if value is None else json.dumps(value) for value in values], dtype=p.String)
