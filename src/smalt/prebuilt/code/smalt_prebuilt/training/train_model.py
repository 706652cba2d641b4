"""Train Model."""

from __future__ import annotations

import polars as pl

from ..columns import find_column
from ..features import fit_pipeline, make_features, make_labels, make_pipeline
from ..learners.catalogue import CLASSIFICATION, REGRESSION
from ..learners.definitions import LearnerDefinition, load_definition
from ..models import TrainedModel, save_model
from ..ports import ComponentPorts, run_component


def train_model(ports: ComponentPorts) -> None:
    definition = load_definition(ports.find_input("untrained_model"), REGRESSION, CLASSIFICATION)
    frame = ports.read_table("dataset")
    label = find_column(frame, ports.get_text("label_column"), "label_column")
    model, features = fit_model(definition, frame, label, "dataset")
    save_model(ports.find_output("trained_model"), model, features)
    print(f"trained {definition.name} on {frame.height:,} rows with {len(model.features):,} columns")


def fit_model(
    definition: LearnerDefinition, frame: pl.DataFrame, label: str, where: str
) -> tuple[TrainedModel, object]:
    """Return the model of all columns but the label, and its features."""
    names = [name for name in frame.columns if name != label]
    takes_missing = definition.learner.takes_missing
    features = make_features(frame, names, takes_missing=takes_missing, where=where)
    labels = make_labels(frame, label, definition.learner.task, where)
    pipeline = fit_pipeline(make_pipeline(definition, features), features, labels)
    return TrainedModel(pipeline, definition.learner.task, names, label, takes_missing), features


if __name__ == "__main__":
    run_component(train_model)
