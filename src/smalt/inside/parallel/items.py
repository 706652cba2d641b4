"""Mini-batches of files: the files of an input in a fixed order, cut by number or by the keys of their folders."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from .errors import ParallelError


class MiniBatch(NamedTuple):
    """A part of the input, which one call of `run` gets."""

    items: Sequence[str]
    """The paths of its files; of a table the file with its rows."""
    item_count: int
    """The number of items: of files, or of rows."""
    keys: Mapping[str, Any]
    """The values of the partition keys; empty if the input is cut by size."""
    is_table: bool = False

    def list_item_names(self, root: str) -> list[str]:
        """Return the names of its items, for people."""
        if self.is_table:
            return [f"{self.item_count} rows"]
        start = len(root.rstrip("/")) + 1
        return [item[start:] if item[:start] == f"{root.rstrip('/')}/" else item for item in self.items]


def list_files(path: str) -> list[str]:
    """Return the files of an input: itself, or all below it, sorted by path."""
    if os.path.isfile(path):
        return [path]
    if not os.path.isdir(path):
        raise ParallelError(f"there is nothing at {path}")
    found: list[str] = []
    top = path.rstrip("/") or path
    for folder, folders, names in os.walk(top, followlinks=True, onerror=_refuse_unreadable):
        found.extend([f"{folder}/{name}" for name in names])
        for name in folders:
            if os.path.islink(f"{folder}/{name}"):
                _refuse_circle(folder, name, top)
    found.sort()
    return found


def _refuse_unreadable(error: OSError) -> None:
    raise ParallelError(f"the folder {error.filename} cannot be read: {error.strerror}; no file was left out") from None


def _refuse_circle(folder: str, name: str, top: str) -> None:
    """Raise if a link leads to a folder that it is in: its files would be found again and again."""
    target, around = os.path.realpath(f"{folder}/{name}"), folder
    while len(around) >= len(top):
        if os.path.join(os.path.realpath(around), "").startswith(os.path.join(target, "")):
            raise ParallelError(f"the link {folder}/{name} leads to a folder that it is in; remove the link")
        around = os.path.dirname(around)


def list_table_files(entries: Sequence[Mapping[str, str]], places: Mapping[str, str], own: str) -> list[str]:
    """Return the files that an MLTable lists, each once.

    An entry has a "path" of a file or folder, or a "folder" and the "expression" that paths below it match. `places`
    has the path of each that is a URI; `own` is the MLTable itself, which is no data.
    """
    found: dict[str, None] = {}
    for entry in entries:
        path = entry.get("path") or entry["folder"]
        files = list_files(places.get(path, path))
        if "expression" in entry:
            root = places.get(path, path)
            matches = re.compile(entry["expression"]).fullmatch
            files = [one for one in files if matches(one[len(root) :].lstrip("/"))]
        found.update(dict.fromkeys(one for one in files if one != own))
    return list(found)


def cut_files(files: Sequence[str], size: int) -> list[MiniBatch]:
    """Return mini-batches of `size` files each."""
    size = max(1, size)
    return [MiniBatch(part, len(part), {}) for part in (files[at : at + size] for at in range(0, len(files), size))]


def group_files(files: Sequence[str], root: str, keys: Sequence[str], partition: Any = None) -> list[MiniBatch]:
    """Return a mini-batch for each combination of values that the keys have in the files' paths.

    `partition` is the partition format of an MLTable, as an "expression" and the "columns" of its groups.
    """
    groups: dict[Any, list[str]] = {}
    for path in files:
        values = _read_keys(path, root, keys) if partition is None else _match_keys(path, keys, partition)
        groups.setdefault(values, []).append(path)
    return [
        MiniBatch(groups[values], len(groups[values]), dict(zip(keys, values)))  # noqa: B905
        for values in sorted(groups)
    ]


def _match_keys(path: str, keys: Sequence[str], partition: Mapping[str, Any]) -> Any:
    """Return the values that the partition format finds in a path."""
    columns = list(partition["columns"])
    unknown = [key for key in keys if key not in columns]
    if unknown:
        raise ParallelError(
            f"partition_keys: the partition format of the table has no '{unknown[0]}'; it has {', '.join(columns)}"
        )
    found = re.search(partition["expression"], path)
    if found is None:
        raise ParallelError(f"the path {path} does not have the partition format of the table")
    return tuple(found.group(f"c{columns.index(key)}") for key in keys)


def _read_keys(path: str, root: str, keys: Sequence[str]) -> Any:
    """Return the values of the keys: of folders called `key=value`, else of the first folders below the input."""
    folders = os.path.relpath(path, root).split(os.sep)[:-1]
    named = dict(folder.split("=", 1) for folder in folders if "=" in folder)
    if all(key in named for key in keys):
        return tuple(named[key] for key in keys)
    missing = [key for key in keys if key not in named]
    if len(missing) < len(keys) or len(folders) < len(keys):
        where = f"lies in {len(folders)} folder{'' if len(folders) == 1 else 's'} of the input"
        if len(missing) < len(keys):
            where = f"has no folder for {', '.join(missing)}"
        name = os.path.relpath(path, root)
        raise ParallelError(
            f"partition_keys are {', '.join(keys)}, but '{name}' {where}; give each key a folder, such as "
            f"{missing[0]}=VALUE"
        )
    return tuple(folders[: len(keys)])


def make_digest(batches: Sequence[MiniBatch], root: str, *, with_stamps: bool) -> str:
    """Return what tells this cut from others; with the files' sizes and times where their content is not known."""
    digest = hashlib.sha256()
    for batch in batches:
        names = batch.list_item_names(root) if not batch.is_table else [os.path.basename(batch.items[0])]
        keys = sorted((key, str(value)) for key, value in batch.keys.items())
        text = "\0".join([*names, str(batch.item_count), repr(keys) if keys else "", "\n"])
        digest.update(text.encode("utf-8", "surrogateescape"))
        for item in batch.items if with_stamps and not batch.is_table else ():
            status = os.stat(item)
            digest.update(f"{status.st_size} {status.st_mtime_ns}\n".encode())
    return digest.hexdigest()
