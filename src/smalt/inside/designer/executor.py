"""Runs one component's function: finds it in its file, gives it its values, and writes what it returns."""

from __future__ import annotations

import os
import shutil
import sys
from importlib.util import module_from_spec, spec_from_file_location

from . import ports
from .errors import UserErrorException
from .signature import FunctionSignature

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import ModuleType
    from typing import Any

LOADING = "MLDESIGNER_COMPONENT_EXECUTION"
"""Set while the file of a component is imported to run it: its decorators then only mark their functions."""

_TRUE = ("true", "1")
_PARSE: dict[str, Callable[[Any], Any]] = {
    "integer": lambda text: int(text) if str(text).lstrip("+-").isdigit() else int(float(text)),
    "number": float,
    "boolean": lambda text: str(text).strip().lower() in _TRUE,
    "string": str,
}


def execute_file(source: str, name: str | None, inputs: Mapping[str, Any], outputs: Mapping[str, str]) -> Any:
    """Execute the component called `name` in a file; the only component if the name is empty."""
    if not os.path.isfile(source):
        raise UserErrorException(f"the source file {os.path.abspath(source)} is not there")
    functions = [mark for mark in _list_components(_load_module(source)) if _is_same_file(mark["file"], source)]
    found = [mark for mark in functions if name is None or mark["name"] == name]
    if not found:
        known = ", ".join(sorted(mark["name"] for mark in functions)) or "none"
        words = "{} has no component '{}' made with @command_component (it has: {})"
        raise UserErrorException(words.format(source, name or "", known))
    if len(found) > 1:
        names = ", ".join(mark["name"] for mark in found)
        raise UserErrorException(f"{source} has several components ({names}); choose by --name")
    return execute_function(found[0]["function"], inputs, outputs)


def execute_function(function: Callable[..., Any], inputs: Mapping[str, Any], outputs: Mapping[str, str]) -> Any:
    """Call it with text made into what its annotations say; outputs without a path are written where they are named."""
    signature = FunctionSignature(function)
    given = {name.replace("-", "_"): value for name, value in {**inputs, **outputs}.items()}
    places = {name: _make_output_path(given.pop(name, name), port) for name, port in signature.outputs.items()}
    values = _parse_values(signature, given)
    values.update({name: path for name, path in places.items() if name not in signature.returned})
    before = dict(ports.running)
    ports.running.update(places)
    try:
        result = function(**values)
    finally:
        ports.running.clear()
        ports.running.update(before)
    _write_results(signature, result, places)
    _check_written(signature, places)
    return result


