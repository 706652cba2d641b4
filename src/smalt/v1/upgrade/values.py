"""Values: the meaning of the expressions of a v1 program, and their form in v2."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from typing import Any, Final


class Unknown:
    """A value that can only be known when the program runs."""


UNKNOWN: Final = Unknown()


@dataclass(eq=False)
class Value:
    """The value of an expression: its v1 class in `kind` (empty for anything else), and its form in v2 as `code`.

    Two kinds are no classes: `v1` is a name that is not called yet, `left` the object of a statement that stays v1.
    """

    code: str
    kind: str = ""
    facts: dict[str, Any] = field(default_factory=dict)
    """Knowledge for the rules; docs/internals/sdk-v1.md lists the keys that mean the same for every kind."""
    constant: Any = UNKNOWN
    """The value itself, if the text of the program tells it."""
    items: list[Value] | None = None
    """The elements of a list or tuple that is written out."""
    variable: str = ""
    """The variable that holds it."""
    changed: bool = False
    """True if `code` differs from what the program wrote."""
    node: ast.expr | None = None
    is_spliced: bool = False
    """True if only parts of the expression are changed."""

    @property
    def is_text(self) -> bool:
        return isinstance(self.constant, str)


class NeedsPersonError(Exception):
    """Something that cannot be changed safely; `name` is the v1 name, `spreads` if what it is made of stays v1, too.

    `follows` if it only follows from an earlier line that stays v1.
    """

    def __init__(
        self, sentence: str, name: str = "", node: ast.expr | None = None, spreads: bool = False, follows: bool = False
    ) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.name = name
        self.node = node
        self.spreads = spreads
        self.follows = follows
        self.remark = ""
        """The end of the sentence at this line."""

    @property
    def text(self) -> str:
        return self.sentence + self.remark

    @property
    def root(self) -> str:
        """The first cause, without what only follows from it."""
        return self.sentence.rpartition("because of what uses it: ")[2]


class Scope:
    """The variables of a module, class or function."""

    def __init__(self, name: str = "", parent: Scope | None = None, body: list[ast.stmt] | None = None) -> None:
        self.name = name
        self.parent = parent
        self.values: dict[str, Value] = {}
        self.unstable = _list_unstable(body or [])
        self.returned: list[Value] = []
        self.blocks: dict[str, int] = {}
        """By variable: the block of statements that assigned it."""
        self.is_class = False
        self._counts: dict[str, int] = {}

    def find(self, name: str) -> Value | None:
        if name in self.values:
            return self.values[name]
        return self.parent.find(name) if self.parent is not None else None

    def is_settled(self, name: str) -> bool:
        """Return False if the text does not tell which of several assignments of a variable counts."""
        if name in self.values or self.parent is None:
            return name not in self.unstable
        return self.parent.is_settled(name) and self.parent.count(name) < 2

    def count(self, name: str) -> int:
        """Return how often a variable has been assigned so far."""
        if name in self._counts:
            return self._counts[name]
        return self.parent.count(name) if self.parent is not None else 0

    def bind(self, name: str, value: Value) -> None:
        self._counts[name] = self._counts.get(name, 0) + 1
        if name.startswith("self.") and self.parent is not None and not self.is_class:
            self.parent.values[name] = value
        self.values[name] = value


def _list_unstable(body: list[ast.stmt]) -> set[str]:
    """Return the variables that are assigned within a block, and not only once."""
    inner: dict[str, int] = {}
    outer: set[str] = set()

    def visit(statements: list[ast.stmt], is_inner: bool) -> None:
        for statement in statements:
            if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                continue
            for name in list_targets(statement):
                if is_inner:
                    inner[name] = inner.get(name, 0) + (2 if isinstance(statement, ast.AugAssign | ast.For) else 1)
                elif isinstance(statement, ast.AugAssign):
                    inner[name] = 2
                else:
                    outer.add(name)
            for block in ("body", "orelse", "finalbody"):
                visit(getattr(statement, block, []), True)
            for handler in getattr(statement, "handlers", []):
                visit(handler.body, True)

    visit(body, False)
    return {name for name, count in inner.items() if count > 1 or name in outer}


def list_targets(statement: ast.stmt) -> list[str]:
    """Return the names that a statement itself assigns."""
    targets: list[ast.expr] = []
    if isinstance(statement, ast.Assign):
        targets = list(statement.targets)
    elif isinstance(statement, ast.AnnAssign | ast.AugAssign | ast.For | ast.AsyncFor):
        targets = [statement.target]
    elif isinstance(statement, ast.With | ast.AsyncWith):
        targets = [item.optional_vars for item in statement.items if item.optional_vars is not None]
    found: list[str] = []
    while targets:
        target = targets.pop(0)
        if isinstance(target, ast.Tuple | ast.List):
            targets = [*target.elts, *targets]
        elif isinstance(target, ast.Starred):
            targets.insert(0, target.value)
        elif isinstance(target, ast.Name | ast.Attribute):
            found.append(ast.unparse(target))
    return found
