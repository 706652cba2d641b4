"""Reading of Python programs: the modules that each always imports, and the variables that it sets.

It is read, not run: what is imported on a condition is the program's own business, and is not imported before.
"""

from __future__ import annotations

import ast
import os
import sys
from typing import NamedTuple, TypeGuard

from smalt.service.compute.local.plain_statements import is_plain

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
_LOOKED_AT = frozenset({"modules", "path", "meta_path", "path_hooks"})
"""Names of the module sys by which a program sees, or decides, what an import gives."""
_HARMLESS = frozenset({"append", "extend", "index", "count", "copy"})
"""Methods of sys.path by which nothing comes before what is there."""
_MOST_FILES = 64
_MOST_BYTES = 150_000
"""The size of all files of a program together: 0.15 s of the server's time, once for a program."""
_SETTERS = frozenset({"putenv", "unsetenv", "load_dotenv", "set_key"})
_READERS = frozenset(
    {
        *("dict", "len", "sorted", "list", "tuple", "print", "pprint", "str", "repr", "copy", "deepcopy"),
        *("isinstance", "iter", "debug", "info", "warning"),
    }
)
"""Functions that may be given os.environ, and leave it alone."""
_RUNNERS = frozenset({"exec", "import_module", "__import__", "exec_module", "run_path", "run_module"})
"""Functions that run code of another place."""


class UnreadableProgram(Exception):
    """A program whose text does not tell what it does; the message says why."""


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


def list_names(folder: str) -> frozenset[str]:
    """Return the names of the modules in a folder."""
    found = set()
    for entry in os.scandir(folder):
        stem, suffix = entry.name.partition(".")[::2]
        if suffix.endswith(("py", "pyc", "so")) or (entry.is_dir() and os.path.exists(f"{entry.path}/__init__.py")):
            found.add(stem)
    return frozenset(found)


def list_folders(folder: str) -> frozenset[str]:
    """Return the names of the folders in a folder."""
    return frozenset(entry.name for entry in os.scandir(folder) if entry.is_dir())


class _Reading:
    """Reads one program, each of its files once."""

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._names = list_names(folder)
        self._read: set[str] = set()
        self._size = 0
        self._modules: dict[str, None] = {}
        self._writes: set[str] = set()
        self._own: frozenset[str] = frozenset()
        """The names of functions and classes of the file that is read."""
        self._is_closed = False
        """True after a package or a statement that may change what the imports after it do."""

    def read(self, path: str, module: str) -> Program:
        self._read_own(module if path.endswith("__main__.py") else module.rpartition(".")[0])
        self._read_file(path, is_main=True)
        folders = list_folders(self._folder)
        return Program(tuple(self._modules), self._names, folders, frozenset(self._writes))

    def _read_file(self, path: str, *, is_main: bool) -> None:
        if path in self._read:
            return
        self._read.add(path)
        self._size += os.path.getsize(path)
        if len(self._read) > _MOST_FILES or self._size > _MOST_BYTES:
            raise UnreadableProgram("it is too long to be read ahead")
        with open(path, "rb") as file:
            try:
                tree = ast.parse(file.read(), path)
            except (SyntaxError, ValueError, RecursionError):
                raise UnreadableProgram(f"{os.path.basename(path)} is not Python of this server's version") from None
        for node in ast.walk(tree):
            _check_looks_at_sys(node)
            _check_hands_on_variables(node)
            self._look_for_writes(node)
        functions = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
        self._own = frozenset(node.name for node in ast.walk(tree) if isinstance(node, functions))
        self._read_statements(tree.body, os.path.dirname(path), is_main)

    def _read_statements(self, statements: list[ast.stmt], folder: str, is_main: bool) -> None:
        for one in statements:
            if isinstance(one, ast.Import):
                for alias in one.names:
                    self._add_module(alias.name)
            elif isinstance(one, ast.ImportFrom):
                self._add_from(one, folder)
            elif is_main and _is_main_test(one):
                self._read_statements(one.body, folder, is_main)
            elif isinstance(one, ast.Try):
                self._read_statements(one.body, folder, is_main)
                for other in (
                    *(part for handler in one.handlers for part in handler.body),
                    *one.orelse,
                    *one.finalbody,
                ):
                    self._pass_statement(other)
            elif isinstance(one, ast.With):
                for item in one.items:
                    self._pass_statement(ast.Expr(item.context_expr))
                self._read_statements(one.body, folder, is_main)
            else:
                self._pass_statement(one)

    def _pass_statement(self, statement: ast.stmt) -> None:
        """Leave the imports after a statement to the program where it may change what they do."""
        is_function = isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef))
        if not is_plain(statement, self._own) or (not is_function and self._runs_other_code(statement)):
            self._is_closed = True

    def _runs_other_code(self, statement: ast.stmt) -> bool:
        """Return True for a statement that may run what is not read here; functions wait for their call."""
        if isinstance(statement, ast.If) and "TYPE_CHECKING" in ast.dump(statement.test):
            return False
        for node in ast.walk(statement):
            if isinstance(node, ast.Call) and _get_called(node) in _RUNNERS:
                return True
            tops = [one.name.partition(".")[0] for one in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom):
                tops = ["" if node.level else (node.module or "").partition(".")[0]]
            if any(top in self._names or not _is_known(top) for top in tops):
                return True
        return False

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
            if not self._is_closed:
                self._modules.setdefault(name)
        elif not _is_known(top):
            self._is_closed = True

    def _read_own(self, name: str) -> None:
        self._read_below(self._folder, name)

    def _read_below(self, folder: str, name: str) -> None:
        """Read a module below a folder, with the packages that it is in."""
        parts = name.split(".")
        for count in range(1, len(parts) + 1):
            place = os.path.join(folder, *parts[:count])
            for path in (f"{place}.py", f"{place}/__init__.py"):
                if os.path.isfile(path):
                    self._read_file(path, is_main=False)

    def _look_for_writes(self, node: ast.AST) -> None:
        """Take note of variables that are set."""
        if isinstance(node, (ast.Assign, ast.AugAssign, ast.Delete)):
            targets = [node.target] if isinstance(node, ast.AugAssign) else node.targets
            for target in targets:
                if isinstance(target, ast.Subscript) and _is_environment(target.value):
                    self._add_write(target.slice)
        if not isinstance(node, ast.Call):
            return
        called = _get_called(node)
        if called in _SETTERS:
            raise UnreadableProgram(f"it calls {called}")
        if isinstance(node.func, ast.Attribute) and _is_environment(node.func.value):
            if called in ("update", "clear", "popitem"):
                raise UnreadableProgram(f"it calls os.environ.{called}")
            if called in ("setdefault", "pop", "__setitem__"):
                self._add_write(node.args[0] if node.args else None)

    def _add_write(self, name: ast.expr | None) -> None:
        if not isinstance(name, ast.Constant) or not isinstance(name.value, str):
            raise UnreadableProgram("it sets environment variables whose names its text does not tell")
        self._writes.add(name.value)


