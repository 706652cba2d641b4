"""Trials of an AutoML run, and the journal that tells of them."""

from __future__ import annotations

import json
import math
import os
import queue
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .metrics import Metrics


@dataclass
class SearchTrial:
    """One algorithm with one set of hyperparameters, scored on the validation rows."""

    number: int
    algorithm: str
    learner: str
    hyperparameters: dict[str, Any]
    started: float
    seconds: float
    rows: int
    metrics: Metrics = field(default_factory=dict)
    score: float | None = None
    error: str | None = None
    predictions: list[Any] | None = None
    """The predictions of each fold for its validation rows."""
    model: Any = None
    """The model that was scored (of the last fold)."""
    is_whole: bool = True
    """False if it was trained on a sample of the rows only, as a first look."""

    @property
    def is_completed(self) -> bool:
        return self.error is None and self.score is not None

    def describe(self, is_best: bool) -> dict[str, Any]:
        return {
            "event": "trial",
            "number": self.number,
            "status": "Completed" if self.is_completed else "Failed",
            "algorithm": self.algorithm,
            "learner": self.learner,
            "hyperparameters": self.hyperparameters,
            "metrics": self.metrics,
            "score": self.score,
            "is_best": is_best,
            "started": round(self.started, 3),
            "seconds": round(self.seconds, 3),
            "rows": self.rows,
            "error": self.error,
        }


@dataclass
class SearchResult:
    """The best model, what it scores, and all that reports of it need."""

    best: SearchTrial
    model: Any
    trials: list[SearchTrial]
    example: Any
    optional: list[str]
    labels: Any = None
    truth: Any = None
    predictions: Any = None
    """The predictions for the validation rows, in the order of `truth`."""
    test_metrics: dict[str, float] | None = None
    test_table: Any = None
    explain: Any = None
    """A function that returns (column, importance) pairs."""
    kinds: list[tuple[str, str, str]] | None = None


class TrialJournal:
    """A file with one JSON object per line; each is on the disk before the next trial starts."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("w", encoding="utf-8")

    def write(self, event: dict[str, Any]) -> None:
        self._file.write(json.dumps(to_plain(event)) + "\n")
        self._file.flush()
        os.fsync(self._file.fileno())

    def write_note(self, text: str) -> None:
        print(text, flush=True)
        self.write({"event": "note", "text": text})


def to_plain(value: Any) -> Any:
    """Return a value as JSON has it: numbers of NumPy as numbers, NaN and infinite ones as null."""
    if isinstance(value, dict):
        return {str(key): to_plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [to_plain(item) for item in value]
    if hasattr(value, "item") and getattr(value, "ndim", 0) == 0:
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if value is None or isinstance(value, bool | int | float | str):
        return value
    return str(value)


class TrialTeller:
    """A thread that logs the number of each trial as an MLflow metric of the search's run: the server hears it so.

    The journal has it all; so what cannot be logged is left.
    """

    def __init__(self) -> None:
        self._numbers: queue.Queue[int] = queue.Queue()
        threading.Thread(target=self._log_trials, daemon=True).start()

    def tell(self, number: int) -> None:
        self._numbers.put(number)

    def _log_trials(self) -> None:
        os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "10")
        os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
        while True:
            number = self._numbers.get()
            try:
                from mlflow import MlflowClient

                MlflowClient().log_metric(os.environ["MLFLOW_RUN_ID"], "smalt.trial", number, step=number)
            except Exception:
                continue
