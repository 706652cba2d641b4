"""Notes on scored tables: which column has the true values, and for what task they were scored."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl

LABELS, PROBABILITIES, MARGINS = "Scored Labels", "Scored Probabilities", "Scored Margins"
QUANTILE = "Scored Quantile"
CLUSTERS, DISTANCE = "Assignments", "DistancesToClusterCenter no."
"""The columns that scoring adds, as the classic components call them."""
_FILE = "scored.json"


def note_scores(folder: Path, **facts: Any) -> None:
    """Write beside a table what evaluation needs to know."""
    (folder / _FILE).write_text(json.dumps(facts), encoding="utf-8")


def read_note(folder: Path) -> dict[str, Any]:
    """Return the facts beside a table; none if another component has changed it since."""
    try:
        found: dict[str, Any] = json.loads((folder / _FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found


def find_scores(frame: pl.DataFrame, classes: Sequence[Any]) -> tuple[Any, Any]:
    """Return the predicted values, and the strength of two classes' second, or of each class, if it is there."""
    predicted = frame[LABELS].to_numpy()
    for name in (PROBABILITIES, MARGINS):
        every = [f"{name}_{label}" for label in classes]
        if len(classes) == 2 and name in frame.columns:
            return predicted, frame[name].to_numpy()
        if len(classes) > 2 and set(every) <= set(frame.columns):
            return predicted, frame.select(every).to_numpy()
    return predicted, None
