"""The MLTable file: read, checked with every mistake at its line, and completed with its defaults."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any

import yaml

from . import checks, locations
from .errors import UserErrorException

NAME = "MLTable"
_PARTITION = 20 * 1024 * 1024
_READS = ("read_delimited", "read_json_lines", "read_parquet", "read_delta_lake")
DEFAULTS: dict[str, dict[str, Any]] = {
    "read_delimited": {
        "delimiter": ",", "header": "all_files_same_headers", "support_multi_line": False, "empty_as_string": False,
        "encoding": "utf8", "include_path_column": False, "infer_column_types": True, "path_column": "Path",
        "partition_size": _PARTITION,
    },
    "read_parquet": {"include_path_column": False, "path_column": "Path"},
    "read_json_lines": {
        "invalid_lines": "error", "encoding": "utf8", "include_path_column": False, "path_column": "Path",
        "partition_size": _PARTITION,
    },
    "read_delta_lake": {"include_path_column": False},
    "extract_columns_from_partition_format": {"ignore_errors": False, "path_column": "Path"},
}  # fmt: skip
"""The defaults of an MLTable's options."""


def load_document(folder: str) -> dict[str, Any]:
    """Load and check the MLTable file of a folder."""
    path = os.path.join(folder, NAME)
    if not os.path.isfile(path):
        raise UserErrorException(f"there is no file MLTable in {folder}")
    with open(path, encoding="utf-8", errors="replace") as file:
        return parse_document(file.read(), path)


def parse_document(text: str, path: str) -> dict[str, Any]:
    """Parse and check an MLTable file's text; `path` is used in messages about its mistakes."""
    problems = find_text_problems(text, path)
    if problems:
        raise UserErrorException("\n".join(problems))
    return complete_document(yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)))


def find_text_problems(text: str, path: str) -> list[str]:
    """Return every mistake in an MLTable file, as FILE:LINE:COLUMN: a sentence."""
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        content = yaml.load(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f":{mark.line + 1}:{mark.column + 1}" if mark else ""
        return [f"{path}{where}: the file is not YAML: {getattr(error, 'problem', None) or error}"]
    except (ValueError, RecursionError) as error:
        return [f"{path}: the file is not YAML: {error}"]
    place = _DocumentPosition(root, path)
    return [f"{place(where)}: {sentence}" for where, sentence in checks.find_problems(content)]


def find_folder_problems(folder: str) -> list[str]:
    """Return every mistake in a folder that becomes an asset: in its MLTable, and missing paths."""
    path = os.path.join(folder, NAME)
    with open(path, encoding="utf-8", errors="replace") as file:
        text = file.read()
    problems = find_text_problems(text, path)
    if problems:
        return problems
    place = _DocumentPosition(yaml.compose(text, Loader=yaml.SafeLoader), path)
    found = []
    for index, entry in enumerate(yaml.load(text, Loader=yaml.SafeLoader)["paths"]):
        kind, written = next(iter(entry.items()))
        missing = _find_missing(folder, kind, written)
        if missing:
            found.append(f"{place(('paths', index, kind))}: {missing}")
    return found


def _find_missing(folder: str, kind: str, written: str) -> str | None:
    if locations.is_remote(written):
        return None
    plain = locations.strip_scheme(written)
    if os.path.isabs(plain):
        return f"'{written}' is an absolute path, and only the folder becomes the asset; {_is_relative(folder, plain)}"
    if os.path.normpath(plain).startswith(".."):
        return f"'{written}' is outside of the folder, which alone becomes the asset; save it with colocated=True"
    if kind == "pattern" or os.path.exists(os.path.join(folder, plain)):
        return None
    return f"there is no {kind} {os.path.join(folder, os.path.normpath(plain))}"


def _is_relative(folder: str, plain: str) -> str:
    inner = os.path.relpath(plain, os.path.abspath(folder))
    if inner.startswith(".."):
        return "copy the data into the folder, as save(…, colocated=True) does, or name a URI"
    return f"write './{inner}'"


def check_document(content: dict[str, Any]) -> dict[str, Any]:
    """Check a table made by a program."""
    problems = checks.find_problems(content)
    if problems:
        raise UserErrorException("; ".join(sentence for _, sentence in problems))
    return complete_document(content)


def complete_document(content: dict[str, Any]) -> dict[str, Any]:
    """Return the document with every default written out, and each transformation as {name: arguments}."""
    made = {key: value for key, value in content.items() if key != "$schema"}
    made["type"] = "mltable"
    steps = [step if isinstance(step, dict) else {step: {}} for step in content.get("transformations") or ()]
    made["transformations"] = [
        {name: complete_arguments(name, arguments) for name, arguments in each.items()} for each in steps
    ]
    return made


def complete_arguments(name: str, arguments: Any) -> Any:
    """Return a transformation's arguments with its defaults."""
    if name not in DEFAULTS:
        return arguments
    given = {key: value for key, value in (arguments or {}).items() if value is not None}
    made = {**DEFAULTS[name], **given}
    if "encoding" in made:
        made["encoding"] = checks.ENCODINGS.get(made["encoding"], made["encoding"])
    return made


def is_tabular(content: dict[str, Any]) -> bool:
    return any(name in _READS for each in content["transformations"] for name in each)


class _DocumentPosition:
    """The position of a part of the document in the file."""

    def __init__(self, root: Any, path: str) -> None:
        self._root = root
        self._path = path

    def __call__(self, where: Sequence[Any]) -> str:
        node = self._root
        for key in where:
            node = _find_child(node, key) or node
        if node is None:
            return f"{self._path}:1:1"
        mark = node.start_mark
        return f"{self._path}:{mark.line + 1}:{mark.column + 1}"


def _find_child(node: Any, key: Any) -> Any:
    if isinstance(node, yaml.SequenceNode) and isinstance(key, int) and key < len(node.value):
        return node.value[key]
    if isinstance(node, yaml.MappingNode):
        plain: Callable[[Any], str] = lambda each: str(getattr(each, "value", ""))  # noqa: E731
        if isinstance(key, tuple):  # the key itself
            return next((name for name, _ in node.value if plain(name) == str(key[0])), None)
        return next((value for name, value in node.value if plain(name) == str(key)), None)
    return None
