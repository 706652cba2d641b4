"""`@command_component`: a function that is called to make a step, and that the step's job runs."""

from __future__ import annotations

import copy
import functools
import os
import re
from collections.abc import Callable, Mapping
from typing import Any

from smalt.entities.assets.environment import Environment
from smalt.entities.jobs.command import CommandComponent
from smalt.entities.jobs.inputs import Input
from smalt.entities.schema.reader import Reader
from smalt.entities.steps.bindings import find_type
from smalt.entities.steps.calls import call_component
from smalt.entities.syntax.references import is_reference, to_reference
from smalt.exceptions import LocatedProblem, UserErrorException, ValidationException
from smalt.inside.designer import decorators
from smalt.inside.designer.errors import UserErrorException as Mistake
from smalt.inside.designer.executor import LOADING
from smalt.inside.designer.signature import FunctionSignature
from smalt.machine.source_lines import find_caller, find_source_file, get_scope

_CURATED = "azureml://registries/azureml/environments/{}/labels/latest"
_NAME = re.compile(r"[A-Za-z0-9._-]+")


def command_component(
    func: Callable[..., Any] | None = None,
    *,
    name: str | None = None,
    version: str | None = None,
    display_name: str | None = None,
    description: str | None = None,
    is_deterministic: bool | None = None,
    tags: Any = None,
    environment: Any = None,
    distribution: Any = None,
    resources: Any = None,
    code: str | os.PathLike[str] | None = None,
) -> Any:
    """Makes of a function a component: calling it makes a step, `.component` is the component.

    `environment` is the path of an environment's YAML file, a mapping, an Environment or a reference; `code` the folder
    that the job gets, that of the function's file where unset. Both paths are relative to the function's file.
    """
    file = find_source_file()
    if os.environ.get(LOADING):
        return _make_marker(func, name, file)
    folder = _get_folder(file, name or getattr(func, "__name__", None) or "the component")
    told = {
        "name": name, "version": version, "display_name": display_name, "description": description,
        "is_deterministic": is_deterministic, "tags": _make_tags(tags), "distribution": distribution,
        "resources": resources,
    }  # fmt: skip
    told = {key: value for key, value in told.items() if value is not None}
    told["environment"] = _resolve_environment(environment, folder)
    told["code"] = os.path.normpath(os.path.join(folder, os.fspath(code or ".")))

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        if not callable(function) or isinstance(function, type):
            words = f"@command_component is for functions, not for {type(function).__name__}"
            raise UserErrorException(words, find_caller())
        return _make_component(function, told, os.path.realpath(str(file)))

    return decorate if func is None else decorate(func)


def _make_marker(func: Any, name: str | None, file: str | None) -> Any:
    """Return the decorator inside a job that has smalt, where the component is run."""

    def mark(function: Callable[..., Any]) -> Any:
        return decorators.mark_function(function, function, name or function.__name__, file)

    return mark if func is None else mark(func)


def _make_component(function: Callable[..., Any], told: Mapping[str, Any], file: str) -> Callable[..., Any]:
    component, signature = _build_component(function, told, file)

    @functools.wraps(function)
    def make(*args: Any, **inputs: Any) -> Any:
        used = _add_inputs(component, inputs) if signature.takes_more else component
        return call_component(used, args, inputs)

    vars(make)["component"] = component
    return decorators.mark_function(make, function, str(component.name), file)  # type: ignore[no-any-return]


def _build_component(
    function: Callable[..., Any], told: Mapping[str, Any], file: str
) -> tuple[CommandComponent, FunctionSignature]:
    name = told.get("name") or function.__name__
    if not _NAME.fullmatch(name):
        raise UserErrorException(
            f"'{name}' cannot be the name of a component; use letters, digits, '.', '_' and '-'", find_caller()
        )
    try:
        signature = FunctionSignature(function, get_scope())
    except Mistake as mistake:
        raise UserErrorException(str(mistake), _find_place(function)) from None
    curated = _CURATED.format("mldesigner" if signature.needs_mlflow else "mldesigner-minimal")
    data = {
        "name": name,
        "display_name": name,
        **({"description": function.__doc__} if function.__doc__ else {}),
        **told,
        "environment": told["environment"] or curated,
        "inputs": signature.inputs,
        "outputs": signature.outputs,
        "command": _build_command(_read_source(file, told["code"], name), name, signature.inputs, signature.outputs),
    }
    reader = Reader()
    component = CommandComponent._read_data(data, (), reader)
    if reader.problems or component is None:
        raise ValidationException(
            [LocatedProblem(*_find_place(function), 0, str(problem)) for problem in reader.problems]
        )
    vars(component)["_function"] = function
    return component, signature


