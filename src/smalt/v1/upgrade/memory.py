"""Memory: facts that one pass over a program learns for the next one."""

from __future__ import annotations

import ast
from typing import Any

from smalt.v1.upgrade.values import Value

_CHANGES = frozenset("extend insert pop remove sort reverse clear update setdefault popitem".split())  # noqa: SIM905
"""Methods that change a list or dictionary."""


class Memory:
    """Facts of objects by their node, the variables that stay v1, and what the program's functions get and return."""

    def __init__(self, tree: ast.Module) -> None:
        self.facts: dict[int, dict[str, Any]] = {}
        """Facts of the last pass, by the node of what made the object."""
        self.found: dict[int, dict[str, Any]] = {}
        """Facts of this pass."""
        self.left: dict[tuple[str, str], str] = {}
        """Variables whose objects stay v1, by scope and name: the reason."""
        self.told: set[tuple[str, str]] = set()
        """Variables of `left` whose definition says why: the line that is the reason is below it."""
        self.kept: set[tuple[str, str]] = set()
        """Workspaces and experiments whose v1 objects are needed beside the v2 ones."""
        self.kept_names: set[str] = set()
        """Names that v1 code in the result still needs from its imports."""
        self.dropped: set[str] = set()
        """Variables that nothing in the result uses."""
        self.returned: dict[str, str] = {}
        self.parameters: dict[str, dict[str, str]] = {}
        self.mutated = _list_mutated(tree)
        """Variables whose lists and dictionaries change in a way that is not followed."""
        self.nodes = {
            one.targets[0].id: one.value
            for one in ast.walk(tree)
            if isinstance(one, ast.Assign) and len(one.targets) == 1 and isinstance(one.targets[0], ast.Name)
            if one.targets[0].id not in self.mutated
        }
        """By variable: the expression that was assigned to it last."""
        self.functions = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
        self.published: set[str] = set()
        """The pipelines that the program publishes."""
        self._calls: dict[str, list[dict[str, Value]]] = {}
        self._functions: dict[int, str] = {}

    def note_call(self, name: str, given: dict[str, Value]) -> None:
        self._calls.setdefault(name, []).append(given)

    def close_pass(self) -> None:
        """Take what the calls of this pass say of the functions' parameters."""
        for name, calls in self._calls.items():
            kinds: dict[str, set[str]] = {}
            for given in calls:
                for parameter, value in given.items():
                    kinds.setdefault(parameter, set()).add(value.kind)
            self.parameters[name] = {one: next(iter(found)) for one, found in kinds.items() if len(found) == 1}
        self._calls = {}
        self.facts, self.found = self.found, {}

    def copy_state(self) -> tuple[Any, ...]:
        return (
            dict(self.left), set(self.kept), set(self.kept_names), set(self.dropped), dict(self.returned),
            {name: dict(kinds) for name, kinds in self.parameters.items()},
        )  # fmt: skip

    def name_pipeline(self, node: ast.expr, name: str) -> None:
        self._functions[id(node)] = name

    def list_pipeline_names(self, node: ast.expr) -> set[str]:
        """Return the names of the functions of the other pipelines."""
        return {name for key, name in self._functions.items() if key != id(node)}


def _list_mutated(tree: ast.Module) -> set[str]:
    """Return the variables that are changed in place, but for `append`, or whose items are assigned."""
    found: set[str] = set()
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr=method)) if method in _CHANGES:
                found.add(name)
            case ast.Subscript(value=ast.Name(id=name), ctx=ast.Store() | ast.Del()):
                found.add(name)
    return found
