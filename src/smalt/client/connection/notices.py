"""Notices on standard error for the person at the terminal."""

from __future__ import annotations

import sys

_PRINTED: set[str] = set()


def print_notice(text: str) -> None:
    """Print one line to standard error, each text only once in a process."""
    if text not in _PRINTED:
        _PRINTED.add(text)
        sys.stderr.write(f"smalt: {text}\n")
