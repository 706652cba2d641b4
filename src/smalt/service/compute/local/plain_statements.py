"""Recognition of statements after which an import gives what it gives without them.

A package may read, while it is imported, whatever a program has set before: filters of warnings, classes of loggers,
the working folder, files, functions of other modules. So a statement is plain only if all that it runs is known: calls
of a list, operators, attributes and the like of constants and of standard objects. On an object of the program's own,
each of these may run its code (`__getattr__`, `__add__`, `__class_getitem__`, `__init_subclass__` and so on).
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

OWN = ""
"""A value that the program made, or may have made. Any other value is of the standard library, or of a package."""
_VALUE = "value"
"""A constant, or what standard functions make of such."""
_PATH = "pathlib.Path()"
_TEXT = "builtins.str()"
"""Values of which attributes are known, as those of modules are."""
_BUILTINS = frozenset(
    {
        *("print", "len", "str", "int", "float", "bool", "bytes", "list", "dict", "set", "frozenset", "tuple", "range"),
        *("sorted", "reversed", "min", "max", "sum", "abs", "round", "zip", "enumerate", "isinstance", "issubclass"),
        *("hasattr", "any", "all", "repr", "format", "ord", "chr", "divmod", "pow", "object", "slice", "id", "hash"),
    }
)
_CALLS = frozenset(
    {
        *(f"builtins.{name}" for name in _BUILTINS),
        *("os.getenv", "os.getcwd", "os.cpu_count", "os.getpid", "os.fspath", "logging.getLogger", "re.compile"),
        *("time.time", "time.time_ns", "time.perf_counter", "time.monotonic", "time.strftime"),
        *("collections.namedtuple", "collections.OrderedDict", "collections.Counter", "collections.deque"),
        *("typing.TypeVar", "typing.NewType", "typing.ParamSpec", "contextlib.suppress", "dataclasses.field"),
        *("sys.path.append", "sys.path.extend"),
    }
)
"""Functions that change nothing, and call nothing that they are given, if that is no object of the program's own."""
_OF_TEXTS = frozenset({"join", "format", "split", "strip", "lower", "upper", "encode", "replace"})
_MAKE_TEXTS = frozenset({"builtins.str", "builtins.repr", "builtins.format", "os.getenv", "os.getcwd", "os.fspath"})
_ALL_CALLS_OF = frozenset({"os.path", "os.environ"})
_CALLBACKS = frozenset({"key", "default_factory", None})
"""Arguments that are called, or may be later; of `**more` one cannot tell."""
_PATHS = frozenset({"pathlib.Path", "pathlib.PurePath", "pathlib.Path.cwd", "pathlib.Path.home"})
_OF_PATHS = frozenset(
    {
        *("resolve", "absolute", "joinpath", "with_suffix", "with_name", "exists", "is_dir", "is_file", "as_posix"),
        *("expanduser", "relative_to"),
    }
)
_OF_FUNCTIONS = frozenset(
    {
        *("builtins.property", "builtins.staticmethod", "builtins.classmethod", "abc.abstractmethod"),
        *("functools.lru_cache", "functools.cache", "functools.cached_property", "contextlib.contextmanager"),
    }
)
_OF_CLASSES = frozenset({"dataclasses.dataclass", "typing.final"})
"""Decorators that do not call what they decorate."""
_ASKED_OF_CLASSES = frozenset({"__subclasshook__", "__subclasscheck__", "__instancecheck__"})
"""Methods of a class that `isinstance` may call, also for a standard class that it comes from."""
_DUNDERS = frozenset({"__all__", "__version__", "__author__", "__email__", "__license__", "__copyright__", "__doc__"})
"""Names of a module that nothing but the program looks at."""
_TYPE_CHECKING = frozenset({"typing.TYPE_CHECKING", "typing_extensions.TYPE_CHECKING"})


class NotPlainError(Exception):
    """A statement that may change what an import after it does."""


