"""Runs of prebuilt components in this process: what is given and read goes by the ports of the component's YAML."""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import polars as pl
from smalt_prebuilt import tables
from smalt_prebuilt.ports import ComponentPorts

import yaml
from tests.prebuilt import FOLDER

NAMES = sorted(path.name for path in (FOLDER / "components").iterdir())


class Variables(Mapping[str, str]):
    """The variables of a job of a component; reading a port that the component does not declare is an error."""

    def __init__(self, values: dict[str, str], declared: set[str]) -> None:
        self._values = values
        self._declared = declared

    def __getitem__(self, name: str) -> str:
        assert name in self._declared, f"{name} is no port of the component"
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)


class Outcome:
    """The outputs of a component that ran."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def read_table(self, output: str) -> pl.DataFrame:
        return tables.read_table(self.folder / output, output)


def read_component(name: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((FOLDER / f"components/{name}/1/component.yml").read_text())
    return found


def run(name: str, folder: Path, **given: Any) -> Outcome:
    """Run a component: a frame becomes a table, an Outcome's output or a path is connected, all else is a parameter."""
    component = read_component(name)
    inputs, outputs = component.get("inputs") or {}, component.get("outputs") or {}
    assert not set(given) - set(inputs), f"no inputs of {name}: {set(given) - set(inputs)}"
    missing = {key for key, port in inputs.items() if not port.get("optional") and "default" not in port} - set(given)
    assert not missing, f"{name} needs {missing}"
    folder = folder / f"{name}-{len([*folder.iterdir()])}"
    values = {f"AZURE_ML_INPUT_{key}": to_text(port["default"]) for key, port in inputs.items() if "default" in port}
    for key, value in given.items():
        if isinstance(value, tuple):  # an Outcome, and the name of its output
            value = value[0].folder / value[1]
        if isinstance(value, pl.DataFrame):
            place = folder / "inputs" / key
            place.mkdir(parents=True)
            tables.write_table(place, value)
            value = place
        values[f"AZURE_ML_INPUT_{key}"] = to_text(value)
    folder.mkdir(exist_ok=True)
    values |= {f"AZURE_ML_OUTPUT_{key}": str(folder / key) for key in outputs}
    declared = {f"AZURE_ML_INPUT_{key}" for key in inputs} | {f"AZURE_ML_OUTPUT_{key}" for key in outputs}
    module, arguments = find_module(component["command"])
    imported = importlib.import_module(module)
    function = imported.make_component(arguments) if arguments else getattr(imported, module.rpartition(".")[2])
    function(ComponentPorts(Variables(values, declared)))
    for key in outputs:
        assert any((folder / key).iterdir()), f"{name} wrote no {key}"
    return Outcome(folder)


def find_module(command: str) -> tuple[str, str]:
    """Return the module that a component's command runs, and its argument."""
    found = re.fullmatch(r"python -m (smalt_prebuilt\.[\w.]+)(?: (\w+))?", command)
    assert found, command
    return found[1], found[2] or ""


def to_text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
