"""Reading of Python programs: the modules that each always imports, and the variables that it sets.

It is read, not run: what is imported on a condition is the program's own business, and is not imported before.
"""

from __future__ import annotations

import ast
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from itertools import islice
from typing import NamedTuple

from smalt.service.compute.local.plain_statements import Names, NotPlainError
from smalt.service.compute.local.program_checks import UnreadableProgram, find_writes

SAFE = frozenset(
    {
        *(
            "numpy",
            "scipy",
            "pandas",
            "sklearn",
            "mlflow",
            "joblib",
            "pyarrow",
            "polars",
            "matplotlib",
            "torch",
            "grpc",
        ),
        *("xgboost", "lightgbm", "yaml", "requests", "threadpoolctl", "dateutil", "pytz", "packaging", "tqdm"),
        *("typing_extensions", "PIL"),
        *("argparse", "asyncio", "json", "logging", "pathlib", "subprocess", "tempfile", "multiprocessing"),
        *("concurrent", "sqlite3", "urllib", "http", "email", "ssl", "decimal", "fractions", "statistics", "csv"),
        *("dataclasses", "typing", "datetime", "shutil", "glob", "pickle", "random", "uuid", "unittest", "xml"),
    }
)
"""Packages of which tests/warm has shown that a child of a parent which imported them is like any other Python."""
_PASSED_OVER = frozenset({"azureml", "azure", "mldesigner", "mltable", "smalt"})
"""Packages whose imports change nothing for those that come after them."""
_MOST_FILES = 64
_MOST_ENTRIES = 2_000
"""The largest list of a folder in which modules are looked for: some milliseconds of the server's time."""
_MOST_BYTES = 150_000
"""The size of all files of a program together: 0.2 to 0.7 s of a thread's time, once for a program."""


class Program(NamedTuple):
    modules: tuple[str, ...]
    """The modules of safe packages that it always imports, in the order of its text."""
    names: frozenset[str]
    """The names by which modules of its own can be imported, and so hide others."""
    folders: frozenset[str]
    """The folders beside it that are modules where there is no other of that name."""
    writes: frozenset[str]
    """The environment variables that it sets."""


def read_program(folder: str, script: str, module: str = "") -> Program:
    """Read the program `script` of `folder`, with the modules beside it that it imports.

    `module` is its name where it is run by `python -m`.
    """
    place = folder if module else os.path.join(folder, os.path.dirname(script))
    return _Reading(place).read(os.path.join(folder, script), module)


def find_module(folder: str, name: str) -> str | None:
    """Return the file, below `folder`, that `python -m NAME` runs there."""
    place = name.replace(".", "/")
    for path in (f"{place}.py", f"{place}/__main__.py"):
        if os.path.isfile(os.path.join(folder, path)):
            return path
    return None


