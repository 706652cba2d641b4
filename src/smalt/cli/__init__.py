"""smalt on the command line: one module per noun."""

from __future__ import annotations

import sys


def main() -> None:
    """The `smalt` command."""
    if sys.platform == "win32":
        sys.exit("error: smalt runs on Linux and macOS; on Windows use it inside WSL 2")
    from smalt.cli import app, failure

    sys.exit(failure.guarded(app.smalt, sys.argv[1:]))
