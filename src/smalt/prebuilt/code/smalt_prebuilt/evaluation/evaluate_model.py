"""Evaluate Model."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import polars as pl

from ..columns import find_column
from ..learners.catalogue import ANOMALIES, CLASSIFICATION, CLUSTERING, REGRESSION
from ..metrics import log_metrics, measure
from ..ports import ComponentPorts, run_component
from ..problems import ComponentError, join_names
from ..scored_tables import CLUSTERS, DISTANCE, LABELS, MARGINS, PROBABILITIES, find_scores, read_note

_PAIRS = {
    **{"dataset": pl.String, "actual": pl.String, "predicted": pl.String},
    **{"rows": pl.Int64, "share_of_actual": pl.Float64},
}
"""The columns of the confusion matrix."""
_INPUTS = {"scored_dataset": "", "scored_dataset_to_compare": "compared_"}


def evaluate_model(ports: ComponentPorts) -> None:
    """Write a row of metrics for each scored table, and log them to the tracking of the job."""
    rows, pairs = [], []
    for name, prefix in _INPUTS.items():
        if ports.has_input(name):
            found = evaluate_table(ports, name)
            log_metrics(found, prefix)
            rows.append({"dataset": name, **found})
            pairs.append(count_pairs(ports, name))
    ports.write_table("evaluation_results", pl.DataFrame(rows))
    ports.write_table("confusion_matrix", pl.concat(pairs))


def count_pairs(ports: ComponentPorts, name: str) -> pl.DataFrame:
    """Return how often each class was predicted for each; no rows for what is not of classes."""
    frame, note = ports.read_table(name), read_note(ports.find_input(name))
    task, label = find_task(ports, frame, note, name), ports.get_text("label_column") or note.get("label")
    if task != CLASSIFICATION:
        return pl.DataFrame(schema=_PAIRS)
    truth, predicted = ([str(value) for value in frame[column].to_list()] for column in (label, LABELS))
    classes = sorted({*truth, *predicted, *map(str, note.get("classes") or [])})
    counts, actual = Counter(zip(truth, predicted, strict=True)), Counter(truth)
    rows = [
        (name, one, other, counts[one, other], counts[one, other] / actual[one] if actual[one] else None)
        for one in classes
        for other in classes
    ]
    return pl.DataFrame(rows, schema=_PAIRS, orient="row")


def find_task(ports: ComponentPorts, frame: pl.DataFrame, note: dict[str, Any], name: str) -> str:
    task = ports.get_text("task", "automatic")
    return str(note.get("task") or guess_task(frame, name)) if task == "automatic" else task


def evaluate_table(ports: ComponentPorts, name: str) -> dict[str, float]:
    frame, note = ports.read_table(name), read_note(ports.find_input(name))
    task = find_task(ports, frame, note, name)
    if task == CLUSTERING:
        return measure_clusters(frame, name)
    label = ports.get_text("label_column") or note.get("label")
    if not label:
        raise ComponentError(
            f"{name}: label_column is needed, the column with the true values; "
            f"the columns are {join_names(frame.columns)}"
        )
    truth = frame[find_column(frame, label, f"{name}, label_column")]
    if count := truth.null_count():
        raise ComponentError(f"{name}: {count} values are missing in '{label}', the column with the true values")
    if not frame.height:
        raise ComponentError(f"{name} has no rows")
    return _measure_column(frame, truth, task, note, name)


def _measure_column(
    frame: pl.DataFrame, truth: pl.Series, task: str, note: dict[str, Any], name: str
) -> dict[str, float]:
    predicted = frame[find_column(frame, LABELS, name)]
    if task == REGRESSION:
        for column in (truth, predicted):
            if not column.dtype.is_numeric():
                raise ComponentError(f"{name}: regression needs numbers, and column '{column.name}' has {column.dtype}")
        return measure(task, truth.to_numpy(), predicted.to_numpy(), [], None)
    if task == ANOMALIES:
        known = truth.cast(pl.Int64, strict=False)
        if known.null_count() or not known.is_in([0, 1]).all():
            raise ComponentError(f"{name}: the true values of anomalies are 1 and 0, or true and false")
        return measure(task, known.to_numpy(), predicted.to_numpy(), [], frame[PROBABILITIES].to_numpy())
    plain = [column.cast(pl.String) for column in (truth, predicted)]
    classes = [str(one) for one in note.get("classes") or []]
    if truth.dtype == pl.Boolean:
        classes = [one.lower() for one in classes]
    every = classes or sorted({*plain[0].to_list(), *plain[1].to_list()})
    unknown = sorted({*plain[0].to_list()}.difference(every))
    if unknown:
        print(f"{name}: classes that the model has not learned: {join_names(unknown)}")
    strengths = None if unknown else find_scores(frame, note.get("classes") or every)[1]
    return measure(CLASSIFICATION, np.array(plain[0]), np.array(plain[1]), [*every, *unknown], strengths)


def guess_task(frame: pl.DataFrame, name: str) -> str:
    """Return the task that a table was scored for, by its columns."""
    if CLUSTERS in frame.columns:
        return CLUSTERING
    if LABELS not in frame.columns:
        raise ComponentError(
            f"{name} has no column '{LABELS}' or '{CLUSTERS}'; connect the output of score_model or "
            "assign_data_to_clusters to it"
        )
    has_classes = any(column.startswith((PROBABILITIES, MARGINS)) for column in frame.columns)
    return CLASSIFICATION if has_classes or not frame.schema[LABELS].is_float() else REGRESSION


def measure_clusters(frame: pl.DataFrame, name: str) -> dict[str, float]:
    """Return the number of clusters, and the distances of rows to their own center and to the nearest other one."""
    distances = [column for column in frame.columns if column.startswith(DISTANCE)]
    if not distances:
        raise ComponentError(
            f"{name} has no columns '{DISTANCE}…'; connect the output of assign_data_to_clusters to it"
        )
    table = np.sort(frame.select(distances).to_numpy(), axis=1)
    found = {"number_of_clusters": float(frame[CLUSTERS].n_unique())}
    found["average_distance_to_cluster_center"] = float(table[:, 0].mean())
    found["maximal_distance_to_cluster_center"] = float(table[:, 0].max())
    if len(distances) > 1:
        found["average_distance_to_other_center"] = float(table[:, 1].mean())
    return found


if __name__ == "__main__":
    run_component(evaluate_model)
