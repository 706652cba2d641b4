"""The settings of one AutoML run, as the program reads them."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from . import checks, words
from .problems import AutoMLError


@dataclass
class RunSettings:
    """The fields of an AutoML job, and where its data and results are."""

    task: str
    target: str
    metric: str
    training_data: Path
    validation_data: Path | None
    test_data: Path | None
    best_model: Path | None
    outputs: Path
    trials: Path | None
    tells: bool
    fields: dict[str, Any] = field(default_factory=dict)

    @property
    def is_maximised(self) -> bool:
        return words.PRIMARY_METRICS[self.task][self.metric]

    @property
    def seed(self) -> int:
        return int(self.fields.get("seed") or 0)

    @property
    def threads(self) -> int:
        asked = int(self.get("limits").get("max_cores_per_trial") or -1)
        usable = int(self.fields.get("threads") or len(os.sched_getaffinity(0)))
        return usable if asked < 1 else min(asked, usable)

    @property
    def max_trials(self) -> int:
        return int(self.get("limits").get("max_trials") or 1000)

    @property
    def seconds(self) -> float:
        return 60.0 * float(self.get("limits").get("timeout_minutes") or 360)

    @property
    def trial_seconds(self) -> float:
        return 60.0 * float(self.get("limits").get("trial_timeout_minutes") or 30)

    @property
    def verbosity(self) -> int:
        """Return how much FLAML tells, by `log_verbosity`: everything for debug, else nothing."""
        return 3 if words.fold_word(self.fields.get("log_verbosity") or "") == "debug" else 0

    def get(self, name: str) -> dict[str, Any]:
        """Return a group of fields, such as `limits`; {} if it was not given."""
        return dict(self.fields.get(name) or {})

    def get_type(self, name: str) -> str | None:
        return (self.fields.get(name) or {}).get("type")

    def get_switch(self, name: str, default: bool) -> bool:
        """Return a switch of `training`."""
        value = self.get("training").get(name)
        return default if value is None else bool(value)


def read_settings(text: str) -> dict[str, Any]:
    """Return the fields of a JSON file, or of a text that is JSON itself, checked."""
    try:
        fields = json.loads(text if text.lstrip().startswith("{") else Path(text).read_text())
    except OSError as error:
        raise AutoMLError(f"{text}: the settings cannot be read: {error.strerror}") from None
    except ValueError as error:
        raise AutoMLError(f"the settings are not JSON: {error}") from None
    if found := checks.find_problems(fields):
        raise AutoMLError("\n".join(f"{'.'.join(map(str, one.path))}: {one.text}" for one in found))
    if not fields.get("target_column_name"):
        raise AutoMLError("target_column_name: the settings name no target column")
    return dict(fields)
