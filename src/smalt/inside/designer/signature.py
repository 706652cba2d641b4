"""The parameters and the return annotation of a function, as the inputs and outputs of its component.

Annotations are known by the names of their classes, so that those of smalt, mldesigner and azure.ai.ml all do.
"""

from __future__ import annotations

import inspect
import re
from enum import Enum, EnumMeta

from .errors import UserErrorException
from .ports import PRIMITIVES, list_values

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    Port = dict[str, Any]

_INPUT_KEYS = ("type", "description", "mode", "optional", "min", "max", "enum", "default")
_OUTPUT_KEYS = ("type", "description", "mode", "early_available")
_OF_VALUES = {"Integer": "integer", "String": "string", "Number": "number", "Boolean": "boolean"}
"""Old names of mldesigner's, private but used."""

_EMPTY = inspect.Parameter.empty


class FunctionSignature:
    """Read once, at the decorator."""

    def __init__(self, function: Callable[..., Any], scope: Mapping[str, Any] | None = None) -> None:
        self.name = function.__name__
        self.inputs: dict[str, Port] = {}
        self.outputs: dict[str, Port] = {}
        self.defaults: dict[str, Any] = {}
        self.takes_more = False
        self.needs_mlflow = False
        """True if mldesigner would write to the run's history."""
        hints = _resolve_hints(function, scope or {})
        parameters = inspect.signature(function).parameters
        for parameter in _sort_parameters(parameters, hints):
            self._add_parameter(parameter, hints.get(parameter.name, _EMPTY))
        self.returned = self._read_return(hints.get("return", _EMPTY))
        described = parse_descriptions(function.__doc__)
        for name, port in (*self.inputs.items(), *self.outputs.items()):
            if not port.get("description") and described.get(name):
                port["description"] = described[name]

    def _add_parameter(self, parameter: inspect.Parameter, hint: Any) -> None:
        name, default = parameter.name, parameter.default
        if parameter.kind is parameter.VAR_KEYWORD:
            self.takes_more = True
            return
        if parameter.kind is parameter.VAR_POSITIONAL:
            raise UserErrorException(f"{self.name} has '*{name}', which cannot be inputs; name its parameters")
        is_output, port = _read_hint(hint)
        if port is None:
            port = {"type": _get_type(default)} if default is not _EMPTY else {"type": None}
            if isinstance(default, Enum):
                port["enum"] = list_values(type(default))
        if port.get("type") is None:
            raise UserErrorException(
                f"the parameter '{name}' of {self.name} has no type that smalt knows; annotate it, as in "
                f"'{name}: int' or '{name}: Input(type=\"uri_folder\")'"
            )
        if is_output:
            self.outputs[name] = port
            self.needs_mlflow = self.needs_mlflow or port["type"] in PRIMITIVES.values()
            return
        self.needs_mlflow = self.needs_mlflow or (_get_class_name(hint) in ("Input", *_OF_VALUES) and _is_value(port))
        self._set_default(name, port, default)
        self.inputs[name] = port

    def _set_default(self, name: str, port: Port, default: Any) -> None:
        if default is _EMPTY:
            if port.get("default") is not None:
                self.defaults[name] = port["default"]
            return
        if isinstance(default, Enum):
            default = default.value
        self.defaults[name] = default
        if default is None or not _is_value(port):
            port["optional"] = True
            return
        if not isinstance(default, (str, int, float)):
            words = "the default of '{}' of {} must be text, a number or a boolean, not {}"
            raise UserErrorException(words.format(name, self.name, type(default).__name__))
        port["default"] = float(default) if port["type"] == "number" else default

    def _read_return(self, hint: Any) -> dict[str, Port]:
        """The outputs that are what the function returns."""
        if hint is _EMPTY or hint is None or hint is type(None):
            return {}
        fields = _read_group(hint)
        found = (
            {"output": _read_output(hint)}
            if fields is None
            else {key: _read_output(field) for key, field in fields.items()}
        )
        returned: dict[str, Port] = {}
        for name, port in found.items():
            if port is None:
                words = "{} cannot return {}; annotate str, int, float, bool, Output(type=…) or a class with @group"
                raise UserErrorException(words.format(self.name, getattr(hint, "__name__", hint)))
            if name in self.outputs or name in self.inputs:
                words = "{0} has a parameter '{1}' and returns an output '{1}'; rename the parameter"
                raise UserErrorException(words.format(self.name, name))
            returned[name] = self.outputs[name] = port
            self.needs_mlflow = self.needs_mlflow or port["type"] in PRIMITIVES.values()
        return returned


def _sort_parameters(parameters: Mapping[str, inspect.Parameter], hints: Mapping[str, Any]) -> list[inspect.Parameter]:
    """Return the parameters in the SDK's order: those with annotations first."""
    return sorted(parameters.values(), key=lambda parameter: parameter.name not in hints)


def _resolve_hints(function: Callable[..., Any], scope: Mapping[str, Any]) -> dict[str, Any]:
    """The annotations; those that are text, by what the program's names mean."""
    hints = {}
    for name, hint in _get_annotations(function).items():
        if isinstance(hint, str):
            try:
                hint = eval(hint, getattr(function, "__globals__", {}), dict(scope))
            except Exception:  # a name that only a type checker knows
                pass
        hints[name] = hint
    return hints


