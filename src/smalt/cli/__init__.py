"""smalt on the command line: one module per noun."""

from __future__ import annotations

import io
import sys


def main() -> None:
    """The `smalt` command."""
    if sys.platform == "win32":
        sys.exit("error: smalt runs on Linux and macOS; on Windows use it inside WSL 2")
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # whatever a job prints can be shown
    from smalt.cli import app
    from smalt.cli.framework import failure

    sys.exit(failure.run_guarded(app.smalt, sys.argv[1:]))