def _check_looks_at_sys(node: ast.AST) -> None:
    """Raise UnreadableProgram where the program sees what is imported, or changes from where."""
    found: list[ast.AST] = []
    if isinstance(node, ast.ImportFrom) and node.module == "sys":
        names = [alias.name for alias in node.names if alias.name in (*_LOOKED_AT, "*")]
    elif isinstance(node, ast.Import):
        names = ["modules" for alias in node.names if alias.name == "sys" and alias.asname]
    else:
        names = []
        if isinstance(node, ast.Attribute) and node.attr == "modules":
            found = [node]
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            found = [] if node.func.attr in _HARMLESS else [node.func.value]
        elif isinstance(node, (ast.Assign, ast.Delete)):
            found = [*node.targets, *([node.value] if isinstance(node, ast.Assign) else [])]
        elif isinstance(node, (ast.AugAssign, ast.AnnAssign)):
            found = [node.target]
    for one in found:
        inner = one.value if isinstance(one, ast.Subscript) else one
        if isinstance(inner, ast.Attribute) and inner.attr in _LOOKED_AT and _get_name(inner.value) == "sys":
            names.append(inner.attr)
    if names:
        may = "may look" if isinstance(node, ast.Import) else "looks"
        raise UnreadableProgram(f"it {may} at sys.{names[0]}, or {'change' if may != 'looks' else 'changes'} it")


def _check_hands_on_variables(node: ast.AST) -> None:
    """Raise UnreadableProgram where what is set is not to be seen: os.environ by another name, or at another place."""
    given: list[ast.AST] = []
    if isinstance(node, ast.ImportFrom):
        is_hidden = any(alias.name in ("environ", "environb") and alias.asname for alias in node.names)
    else:
        is_hidden = isinstance(node, ast.Constant) and node.value in ("os.environ", "environ", "setenv", b"setenv")
    if isinstance(node, ast.Call) and not _is_reader(node):
        given = [*node.args, *(one.value for one in node.keywords if one.arg not in ("env", None))]
    elif isinstance(node, (ast.Assign, ast.AnnAssign, ast.NamedExpr)):
        given = [*node.value.elts] if isinstance(node.value, (ast.Tuple, ast.List)) else [node.value or node]
    elif isinstance(node, ast.AugAssign):
        given = [node.target]
    elif isinstance(node, ast.Attribute) and node.attr == "setenv":
        is_hidden = True
    if is_hidden or any(isinstance(one, ast.expr) and _is_environment(one) for one in given):
        raise UnreadableProgram("it may set environment variables by another name than os.environ")


def _is_reader(node: ast.Call) -> bool:
    is_patch = isinstance(node.func, ast.Attribute) and node.func.attr == "dict"  # mock.patch.dict
    return _get_called(node) in _READERS and not is_patch


def _is_known(top: str) -> bool:
    """Return True for a package whose import changes nothing for those after it."""
    return top in SAFE or top in sys.stdlib_module_names or top in _PASSED_OVER


def _get_called(node: ast.Call) -> str:
    return node.func.attr if isinstance(node.func, ast.Attribute) else _get_name(node.func)


def _is_environment(node: ast.expr) -> bool:
    return (isinstance(node, ast.Attribute) and node.attr in ("environ", "environb")) or _get_name(node) == "environ"


def _get_name(node: ast.expr) -> str:
    return node.id if isinstance(node, ast.Name) else ""


def _is_main_test(node: ast.stmt) -> TypeGuard[ast.If]:
    return isinstance(node, ast.If) and isinstance(node.test, ast.Compare) and _get_name(node.test.left) == "__name__"
