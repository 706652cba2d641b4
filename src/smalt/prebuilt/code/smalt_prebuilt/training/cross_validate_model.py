"""Cross Validate Model."""

from __future__ import annotations

import math

import polars as pl

from ..columns import find_column
from ..learners.catalogue import CLASSIFICATION, REGRESSION
from ..learners.definitions import load_definition
from ..metrics import log_metrics
from ..ports import ComponentPorts, run_component
from ..scored_tables import note_scores
from .folds import ScoredFold, score_folds

_FOLD = "Fold Number"


def cross_validate_model(ports: ComponentPorts) -> None:
    """Write each row with the score of a model that has not seen it, and the metrics of each fold."""
    definition = load_definition(ports.find_input("untrained_model"), REGRESSION, CLASSIFICATION)
    frame = ports.read_table("dataset")
    label = find_column(frame, ports.get_text("label_column"), "label_column")
    count, seed = ports.get_whole_number("number_of_folds", 10), ports.get_whole_number("random_seed", 0)
    folds = score_folds(definition, frame, label, count, seed, "dataset")
    scored = []
    for number, fold in enumerate(folds):
        rows = frame[fold.rows.tolist()].drop([_FOLD, *fold.scores.columns], strict=False)
        numbers = pl.Series(_FOLD, [number] * rows.height)
        scored.append(rows.hstack(fold.scores).with_columns(numbers, pl.Series("\0", fold.rows)))
    ports.write_table("scored_results", pl.concat(scored).sort("\0").drop("\0"))
    note_scores(ports.find_output("scored_results"), task=definition.learner.task, label=label)
    table = summarize_folds(folds)
    ports.write_table("evaluation_results", table)
    means = table.filter(pl.col("fold") == "mean").row(0, named=True)
    log_metrics({name: value for name, value in means.items() if name != "fold" and value is not None})


def summarize_folds(folds: list[ScoredFold]) -> pl.DataFrame:
    """Return a row for each fold, and one each for the mean and the standard deviation of them all."""
    names = [*dict.fromkeys(name for fold in folds for name in fold.metrics)]
    columns: dict[str, list[float | None]] = {}
    for name in names:
        values = [fold.metrics.get(name, math.nan) for fold in folds]
        known = pl.Series([value for value in values if not math.isnan(value)], dtype=pl.Float64)
        columns[name] = [*values, known.mean(), known.std()]
    folds_column = [*(str(number) for number in range(len(folds))), "mean", "standard deviation"]
    return pl.DataFrame({"fold": folds_column, **columns})


if __name__ == "__main__":
    run_component(cross_validate_model)
