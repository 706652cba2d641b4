"""The official azure-ai-ml package drives a server, unmodified: each function of `programs/` is one test."""

from __future__ import annotations

import ast
from collections.abc import Callable

import pytest

from tests.official.conftest import PROGRAMS, Outcomes


def _functions(program: str) -> list[str]:
    tree = ast.parse((PROGRAMS / f"{program}.py").read_text())
    return [one.name for one in tree.body if isinstance(one, ast.FunctionDef) and one.name.startswith("it_")]


CASES = [
    (program, name) for program in ("commands", "pipelines", "assets", "described") for name in _functions(program)
]


@pytest.mark.parametrize(("program", "name"), CASES, ids=[f"{program}-{name}" for program, name in CASES])
def test_the_official_client(outcomes: Callable[[str], Outcomes], program: str, name: str) -> None:
    """The function says which behaviour; its own traceback is the failure."""
    found = outcomes(program)
    assert name in found.failures, f"the program ended before {name}: {found.said}"
    assert found.failures[name] is None, found.failures[name]
