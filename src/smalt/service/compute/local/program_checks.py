"""Checks of a program: which variables of its environment it sets, and whether it changes sys, anywhere in its text."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import NoReturn, TypeGuard

_LOOKED_AT = frozenset({"__dict__", "modules", "path", "meta_path", "path_hooks"})
"""Names of the module sys by which a program sees, or decides, what an import gives."""
_HARMLESS = frozenset({"append", "extend", "index", "count", "copy"})
"""Methods of sys.path by which nothing comes before what is there."""
_SETTERS = frozenset({"putenv", "unsetenv", "load_dotenv", "set_key", "setenv"})
_READERS = frozenset(
    {
        *("dict", "len", "sorted", "list", "tuple", "print", "pprint", "str", "repr"),
        *("isinstance", "iter", "debug", "info", "warning"),
    }
)
"""Functions that may be given os.environ or sys.path, and leave it alone."""
_STARTERS = frozenset(
    {
        *("run", "Popen", "call", "check_call", "check_output", "create_subprocess_exec", "create_subprocess_shell"),
        *("dict", "posix_spawn", "execve", "execvpe", "popen"),
    }
)
"""Functions that may be given os.environ as `env`."""
_WRITERS = frozenset({"setdefault", "pop", "__setitem__", "__delitem__"})
_ALL_WRITERS = frozenset({"update", "clear", "popitem"})
_READING = frozenset(
    {"__class__", "get", "items", "keys", "values", "copy", "__getitem__", "__contains__", "__len__", "__iter__"}
)
_ITERATED = (ast.For, ast.AsyncFor, ast.comprehension)


class UnreadableProgram(Exception):
    """A program whose text does not tell what it does; the message says why."""


def find_writes(tree: ast.Module) -> set[str]:
    """Return the environment variables that a file sets.

    Raises UnreadableProgram where that is not to be seen, and where it looks at what is imported, or from where.
    """
    own = {node.name for node in ast.walk(tree) if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))}
    writes: set[str] = set()
    called = {id(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    for node in ast.walk(tree):
        _check_names(node)
        for child in ast.iter_child_nodes(node):
            if _is_environment(child):
                writes.update(_find_written(node, child, own))
            elif _is_looked_at(child) and not _is_reading(node, child, own, _HARMLESS):
                raise UnreadableProgram(f"it looks at sys.{child.attr}, or changes it")
            elif _get_name(child) == "sys" and not isinstance(node, ast.Attribute) and not _asks_for_name(node):
                raise UnreadableProgram("it may look at sys.modules, or change it")
        is_method = isinstance(node, ast.Attribute) and _is_environment(node.value) and node.attr in _WRITERS
        if is_method and id(node) not in called:
            _raise_hidden()
        if isinstance(node, ast.Call):
            writes.update(_find_written_by_call(node))
    return writes


def get_called(node: ast.Call) -> str:
    """Return the last part of the name of what is called."""
    return node.func.attr if isinstance(node.func, ast.Attribute) else _get_name(node.func)


def _check_names(node: ast.AST) -> None:
    """Raise UnreadableProgram where other names are given to what is looked for here."""
    if isinstance(node, ast.Import):
        if any(alias.name == "sys" and alias.asname for alias in node.names):
            raise UnreadableProgram("it may look at sys.modules, or change it")
    elif isinstance(node, ast.ImportFrom):
        for alias in node.names:
            if node.module == "sys" and alias.name in (*_LOOKED_AT, "*"):
                raise UnreadableProgram(f"it looks at sys.{alias.name}, or changes it")
            if alias.name in ("environ", "environb") and alias.asname:
                _raise_hidden()
            if alias.name in _SETTERS and alias.asname:
                raise UnreadableProgram(f"it calls {alias.name}")
    elif isinstance(node, ast.Attribute) and node.attr == "setenv":
        _raise_hidden()
    elif isinstance(node, (ast.Attribute, ast.Name)) and isinstance(node.ctx, ast.Load):
        name = node.attr if isinstance(node, ast.Attribute) else node.id
        if name in _SETTERS:
            raise UnreadableProgram(f"it calls {name}")
    elif isinstance(node, ast.Constant) and node.value in ("os.environ", "environ", "setenv", b"setenv"):
        _raise_hidden()


def _find_written(node: ast.AST, child: ast.AST, own: set[str]) -> Iterator[str]:
    """Yield the variable that `node` sets in its part `child`, which is os.environ."""
    if isinstance(node, ast.Subscript) and node.value is child and not isinstance(node.ctx, ast.Load):
        yield _read_name(node.slice)
    elif isinstance(node, ast.Attribute) and node.attr in _ALL_WRITERS:
        raise UnreadableProgram(f"it calls os.environ.{node.attr}")
    elif not _is_reading(node, child, own, _READING | _WRITERS):
        _raise_hidden()


def _find_written_by_call(node: ast.Call) -> Iterator[str]:
    """Yield the variable that a method of os.environ sets."""
    if isinstance(node.func, ast.Attribute) and _is_environment(node.func.value) and node.func.attr in _WRITERS:
        yield _read_name(node.args[0] if node.args else None)
    for one in node.keywords:
        if one.arg == "env" and _is_environment(one.value) and get_called(node) not in _STARTERS:
            _raise_hidden()


def _asks_for_name(node: ast.AST) -> bool:
    """Return True for `getattr(sys, NAME, …)` of a name that the text says, if not of one that tells of imports."""
    if not isinstance(node, ast.Call) or get_called(node) not in ("getattr", "hasattr") or len(node.args) < 2:
        return False
    return isinstance(node.args[1], ast.Constant) and node.args[1].value not in _LOOKED_AT


def _is_reading(node: ast.AST, child: ast.AST, own: set[str], methods: frozenset[str]) -> bool:
    """Return True if `node` only reads its part `child`, and gives it no other name."""
    if not isinstance(child, (ast.Attribute, ast.Name)) or not isinstance(child.ctx, ast.Load):
        return False
    if isinstance(child, ast.Attribute) and child.attr in ("modules", "__dict__"):
        return False
    if isinstance(node, ast.Attribute):
        return node.attr in methods
    if isinstance(node, ast.Subscript):
        return isinstance(node.ctx, ast.Load)
    if isinstance(node, ast.Call):
        is_patch = isinstance(node.func, ast.Attribute) and node.func.attr == "dict"  # mock.patch.dict
        called = get_called(node)
        return called in _READERS and called not in own and not is_patch
    if isinstance(node, ast.keyword):
        return node.arg in (None, "env")
    if isinstance(node, ast.Dict):
        return any(key is None and value is child for key, value in zip(node.keys, node.values, strict=True))
    if isinstance(node, _ITERATED):
        return node.iter is child
    return isinstance(node, (ast.Compare, ast.Starred, ast.FormattedValue, ast.Expr, ast.UnaryOp, ast.BinOp))


def _read_name(name: ast.expr | None) -> str:
    if not isinstance(name, ast.Constant) or not isinstance(name.value, str):
        raise UnreadableProgram("it sets environment variables whose names its text does not tell")
    return name.value


def _raise_hidden() -> NoReturn:
    raise UnreadableProgram("it may set environment variables by another name than os.environ")


def _is_environment(node: ast.AST) -> bool:
    return (isinstance(node, ast.Attribute) and node.attr in ("environ", "environb")) or _get_name(node) == "environ"


def _is_looked_at(node: ast.AST) -> TypeGuard[ast.Attribute]:
    return isinstance(node, ast.Attribute) and node.attr in _LOOKED_AT and _get_name(node.value) == "sys"


def _get_name(node: ast.AST) -> str:
    return node.id if isinstance(node, ast.Name) else ""
