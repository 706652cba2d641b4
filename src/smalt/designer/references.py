"""`reference_component`: a function that stands for a component that there is already."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from typing import Any, NoReturn

from smalt.entities.jobs.command import CommandNode
from smalt.entities.schema.problems import did_you_mean, join_words
from smalt.entities.steps.calls import call_component
from smalt.entities.steps.collector import add_step
from smalt.exceptions import TooManyPositionalArgsError, UnexpectedKeywordError, UserErrorException
from smalt.machine.source_lines import find_caller, find_source_file


def reference_component(
    path: str | os.PathLike[str] | None = None,
    name: str | None = None,
    version: str | None = None,
    registry: str | None = None,
    **kwargs: Any,
) -> Any:
    """Makes of a function one that builds a step of another component: of a YAML file, or a registered one.

    The function's body is not run; its parameters are the inputs that may be given.
    """
    folder = os.path.dirname(os.path.abspath(find_source_file() or "."))
    if path is None and name is None:
        raise UserErrorException("reference_component needs the path of a component's file, or its name", find_caller())

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def make(*args: Any, **inputs: Any) -> Any:
            if args:
                raise TooManyPositionalArgsError(f"{function.__name__} takes its inputs by name", find_caller())
            _check_names(function, inputs)
            if path is not None:
                return call_component(_load_reference(folder, path), (), inputs)
            return _make_node(_make_reference(str(name), version, registry), inputs)

        return make

    return decorate


def _check_names(function: Callable[..., Any], inputs: dict[str, Any]) -> None:
    known = function.__code__.co_varnames[: function.__code__.co_argcount + function.__code__.co_kwonlyargcount]
    for name in inputs:
        if known and name not in known:
            hint = did_you_mean(name, known) or f"; its inputs are {join_words(known, 'and')}"
            raise UnexpectedKeywordError(f"{function.__name__} has no input '{name}'{hint}", find_caller())


def _load_reference(folder: str, path: str | os.PathLike[str]) -> Any:
    from smalt.dsl.loading import load_component

    beside = os.path.join(folder, os.fspath(path))
    return load_component(beside if os.path.isfile(beside) else path)


def _make_reference(name: str, version: str | None, registry: str | None) -> str:
    if registry is not None:
        which = f"versions/{version}" if version is not None else "labels/latest"
        return f"azureml://registries/{registry}/components/{name}/{which}"
    return f"azureml:{name}:{version}" if version is not None else f"azureml:{name}@latest"


def _make_node(reference: str, inputs: dict[str, Any]) -> Any:
    from smalt.dsl.builders import make_step

    node = make_step(CommandNode, {"component": reference}, inputs, {})
    add_step(node)
    return node


def generate(
    *, source: Any, package_name: str | None = None, force_regenerate: bool = False, **kwargs: Any
) -> NoReturn:
    """Not here: what it would write is what load_component gives."""
    words = "smalt writes no packages of components; load_component(source='component.yml') gives the same function"
    raise UserErrorException(words, find_caller())
