"""Execute Python Script."""

from __future__ import annotations

import inspect
import sys
import traceback
import zipfile
from pathlib import Path
from typing import Any

import pandas as pd
import polars as pl

from ..ports import ComponentPorts, run_component
from ..problems import ComponentError

_NAME = "azureml_main"
_FILE = "script.py"


def execute_python_script(ports: ComponentPorts) -> None:
    """Call the script's azureml_main(dataframe1, dataframe2), and write the one or two frames that it returns."""
    if ports.has_input("script_bundle"):
        add_bundle(ports.find_input("script_bundle"))
    frames = [
        ports.read_table(name).to_pandas() if ports.has_input(name) else None for name in ("dataset1", "dataset2")
    ]
    results = run_script(ports.get_text("python_script"), frames)
    for name, result in zip(("result_dataset", "result_dataset2"), results, strict=True):
        ports.write_table(name, to_table(result, name))


def run_script(text: str, frames: list[Any]) -> list[Any]:
    """Return the two results of a script; a fault of it is shown with its own lines."""
    names: dict[str, Any] = {"__name__": "script", "__file__": _FILE}
    try:
        exec(compile(text, _FILE, "exec"), names)
        function = names.get(_NAME)
        if not callable(function):
            raise ComponentError(f"python_script has no function {_NAME}(dataframe1, dataframe2)")
        count = len(inspect.signature(function).parameters)
        returned = function(*frames[:count])
    except ComponentError:
        raise
    except Exception as error:
        raise ComponentError(explain_fault(text, error)) from None
    results = [*returned] if isinstance(returned, tuple | list) else [returned]
    if len(results) > 2:
        raise ComponentError(f"{_NAME} returned {len(results)} values; return one data frame, or two")
    return [*results, *[None] * (2 - len(results))]


def explain_fault(text: str, error: Exception) -> str:
    """Return a sentence with the line of the script at which an error came up."""
    if isinstance(error, SyntaxError):
        return f"python_script, line {error.lineno}: {error.msg}: {(error.text or '').strip()}"
    places = [place for place in traceback.extract_tb(error.__traceback__) if place.filename == _FILE]
    lines = text.splitlines()
    traceback.print_exception(error)
    if not places or not places[-1].lineno:
        return f"python_script: {type(error).__name__}: {error}"
    line = lines[places[-1].lineno - 1].strip()
    return f"python_script, line {places[-1].lineno} ({line}): {type(error).__name__}: {error}"


def to_table(result: Any, name: str) -> pl.DataFrame:
    if result is None:
        return pl.DataFrame()
    if isinstance(result, pl.DataFrame):
        return result
    if isinstance(result, pd.Series):
        result = result.to_frame()
    if not isinstance(result, pd.DataFrame):
        raise ComponentError(f"{_NAME} returned a {type(result).__name__} for {name}; return a data frame of pandas")
    result = result.reset_index(drop=True)
    result.columns = [str(column) for column in result.columns]
    return pl.from_pandas(result)


def add_bundle(path: Path) -> None:
    """Let the script import what is in a folder, or in a zip file."""
    if path.is_file() and not zipfile.is_zipfile(path):
        raise ComponentError(f"script_bundle: {path.name} is no zip file; give one, or a folder of modules")
    found = [*path.glob("*.zip")] if path.is_dir() else []
    sys.path[:0] = [str(path), *map(str, found)]


if __name__ == "__main__":
    run_component(execute_python_script)
