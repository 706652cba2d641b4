"""Score Model."""

from __future__ import annotations

from ..learners.catalogue import CLUSTERING
from ..models import load_model, score_rows
from ..ports import ComponentPorts, run_component
from ..problems import ComponentError
from ..scored_tables import note_scores


def score_model(ports: ComponentPorts) -> None:
    model = load_model(ports.find_input("trained_model"), "trained_model")
    if model.task == CLUSTERING:
        raise ComponentError("trained_model is of clusters; use assign_data_to_clusters")
    frame = ports.read_table("dataset")
    scores = score_rows(model, frame, "dataset")
    if ports.get_flag("append_score_columns_to_output", True):
        scores = frame.drop(scores.columns, strict=False).hstack(scores)
    ports.write_table("scored_dataset", scores)
    classes = model.pipeline.classes_.tolist() if hasattr(model.pipeline, "classes_") else []
    if model.task:
        note_scores(ports.find_output("scored_dataset"), task=model.task, label=model.label, classes=classes)


if __name__ == "__main__":
    run_component(score_model)
