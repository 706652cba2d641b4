"""Checks of content: the files at a path are to be what a type of data or of models says."""

from __future__ import annotations

from pathlib import Path

FOLDER_TYPES = frozenset({"uri_folder", "mltable", "mlflow_model", "triton_model"})
_MARKS = {"mlflow_model": "MLmodel", "mltable": "MLTable"}
"""The file that a folder of this type has at its top."""


def explain_unfit(path: Path, type: str) -> str | None:
    """Return why the content is not of its type, and what to do; None if it is, or if nothing is there."""
    if not path.exists():
        return None
    is_folder = path.is_dir()
    if type == "uri_file" and is_folder:
        return "it is a folder, but its type is uri_file; make its type uri_folder, or write a file"
    if type in FOLDER_TYPES and not is_folder:
        other = "custom_model" if type.endswith("_model") else "uri_file"
        return f"it is a file, but its type is {type}; make its type {other}, or write a folder"
    mark = _MARKS.get(type)
    if mark and not (path / mark).is_file():
        other = "custom_model" if type.endswith("_model") else "uri_folder"
        return f"its type is {type}, but the folder has no file {mark}; make its type {other}, or write that file"
    return None
