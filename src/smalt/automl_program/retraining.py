"""Training of a run's best model again, without a search: what `generated_code/script.py` calls."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from .settings import RunSettings
from .words import DEFAULT_METRICS, PRIMARY_METRICS, find_word


def train_again(recipe: Mapping[str, Any], training_data: Path, note: Callable[[str], None] = print) -> Any:
    """Return the model that a recipe describes, trained on a table of the same columns.

    A stack is trained as a vote with equal weights: the model over the models is made of validation predictions only.
    """
    fields = dict(recipe["settings"])
    task = fields["task"]
    metric = find_word(fields.get("primary_metric") or DEFAULT_METRICS[task], PRIMARY_METRICS[task])
    fields.update(training_data=None, validation_data=None, test_data=None, test_data_size=None)
    settings = RunSettings(
        task=task, target=fields["target_column_name"], metric=str(metric), training_data=training_data,
        validation_data=None, test_data=None, best_model=None, outputs=Path(), trials=None,
        tells=False, fields=fields,
    )  # fmt: skip
    if task == "forecasting":
        from .forecasting import ForecastRun

        runner: Any = ForecastRun(settings, note, lambda trial: None)
    else:
        from .tabular import TableRun

        runner = TableRun(settings, note, lambda trial: None)
    runner.prepare()
    best = recipe["best"]
    if not best["members"]:
        return runner.train(best["learner"], best["hyperparameters"])
    weights = best["hyperparameters"].get("weights") or [1.0 / len(best["members"])] * len(best["members"])
    return runner.train_vote([(one["learner"], one["hyperparameters"]) for one in best["members"]], weights)
