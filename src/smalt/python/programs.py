"""Runs a Python program as `python` would: a file, a module, a text."""

from __future__ import annotations

import builtins
import importlib
import importlib.util
import io
import linecache
import os
import runpy
import sys
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType, TracebackType
from typing import Any

import smalt
from smalt.exceptions import LocatedProblem, SmaltError, ValidationException
from smalt.python import finder
from smalt.python.private_modules import AbsentAttributeError

_IPYTHON = os.path.join("IPython", "core", "")
_ABSENT = (finder.MissingNameError, AbsentAttributeError)
_HERE = os.path.dirname(os.path.abspath(smalt.__file__))


def run_file(path: str, arguments: Sequence[str]) -> int:
    """A file of Python, or a folder or zip file with a `__main__.py`."""
    file = Path(path)
    if not file.exists():
        raise ValidationException(f"there is no file '{path}'")
    if file.is_dir() or file.suffix in (".zip", ".pyz"):
        sys.argv = [path, *arguments]
        return _run_guarded(lambda: runpy.run_path(path, run_name="__main__"))
    _replace_path(os.path.dirname(os.path.realpath(path)))
    return _run_guarded(lambda: _execute_source(file.read_bytes(), path, arguments, __file__=path))


def run_module(name: str, arguments: Sequence[str]) -> int:
    """Run a module like `python -m`."""
    _replace_path(os.getcwd())
    finder.install_finder()
    try:
        known = importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:
        known = False
    if not known:
        raise ValidationException(f"there is no module named '{name}'")
    if name == "mldesigner":
        name = "smalt.designer"
    sys.argv = [name, *arguments]
    return _run_guarded(lambda: runpy.run_module(name, run_name="__main__", alter_sys=True))


def run_text(text: str, arguments: Sequence[str], name: str = "-c") -> int:
    """Run a text like `python -c`; `name` is '-' for a text from standard input."""
    _replace_path("")
    return _run_guarded(
        lambda: _execute_source(text, "<string>" if name == "-c" else "<stdin>", [name, *arguments][1:], name)
    )


def _execute_source(
    source: str | bytes, file: str, arguments: Sequence[str], name: str | None = None, **own: str
) -> None:
    sys.argv = [name or file, *arguments]
    main = ModuleType("__main__")
    main.__dict__.update(__builtins__=builtins, __annotations__={}, **own)
    sys.modules["__main__"] = main
    if isinstance(source, str):
        linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
    exec(compile(source, file, "exec", dont_inherit=True), main.__dict__)


def _replace_path(folder: str) -> None:
    """The first entry was that of the `smalt` program."""
    programs = os.path.dirname(os.path.realpath(sys.argv[0]))
    if sys.path and os.path.realpath(sys.path[0]) in (programs, os.path.dirname(sys.executable)):
        del sys.path[0]
    sys.path.insert(0, folder)


def write_at_once() -> None:
    """Let what this process and its children print be seen as it comes, also where it goes to a pipe or a file."""
    os.environ.setdefault("PYTHONUNBUFFERED", "1")
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if isinstance(stream, io.TextIOWrapper) and isinstance(stream.buffer, io.BufferedWriter):
            stream.flush()
            raw = io.FileIO(stream.fileno(), "w", closefd=False)
            setattr(sys, name, io.TextIOWrapper(raw, stream.encoding, stream.errors, write_through=True))


def _run_guarded(run: Callable[[], Any]) -> int:
    """0, or 1 after saying what the program died of; `sys.exit` in it ends this process as it says."""
    finder.install_finder()
    write_at_once()
    try:
        run()
    except Exception as error:
        sys.stdout.flush()
        sys.stderr.write(explain_error(error))
        return 1
    return 0


def explain_error(error: BaseException) -> str:
    """Return an error of smalt as one sentence with a line, any other as a traceback without the frames of smalt."""
    if isinstance(error, (SmaltError, *_ABSENT)) and not os.environ.get("SMALT_DEBUG"):
        where = find_error_place(error)
        if isinstance(error, ValidationException):
            placed = [
                one if one.file and one.line else LocatedProblem(*where, 0, one.message) for one in error.problems
            ]
            return "".join(f"{problem}\n" for problem in placed)
        return f"{LocatedProblem(*where, 0, str(error))}\n"
    v1: Any = sys.modules.get("smalt.v1.modules") and importlib.import_module("smalt.v1.mistakes")
    sentence = v1.explain_mistake(error) if v1 and not os.environ.get("SMALT_DEBUG") else None
    if sentence is not None:
        return f"{LocatedProblem(*find_error_place(error), 0, sentence)}\n"
    return "".join(traceback.format_exception(type(error), error, trim_traceback(error.__traceback__)))


def find_error_place(error: BaseException) -> tuple[str, int]:
    """The file and line of the program that an error came from; of no file where it never was in one."""
    found = ("", 0)
    if isinstance(error, SyntaxError) and error.filename:
        return error.filename, error.lineno or 0
    for frame, line in traceback.walk_tb(error.__traceback__):
        if is_program(frame.f_code.co_filename):
            found = frame.f_code.co_filename, line
    return found


def is_program(file: str) -> bool:
    """Return True if the file belongs neither to smalt nor to the modules that run the program."""
    if file.startswith((_HERE + os.sep, "<frozen")) or file == runpy.__file__:
        return False
    return _IPYTHON not in file


def trim_traceback(trace: TracebackType | None) -> TracebackType | None:
    """Return the traceback from the program's own first frame on."""
    start = trace
    while start is not None and not is_program(start.tb_frame.f_code.co_filename):
        start = start.tb_next
    return start
