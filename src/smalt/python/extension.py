"""The IPython extension `%load_ext smalt`, which smalt's Jupyter kernel loads at its start."""

from __future__ import annotations

from typing import Any

from smalt.python import finder, magics


def load_extension(ipython: Any) -> None:
    from smalt.cli.commands.python import add_programs_to_path

    finder.install_finder()
    add_programs_to_path()
    if ipython is not None and _PIP not in vars(ipython):
        vars(ipython)[_PIP] = ipython.find_line_magic("pip")
        ipython.register_magic_function(lambda words: _run_pip(ipython, words), "line", "pip")


def unload_extension(ipython: Any) -> None:
    finder.remove_finder()
    if ipython is not None and _PIP in vars(ipython):
        ipython.register_magic_function(vars(ipython).pop(_PIP), "line", "pip")


_PIP = "_pip_before_smalt"


def _run_pip(ipython: Any, words: str) -> None:
    """Run IPython's own `%pip` without the packages that smalt stands in for."""
    kept = magics.remove_served(words)
    if kept:
        vars(ipython)[_PIP](" ".join(kept))