def _build_command(source: str, name: str, inputs: Mapping[str, Any], outputs: Mapping[str, Any]) -> str:
    """Return the command line, exactly as mldesigner writes it."""
    words = ["mldesigner execute --source", source, "--name", name]
    if inputs:
        words.append("--inputs")
    for port, declared in inputs.items():
        optional = declared["optional"] if isinstance(declared, dict) and "optional" in declared else False
        word = f"{port}='${{{{inputs.{port}}}}}'"
        words.append(f"$[[{word}]]" if optional or getattr(declared, "optional", False) else word)
    if outputs:
        words.append("--outputs")
    words += [f"{port}='${{{{outputs.{port}}}}}'" for port in outputs]
    return " ".join(words)


def _read_source(file: str, code: str, name: str) -> str:
    code = os.path.realpath(code)
    if code == file:
        return os.path.basename(file)
    relative = os.path.relpath(file, code)
    if relative.startswith(".."):
        raise UserErrorException(f"the code of '{name}' is {code}, where its file {file} does not lie", find_caller())
    return relative.replace(os.sep, "/")


def _add_inputs(component: CommandComponent, given: Mapping[str, Any]) -> CommandComponent:
    """The component with what is given beyond its inputs, for a function with `**kwargs`."""
    more = {name: value for name, value in given.items() if name not in component.inputs}
    if not more:
        return component
    wide = copy.copy(component)
    wide.inputs = {**component.inputs}
    for name, value in more.items():
        kind = find_type(value)
        if kind is None:
            words = f"the input '{name}' of {component.name} must be Input(…), an output of a step or a plain value"
            raise UserErrorException(words, find_caller())
        wide.inputs[name] = Input(type=kind)
    source = str(component.command).split(" ")[3]
    wide.command = _build_command(source, str(component.name), wide.inputs, wide.outputs)
    return wide


def _resolve_environment(environment: Any, folder: str) -> Any:
    if environment is None or isinstance(environment, Environment):
        return environment
    from smalt.dsl.loading import load_environment

    if isinstance(environment, Mapping):
        plain = {key: os.fspath(item) if isinstance(item, os.PathLike) else item for key, item in environment.items()}
        return load_environment(plain, relative_origin=folder)
    if not isinstance(environment, (str, os.PathLike)):
        words = "the environment is a file, a mapping, an Environment or 'azureml:NAME:VERSION', not "
        raise UserErrorException(words + type(environment).__name__, find_caller())
    text = os.fspath(environment)
    if is_reference(text):
        return text
    path = os.path.join(folder, text)
    if not os.path.isfile(path) and is_reference(str(to_reference(text))):
        return to_reference(text)
    return load_environment(path)


def _make_tags(tags: Any) -> dict[str, Any]:
    """Return the tags, with the one that says where the component comes from."""
    named = dict.fromkeys(tags, "") if isinstance(tags, (list, tuple, set)) else dict(tags or {})
    return {**named, "codegenBy": "mldesigner"}


def _get_folder(file: str | None, name: str) -> str:
    if file is None or not os.path.isfile(file):
        words = f"{name} is not in a file that a job could be given; put it in a .py file and import it from there"
        raise UserErrorException(words, find_caller())
    return os.path.dirname(os.path.abspath(file))


def _find_place(function: Callable[..., Any]) -> tuple[str, int]:
    code = getattr(function, "__code__", None)
    return find_caller() if code is None else (code.co_filename, code.co_firstlineno)
