"""`smalt version`."""

from __future__ import annotations

from typing import Any

from smalt._version import __version__
from smalt.cli.framework.verb import Invocation, Verb


def _show_version(ctx: Invocation) -> Any:
    """Show the versions of smalt and of its Python."""
    import platform

    return {"smalt": __version__, "python": platform.python_version(), "platform": platform.platform()}


version = Verb("version", _show_version, [], help=_show_version.__doc__)
