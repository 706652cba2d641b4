"""`execute`: a function's component run here, in this process, as its job would run it."""

from __future__ import annotations

import os
from typing import Any

from smalt.entities.jobs.command import CommandNode
from smalt.entities.jobs.inputs import Input
from smalt.entities.steps.bindings import find_component
from smalt.entities.syntax.references import is_reference
from smalt.exceptions import UserErrorException
from smalt.inside.designer.errors import UserErrorException as Mistake
from smalt.inside.designer.executor import execute_function
from smalt.machine.source_lines import find_caller


def execute(source: Any) -> Any:
    """Runs `train(data="folder", lr=0.1)`, and gives what the function returns; data are local paths.

    An output whose path the step does not say is written to the working folder, under its name.
    """
    component = find_component(source) if isinstance(source, CommandNode) else None
    function = vars(component).get("_function") if component is not None else None
    if component is None or function is None:
        words = "execute() runs a step of a function with @command_component: execute(train(data='folder'))"
        raise UserErrorException(words, find_caller())
    inputs = {name: _read_value(name, value) for name, value in source.inputs.items()}
    defaults = {name: found.default for name, found in component.inputs.items() if found.default is not None}
    said = {name: getattr(source.outputs.get(name), "path", None) or name for name in component.outputs}
    try:
        return execute_function(function, {**defaults, **inputs}, said)
    except Mistake as mistake:
        raise UserErrorException(str(mistake), find_caller()) from None


def _read_value(name: str, value: Any) -> Any:
    if not isinstance(value, Input):
        return value
    path = value.path or ""
    if is_reference(path) or "://" in path.removeprefix("file://"):
        words = f"execute() runs here, and the input '{name}' is {path}; give it a local path"
        raise UserErrorException(words, find_caller())
    return os.path.abspath(path.removeprefix("file://"))
