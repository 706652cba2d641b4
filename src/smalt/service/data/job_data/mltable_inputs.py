"""References of MLTable inputs to data outside their folder, which are resolved, or fetched, before the job starts."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from smalt.exceptions import ValidationException
from smalt.service.data.files.copying import copy_tree, remove_tree

VARIABLE = "SMALT_DATA"
"""The variable that tells a job where the data is; see mltable/locations.py."""
_FILE = "MLTable"
_PARTITION = "extract_columns_from_partition_format"


class TableReference(NamedTuple):
    """A reference of an MLTable to data outside of its own folder."""

    written: str
    uri: str
    """A URI, or a path of this machine; of a pattern the folder in which it looks."""
    pattern: str = ""
    """A regular expression for the paths below that folder; empty for a file or folder."""
    is_remote: bool = False
    """True if it is a URI; smalt tells the job where the data is."""
    is_relative: bool = False


def list_uris(folder: Path) -> list[str]:
    """Return the URIs of the files and folders that the MLTable of a folder refers to, each once."""
    if not (folder / _FILE).is_file():
        return []
    return list(dict.fromkeys(one.uri for one in list_references(folder) if one.is_remote))


def describe_table(folder: Path) -> dict[str, Any]:
    """Return what an MLTable names, for programs that cannot read it.

    `is_chosen` is True if it takes a part of its files or rows.

    An entry has the "path" of a file or folder; or a "folder" and the "expression" that paths below it match.
    `partition` has the "expression" of its partition format and the "columns" of the groups.
    """
    from smalt.mltable import document, errors, locations

    path = folder / _FILE
    try:
        content = document.parse_document(path.read_text(encoding="utf-8", errors="replace"), str(path))
    except errors.UserErrorException as error:
        raise ValidationException(error.message) from None
    except OSError as error:
        raise ValidationException(f"{path} cannot be read: {error.strerror}") from None
    entries: list[dict[str, str]] = []
    for entry in content["paths"]:
        kind, written = next(iter(entry.items()))
        steady = _get_pattern_folder(written) if kind == "pattern" else written
        plain = locations.strip_scheme(steady)
        place = steady if locations.is_remote(written) else os.path.normpath(os.path.join(folder, plain or "."))
        if kind == "pattern":
            rest = locations.strip_scheme(written)[len(plain) :].lstrip("/")
            entries.append({"folder": place, "expression": locations.translate_pattern(rest)})
        else:
            entries.append({"path": place})
    reads = any(name.startswith("read_") for step in content["transformations"] for name in step)
    others = {name for step in content["transformations"] for name in step if not name.startswith("read_")}
    is_chosen = bool(others - {_PARTITION})
    table = {"reads_table": reads, "is_chosen": is_chosen, "entries": entries}
    for step in content["transformations"]:
        if _PARTITION in step:
            from smalt.mltable import partitions

            format = partitions.parse_format(step[_PARTITION]["partition_format"])
            columns = [name for name in format.columns if name != format.date]
            table["partition"] = {"expression": format.pattern.pattern, "columns": columns}
    return table


def lay_out_files(table: Path, places: Mapping[str, str], folder: Path, is_copied: bool) -> Path | None:
    """Return a folder with the files that an MLTable names, for the modes eval_…; None if it is a table of rows.

    `places` has the path of each URI that it names. Files are links, or copies; one whose name is taken is in a folder
    with the number of its entry.
    """
    content = describe_table(table)
    if content["reads_table"] or content["is_chosen"]:
        return None
    if folder.is_dir():
        return folder
    partial = folder.with_name(f"{folder.name}.partial")
    remove_tree(partial)
    partial.mkdir(parents=True)
    for index, entry in enumerate(content["entries"]):
        for source, name in _list_entry(entry, places, table / _FILE):
            target = partial / name
            target = target if not os.path.lexists(target) else partial / str(index) / name
            target.parent.mkdir(parents=True, exist_ok=True)
            if is_copied:
                copy_tree(source, target)
            else:
                os.symlink(source, target)
    os.rename(partial, folder)
    return folder


def _list_entry(entry: Mapping[str, str], places: Mapping[str, str], own: Path) -> Iterator[tuple[Path, str]]:
    """Yield each file of an entry of `describe_table`, and its path below the entry's folder."""
    named = entry.get("path") or entry["folder"]
    root = Path(places.get(named, named))
    if not root.is_dir():
        yield root, root.name
        return
    matches = re.compile(entry.get("expression", ".*"), re.DOTALL).fullmatch
    for folder, _, names in os.walk(root, followlinks=True):
        for name in sorted(names):
            path = Path(folder, name)
            relative = path.relative_to(root).as_posix()
            if path != own and matches(relative):
                yield path, relative


def list_references(folder: Path) -> list[TableReference]:
    """Return the references of a folder's MLTable to data outside the folder; ValidationException if it is invalid.

    A folder without one has none: the job may read it in its own way.
    """
    path = folder / _FILE
    try:
        entries = _parse_entries(path.read_text(encoding="utf-8", errors="replace"), str(path))
    except FileNotFoundError:
        return []
    except OSError as error:
        raise ValidationException(f"{path} cannot be read: {error.strerror}") from None
    found = [_make_reference(kind, written, str(folder)) for kind, written in entries]
    return [one for one in found if one is not None]


@lru_cache(maxsize=64)
def _parse_entries(text: str, path: str) -> list[tuple[str, str]]:
    """Return (file, folder or pattern; the path as written) of each entry."""
    from smalt.mltable import document, errors  # the parser is for jobs with tables only

    try:
        content = document.parse_document(text, path)
    except errors.UserErrorException as error:
        raise ValidationException(error.message) from None
    return [next(iter(entry.items())) for entry in content["paths"]]


def _make_reference(kind: str, written: str, folder: str) -> TableReference | None:
    """Return the reference for an entry; None if its data is in the folder."""
    from smalt.mltable import locations

    steady, pattern = written, ""
    if kind == "pattern":
        steady = _get_pattern_folder(written)
        pattern = locations.translate_pattern(
            locations.strip_scheme(written)[len(locations.strip_scheme(steady)) :].lstrip("/")
        )
    if locations.is_remote(written):
        return TableReference(written, steady, pattern, is_remote=True)
    path = locations.strip_scheme(steady)
    if os.path.isabs(locations.strip_scheme(written)):
        return TableReference(written, os.path.normpath(path or "/"), pattern)
    relative = os.path.normpath(path or ".")
    if relative.split("/")[0] != "..":
        return None
    return TableReference(written, os.path.normpath(os.path.join(folder, relative)), pattern, is_relative=True)


def _get_pattern_folder(pattern: str) -> str:
    """Return the folder in which a pattern is searched."""
    return re.split(r"[*?\[]", pattern, maxsplit=1)[0].rpartition("/")[0]
