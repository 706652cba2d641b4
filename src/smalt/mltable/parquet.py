"""The transformations read_parquet and read_delta_lake."""

from __future__ import annotations

import base64
import datetime
import io
import json
import os
import re
from collections.abc import Sequence
from typing import Any
from urllib.parse import unquote

from . import locations
from .conversions import import_polars
from .errors import UserErrorException

_LOG = re.compile(r"(\d{20})\.json")
_CHECKPOINT = re.compile(r"(\d{20})\.checkpoint(\.\d{10}\.\d{10})?\.parquet")
_INDEX = "__index_level_"
"""The name that pandas gives a frame's index in a file; it is not a column of the table."""


def read_frames(uris: Sequence[str]) -> list[Any]:
    return [read_file(locations.get_readable(uri)) for uri in uris]


def read_file(path: str) -> Any:
    p = import_polars()
    try:
        table = p.read_parquet(path, hive_partitioning=False)
    except (p.exceptions.PolarsError, OSError) as error:
        raise UserErrorException(f"{path} is not a Parquet file: {' '.join(str(error).split())}") from None
    table = table.drop([name for name in table.columns if name.startswith(_INDEX)])
    fine = [name for name in _find_nanosecond_columns(path) if table.schema.get(name) == p.Datetime]
    return table.with_columns(p.col(fine).dt.cast_time_unit("ns")) if fine else table


def _find_nanosecond_columns(path: str) -> list[str]:
    """Return the columns written as nanoseconds, though the file stores coarser ones."""
    p = import_polars()
    known = getattr(p, "read_parquet_metadata", None)  # polars 1.31
    written = known(path).get("ARROW:schema") if known else None
    if not written:
        return []
    try:
        schema = p.read_ipc_stream(io.BytesIO(base64.b64decode(written) + b"\xff\xff\xff\xff\0\0\0\0")).schema
    except (p.exceptions.PolarsError, OSError, ValueError):
        return []
    return [name for name, type in schema.items() if type == p.Datetime and type.time_unit == "ns"]


def read_delta(uri: str, version: int | None, timestamp: str | None) -> list[tuple[str, Any]]:
    """Return the files of a Delta table and their contents, as of a version or a time."""
    root = locations.resolve_local(uri)
    log = os.path.join(root, "_delta_log")
    if not os.path.isdir(log):
        raise UserErrorException(f"{root} is not a Delta table: it has no folder _delta_log")
    version = _find_version(log, version, timestamp)
    files, columns = _list_files(log, version)
    p = import_polars()
    tables = []
    for path, values in files:
        table = read_file(os.path.join(root, unquote(path)))
        made = [p.lit(values[name]).cast(type, strict=False).alias(name) for name, type in columns if name in values]
        table = table.with_columns(made)
        absent = [p.lit(None, dtype=type).alias(name) for name, type in columns if name not in table.columns]
        table = table.with_columns(absent).select([name for name, _ in columns])
        tables.append(("file://" + os.path.join(root, unquote(path)), table))
    return tables


def _find_version(log: str, version: int | None, timestamp: str | None) -> int:
    names = sorted(os.listdir(log))
    known = [int(found[1]) for found in map(_LOG.fullmatch, names) if found]
    known += [int(found[1]) for found in map(_CHECKPOINT.fullmatch, names) if found]
    if not known:
        raise UserErrorException(f"{log} has no commit; it is not a Delta table")
    if version is not None:
        if version not in known:
            raise UserErrorException(f"the Delta table has no version {version}; it has {min(known)} to {max(known)}")
        return version
    if timestamp is None:
        return max(known)
    wanted = _parse_timestamp(timestamp)
    earlier = [each for each in sorted(set(known)) if (_get_commit_time(log, each) or wanted + 1) <= wanted]
    return earlier[-1] if earlier else min(known)


def _parse_timestamp(timestamp: str) -> float:
    text = timestamp.replace("Z", "+00:00")
    text = re.sub(r"\.(\d{1,6})\d*", lambda found: "." + found[1].ljust(6, "0"), text)
    try:
        found = datetime.datetime.fromisoformat(text)
    except ValueError:
        raise UserErrorException(
            f"timestamp_as_of: '{timestamp}' is not a time; write it as 2022-10-01T00:00:00Z"
        ) from None
    return (found if found.tzinfo else found.replace(tzinfo=datetime.timezone.utc)).timestamp() * 1000


