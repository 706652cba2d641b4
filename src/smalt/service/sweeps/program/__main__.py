"""`python -I …/sweeps/program/__main__.py ALGORITHM`: propose points until the other end of standard input is closed.

The file is run by path in the Python of a tool. Requests and answers are JSON, one line each: see `studies.py`. With
an empty standard input it loads its imports and ends, which shows that they are there.
"""

from __future__ import annotations

import importlib.util
import os
import sys

if not __package__:
    # By path there is no package, and neither the folder above nor this one may be on
    # the path of modules: so the package is made by hand.
    _folder = os.path.dirname(os.path.abspath(__file__))
    _spec = importlib.util.spec_from_file_location(
        "program", os.path.join(_folder, "__init__.py"), submodule_search_locations=[_folder]
    )
    assert _spec is not None
    sys.modules["program"] = importlib.util.module_from_spec(_spec)
    __package__ = "program"


def main(algorithm: str) -> None:
    from .studies import Studies

    answers = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)  # what else is said on standard output goes to the log
    os.umask(0o077)
    studies = Studies(algorithm)
    for line in sys.stdin.buffer:
        answers.write(studies.answer(line) + b"\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
