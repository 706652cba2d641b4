"""Errors of SQLite as sentences with a remedy."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

from smalt.machine.disk_reserve import DiskSpace

_TEMPORARY = ("/var/tmp", "/usr/tmp", "/tmp")


def explain_error(path: Path, error: sqlite3.Error) -> str:
    """Return a sentence about an error of the records in `path`."""
    text = str(error)
    folder = find_full_folder(path, error)
    if folder is not None:
        return explain_full_disk(folder)
    if "readonly" in text or "unable to open" in text:
        return f"cannot write {path}: {text}; make smalt's home writable or set SMALT_HOME to another folder"
    if "malformed" in text or "not a database" in text:
        return f"{path} is damaged ({text}); restore it from a backup"
    return f"the records in {path} cannot be used: {text}"


def explain_full_disk(folder: str) -> str:
    advice = "free some space (smalt prune) and try again"
    return f"the disk of {folder} is full; what was recorded is not lost: {advice}"


def find_full_folder(path: Path, error: sqlite3.Error) -> str | None:
    """Return the folder on the disk that is full if that is why a database cannot be used, else None.

    It may be that of temporary files, where SQLite sorts; some errors say only that reading or writing failed.
    """
    text = str(error)
    is_named = "is full" in text
    if not is_named and "disk I/O" not in text and "unable to open" not in text:
        return None
    full = [folder for folder in (str(path.parent), _find_temporary_folder()) if _is_full(folder)]
    return full[0] if full else str(path.parent) if is_named else None


def _find_temporary_folder() -> str:
    """Return the folder that SQLite chooses for temporary files."""
    given = (os.environ.get(name, "") for name in ("SQLITE_TMPDIR", "TMPDIR"))
    return next((folder for folder in (*given, *_TEMPORARY) if os.access(folder, os.W_OK | os.X_OK)), ".")


def _is_full(folder: str) -> bool:
    try:
        return DiskSpace.measure(folder).is_full
    except OSError:
        return False
