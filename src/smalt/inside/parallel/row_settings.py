"""The file beside the entry script that says how data frames become rows, as in the service."""

from __future__ import annotations

import difflib
import json
import os
from typing import Any, NamedTuple

from .errors import ParallelError

SETTINGS_FILE = "parallel_run_step.settings.json"
_DEFAULTS = {"sep": " ", "header": False, "index": False}
_ROWS, _TO_CSV = "append_row", "pandas.DataFrame.to_csv"
_IDLE = ("mode", "encoding", "errors", "compression", "storage_options", "path_or_buf")
"""Arguments of `to_csv` for the file that it writes: here it returns text."""
_OTHERS = [
    "na_rep",
    "float_format",
    "columns",
    "index_label",
    "quoting",
    "quotechar",
    "lineterminator",
    "line_terminator",
    "chunksize",
    "date_format",
    "escapechar",
    "decimal",
]
_BOOLEANS = ("index", "doublequote")
_KNOWN = (*_OTHERS, *_BOOLEANS, "sep", "header")


class RowSettings(NamedTuple):
    """The settings in the file."""

    to_csv: dict[str, Any]
    """The arguments of `DataFrame.to_csv`."""
    idle: list[str]
    """The keys that have no effect."""

    def list_idle(self, output: str | None) -> list[str]:
        """Return a line for each key that has no effect; `output` is the one that gets rows."""
        lines = [f"{SETTINGS_FILE}: {key} has no effect" for key in self.idle]
        if not output and self.to_csv != _DEFAULTS:
            lines.append(f"{SETTINGS_FILE}: {_ROWS} has no effect: there is no append_row_to")
        return lines


def read_row_settings(folder: str) -> RowSettings:
    """Return the settings of the file in `folder`; raise ParallelError for one that is wrong."""
    try:
        with open(os.path.join(folder, SETTINGS_FILE), encoding="utf-8-sig") as file:
            given = json.load(file)
    except FileNotFoundError:
        return RowSettings(dict(_DEFAULTS), [])
    except ValueError as error:
        raise ParallelError(f"{SETTINGS_FILE} is not JSON: {error}") from None
    rows = _get_mapping(given, "the whole")
    options = _get_mapping(rows.get(_ROWS, {}), _ROWS)
    to_csv = _get_mapping(options.get(_TO_CSV, {}), f"{_ROWS}.{_TO_CSV}")
    for name, value in to_csv.items():
        _check_argument(name, value)
    idle = [key for key in rows if key != _ROWS] + [f"{_ROWS}.{key}" for key in options if key != _TO_CSV]
    idle += [f"{_ROWS}.{_TO_CSV}.{name}" for name in to_csv if name in _IDLE]
    used = {name: value for name, value in to_csv.items() if name not in _IDLE}
    return RowSettings({**_DEFAULTS, **used}, idle)


def _get_mapping(value: Any, what: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        form = json.dumps({_ROWS: {_TO_CSV: {"sep": ","}}})
        raise ParallelError(f"{SETTINGS_FILE}: {what} must be a mapping, as in {form}, not {json.dumps(value)[:80]}")
    return value


def _check_argument(name: str, value: Any) -> None:
    """Raise ParallelError for what `to_csv` does not have, and for values that it would read as others."""
    if name not in _KNOWN + _IDLE:
        near = difflib.get_close_matches(name, _KNOWN, 1)
        hint = f"; did you mean '{near[0]}'?" if near else ""
        raise ParallelError(f"{SETTINGS_FILE}: DataFrame.to_csv has no argument '{name}'{hint}")
    words = ""
    if name in _BOOLEANS and not isinstance(value, bool):
        words = "true or false"
    elif name == "header" and not isinstance(value, bool) and not _is_list_of_texts(value):
        words = "true, false or a list of names"
    elif name == "sep" and not (isinstance(value, str) and len(value) == 1):
        words = "one character"
    if words:
        where = f"{_ROWS}.{_TO_CSV}.{name}"
        raise ParallelError(f"{SETTINGS_FILE}: {where} must be {words}, not {json.dumps(value)[:80]}")


def _is_list_of_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) for one in value)
