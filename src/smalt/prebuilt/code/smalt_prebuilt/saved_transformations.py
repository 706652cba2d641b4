"""Transformations as components hand them on: a folder with what was learned from a table, as JSON."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from .problems import ComponentError

_FILE = "transformation.json"


def save_transformation(folder: Path, component: str, learned: dict[str, Any]) -> None:
    text = json.dumps({"component": component, **learned}, indent=2)
    (folder / _FILE).write_text(f"{text}\n", encoding="utf-8")


def load_transformation(folder: Path, what: str) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads((folder / _FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise ComponentError(
            f"{what} is no transformation; connect the second output of clean_missing_data, normalize_data or "
            "group_data_into_bins to it"
        ) from None
    return found
