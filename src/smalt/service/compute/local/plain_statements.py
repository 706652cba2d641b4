"""Recognition of statements after which an import gives what it gives without them.

A package may read, while it is imported, whatever a program has set before: filters of warnings, classes of loggers,
the working folder, files, functions of other modules. So a statement is plain only if all that it calls is known.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterator

_BUILTINS = frozenset(
    {
        *("print", "len", "str", "int", "float", "bool", "bytes", "list", "dict", "set", "frozenset", "tuple", "range"),
        *("sorted", "reversed", "min", "max", "sum", "abs", "round", "zip", "enumerate", "isinstance", "issubclass"),
        *("hasattr", "any", "all", "repr", "format", "ord", "chr", "divmod", "pow", "object", "slice", "id", "hash"),
    }
) & frozenset(vars(builtins))
_NAMES = frozenset(
    {
        *("Path", "PurePath", "getLogger", "getenv", "namedtuple", "defaultdict", "OrderedDict", "Counter", "deque"),
        *("TypeVar", "NewType", "ParamSpec", "dataclass", "field", "suppress", "property", "staticmethod"),
        *("classmethod", "abstractmethod", "cached_property", "lru_cache", "cache", "wraps", "partial"),
    }
)
"""Functions that are known by their own names, as `from pathlib import Path` brings them."""
_MODULES: dict[str, frozenset[str]] = {
    "os": frozenset({"getenv", "getcwd", "cpu_count", "getpid", "fspath"}),
    "logging": frozenset({"getLogger"}),
    "time": frozenset({"time", "time_ns", "perf_counter", "monotonic", "strftime"}),
    "re": frozenset({"compile"}),
    "contextlib": frozenset({"suppress"}),
    **dict.fromkeys(("collections", "typing", "dataclasses", "functools", "abc", "pathlib"), _NAMES),
}
_OF_PATHS = frozenset(
    {
        *("resolve", "absolute", "joinpath", "with_suffix", "with_name", "exists", "is_dir", "is_file", "as_posix"),
        *("expanduser", "relative_to", "cwd", "home"),
    }
)
_OF_TEXTS = frozenset({"join", "format", "split", "strip", "lower", "upper", "encode", "replace"})
_PLACED = (ast.Attribute, ast.Subscript)


def is_plain(statement: ast.stmt, own: frozenset[str]) -> bool:
    """Return False for a statement that may change what an import after it does; `own` are the program's functions."""
    return all(_is_plain_node(node, own) for node in _walk_executed(statement))


def _walk_executed(node: ast.AST) -> Iterator[ast.AST]:
    """Yield what runs with the statement: of a function only its decorators and defaults, not its body."""
    yield node
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
        for part in (*node.decorator_list, node.args):
            yield from _walk_executed(part)
    elif not isinstance(node, ast.Lambda):
        for child in ast.iter_child_nodes(node):
            yield from _walk_executed(child)
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        # A decorator is called with what it decorates.
        yield from (ast.Call(one, [], []) for one in node.decorator_list if not isinstance(one, ast.Call))


def _is_plain_node(node: ast.AST, own: frozenset[str]) -> bool:
    if isinstance(node, ast.Call):
        return _is_known_call(node.func, own)
    if isinstance(node, _PLACED) and isinstance(node.ctx, (ast.Store, ast.Del)):
        return _find_chain(node) == ["os", "environ"]  # which variables are set is looked at elsewhere
    return not isinstance(node, (ast.With, ast.AsyncWith, ast.AsyncFor, ast.Await))


def _is_known_call(called: ast.expr, own: frozenset[str]) -> bool:
    if isinstance(called, ast.Attribute) and isinstance(called.value, (ast.Constant, ast.JoinedStr)):
        return called.attr in _OF_TEXTS
    chain = _find_chain(called)
    if not chain or chain[0] in own:
        return False
    first, *rest = chain
    if not rest:
        return first in _BUILTINS or first in _NAMES
    if first == "Path" or chain[:2] == ["pathlib", "Path"]:
        return all(name in _OF_PATHS or name in ("Path", "parent", "parents", "name", "stem") for name in rest)
    if first == "os" and rest[0] in ("path", "environ"):
        return True
    if chain[:2] == ["sys", "path"]:
        return rest[-1] in ("append", "extend")
    return len(rest) == 1 and rest[0] in _MODULES.get(first, ())


def _find_chain(node: ast.expr) -> list[str]:
    """Return the names of `a.b().c[0]` in their order; empty where it does not begin with a name."""
    names: list[str] = []
    while not isinstance(node, ast.Name):
        if isinstance(node, ast.Attribute):
            names.append(node.attr)
            node = node.value
        elif isinstance(node, ast.Subscript):
            node = node.value
        elif isinstance(node, ast.Call):
            node = node.func
        else:
            return []
    return [node.id, *reversed(names)]
