"""The names of the official SDK next to ours: what is missing, and what is called in another way."""

from __future__ import annotations

import enum
import inspect
import json
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

SURFACE: dict[str, dict[str, Any]] = json.loads(Path(__file__).with_name("surface.json").read_text())
"""Of `azure-ai-ml` 1.35.2: every public name, and the private ones that the examples import; `uses` are the examples
(notebooks and programs) that import it."""


class Difference(NamedTuple):
    name: str
    what: str

    def __str__(self) -> str:
        return f"{self.name}: {self.what}"


def found(name: str) -> Any:
    """What `smalt.<name>` is; raises AttributeError or ImportError where there is none."""
    module, _, attribute = f"smalt.{name}".rpartition(".")
    try:
        return getattr(import_module(module), attribute)
    except AttributeError:
        return import_module(f"smalt.{name}")


class Parameter(NamedTuple):
    name: str
    by_name: bool
    default: str | None


def parameters(callable_: Any) -> str:
    """`name, *, version=None, **kwargs`: the parameters alone, as `surface.json` has them."""
    return ", ".join(_written(inspect.signature(callable_)))


def _written(signature: inspect.Signature) -> Iterator[str]:
    starred = False
    for parameter in signature.parameters.values():
        if parameter.kind is parameter.VAR_POSITIONAL:
            starred = True
            yield f"*{parameter.name}"
        elif parameter.kind is parameter.VAR_KEYWORD:
            yield f"**{parameter.name}"
        else:
            if parameter.kind is parameter.KEYWORD_ONLY and not starred:
                starred = True
                yield "*"
            default = parameter.default
            yield parameter.name if default is parameter.empty else f"{parameter.name}={_shown(default)}"


def _shown(default: Any) -> str:
    return repr(default.value if isinstance(default, enum.Enum) else default)


def takes_the_same(own: str, theirs: str) -> bool:
    """Names, order, defaults and what is by name only.

    Ours may leave optional what the official SDK requires, and take further arguments.
    """
    ours, official = _parsed(own), _parsed(theirs)
    names = {parameter.name for parameter in official}
    further = [parameter for parameter in ours if parameter.name not in names]
    if any(parameter.default is None for parameter in further):
        return False
    in_order = [parameter.name for parameter in official if not parameter.by_name]
    if in_order != [parameter.name for parameter in ours if not parameter.by_name][: len(in_order)]:
        return False
    if "**" in theirs and "**" not in own:
        return False
    shared = [parameter for parameter in ours if parameter.name in names]
    return len(shared) == len(official) and all(
        one.name == other.name
        and one.by_name == other.by_name
        and (one.default == other.default or other.default is None or other.default.startswith("<object"))
        for one, other in zip(_in_any_order(shared), _in_any_order(official), strict=True)
    )


def _in_any_order(parameters: list[Parameter]) -> list[Parameter]:
    """Those by name only have no order."""
    return [each for each in parameters if not each.by_name] + sorted(each for each in parameters if each.by_name)


def _parsed(text: str) -> list[Parameter]:
    found, by_name = [], False
    for part in text.split(", ") if text else ():
        name, equals, default = part.partition("=")
        if part.startswith("*"):
            by_name = True
        else:
            found.append(Parameter(name, by_name, default if equals else None))
    return found


def differences(name: str) -> Iterator[Difference]:
    """What is not as in the official SDK, but for the name's being there."""
    official = SURFACE[name]
    ours = found(name)
    if "parameters" in official and not name.startswith("operations."):
        theirs = official["parameters"]
        try:
            own = parameters(ours)
        except (TypeError, ValueError):
            own = "no call"
        if not takes_the_same(own, theirs):
            yield Difference(name, f"takes ({own}), not ({theirs})")
    for key, value in official.get("values", {}).items():
        own_value = getattr(ours, key, None)
        own_value = own_value.value if isinstance(own_value, enum.Enum) else own_value
        if own_value != value:
            yield Difference(name, f"{key} is {own_value!r}, not {value!r}")


def method_differences(name: str) -> Iterator[Difference]:
    ours = found(name)
    for method, theirs in SURFACE[name].get("methods", {}).items():
        own = getattr(ours, method, None)
        if own is None:
            yield Difference(name, f"has no {method}({theirs})")
        elif not takes_the_same(parameters(own), theirs):
            yield Difference(name, f"{method} takes ({parameters(own)}), not ({theirs})")
