"""Permutation Feature Importance."""

from __future__ import annotations

import polars as pl
from sklearn.inspection import permutation_importance

from ..columns import find_column
from ..features import make_labels
from ..learners.catalogue import CLASSIFICATION, REGRESSION
from ..models import load_model
from ..ports import ComponentPorts, run_component
from ..problems import ComponentError

_SCORERS = {
    CLASSIFICATION: {
        "accuracy": "accuracy",
        "precision": "precision_weighted",
        "recall": "recall_weighted",
        "f1_score": "f1_weighted",
    },
    REGRESSION: {
        "mean_absolute_error": "neg_mean_absolute_error",
        "root_mean_squared_error": "neg_root_mean_squared_error",
        "coefficient_of_determination": "r2",
    },
}


def permutation_feature_importance(ports: ComponentPorts) -> None:
    """Write how much worse a model gets when the values of one column change places."""
    model = load_model(ports.find_input("trained_model"), "trained_model")
    if model.task not in _SCORERS or model.label is None:
        raise ComponentError("trained_model must come from train_model or tune_model_hyperparameters")
    if model.task == CLASSIFICATION:
        ports.report_unused("with a model of classes", regression_metric="coefficient_of_determination")
    else:
        ports.report_unused("with a model of numbers", classification_metric="accuracy")
    frame = ports.read_table("test_dataset")
    find_column(frame, model.label, "test_dataset")
    features = model.make_features(frame, "test_dataset")
    labels = make_labels(frame, model.label, model.task, "test_dataset")
    metric = ports.get_text("classification_metric" if model.task == CLASSIFICATION else "regression_metric")
    found = permutation_importance(
        model.pipeline,
        features,
        labels,
        scoring=_SCORERS[model.task][metric],
        n_repeats=ports.get_whole_number("number_of_repeats", 5),
        random_state=ports.get_whole_number("random_seed", 0),
    )
    table = pl.DataFrame(
        {"feature": model.features, "importance": found.importances_mean, "deviation": found.importances_std}
    )
    ports.write_table("feature_importance", table.sort("importance", descending=True, maintain_order=True))


if __name__ == "__main__":
    run_component(permutation_feature_importance)
