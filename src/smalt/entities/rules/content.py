"""Comparison of what a local path is with the type of the input that is given it."""

from __future__ import annotations

import os

MARKERS = {"mltable": "MLTable", "mlflow_model": "MLmodel"}
"""The file without which no program can read a folder as data of the type."""


def explain_wrong_kind(uri: str, path: str | os.PathLike[str], type: str | None) -> str | None:
    """Return the sentence for a folder given to a uri_file, or a file given to a type that is a folder; else None."""
    if type == "uri_file" and os.path.isdir(path):
        return f"{uri} is a folder, but the input's type is uri_file; make it uri_folder or name a file"
    if type == "uri_folder" and os.path.isfile(path):
        return f"{uri} is a file, but the input's type is uri_folder; make it uri_file or name a folder"
    if type in MARKERS and os.path.isfile(path):
        instead = "custom_model" if type == "mlflow_model" else "uri_file"
        what = f"{type}, a folder with a file '{MARKERS[type]}'"
        return f"{uri} is a file, but the input's type is {what}; for a file as it is, write 'type: {instead}'"
    return None
