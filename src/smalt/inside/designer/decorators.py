"""mldesigner's names as a job has them: decorators mark their functions, which stay what they are."""

from __future__ import annotations

import functools
import sys

from .errors import UserErrorException
from .executor import execute_function

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


def command_component(func: Any = None, *, name: str | None = None, **said: Any) -> Any:
    """Mark a function as a component. Only the name matters in a job, which was told the rest when it was submitted."""
    file = sys._getframe(1).f_globals.get("__file__")

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        return mark_function(function, function, name or function.__name__, file)  # type: ignore[no-any-return]

    return decorate if func is None else decorate(func)


def mark_function(wrapper: Callable[..., Any], function: Callable[..., Any], name: str, file: str | None) -> Any:
    """Mark the wrapper so that the executor finds it."""
    wrapper._smalt_component = {  # type: ignore[attr-defined]
        "name": name,
        "file": file or function.__code__.co_filename,
        "function": function,
    }
    wrapper._is_mldesigner_component = True  # type: ignore[attr-defined]
    return wrapper


def execute(source: Any, **inputs: Any) -> Any:
    """Run a component of this file."""
    mark = getattr(source, "_smalt_component", None)
    if mark is None:
        raise UserErrorException("execute() takes a function with @command_component")
    return execute_function(mark["function"], inputs, {})


def group(cls: Any) -> Any:
    """A class whose fields are set by name."""

    def __init__(self: Any, *args: Any, **given: Any) -> None:
        names = [each for base in reversed(cls.__mro__) for each in getattr(base, "__annotations__", {})]
        for key, value in {**dict(zip(names, args)), **given}.items():  # noqa: B905  # as of Python 3.8
            setattr(self, key, value)

    cls.__init__ = __init__
    cls._smalt_group = True
    return cls


def reference_component(*_: Any, **__: Any) -> Any:
    return _as_it_is


def pipeline(func: Any = None, **_: Any) -> Any:
    return _as_it_is if func is None else _as_it_is(func)


def _as_it_is(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return the function, for decorators that matter only to the submitting program."""

    @functools.wraps(function)
    def refuse(*_: Any, **__: Any) -> Any:
        raise UserErrorException(
            f"{function.__name__} builds pipelines; that is for the program that submits jobs, not for a job"
        )

    return refuse
