"""smalt on the command line: one module per noun."""

from __future__ import annotations

import gc
import io
import sys

_SELDOM = (20_000, 20, 20)
"""Thresholds of the cyclic collector, by default (700, 10, 10)."""


def main() -> None:
    """The `smalt` command."""
    if sys.platform == "win32":
        sys.exit("error: smalt runs on Linux and macOS; on Windows use it inside WSL 2")
    gc.set_threshold(*_SELDOM)  # what a command makes lives to its end: looking at it took a fifth of the time
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # whatever a job prints can be shown
    from smalt.cli import app
    from smalt.cli.framework import failure

    code = failure.run_guarded(app.smalt, sys.argv[1:])
    gc.freeze()  # nor does the interpreter look at it once more before it ends
    sys.exit(code)
