"""Tune Model Hyperparameters."""

from __future__ import annotations

import itertools
import math
import random
from typing import Any

import polars as pl

from ..columns import find_column
from ..features import make_labels
from ..learners.catalogue import CLASSIFICATION, REGRESSION
from ..learners.definitions import LearnerDefinition, load_definition
from ..metrics import BEST_IS_LOW, log_metrics
from ..models import save_model
from ..ports import ComponentPorts, run_component
from ..problems import ComponentError
from .folds import score_fold, score_folds
from .train_model import fit_model


def tune_model_hyperparameters(ports: ComponentPorts) -> None:
    """Write the metrics of each set of parameters, and the model of the best, trained on the training dataset."""
    definition = load_definition(ports.find_input("untrained_model"), REGRESSION, CLASSIFICATION)
    frame = ports.read_table("training_dataset")
    validation = ports.read_table("validation_dataset") if ports.has_input("validation_dataset") else None
    label = find_column(frame, ports.get_text("label_column"), "label_column")
    is_classes = definition.learner.task == CLASSIFICATION
    report_unused_parameters(ports, is_classes, validation is not None)
    metric = ports.get_text("classification_metric" if is_classes else "regression_metric")
    found = []
    for number, parameters in enumerate(list_points(definition, ports)):
        tried = LearnerDefinition(definition.name, {**definition.parameters, **parameters})
        measured = measure_point(tried, frame, validation, label, ports)
        if metric not in measured or math.isnan(measured[metric]):
            raise ComponentError(f"{metric} has no value for this data; choose another metric")
        print(f"{number}: {parameters} {metric} {measured[metric]:.6g}")
        found.append((tried, parameters, measured))
    sign = 1 if metric in BEST_IS_LOW else -1
    found.sort(key=lambda one: sign * one[2][metric])
    best, parameters, measured = found[0]
    model, features = fit_model(best, frame, label, "training_dataset")
    save_model(ports.find_output("trained_best_model"), model, features)
    ports.write_table("sweep_results", pl.DataFrame([{**point, **values} for _, point, values in found]))
    log_metrics(measured)
    print(f"the best: {parameters}")


def report_unused_parameters(ports: ComponentPorts, is_classes: bool, has_validation: bool) -> None:
    if has_validation:
        ports.report_unused("with a validation_dataset", number_of_folds="3")
    if ports.get_text("sweeping_mode", "random_sweep") == "entire_grid":
        ports.report_unused("with sweeping_mode entire_grid", maximum_number_of_runs="10")
    if is_classes:
        ports.report_unused("with a learner for classification", regression_metric="root_mean_squared_error")
    else:
        ports.report_unused("with a learner for regression", classification_metric="accuracy")


def measure_point(
    definition: LearnerDefinition,
    frame: pl.DataFrame,
    validation: pl.DataFrame | None,
    label: str,
    ports: ComponentPorts,
) -> dict[str, float]:
    """Return the metrics of a set of parameters: on the validation dataset, or the means of folds."""
    if validation is not None:
        find_column(validation, label, "validation_dataset")
        model, _ = fit_model(definition, frame, label, "training_dataset")
        labels = make_labels(validation, label, model.task, "validation_dataset")
        features = model.make_features(validation, "validation_dataset")
        return score_fold(model, features, labels, range(validation.height)).metrics
    count, seed = ports.get_whole_number("number_of_folds", 3), ports.get_whole_number("random_seed", 0)
    folds = score_folds(definition, frame, label, count, seed, "training_dataset")
    names = [name for name in folds[0].metrics if all(name in fold.metrics for fold in folds)]
    return {name: sum(fold.metrics[name] for fold in folds) / len(folds) for name in names}


def list_points(definition: LearnerDefinition, ports: ComponentPorts) -> list[dict[str, Any]]:
    """Return the sets of parameters to try: all of them, or as many as may run, drawn at random."""
    ranges = parse_ranges(definition, ports.get_text("parameter_ranges"))
    points = [dict(zip(ranges, values, strict=True)) for values in itertools.product(*ranges.values())]
    most = ports.get_whole_number("maximum_number_of_runs", 10)
    if ports.get_text("sweeping_mode", "random_sweep") == "random_sweep" and len(points) > most:
        points = random.Random(ports.get_whole_number("random_seed", 0)).sample(points, most)
    return points


def parse_ranges(definition: LearnerDefinition, text: str) -> dict[str, list[Any]]:
    """Return the values to try: `learning_rate: 0.1, 0.2` in each line, or the learner's usual ones."""
    known = definition.learner.parameters
    if not text.strip():
        return {name: [known[name](value) for value in values] for name, values in definition.learner.ranges.items()}
    found: dict[str, list[Any]] = {}
    for line in filter(str.strip, text.replace(";", "\n").splitlines()):
        name, colon, values = (part.strip() for part in line.partition(":"))
        if not colon or not values:
            raise ComponentError(f"parameter_ranges: '{line.strip()}' is not of the form NAME: VALUE, VALUE")
        if name not in known:
            raise ComponentError(
                f"parameter_ranges: {definition.name} has no parameter '{name}'; it has {', '.join(known)}"
            )
        found[name] = [_parse_value(name, value.strip(), known[name]) for value in values.split(",")]
    return found


def _parse_value(name: str, text: str, kind: type) -> Any:
    if kind is bool and text.lower() in ("true", "false"):
        return text.lower() == "true"
    try:
        if kind is bool:
            raise ValueError
        return kind(text)
    except ValueError:
        raise ComponentError(f"parameter_ranges: '{text}' is no value of {name}") from None


if __name__ == "__main__":
    run_component(tune_model_hyperparameters)