def _get_commit_time(log: str, version: int) -> float | None:
    """Return when a version was committed, in milliseconds; None if its commit is gone."""
    path = os.path.join(log, f"{version:020d}.json")
    if not os.path.exists(path):
        return None
    for action in _read_actions(path):
        at = action.get("commitInfo", {}).get("timestamp")
        if at is not None:
            return float(at)
    return os.stat(path).st_mtime * 1000


def _read_actions(path: str) -> list[dict[str, Any]]:
    with open(path, encoding="utf-8") as file:
        try:
            return [json.loads(line) for line in file if line.strip()]
        except ValueError:
            raise UserErrorException(f"{path} is not a commit of a Delta table: it is not JSON") from None


def _list_files(log: str, version: int) -> tuple[list[tuple[str, dict[str, Any]]], list[tuple[str, Any]]]:
    """Return the files of a version with the values of their partitions, and the table's columns and types."""
    live: dict[str, dict[str, Any]] = {}
    metadata: dict[str, Any] = {}
    start, actions = _read_checkpoint(log, version)
    for each in range(start, version + 1):
        path = os.path.join(log, f"{each:020d}.json")
        if not os.path.exists(path):
            raise UserErrorException(f"the Delta table cannot be read at version {version}: {path} is missing")
        actions += _read_actions(path)
    for action in actions:
        if action.get("protocol"):
            _check_protocol(action["protocol"])
        if action.get("metaData"):
            metadata = action["metaData"]
        if action.get("remove"):
            live.pop(action["remove"]["path"], None)
        if action.get("add"):
            added = action["add"]
            if added.get("deletionVector"):
                raise UserErrorException(
                    "the Delta table has rows that are deleted by deletion vectors, which MLTable does not read; "
                    "rewrite it with REORG TABLE … APPLY (PURGE)"
                )
            live[added["path"]] = _to_mapping(added.get("partitionValues"))
    fields = json.loads(metadata.get("schemaString") or '{"fields": []}')["fields"]
    return list(live.items()), [(field["name"], _find_type(field["type"])) for field in fields]


def _to_mapping(values: Any) -> dict[str, Any]:
    """Return a mapping; a checkpoint stores one as a list of pairs."""
    if isinstance(values, list):
        return {pair["key"]: pair["value"] for pair in values}
    return dict(values or {})


def _read_checkpoint(log: str, version: int) -> tuple[int, list[dict[str, Any]]]:
    """Return the version after the newest checkpoint that is not too new, and its contents."""
    found: dict[int, list[str]] = {}
    for name in sorted(os.listdir(log)):
        match = _CHECKPOINT.fullmatch(name)
        if match and int(match[1]) <= version:
            found.setdefault(int(match[1]), []).append(os.path.join(log, name))
    if not found:
        return 0, []
    newest = max(found)
    return newest + 1, [row for path in found[newest] for row in import_polars().read_parquet(path).to_dicts()]


def _check_protocol(protocol: dict[str, Any]) -> None:
    features = [each for each in protocol.get("readerFeatures") or () if each in ("columnMapping", "v2Checkpoint")]
    if protocol.get("minReaderVersion", 1) == 2 or features:
        raise UserErrorException(
            "the Delta table uses column mapping or checkpoints of the second kind, which MLTable does not read"
        )


def _find_type(written: Any) -> Any:
    """Return polars' type of a column; None if the files define it themselves (structs, lists, maps)."""
    p = import_polars()
    simple = {
        "string": p.String, "long": p.Int64, "integer": p.Int32, "short": p.Int16, "byte": p.Int8, "float": p.Float32,
        "double": p.Float64, "boolean": p.Boolean, "binary": p.Binary, "date": p.Date,
        "timestamp": p.Datetime("us", "UTC"), "timestamp_ntz": p.Datetime("us"),
    }  # fmt: skip
    return simple.get(written) if isinstance(written, str) else None
