"""Startup code that Python runs first inside a job, since this folder leads PYTHONPATH.

Listings come in lexicographic order: so do those of the service's blob mounts, and scripts take
`os.listdir(folder)[0]`; a disk's own order is that of hashes. Every function of Python that lists a folder goes
through these two names: os.walk, glob, pathlib, shutil.

`import azureml` finds the names of SDK v1, in the folder `v1` beside this one; `import mldesigner`, `smalt` and
`azure.ai.ml` find the names that the file of a function component needs, in the folder `designer`. `import mltable`
finds smalt's own package, if none is installed and its requirements are. `import mlflow` finds the installed one, with
one change (the folder `tracking`).
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False  # importing typing here would slow every Python of every job
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any

_listdir, _scandir = os.listdir, os.scandir


class _Listdir:
    """Not a function: pathlib of Python 3.10 and older keeps it in a class, where a function would become a method."""

    __name__ = "listdir"

    def __call__(self, path: Any = ".") -> list[Any]:
        return sorted(_listdir(path))


class _Scandir:
    __name__ = "scandir"

    def __call__(self, path: Any = ".") -> _Entries:
        with _scandir(path) as entries:
            return _Entries(sorted(entries, key=lambda entry: entry.name))


class _Entries:
    """The result of os.scandir: an iterator that can be closed and used in `with`."""

    def __init__(self, entries: Iterable[os.DirEntry[Any]]) -> None:
        self._left: Iterator[os.DirEntry[Any]] = iter(entries)

    def __iter__(self) -> _Entries:
        return self

    def __next__(self) -> os.DirEntry[Any]:
        return next(self._left)

    def __enter__(self) -> _Entries:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._left = iter(())


def _run_the_hidden_one() -> None:
    """Another sitecustomize on the path, such as a distribution's, runs as if this one were not there."""
    here = os.path.dirname(os.path.abspath(__file__))
    path = [folder for folder in sys.path if os.path.abspath(folder) != here]
    finder: Any = next(finder for finder in sys.meta_path if getattr(finder, "__name__", "") == "PathFinder")
    spec = finder.find_spec("sitecustomize", path)
    if spec is not None and spec.loader is not None:
        module = type(sys)("sitecustomize")
        module.__spec__, module.__file__ = spec, str(spec.origin)
        spec.loader.exec_module(module)


_PACKAGES = tuple(f"_smalt_{name}" for name in ("v1", "designer", "spark", "parallel", "transfer", "tracking"))


class SmaltFinder:
    """Asked first, so that what is installed can be changed as it is imported; knows a few names only."""

    @staticmethod
    def find_spec(name: str, path: Any = None, target: Any = None) -> Any:
        if name.startswith("azureml") and name[7:8] in ("", "."):
            from _smalt_v1 import importing  # type: ignore[import-not-found]

            return importing.find_spec(name, path)
        if name.partition(".")[0] in ("mldesigner", "smalt", "azure"):
            from _smalt_designer import importing as names  # type: ignore[import-not-found]

            return names.find_spec(name, path)
        inside = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
        if name == "mlflow.store.artifact.http_artifact_repo":
            import _smalt_tracking  # type: ignore[import-not-found]

            return _smalt_tracking.find_spec(path)
        if name in _PACKAGES:
            return _load_package(name, os.path.join(inside, name[7:]))
        if name == "mltable" and _has_not("mltable") and not _has_not("polars") and not _has_not("yaml"):
            return _load_package(name, os.path.join(os.path.dirname(inside), name))
        return None


def _load_package(name: str, folder: str) -> Any:
    from importlib.util import spec_from_file_location

    main = os.path.join(folder, "__init__.py")
    return spec_from_file_location(name, main, submodule_search_locations=[folder]) if os.path.exists(main) else None


def _has_not(name: str) -> bool:
    from importlib.machinery import PathFinder

    return PathFinder.find_spec(name) is None


sys.meta_path.insert(0, SmaltFinder)
os.listdir, os.scandir = _Listdir(), _Scandir()  # type: ignore[assignment]
os.supports_fd |= {os.listdir, os.scandir} if _listdir in os.supports_fd else set()
_run_the_hidden_one()


def _serve_launcher(control: int) -> None:
    """Be a warm parent (the folder `warm`); return in a step's program, which is to run as if this were not there."""
    known = frozenset(sys.modules)
    package: Any = type(sys)("_smalt_warm")
    package.__path__ = [os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "warm")]
    sys.modules["_smalt_warm"] = package
    from _smalt_warm import parent  # type: ignore[import-not-found]

    parent.serve(control, known)


def _note_first_line() -> None:
    """Leave the time in the step's claim, once: a claim that was only made has the same time twice."""
    from time import time_ns  # a module of every Python

    claim = os.environ.pop("SMALT_CLAIM", None)
    if claim is None:
        return
    try:
        made = os.stat(claim)
        if made.st_atime_ns == made.st_mtime_ns:
            os.utime(claim, ns=(time_ns(), made.st_mtime_ns))
    except OSError:
        pass


_note_first_line()
if "_SMALT_WARM" in os.environ:
    _serve_launcher(int(os.environ.pop("_SMALT_WARM")))