class Names:
    """Names of one file, and the kind of value that each has, statement by statement."""

    def __init__(self, *, is_main: bool) -> None:
        self._is_main = is_main
        self._bound: dict[str, str] = {"__name__": _VALUE, "__file__": _VALUE, "__doc__": _VALUE}
        self._has_builtins = True
        self._is_class = False
        self._is_sure = True
        """False where a statement may not be reached."""
        self._has_annotations = True
        """False where annotations stay texts."""

    # Names

    def bind(self, name: str, value: str) -> None:
        """Let a name be a value. Where it is not sure which of two, it may be the program's own."""
        is_special = name.startswith("__") and name.endswith("__") and name not in _DUNDERS
        if is_special and not self._is_class:
            raise NotPlainError
        before = self._bound.get(name)
        if before is None and hasattr(builtins, name):
            before = f"builtins.{name}"
        self._bound[name] = value if self._is_sure or before in (None, value) else OWN

    def bind_all(self) -> None:
        """Let every name be the program's own, as after `from x import *`."""
        self._bound.clear()
        self._has_builtins = False

    def bind_import(self, node: ast.Import | ast.ImportFrom, own: Iterable[str]) -> None:
        """Let names be what an import gives; `own` are the names of the program's modules."""
        if isinstance(node, ast.Import):
            for alias in node.names:
                top = alias.name.partition(".")[0]
                self.bind(alias.asname or top, OWN if top in own else alias.name if alias.asname else top)
            return
        module = node.module or ""
        if module == "__future__":
            self._has_annotations &= all(alias.name != "annotations" for alias in node.names)
            return
        is_own = bool(node.level) or module.partition(".")[0] in own
        for alias in node.names:
            if alias.name == "*":
                self.bind_all()
            else:
                self.bind(alias.asname or alias.name, OWN if is_own else f"{module}.{alias.name}")

    @contextmanager
    def not_sure(self) -> Iterator[None]:
        """Statements that may not be reached."""
        before, self._is_sure = self._is_sure, False
        try:
            yield
        finally:
            self._is_sure = before

    def find_branch(self, node: ast.If) -> list[ast.stmt] | None:
        """Return the statements of an `if` that run where that is certain, else None."""
        test, is_true = node.test, True
        while isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
            test, is_true = test.operand, not is_true
        if isinstance(test, ast.Compare) and len(test.ops) == 1 and isinstance(test.ops[0], (ast.Eq, ast.NotEq)):
            sides = (test.left, test.comparators[0])
            names = [one.id for one in sides if isinstance(one, ast.Name)]
            if names != ["__name__"] or not any(
                isinstance(one, ast.Constant) and one.value == "__main__" for one in sides
            ):
                return None
            is_true ^= isinstance(test.ops[0], ast.Eq) ^ self._is_main
        elif isinstance(test, (ast.Name, ast.Attribute)) and self._find_value(test) in _TYPE_CHECKING:
            is_true = not is_true
        else:
            return None
        return node.body if is_true else node.orelse

    def _find_value(self, node: ast.expr) -> str:
        try:
            return self._evaluate_expression(node)
        except NotPlainError:
            return OWN

    # Statements

    def pass_statement(self, node: ast.stmt) -> None:
        """Take note of what a statement without other statements does; raise NotPlainError if it is not plain."""
        if isinstance(node, ast.Expr):
            self._evaluate_expression(node.value)
        elif isinstance(node, ast.Assign):
            value = self._evaluate_expression(node.value)
            for target in node.targets:
                self._assign_target(target, value)
        elif isinstance(node, ast.AnnAssign):
            self._pass_annotation(node.annotation)
            if node.value is not None:
                self._assign_target(node.target, self._evaluate_expression(node.value))
        elif isinstance(node, ast.AugAssign):
            self._need_values(node.value)
            if isinstance(node.target, ast.Name):
                self._need_values(ast.Name(node.target.id, ast.Load()))
            self._assign_target(node.target, _VALUE)
        elif isinstance(node, ast.Delete):
            for target in node.targets:
                self._assign_target(target, _VALUE)
                if isinstance(target, ast.Name):
                    self._bound[target.id] = OWN
        elif isinstance(node, ast.Assert):
            self._need_values(node.test, node.msg)
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            self._pass_function(node)
        elif isinstance(node, ast.ClassDef):
            self._pass_class(node)
        elif not isinstance(node, (ast.Pass, ast.Global)):
            raise NotPlainError

    def pass_test(self, node: ast.If) -> None:
        self._need_values(node.test)

    def pass_handler(self, node: ast.ExceptHandler) -> None:
        if node.type is not None:
            self._need_values(node.type)
        if node.name is not None:
            self.bind(node.name, OWN)

    def pass_context(self, node: ast.With | ast.AsyncWith) -> None:
        """Allow only contexts that keep an error from ending the program."""
        for item in node.items:
            called = item.context_expr
            if item.optional_vars is not None or not isinstance(called, ast.Call):
                raise NotPlainError
            if self._evaluate_expression(called.func) != "contextlib.suppress":
                raise NotPlainError
            self._evaluate_expression(called)

    def _assign_target(self, target: ast.expr, value: str) -> None:
        if isinstance(target, ast.Name):
            self.bind(target.id, value)
        elif isinstance(target, (ast.Tuple, ast.List)):
            if value == OWN:  # iterating it may run code of the program
                raise NotPlainError
            for part in target.elts:
                self._assign_target(part, _VALUE)
        elif isinstance(target, ast.Starred):
            self._assign_target(target.value, value)
        elif isinstance(target, ast.Subscript):
            # Which variables are set is looked at elsewhere.
            if value == OWN or self._evaluate_expression(target.value) != "os.environ":
                raise NotPlainError
            self._need_values(target.slice)
        else:
            raise NotPlainError

    def _pass_function(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        """Pass a definition, of which the body waits for a call."""
        self._pass_decorators(node.decorator_list, _OF_FUNCTIONS)
        self._pass_arguments(node.args)
        self._pass_annotation(node.returns)
        if getattr(node, "type_params", None):
            raise NotPlainError
        self.bind(node.name, OWN)

    def _pass_class(self, node: ast.ClassDef) -> None:
        self._pass_decorators(node.decorator_list, _OF_CLASSES)
        bases = [self._evaluate_expression(base) for base in node.bases]
        if OWN in bases or getattr(node, "type_params", None) or self._is_class:
            raise NotPlainError
        for keyword in node.keywords:
            if self._evaluate_expression(keyword.value) != ("abc.ABCMeta" if keyword.arg == "metaclass" else _VALUE):
                raise NotPlainError
        # An enumeration calls functions of its body while it is made.
        may_call = any(base == _VALUE or "Enum" in base or "Flag" in base for base in bases)
        outer, self._bound, self._is_class = self._bound, dict(self._bound), True
        try:
            for one in node.body:
                if isinstance(one, (ast.FunctionDef, ast.AsyncFunctionDef)):
                    if may_call or one.name in _ASKED_OF_CLASSES:
                        raise NotPlainError
                    self._pass_function(one)
                else:
                    self._pass_class_statement(one, is_decorated=bool(node.decorator_list))
        finally:
            self._bound, self._is_class = outer, False
        self.bind(node.name, OWN)

    def _pass_class_statement(self, node: ast.stmt, *, is_decorated: bool) -> None:
        """Pass a statement of a class's body; what it sets is looked at while the class is made (`__set_name__`)."""
        if not isinstance(node, (ast.Expr, ast.Assign, ast.AnnAssign, ast.Pass)):
            raise NotPlainError
        if isinstance(node, ast.AnnAssign) and is_decorated and self._has_annotations:
            self._need_values(node.annotation)
        if isinstance(node, (ast.Assign, ast.AnnAssign)) and not isinstance(node.value, ast.Lambda):
            self._need_values(node.value)
        self.pass_statement(node)

    def _pass_decorators(self, nodes: list[ast.expr], known: frozenset[str]) -> None:
        for node in nodes:
            called = node
            if isinstance(node, ast.Call):
                called = node.func
                self._need_values(*node.args, *(one.value for one in node.keywords))
            if self._evaluate_expression(called) not in known:
                raise NotPlainError

    def _pass_arguments(self, node: ast.arguments) -> None:
        for default in (*node.defaults, *node.kw_defaults):
            if default is not None:
                self._evaluate_expression(default)
        named = [*node.posonlyargs, *node.args, *node.kwonlyargs]
        for one in (*named, node.vararg, node.kwarg):
            if one is not None:
                self._pass_annotation(one.annotation)

    def _pass_annotation(self, node: ast.expr | None) -> None:
        if node is not None and self._has_annotations:
            self._evaluate_expression(node)

    # Expressions

    def _need_values(self, *nodes: ast.expr | None) -> None:
        """Evaluate expressions; none of them may be the program's own."""
        for node in nodes:
            if node is not None:
                self._evaluate_value(node)

    def _evaluate_value(self, node: ast.expr) -> str:
        value = self._evaluate_expression(node)
        if value == OWN:
            raise NotPlainError
        return value

    def _evaluate_expression(self, node: ast.expr) -> str:
        """Return what an expression is; raise NotPlainError where it runs what is not known."""
        if isinstance(node, ast.Name):
            if node.id in self._bound:
                return self._bound[node.id]
            return f"builtins.{node.id}" if self._has_builtins and hasattr(builtins, node.id) else OWN
        if isinstance(node, ast.Constant):
            return _TEXT if isinstance(node.value, str) else _VALUE
        if isinstance(node, ast.Attribute):
            value = self._evaluate_value(node.value)
            return value if value == _VALUE or (value, node.attr) == (_PATH, "parent") else f"{value}.{node.attr}"
        if isinstance(node, ast.Call):
            return self._evaluate_call(node)
        if isinstance(node, ast.Lambda):
            self._pass_arguments(node.args)
            return OWN
        if isinstance(node, (ast.Tuple, ast.List)):
            values = [self._evaluate_expression(part) for part in node.elts]
            return OWN if OWN in values else _VALUE
        if isinstance(node, ast.Dict):
            self._need_values(*(key for key in node.keys if key is not None))
            values = [self._evaluate_expression(value) for value in node.values]
            if any(key is None and value == OWN for key, value in zip(node.keys, values, strict=True)):
                raise NotPlainError
            return OWN if OWN in values else _VALUE
        if isinstance(node, ast.NamedExpr):
            value = self._evaluate_expression(node.value)
            self._assign_target(node.target, value)
            return value
        return self._evaluate_parts(node)

    def _evaluate_parts(self, node: ast.expr) -> str:
        """Evaluate an expression that does something with all its parts."""
        if isinstance(node, (ast.ListComp, ast.SetComp, ast.GeneratorExp, ast.DictComp)):
            self._evaluate_comprehension(node)
        elif isinstance(node, ast.BinOp):
            left = self._evaluate_value(node.left)
            self._need_values(node.right)
            return _PATH if isinstance(node.op, ast.Div) and left == _PATH else _VALUE
        elif isinstance(node, ast.Subscript):
            value = self._evaluate_value(node.value)
            self._need_values(node.slice)
            return {f"{_PATH}.parents": _PATH, "os.environ": _TEXT}.get(value, _VALUE)
        elif isinstance(
            node,
            (
                *(ast.UnaryOp, ast.BoolOp, ast.Compare, ast.IfExp, ast.JoinedStr, ast.FormattedValue, ast.Set),
                *(ast.Starred, ast.Slice),
            ),
        ):
            self._need_values(*(child for child in ast.iter_child_nodes(node) if isinstance(child, ast.expr)))
        else:
            raise NotPlainError
        return _TEXT if isinstance(node, ast.JoinedStr) else _VALUE

    def _evaluate_comprehension(self, node: ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp) -> None:
        if self._is_class:  # it does not see the names of the class
            raise NotPlainError
        outer, self._bound = self._bound, dict(self._bound)
        try:
            for part in node.generators:
                if part.is_async:
                    raise NotPlainError
                self._need_values(part.iter)
                self._assign_target(part.target, _VALUE)
                self._need_values(*part.ifs)
            self._need_values(*((node.key, node.value) if isinstance(node, ast.DictComp) else (node.elt,)))
        finally:
            self._bound = outer

    def _evaluate_call(self, node: ast.Call) -> str:
        function = self._evaluate_expression(node.func)
        keywords = {one.arg: one.value for one in node.keywords}
        if function == "dataclasses.field" and "default_factory" in keywords:
            self._evaluate_expression(keywords.pop("default_factory"))  # it is called when there is an instance
        self._need_values(*node.args, *keywords.values())
        if not _CALLBACKS.isdisjoint(keywords):
            raise NotPlainError
        base, _, name = function.rpartition(".")
        if function in _PATHS or (base == _PATH and name in _OF_PATHS):
            return _PATH
        if function in _MAKE_TEXTS or base in _ALL_CALLS_OF or (base == _TEXT and name in _OF_TEXTS):
            return _TEXT
        if function not in _CALLS:
            raise NotPlainError
        return _VALUE
