"""Returned elements of `run`, as the lines of the file that `append_row_to` names."""

from __future__ import annotations

from typing import Any, NamedTuple

from .errors import ParallelError


class ReturnedRows(NamedTuple):
    """The rows of a mini-batch."""

    row_count: int
    text: bytes
    head: int = 0
    """The length of the header that the text begins with."""


def make_rows(returned: Any, options: dict[str, Any], is_kept: bool) -> ReturnedRows:
    """Return the rows of what `run` returned; their text only if it is kept."""
    if returned is None or isinstance(returned, (str, bytes, dict)) or not hasattr(returned, "__iter__"):
        name = "None" if returned is None else f"an object of type {type(returned).__name__}"
        raise ParallelError(f"run() returned {name}; return a list, tuple or DataFrame with an element for each item")
    if hasattr(returned, "to_csv") and hasattr(returned, "columns"):
        return _make_frame_rows(returned, options) if is_kept else ReturnedRows(len(returned), b"")
    elements = returned if hasattr(returned, "__len__") else list(returned)
    if not is_kept:
        return ReturnedRows(len(elements), b"")
    return ReturnedRows(len(elements), _encode_rows("".join(f"{element}\n" for element in elements)))


def _make_frame_rows(frame: Any, options: dict[str, Any]) -> ReturnedRows:
    text = _encode_rows(frame.to_csv(**options))
    head = b""
    if options["header"] is not False and hasattr(frame, "iloc"):
        head = _encode_rows(frame.iloc[:0].to_csv(**options))
    return ReturnedRows(len(frame), text, len(head) if text.startswith(head) else 0)


def _encode_rows(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