class _Reading:
    """Reads one program, each of its files once."""

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._listed: dict[str, list[str]] = {}
        self._found: dict[tuple[str, str], str | None] = {}
        self._names = self._list_names()
        self._read: set[tuple[str, bool]] = set()
        self._size = 0
        self._modules: dict[str, None] = {}
        self._writes: set[str] = set()
        self._is_closed = False
        """True after a package or a statement that may change what the imports after it do."""
        self._is_trying = self._may_have_failed = False
        """True in a `try`; true there after what may have failed, so that the rest of it may not run."""

    def read(self, path: str, module: str) -> Program:
        self._read_own(module if path.endswith("__main__.py") else module.rpartition(".")[0])
        self._read_file(path, is_main=True)
        folders = frozenset(name for name in self._list(self._folder) if os.path.isdir(f"{self._folder}/{name}"))
        return Program(tuple(self._modules), self._names, folders, frozenset(self._writes))

    def _read_file(self, path: str, *, is_main: bool) -> None:
        if (path, is_main) in self._read:
            return
        self._read.add((path, is_main))
        self._size += os.path.getsize(path)
        if len(self._read) > _MOST_FILES or self._size > _MOST_BYTES:
            raise UnreadableProgram("it is too long to be read ahead")
        with open(path, "rb") as file:
            try:
                tree = ast.parse(file.read(), path)
            except (SyntaxError, ValueError, RecursionError):
                raise UnreadableProgram(f"{os.path.basename(path)} is not Python of this server's version") from None
        self._writes.update(find_writes(tree))
        self._read_statements(tree.body, os.path.dirname(path), Names(is_main=is_main))

    def _read_statements(self, statements: list[ast.stmt], folder: str, names: Names) -> None:
        """Read statements that run; those of `try` and `with` up to an error."""
        for one in statements:
            if isinstance(one, (ast.Import, ast.ImportFrom)):
                self._read_import(one, folder)
                self._pass(partial(names.bind_import, one, self._names))
            elif isinstance(one, ast.If) and (branch := names.find_branch(one)) is not None:
                self._read_statements(branch, folder, names)
            elif isinstance(one, ast.Try):
                with names.not_sure(), self._enter_try():
                    self._read_statements(one.body, folder, names)
                self._pass(partial(self._pass_rest, one, names))
            elif isinstance(one, ast.With):
                self._pass(partial(names.pass_context, one))
                with names.not_sure(), self._enter_try():
                    self._read_statements(one.body, folder, names)
            else:
                self._pass(partial(self._pass_statement, one, names))
                self._may_have_failed = self._is_trying

    @contextmanager
    def _enter_try(self) -> Iterator[None]:
        """Statements that may not be reached: those after one that fails."""
        is_trying, may_have_failed = self._is_trying, self._may_have_failed
        self._is_trying = True
        try:
            yield
        finally:
            # One within another may end by an error that only the outer one handles.
            self._may_have_failed = may_have_failed or (is_trying and self._may_have_failed)
            self._is_trying = is_trying

    def _pass(self, look: Callable[[], None]) -> None:
        """Leave the imports after a statement to the program where it may change what they do."""
        if not self._is_closed:
            try:
                look()
            except NotPlainError:
                self._is_closed = True

    def _pass_statement(self, node: ast.stmt, names: Names) -> None:
        """Raise NotPlainError for a statement that may change what an import does, or runs what is not read here."""
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            tops = [alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module or ""]
            tops = [name.partition(".")[0] for name in tops]
            is_relative = isinstance(node, ast.ImportFrom) and node.level
            if is_relative or any(top in self._names or not _is_known(top) for top in tops):
                raise NotPlainError
            names.bind_import(node, self._names)
        elif isinstance(node, ast.If) and (branch := names.find_branch(node)) is not None:
            self._pass_statements(branch, names)
        elif isinstance(node, ast.If):
            names.pass_test(node)
            with names.not_sure():
                self._pass_statements([*node.body, *node.orelse], names)
        elif isinstance(node, ast.Try):
            with names.not_sure():
                self._pass_statements(node.body, names)
            self._pass_rest(node, names)
        else:
            names.pass_statement(node)

    def _pass_statements(self, nodes: list[ast.stmt], names: Names) -> None:
        for node in nodes:
            self._pass_statement(node, names)

    def _pass_rest(self, node: ast.Try, names: Names) -> None:
        """Pass what a `try` has besides its body."""
        with names.not_sure():
            for handler in node.handlers:
                names.pass_handler(handler)
                self._pass_statements(handler.body, names)
            self._pass_statements([*node.orelse, *node.finalbody], names)

    def _read_import(self, node: ast.Import | ast.ImportFrom, folder: str) -> None:
        if isinstance(node, ast.ImportFrom):
            self._add_from(node, folder)
        else:
            for alias in node.names:
                self._add_module(alias.name)

    def _add_from(self, node: ast.ImportFrom, folder: str) -> None:
        name = node.module or ""
        for _ in range(1, node.level):
            folder = os.path.dirname(folder)
        if node.level:
            self._read_below(folder, name)
        else:
            self._add_module(name)
            folder = self._folder
        if node.level or name.partition(".")[0] in self._names:
            for alias in node.names:
                self._read_below(folder, f"{name}.{alias.name}".lstrip("."))

    def _add_module(self, name: str) -> None:
        top = name.partition(".")[0]
        if top in self._names:
            self._read_own(name)
        elif top in SAFE:
            if not (self._is_closed or self._may_have_failed):
                self._modules.setdefault(name)
        elif not _is_known(top):
            self._is_closed = True
        if top not in SAFE or top not in sys.stdlib_module_names:
            self._may_have_failed = self._is_trying

    def _read_own(self, name: str) -> None:
        self._read_below(self._folder, name)

    def _read_below(self, folder: str, name: str) -> None:
        """Read a module below a folder, with the packages that it is in."""
        place = folder
        for part in name.split("."):
            if (path := self._find_file(place, part)) is not None and not path.endswith(".py"):
                self._is_closed = True  # compiled: it may do anything
            elif path is not None:
                self._read_file(path, is_main=False)
            place = os.path.join(place, part)

    def _find_file(self, folder: str, name: str) -> str | None:
        """Return the file of a module or package as Python looks for it; None where there is none."""
        if (folder, name) not in self._found:
            self._found[folder, name] = self._look_for_file(folder, name)
        return self._found[folder, name]

    def _look_for_file(self, folder: str, name: str) -> str | None:
        for stem in (f"{name}/__init__", name):
            place, start = os.path.split(os.path.join(folder, stem))
            found = [entry for entry in self._list(place) if entry.partition(".")[0] == start]
            for suffix in (".so", ".py", ".pyc"):
                for entry in found:
                    if entry.endswith(suffix) and (suffix == ".so" or entry == f"{start}{suffix}"):
                        return os.path.join(place, entry)
        return None

    def _list_names(self) -> frozenset[str]:
        """Return the names of the modules in the program's folder."""
        found = set()
        for name in self._list(self._folder):
            stem, suffix = name.partition(".")[::2]
            if suffix.endswith(("py", "pyc", "so")) or _may_be_package(f"{self._folder}/{name}"):
                found.add(stem)
        return frozenset(found)

    def _list(self, folder: str) -> list[str]:
        """Return what is in a folder in which modules are looked for, none where there is no folder."""
        if folder not in self._listed:
            self._listed[folder] = _list_entries(folder)
            if len(self._listed[folder]) > _MOST_ENTRIES:
                raise UnreadableProgram("a folder of its code has too much in it to be read ahead")
        return self._listed[folder]


def _may_be_package(folder: str) -> bool:
    entries = _list_entries(folder)
    return len(entries) > _MOST_ENTRIES or any(entry.startswith("__init__.") for entry in entries)


def _list_entries(folder: str) -> list[str]:
    """Return what is in a folder, but not much more than _MOST_ENTRIES."""
    try:
        with os.scandir(folder) as entries:
            return [entry.name for entry in islice(entries, _MOST_ENTRIES + 1)]
    except OSError:
        return []


def _is_known(top: str) -> bool:
    """Return True for a package whose import changes nothing for those after it."""
    return top in SAFE or top in sys.stdlib_module_names or top in _PASSED_OVER
