"""Checks of scoring scripts, so that nothing of a deployment that cannot run is sent or registered."""

from __future__ import annotations

import ast
import os
from typing import Any

from smalt.client.jobs.validation import locate_problems
from smalt.entities.schema.problems import did_you_mean
from smalt.entities.syntax.references import LocalPath, parse_uri
from smalt.exceptions import LocatedProblem, ValidationException

_ANYWHERE = "code_configuration"


def check_scoring_script(
    deployment: Any, *, checks_syntax: bool = True, needed: tuple[str, ...] = ("run(mini_batch)",)
) -> None:
    """Raise ValidationException if the deployment's local code lacks its script, or the script cannot be compiled.

    It must have the functions that are `needed`.
    """
    with locate_problems(deployment):
        _check_script(deployment, checks_syntax, needed)


def _check_script(deployment: Any, checks_syntax: bool, needed: tuple[str, ...]) -> None:
    given = deployment.code_configuration
    code = given.code if given is not None else None
    uri = parse_uri(code) if isinstance(code, str) else None
    if not isinstance(uri, LocalPath):
        return
    folder = os.path.abspath(os.path.expanduser(uri.path))
    if not os.path.isdir(folder):
        _refuse_script(f"{_ANYWHERE}.code: there is no folder {folder}")
    script = given.scoring_script
    if not script:
        _refuse_script(f"{_ANYWHERE}.scoring_script: name the file with init() and {needed[0] if needed else 'run()'}")
    path = os.path.join(folder, script)
    if not os.path.isfile(path):
        hint = did_you_mean(script, [name for name in os.listdir(folder) if name.endswith(".py")])
        _refuse_script(f"{_ANYWHERE}.scoring_script: there is no file '{script}' in the code {folder}{hint}")
    if checks_syntax:
        _check_syntax(path, needed)


def _check_syntax(path: str, needed: tuple[str, ...]) -> None:
    with open(path, "rb") as file:
        content = file.read()
    try:
        tree = ast.parse(content, path)
    except (SyntaxError, ValueError) as error:
        words = getattr(error, "msg", None) or str(error)
        problem = LocatedProblem(path, getattr(error, "lineno", 0) or 0, getattr(error, "offset", 0) or 0, words)
        raise ValidationException([problem]) from None
    names = {one.name for one in tree.body if isinstance(one, (ast.FunctionDef, ast.AsyncFunctionDef))}
    makes_names = any(isinstance(one, (ast.ImportFrom, ast.Assign, ast.If, ast.Try)) for one in tree.body)
    lacking = [function for function in needed if function.partition("(")[0] not in names]
    if lacking and not makes_names:
        raise ValidationException([LocatedProblem(path, 0, 0, f"the script has no function {lacking[0]}")])


def _refuse_script(words: str) -> None:
    raise ValidationException([LocatedProblem("", 0, 0, words)])
