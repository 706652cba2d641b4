"""The stand-in for `runpy` by which Python's own main function runs a step's program, with no frame below it.

The parent runs as `python -m …`, and all of its life lies in the import of sitecustomize. In a child that import
returns; then Python looks up `runpy._run_module_as_main` and calls it. What it finds is a C function, called with what
`python FILE` calls it with: tracebacks, the stack, exit codes and the interpreter's end are then those of any Python.
"""

from __future__ import annotations

import ctypes
import functools
import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_libc = ctypes.CDLL(None)
_libc.fopen.restype = ctypes.c_void_p
_libc.fopen.argtypes = [ctypes.c_char_p, ctypes.c_char_p]

_run_file = ctypes.pythonapi["PyRun_AnyFileExFlags"]
_run_file.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int, ctypes.c_void_p]
_run_file.restype = ctypes.c_int

_call = ctypes.pythonapi["PyObject_Call"]
_call.argtypes = [ctypes.py_object, ctypes.py_object, ctypes.c_void_p]
_call.restype = ctypes.py_object


def _check_result(result: int, function: Any, arguments: Any) -> int:
    if result:
        raise SystemExit(1)  # the traceback is printed
    return result


_run_file.errcheck = _check_result  # type: ignore[assignment]


class _Runpy(type(sys)):  # type: ignore[misc]
    """Answers only to Python's main function, which asks when it has put the working folder into the path."""

    def __init__(self) -> None:
        super().__init__("runpy")
        self.prepare: Callable[[], Callable[..., Any]] | None = None

    @property
    def _run_module_as_main(self) -> Callable[..., Any]:
        assert self.prepare is not None
        return self.prepare()


_stand_in = _Runpy()
_hidden: list[Any] = []


def install() -> None:
    _hidden[:] = [sys.modules.get("runpy")]
    sys.modules["runpy"] = _stand_in


def set_script(path: str, folder: str) -> None:
    """Have Python's main function run a file; `folder` takes the place of the working folder in the path."""

    def prepare() -> Callable[..., Any]:
        _restore_runpy()
        sys.path[0] = folder
        sys.path_importer_cache.setdefault(path, None)
        file = _libc.fopen(os.fsencode(path), b"rb")
        if not file:
            return functools.partial(_complain, path)
        return functools.partial(_run_file, file, os.fsencode(path), 1, None)

    _stand_in.prepare = prepare


def set_module(name: str) -> None:
    """Have Python's main function run a module, as `python -m` does."""

    def prepare() -> Callable[..., Any]:
        _restore_runpy()
        import runpy

        return functools.partial(_call, runpy._run_module_as_main, (name, True), None)  # type: ignore[attr-defined]

    _stand_in.prepare = prepare


def _restore_runpy() -> None:
    del sys.modules["runpy"]
    if _hidden[0] is not None:
        sys.modules["runpy"] = _hidden[0]


def _complain(path: str, *_: Any) -> None:
    """Say what Python says of a file that is gone."""
    sys.stderr.write(f"{sys.executable}: can't open file {path!r}: [Errno 2] No such file or directory\n")
    raise SystemExit(2)
