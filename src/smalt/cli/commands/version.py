"""`smalt version`."""

from __future__ import annotations

from typing import Any

from smalt._version import __version__
from smalt.cli.framework.verb import Invocation, Verb


def _version(to: Invocation) -> Any:
    """The version of smalt and of the Python that it runs on."""
    import platform

    return {"smalt": __version__, "python": platform.python_version(), "platform": platform.platform()}


version = Verb("version", _version, [], help=_version.__doc__)