def _get_annotations(thing: Any) -> Mapping[str, Any]:
    try:
        found: Mapping[str, Any] = getattr(thing, "__annotations__", {})
    except NameError:  # Python 3.14 evaluates them now
        from annotationlib import Format, get_annotations  # type: ignore[import-not-found]

        found = get_annotations(thing, format=Format.FORWARDREF)
    return found


def _read_hint(hint: Any) -> tuple[bool, Port | None]:
    """Return whether an annotation is an output's, and its port; the port is None where the annotation says nothing."""
    if hint is _EMPTY or hint is None:
        return False, None
    name = _get_class_name(hint)
    if name == "Output":
        return True, _make_port(hint, _OUTPUT_KEYS)
    if name == "Input":
        return False, _make_port(hint, _INPUT_KEYS)
    if name in _OF_VALUES:
        return False, dict(_make_port(hint, _INPUT_KEYS), type=_OF_VALUES[name])
    metadata = getattr(hint, "__metadata__", None)
    if metadata is not None:
        return _read_annotated(hint.__origin__, metadata)
    if isinstance(hint, EnumMeta):
        return False, {"type": "string", "enum": list_values(hint)}
    if isinstance(hint, type) and hint in PRIMITIVES:
        return False, {"type": PRIMITIVES[hint]}
    inner = [each for each in getattr(hint, "__args__", ()) if each is not type(None)]
    if len(inner) == 1 and type(None) in hint.__args__:
        is_output, port = _read_hint(inner[0])
        return is_output, port if port is None or is_output else dict(port, optional=True)
    return False, None


def _read_annotated(base: Any, metadata: tuple[Any, ...]) -> tuple[bool, Port | None]:
    """`Annotated[int, Meta(min=1)]`, or with an Input or Output in place of Meta."""
    for each in metadata:
        if _get_class_name(each) in ("Input", "Output", *_OF_VALUES):
            return _read_hint(each)
    is_output, port = _read_hint(base)
    for each in metadata:
        if _get_class_name(each) == "Meta" and port is not None:
            port = dict(port, **{key: item for key, item in _make_port(each, _INPUT_KEYS).items() if key != "type"})
    return is_output, port


def _get_class_name(hint: Any) -> str:
    return str(getattr(hint if isinstance(hint, type) else type(hint), "__name__", ""))


def _make_port(hint: Any, keys: tuple[str, ...]) -> Port:
    if isinstance(hint, type):
        hint = hint()
    said = {key: getattr(hint, key, None) for key in keys}
    if _get_class_name(hint) in ("Input", "Output") and said["type"] is None:
        said["type"] = "uri_folder"
    if said.get("enum") is not None:
        said["enum"] = list(list_values(said["enum"]))
    return {key: value for key, value in said.items() if value is not None and (value is not False or key == "default")}


def _read_output(hint: Any) -> Port | None:
    """Return the port of a return annotation, or of a field of a returned group."""
    is_output, port = _read_hint(hint)
    if port is None:
        return None
    return port if is_output else {key: port[key] for key in _OUTPUT_KEYS if key in port}


def _read_group(hint: Any) -> Mapping[str, Any] | None:
    """The annotations of a class with @group."""
    for name in ("_smalt_group", "__dsl_group__"):
        if hasattr(hint, name):
            fields: dict[str, Any] = {}
            for base in reversed(hint.__mro__):
                fields.update(_resolve_hints(base, {}))
                fields.update({key: value for key, value in vars(base).items() if _get_class_name(value) == "Output"})
            return fields
    return None


def _is_value(port: Port) -> bool:
    return port.get("type") in PRIMITIVES.values()


def _get_type(default: Any) -> str | None:
    if isinstance(default, Enum):
        return "string"
    return next((PRIMITIVES[base] for base in type(default).__mro__ if base in PRIMITIVES), None)


_SPHINX = re.compile(r":param\s+(?:[^:]*\s)?(\w+)\s*:\s*(.*)")
_GOOGLE = re.compile(r"(\w+)\s*(?:\([^)]*\))?\s*:\s*(.*)")


def parse_descriptions(text: str | None) -> dict[str, str]:
    """Return the descriptions of parameters in a docstring, by name, from below `Args:` or after `:param`."""
    found: dict[str, str] = {}
    lines = inspect.cleandoc(text or "").splitlines()
    in_arguments, current, depth = False, "", 0
    for line in lines:
        words = line.strip()
        indent = len(line) - len(line.lstrip())
        sphinx = _SPHINX.match(words)
        google = _GOOGLE.match(words) if in_arguments and (not current or indent <= depth) else None
        if words.lower() in ("args:", "arguments:", "parameters:"):
            in_arguments, current = True, ""
        elif sphinx or google:
            current, said = (sphinx or google).groups()  # type: ignore[union-attr]
            found[current], depth = said.strip(), indent
        elif not words or words.startswith(":") or (current and indent <= depth):
            in_arguments, current = in_arguments and bool(words) and indent > 0, ""
        elif current:
            found[current] += " " + words
    return found
