"""The line of the user's program that is running, for sentences that name it."""

from __future__ import annotations

import os
import sys
import warnings
from types import FrameType
from typing import Any

_OURS = os.path.dirname(os.path.dirname(__file__)) + os.sep
_IPYTHON = os.path.join("IPython", "core", "")


def find_caller() -> tuple[str, int]:
    """File and line of the nearest caller that is not smalt; of a notebook's cell, `<cell>`."""
    frame = _find_user_frame()
    return ("", 0) if frame is None else (format_path(frame.f_code.co_filename), frame.f_lineno)


def warn_caller(message: str) -> None:
    """Warn at the user's own line; the program goes on."""
    warn_at(find_caller(), message)


def warn_at(where: tuple[str, int], message: str) -> None:
    """Warn at a file's line, as Python's own warnings are told and filtered."""
    warnings.warn_explicit(message, UserWarning, *(where if where[0] else ("<smalt>", 1)))


def get_scope() -> dict[str, Any]:
    """The names that the user's running code sees, beside those of its module."""
    frame = _find_user_frame()
    return {} if frame is None else dict(frame.f_locals)


def find_source_file() -> str | None:
    """The file of the user's running code; None where it has none."""
    frame = _find_user_frame()
    return None if frame is None else frame.f_globals.get("__file__")


def format_traceback(error: BaseException) -> list[str]:
    """Return the sentence of an error of smalt, and below it each line of the user's program that led there.

    With SMALT_DEBUG set it is Python's whole traceback.
    """
    import linecache
    import traceback

    if os.environ.get("SMALT_DEBUG"):
        return "".join(traceback.format_exception(error)).splitlines()
    lines = [f"{type(error).__name__}: {error}"]
    for frame, number in traceback.walk_tb(error.__traceback__):
        file = frame.f_code.co_filename
        if not file.startswith((_OURS, "<frozen")) and _IPYTHON not in file:
            lines.append(f"  {_name_file(file)}, line {number}: {linecache.getline(file, number).strip()}")
    return lines


def _name_file(file: str) -> str:
    """Return what a notebook calls the code of a file that IPython made for a cell."""
    ipython = sys.modules.get("IPython")
    shell: Any = ipython.get_ipython() if ipython is not None else None
    if shell is not None:
        kind_and_name = shell.compile.format_code_name(file)
        if kind_and_name is not None:
            return " ".join(kind_and_name)
    return format_path(file)


def _find_user_frame() -> FrameType | None:
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and frame.f_code.co_filename.startswith(_OURS):
        frame = frame.f_back
    return frame


def format_path(path: str) -> str:
    if "ipykernel_" in path or path.startswith("<ipython-input"):
        return "<cell>"
    try:
        relative = os.path.relpath(path)
    except (OSError, ValueError):
        return path
    return path if path.startswith("<") or relative.startswith("..") else relative
