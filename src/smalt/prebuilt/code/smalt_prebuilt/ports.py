"""The inputs, parameters and outputs of the component that runs, and its start."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

import polars as pl

from . import tables
from .problems import ComponentError

Number = TypeVar("Number", int, float)

_INPUT, _OUTPUT = "AZURE_ML_INPUT_", "AZURE_ML_OUTPUT_"


class ComponentPorts:
    """The ports of one component, by the variables of its job."""

    def __init__(self, variables: Mapping[str, str]) -> None:
        self._variables = variables

    def get_text(self, name: str, default: str = "") -> str:
        """Return a parameter's text; the default if it was not given, or is empty."""
        return self._variables.get(f"{_INPUT}{name}") or default

    def get_flag(self, name: str, default: bool = False) -> bool:
        text = self.get_text(name, str(default)).strip().lower()
        if text not in ("true", "false"):
            raise ComponentError(f"{name} is '{text}'; give true or false")
        return text == "true"

    def get_number(self, name: str, default: float | None = None) -> float:
        return _parse_number(name, self.get_text(name, "" if default is None else str(default)), float, "a number")

    def get_whole_number(self, name: str, default: int | None = None) -> int:
        text = self.get_text(name, "" if default is None else str(default))
        return _parse_number(name, text, int, "a whole number")

    def has_input(self, name: str) -> bool:
        """Return True if data is connected to an optional input."""
        return bool(self._variables.get(f"{_INPUT}{name}"))

    def find_input(self, name: str) -> Path:
        path = self._variables.get(f"{_INPUT}{name}")
        if not path:
            raise ComponentError(f"{name} is needed; connect an output, or data, to it")
        return Path(path)

    def report_unused(self, why: str, *names: str, **defaults: str) -> None:
        """Write a line into the log for each of these parameters that was given, or is not its default."""
        given = [name for name in names if self.has_input(name)]
        given += [name for name, default in defaults.items() if self.get_text(name, default).lower() != default]
        for name in given:
            print(f"{name} has no effect {why}")

    def read_table(self, name: str) -> pl.DataFrame:
        return tables.read_table(self.find_input(name), name)

    def find_output(self, name: str) -> Path:
        """Return the folder of an output, which is there."""
        path = Path(self._variables[f"{_OUTPUT}{name}"])
        path.mkdir(parents=True, exist_ok=True)
        return path

    def write_table(self, name: str, frame: pl.DataFrame) -> None:
        """Write an output, and a line about it into the log."""
        tables.write_table(self.find_output(name), frame)
        print(f"{name}: {frame.height:,} rows, {frame.width:,} columns")


def run_component(function: Callable[[ComponentPorts], None]) -> None:
    """Run the component of this process and exit; an error of what it was given is one sentence in the log."""
    try:
        function(ComponentPorts(dict(os.environ)))
    except ComponentError as error:
        sys.exit(f"{function.__name__}: {error}")
    except pl.exceptions.PolarsError as error:
        sys.exit(f"{function.__name__}: the table cannot be used so: {' '.join(str(error).split())}")
    except (OSError, MemoryError) as error:
        sys.exit(f"{function.__name__}: {error or 'there is not enough memory for this table'}")


def _parse_number(name: str, text: str, kind: Callable[[str], Number], words: str) -> Number:
    try:
        return kind(text)
    except ValueError:
        raise ComponentError(f"{name} is '{text}'; give {words}") from None
