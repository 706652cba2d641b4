"""`compile`: components and pipelines that are functions, written as YAML files that load as the same components."""

from __future__ import annotations

import glob
import os
import shutil
from collections.abc import Iterator
from typing import Any

from smalt.entities.assets.component import Component
from smalt.entities.jobs.inputs import Input
from smalt.exceptions import UserErrorException
from smalt.machine.ignore_rules import IgnoreRules, walk_folders
from smalt.machine.source_lines import find_caller

_SCHEMA = "https://azuremlschemas.azureedge.net/latest/{}Component.schema.json"
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

    `source` is a function with @command_component or @pipeline, a Python file of such (or a pattern of files), or with
    `output` the YAML file of a component. A pipeline's components are written, too. `ignore_file` says what of the code
    is left out, beside its own .amlignore. Answers the files that it wrote.
    """
    compiling = _Compiling(output, ignore_file)
    for component in _find_components(source, name, output):
        compiling.write_component(component)
    if not compiling.written:
        wanted = f" called '{name}'" if name else ""
        words = f"{source} has no component{wanted} made with @command_component, and no @pipeline{wanted}"
        raise UserErrorException(words, find_caller())
    return list(compiling.written.values())


def _find_components(source: Any, name: str | None, output: Any) -> Iterator[Any]:
    component = getattr(source, "component", None)
    if isinstance(component, Component):
        yield component
        return
    if hasattr(source, "_as_component"):
        yield source._as_component()
        return
    if callable(source):
        called = getattr(source, "__name__", source)
        words = f"compile() takes functions with @command_component or @pipeline, which {called} is not"
        raise UserErrorException(words, find_caller())
    if not isinstance(source, (str, os.PathLike)):
        raise UserErrorException(f"compile() takes a function or a file, not {type(source).__name__}", find_caller())
    paths = sorted(glob.glob(os.fspath(source), recursive=True))
    if not paths:
        raise UserErrorException(f"there is no file {os.fspath(source)}", find_caller())
    for path in paths:
        for found in _load_file(path, output):
            if name is None or found.name == name:
                yield found


def _load_file(path: str, output: Any) -> Iterator[Any]:
    if path.endswith((".yml", ".yaml")):
        if output is None:
            raise UserErrorException(
                f"{path} is YAML already; name the folder for it and its code: output=…", find_caller()
            )
        from smalt.dsl.loading import load_component

        yield load_component(path)
    elif path.endswith(".py"):
        from smalt.inside.designer.executor import import_file

        for value in vars(import_file(path)).values():
            mark = getattr(value, "_smalt_component", None)
            if isinstance(mark, dict) and _is_in(mark["file"], path):
                yield value.component
            elif hasattr(value, "_as_component") and _is_in(value.__wrapped__.__code__.co_filename, path):
                yield value._as_component()


class _Compiling:
    """A call of `compile`, which writes once what is used several times."""

    def __init__(self, output: Any, ignore_file: Any) -> None:
        self.output, self.ignore_file = output, ignore_file
        self.written: dict[int, str] = {}
        self._kept: list[Any] = []  # so that no other has its id

    def write_component(self, component: Any) -> str:
        from smalt.yaml.dumping import dump_plain

        if id(component) not in self.written:
            self._kept.append(component)
            name = str(component.name or "component")
            folder = os.path.join(os.fspath(self.output), name) if self.output is not None else _find_folder(component)
            told = (
                self._render_pipeline(component, folder)
                if component.type == "pipeline"
                else self._render_command(component, folder)
            )
            os.makedirs(folder, exist_ok=True)
            path = os.path.join(folder, f"{name}.yaml")
            with open(path, "w", encoding="utf-8") as file:
                file.write(dump_plain({"$schema": _SCHEMA.format(component.type), **told}))
            self.written[id(component)] = path
        return self.written[id(component)]

    def _render_command(self, component: Any, folder: str) -> dict[str, Any]:
        told: dict[str, Any] = component.to_dict()
        code = told.get("code")
        if code is not None:
            told["code"] = "." if self.output is not None else os.path.relpath(code, folder)
            if self.output is not None:
                _copy_code(code, folder, self.ignore_file)
        for port, declared in component.inputs.items():
            if isinstance(declared, Input) and declared.default is not None:
                told["inputs"][port]["default"] = declared.default
        environment = told.get("environment")
        if isinstance(environment, dict):
            told["environment"] = {key: value for key, value in environment.items() if key not in ("name", "version")}
        return {**{key: told[key] for key in _ORDER if key in told}, **told}

    def _render_pipeline(self, pipeline: Any, folder: str) -> dict[str, Any]:
        """Return the pipeline with steps that name component files; a component in no file stays in its step."""
        from smalt.yaml.places import make_relative

        told = make_relative(folder, pipeline)
        for name, step in pipeline.jobs.items():
            for key in ("component", "trial"):
                component = vars(step).get(key)
                path = self._find_file(component) if isinstance(component, Component) else None
                if path is not None:
                    relative = os.path.relpath(path, folder)
                    told["jobs"][name][key] = relative if relative.startswith(".") else f"./{relative}"
        return told

    def _find_file(self, component: Component) -> str | None:
        """Return the file of a step's component, written first where needed; None if it stays in the step."""
        if "_function" in vars(component) or "_pipeline" in vars(component):
            return self.write_component(component)
        if component.source_path is None:
            return None
        return component.source_path if self.output is None else self.write_component(component)


def _find_folder(component: Any) -> str:
    """Return the folder of the function's file."""
    function = vars(component).get("_function") or vars(component)["_pipeline"]
    return str(os.path.dirname(os.path.abspath(function.__code__.co_filename)))


def _is_in(file: str, path: str) -> bool:
    return os.path.realpath(file) == os.path.realpath(path)


def _copy_code(code: str, folder: str, ignore_file: Any) -> None:
    """Copy the code that a job would get."""
    if os.path.isfile(code):
        os.makedirs(folder, exist_ok=True)
        shutil.copy2(code, folder)
        return
    more = IgnoreRules([])
    if ignore_file is not None:
        with open(ignore_file, encoding="utf-8") as file:
            more = IgnoreRules(file.read().split("\n"))
    target = os.path.realpath(os.path.dirname(folder))  # which may lie in the code
    for found in walk_folders(code, IgnoreRules.read(code)):
        for name, _ in found.files:
            path = found.prefix + name
            source = os.path.join(code, path)
            if more.is_ignored(path, False) or os.path.realpath(source).startswith(target + os.sep):
                continue
            copied = os.path.join(folder, path)
            os.makedirs(os.path.dirname(copied), exist_ok=True)
            shutil.copy2(source, copied)
