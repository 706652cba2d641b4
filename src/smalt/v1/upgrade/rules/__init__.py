"""The rules of the upgrade: what each call, attribute and assignment of SDK v1 becomes. One module per noun."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from smalt.v1.upgrade.calls import Call
    from smalt.v1.upgrade.values import Value

Rule = Callable[["Call"], "Value"]

RULES: dict[str, Rule] = {}
"""By `Class`, `Class.method`, `Class.attribute` or `Class.attribute=`."""

PARAMETERS: dict[str, tuple[str, ...]] = {}
"""The parameters of what can be called, in their order in v1."""

_MODULES = (
    "workspaces",
    "conda",
    "environments",
    "computes",
    "datastores",
    "files",
    "tables",
    "datasets",
    "outputs",
    "commands",
    "steps",
    "modules",
    "pipelines",
    "published",
    "schedules",
    "sweeps",
    "trials",
    "runs",
    "interactive_runs",
    "models",
    "services",
    "training",
    "automl",
)


def rule(*names: str, takes: str | None = None) -> Callable[[Rule], Rule]:
    """Return a decorator that adds a function as the rule of these names; `takes` lists a call's parameters."""

    def add(function: Rule) -> Rule:
        for name in names:
            RULES[name] = function
            if takes is not None:
                PARAMETERS[name] = tuple(takes.replace(",", " ").split())
        return function

    return add


@cache
def load_rules() -> dict[str, Rule]:
    """Return all rules; a module that was imported by itself has added only its own."""
    from importlib import import_module

    for module in _MODULES:
        import_module(f"smalt.v1.upgrade.rules.{module}")
    return RULES
