"""Starts of the components: from an interpreter that has imported their packages."""

from __future__ import annotations

import ast
from pathlib import Path

import smalt.prebuilt
from smalt.service.compute.local.program_checks import find_writes

CODE = Path(smalt.prebuilt.__file__).parent / "code"
ONLY_COLD = {"execute_python_script.py"}
"""It puts the folder of the user's own modules on sys.path."""


def test_nothing_in_their_code_keeps_steps_from_a_warm_start() -> None:
    """No module changes variables or sys.path, or hands them to who may."""
    modules = [path for path in CODE.rglob("*.py") if path.name not in ONLY_COLD]
    assert len(modules) > 40
    assert {path.name: find_writes(ast.parse(path.read_text())) for path in modules} == {
        path.name: set() for path in modules
    }
