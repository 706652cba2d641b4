"""`compile`: components that are functions, written as YAML files that load as the same components."""

from __future__ import annotations

import glob
import os
import shutil
from collections.abc import Iterator
from typing import Any

from smalt.entities.component import Component
from smalt.entities.inputs import Input
from smalt.exceptions import UserErrorException
from smalt.ignore import Ignore, walk
from smalt.lines import here

_SCHEMA = "https://azuremlschemas.azureedge.net/latest/commandComponent.schema.json"
_ORDER = ("name", "display_name", "description", "type", "version", "is_deterministic", "tags", "inputs", "outputs",
          "code", "environment", "command")  # fmt: skip


def compile(
    source: Any,
    *,
    name: str | None = None,
    output: str | os.PathLike[str] | None = None,
    ignore_file: str | os.PathLike[str] | None = None,
    debug: bool = False,
    **kwargs: Any,
) -> list[str]:
    """Writes NAME.yaml beside the function's file; with `output`, OUTPUT/NAME/NAME.yaml with a copy of the code.

    `source` is a function with @command_component, a Python file of such (or a pattern of files), or with `output` the
    YAML file of a component. `ignore_file` says what of the code is left out, beside its own .amlignore. Answers the
    files that it wrote.
    """
    written = [_write(component, output, ignore_file) for component in _components(source, name, output)]
    if not written:
        wanted = f" called '{name}'" if name else ""
        raise UserErrorException(f"{source} has no component{wanted} made with @command_component", here())
    return written


def _components(source: Any, name: str | None, output: Any) -> Iterator[Any]:
    component = getattr(source, "component", None)
    if isinstance(component, Component):
        yield component
        return
    if callable(source):
        words = f"compile() takes functions with @command_component, which {getattr(source, '__name__', source)} is not"
        raise UserErrorException(words, here())
    if not isinstance(source, (str, os.PathLike)):
        raise UserErrorException(f"compile() takes a function or a file, not {type(source).__name__}", here())
    paths = sorted(glob.glob(os.fspath(source), recursive=True))
    if not paths:
        raise UserErrorException(f"there is no file {os.fspath(source)}", here())
    for path in paths:
        for found in _of_file(path, output):
            if name is None or found.name == name:
                yield found


def _of_file(path: str, output: Any) -> Iterator[Any]:
    if path.endswith((".yml", ".yaml")):
        if output is None:
            raise UserErrorException(f"{path} is YAML already; name the folder for it and its code: output=…", here())
        from smalt.dsl.loading import load_component

        yield load_component(path)
    elif path.endswith(".py"):
        from smalt.inside.designer.executor import import_file

        for value in vars(import_file(path)).values():
            mark = getattr(value, "_smalt_component", None)
            if isinstance(mark, dict) and os.path.realpath(mark["file"]) == os.path.realpath(path):
                yield value.component


def _write(component: Any, output: Any, ignore_file: Any) -> str:
    told = component.to_dict()
    code = told.get("code")
    name = str(component.name or "component")
    folder: str = os.path.join(os.fspath(output), name) if output is not None else _source_folder(component)
    if code is not None:
        told["code"] = "." if output is not None else os.path.relpath(code, folder)
    if output is not None and code is not None:
        _copy(code, folder, ignore_file)
    os.makedirs(folder, exist_ok=True)
    for port, declared in component.inputs.items():
        if isinstance(declared, Input) and declared.default is not None:
            told["inputs"][port]["default"] = declared.default
    environment = told.get("environment")
    if isinstance(environment, dict):
        told["environment"] = {key: value for key, value in environment.items() if key not in ("name", "version")}
    ordered = {"$schema": _SCHEMA, **{key: told[key] for key in _ORDER if key in told}, **told}
    from smalt.yaml.dumping import dump_plain

    path: str = os.path.join(folder, f"{name}.yaml")
    with open(path, "w", encoding="utf-8") as file:
        file.write(dump_plain(ordered))
    return path


def _source_folder(component: Any) -> str:
    function = vars(component)["_function"]
    return str(os.path.dirname(os.path.abspath(function.__code__.co_filename)))


def _copy(code: str, folder: str, ignore_file: Any) -> None:
    """What a job would get of it."""
    if os.path.isfile(code):
        os.makedirs(folder, exist_ok=True)
        shutil.copy2(code, folder)
        return
    more = Ignore([])
    if ignore_file is not None:
        with open(ignore_file, encoding="utf-8") as file:
            more = Ignore(file.read().split("\n"))
    target = os.path.realpath(os.path.dirname(folder))  # which may lie in the code
    for found in walk(code, Ignore.of(code)):
        for name, _ in found.files:
            path = found.prefix + name
            source = os.path.join(code, path)
            if more.ignored(path, False) or os.path.realpath(source).startswith(target + os.sep):
                continue
            copied = os.path.join(folder, path)
            os.makedirs(os.path.dirname(copied), exist_ok=True)
            shutil.copy2(source, copied)
