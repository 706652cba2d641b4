"""Comparison of the type of an input with what it is given: a local path, or data of which only the type is known."""

from __future__ import annotations

import os
from typing import NamedTuple

MARKERS = {"mltable": "MLTable", "mlflow_model": "MLmodel"}
"""The file without which no program can read a folder as data of the type."""


class Alternative(NamedTuple):
    """The types to declare for a file and for a folder that are read as they are."""

    file: str
    folder: str


ALTERNATIVES = {
    "mltable": Alternative("uri_file", "uri_folder"),
    "mlflow_model": Alternative("custom_model", "custom_model"),
}


EVALUATED = frozenset({"eval_mount", "eval_download"})
"""Input modes for which smalt itself reads the MLTable of a folder."""


class Source(NamedTuple):
    """The origin of the data of an input."""

    type: str | None
    words: str = "what is given"
    remedy: str = "give it such a folder with 'type: {type}'"
    """The change that would make it data of another `{type}`."""
    mode: str | None = None


def explain_path_mismatch(
    uri: str, path: str | os.PathLike[str], type: str | None, *, needs_marker: bool = False
) -> str | None:
    """Return the sentence for data of this machine that nothing can read as data of the input's type; else None.

    A folder may lack the file of its type, as programs may read it otherwise, unless smalt itself `needs_marker`.
    """
    if type == "uri_file" and os.path.isdir(path):
        return f"{uri} is a folder, but the input's type is uri_file; make it uri_folder or name a file"
    if type == "uri_folder" and os.path.isfile(path):
        return f"{uri} is a file, but the input's type is uri_folder; make it uri_file or name a folder"
    if type not in MARKERS:
        return None
    if os.path.isfile(path):
        wanted = f"the input's type is {type}, {_describe_folder(type)}"
        return f"{uri} is a file, but {wanted}; for a file as it is, write 'type: {ALTERNATIVES[type].file}'"
    if needs_marker and os.path.isdir(path) and not os.path.isfile(os.path.join(path, MARKERS[type])):
        has_not = f"{uri} is a folder without a file '{MARKERS[type]}', but the input's type is {type}, which needs one"
        return f"{has_not}; add the file, or, for a folder as it is, write 'type: {ALTERNATIVES[type].folder}'"
    return None


def explain_type_mismatch(
    name: str, type: str | None, source: Source, owner: str = "step", reader: str | None = None
) -> str | None:
    """Return the sentence for an input that is given data that can never be of its type; else None.

    Only a file never can: a folder of whatever type may have the file that makes it an mltable or a model of MLflow.
    `reader` names the step in the owner, a pipeline, whose input it is; None for the owner's own.
    """
    if source.type != "uri_file" or type not in MARKERS:
        return None
    port = f"the {owner}'s input '{name}'" if reader is None else f"the input '{name}' of '{reader}' in this {owner}"
    takes = f"{port} takes an {type}, {_describe_folder(type)}"
    change = source.remedy.replace("{type}", type)
    declared = f"the {owner}'s input" if reader is None else "that input"
    instead = f"or, to read the file as it is, declare {declared} as {ALTERNATIVES[type].file}"
    place = ", in its component if it has one" if owner == "step" or reader is not None else ""
    return f"{takes}, but {source.words} is a single file (uri_file); {change}, {instead}{place}"


def _describe_folder(type: str) -> str:
    return f"a folder with a file '{MARKERS[type]}'"