def _parse_values(signature: FunctionSignature, given: dict[str, Any]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    missing = []
    for name, port in signature.inputs.items():
        if given.get(name) is not None:
            values[name] = _parse_value(signature, name, port["type"], given.pop(name))
        elif name in signature.defaults:
            values[name] = signature.defaults[name]
        elif port.get("optional"):
            values[name] = None
        else:
            missing.append(name)
    if missing:
        raise UserErrorException("{} needs {}".format(signature.name, ", ".join(missing)))
    left = {name: value for name, value in given.items() if name not in values and name not in signature.inputs}
    if signature.takes_more:
        values.update(left)
    elif left:
        sys.stderr.write("smalt: {} has no {}; ignored\n".format(signature.name, ", ".join(sorted(left))))
    return values


def _parse_value(signature: FunctionSignature, name: str, kind: str, value: Any) -> Any:
    try:
        return _PARSE[kind](value) if kind in _PARSE else value
    except ValueError:
        words = "the input '{}' of {} must be {} {}, not '{}'"
        article = "an" if kind == "integer" else "a"
        raise UserErrorException(words.format(name, signature.name, article, kind, value)) from None


def _make_output_path(path: str, port: Mapping[str, Any]) -> str:
    """Return the path of an output; a folder exists when the function starts."""
    path = os.fspath(path)
    if port["type"] == "uri_folder":
        os.makedirs(path, exist_ok=True)
    elif port["type"] in _PARSE and os.path.isdir(path):
        return os.path.join(path, "output")
    return path


def _write_results(signature: FunctionSignature, result: Any, places: Mapping[str, str]) -> None:
    """Write the returned values to the outputs."""
    returned = signature.returned
    if not returned:
        if result is not None:
            words = "{} returned a value and has no return annotation; annotate it, as in '-> {}'"
            raise UserErrorException(words.format(signature.name, type(result).__name__))
        return
    if list(returned) == ["output"] and not hasattr(result, "output"):
        results = {"output": result}
    else:
        results = {name: getattr(result, name, None) for name in returned}
    moved: set[str] = set()
    for name, port in returned.items():
        value = results[name]
        if port.get("early_available"):
            continue
        _check_value(signature, name, port["type"], value)
        if port["type"] in _PARSE:
            ports.write_value(places[name], value)
        else:
            if value in moved:
                words = "{} returns {} for two outputs; return another path for each"
                raise UserErrorException(words.format(signature.name, value))
            moved.add(value)
            _move_file(os.fspath(value), places[name])


def _check_written(signature: FunctionSignature, places: Mapping[str, str]) -> None:
    """A value that is to be written to the path in a parameter must be there: the next step cannot do without."""
    for name, port in signature.outputs.items():
        if name in signature.returned or port["type"] not in _PARSE or port.get("early_available"):
            continue
        if not os.path.exists(places[name]):
            words = (
                "{0} returned nothing for its output '{1}'; return the value "
                '(def {0}(...) -> Output(type="{2}")), or write it to the file whose path the parameter is'
            )
            raise UserErrorException(words.format(signature.name, name, port["type"]))


_PYTHON: dict[str, Any] = {"integer": int, "number": (int, float), "boolean": bool, "string": str}


def _check_value(signature: FunctionSignature, name: str, kind: str, value: Any) -> None:
    what = f"{signature.name} returned {type(value).__name__} for its output '{name}'"
    if value is None:
        raise UserErrorException(f"{signature.name} returned nothing for its output '{name}'")
    if kind in _PYTHON:
        if not isinstance(value, _PYTHON[kind]) or (isinstance(value, bool) and kind != "boolean"):
            raise UserErrorException(f"{what}, which is annotated as {kind}")
    elif not isinstance(value, (str, os.PathLike)):
        raise UserErrorException(f"{what}, where the path of what it wrote is wanted")
    elif not os.path.exists(value):
        raise UserErrorException(f"{signature.name} returned the path {value}, where nothing is")


def _move_file(source: str, target: str) -> None:
    if os.path.exists(target):
        if os.path.samefile(source, target):
            return
        (shutil.rmtree if os.path.isdir(target) else os.remove)(target)
    os.makedirs(os.path.dirname(os.path.abspath(target)), exist_ok=True)
    shutil.move(source, target)


def _load_module(source: str) -> ModuleType:
    os.environ[LOADING] = "true"
    try:
        return import_file(source)
    finally:
        os.environ.pop(LOADING, None)


def import_file(source: str) -> ModuleType:
    """The file as a module; beside it lie the modules that it imports."""
    path = os.path.abspath(source)
    name = os.path.splitext(os.path.basename(path))[0]
    for folder in (os.getcwd(), os.path.dirname(path)):
        if folder not in sys.path:
            sys.path.insert(0, folder)
    known = sys.modules.get(name)
    if known is not None:
        if _is_same_file(getattr(known, "__file__", None), path):
            return known
        name = "component_" + name  # another module has that name already
    spec = spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise UserErrorException(f"{source} is not a Python file")
    module = sys.modules[name] = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _list_components(module: ModuleType) -> list[dict[str, Any]]:
    """List the components of a module, by name, file and function; those that mldesigner itself made are among them."""
    marks = []
    for value in list(vars(module).values()):
        mark = getattr(value, "_smalt_component", None)
        theirs = getattr(value, "_executor", None)
        if isinstance(mark, dict):
            marks.append(mark)
        elif hasattr(value, "_is_mldesigner_component") and theirs is not None:
            marks.append({"name": theirs._name, "file": str(theirs._entry_file), "function": theirs._func})
    return marks


def _is_same_file(one: str | None, other: str) -> bool:
    return one is not None and os.path.realpath(one) == os.path.realpath(other)
