"""Comparison of what a local path is with the type of the input that is given it."""

from __future__ import annotations

import os


def explain_wrong_kind(uri: str, path: str | os.PathLike[str], type: str | None) -> str | None:
    """Return the sentence for a folder given to a uri_file, or a file given to a uri_folder; None for all else."""
    if type == "uri_file" and os.path.isdir(path):
        return f"{uri} is a folder, but the input's type is uri_file; make it uri_folder or name a file"
    if type == "uri_folder" and os.path.isfile(path):
        return f"{uri} is a file, but the input's type is uri_folder; make it uri_file or name a folder"
    return None
