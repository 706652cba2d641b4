"""Checks of scoring scripts, so that nothing of a deployment that cannot run is sent or registered."""

from __future__ import annotations

import ast
import os
from typing import Any

from smalt.entities.schema.problems import did_you_mean
from smalt.entities.syntax.references import LocalPath, parse_uri
from smalt.exceptions import LocatedProblem, ValidationException

_ANYWHERE = "code_configuration"


def check_scoring_script(deployment: Any, *, checks_syntax: bool = True) -> None:
    """Raise ValidationException if the deployment's local code lacks its script, or the script cannot be compiled."""
    given = deployment.code_configuration
    code = given.code if given is not None else None
    uri = parse_uri(code) if isinstance(code, str) else None
    if not isinstance(uri, LocalPath):
        return
    folder = os.path.abspath(os.path.expanduser(uri.path))
    if not os.path.isdir(folder):
        _refuse(f"{_ANYWHERE}.code: there is no folder {folder}")
    script = given.scoring_script
    if not script:
        _refuse(f"{_ANYWHERE}.scoring_script: name the file with init() and run(mini_batch)")
    path = os.path.join(folder, script)
    if not os.path.isfile(path):
        hint = did_you_mean(script, [name for name in os.listdir(folder) if name.endswith(".py")])
        _refuse(f"{_ANYWHERE}.scoring_script: there is no file '{script}' in the code {folder}{hint}")
    if checks_syntax:
        _check_syntax(path)


def _check_syntax(path: str) -> None:
    with open(path, "rb") as file:
        content = file.read()
    try:
        tree = ast.parse(content, path)
    except (SyntaxError, ValueError) as error:
        words = getattr(error, "msg", None) or str(error)
        problem = LocatedProblem(path, getattr(error, "lineno", 0) or 0, getattr(error, "offset", 0) or 0, words)
        raise ValidationException([problem]) from None
    names = {one.name for one in tree.body if isinstance(one, (ast.FunctionDef, ast.AsyncFunctionDef))}
    if "run" not in names and not any(
        isinstance(one, (ast.ImportFrom, ast.Assign, ast.If, ast.Try)) for one in tree.body
    ):
        raise ValidationException([LocatedProblem(path, 0, 0, "the script has no function run(mini_batch)")])


def _refuse(words: str) -> None:
    raise ValidationException([LocatedProblem("", 0, 0, words)])
