"""Assign Data to Clusters."""

from __future__ import annotations

from ..learners.catalogue import CLUSTERING
from ..models import load_model, score_rows
from ..ports import ComponentPorts, run_component
from ..problems import ComponentError
from ..scored_tables import note_scores


def assign_data_to_clusters(ports: ComponentPorts) -> None:
    model = load_model(ports.find_input("trained_model"), "trained_model")
    if model.task != CLUSTERING:
        raise ComponentError("trained_model is not of clusters; connect the output of train_clustering_model to it")
    frame = ports.read_table("dataset")
    scores = score_rows(model, frame, "dataset")
    if ports.get_flag("append_columns_to_output", True):
        scores = frame.drop(scores.columns, strict=False).hstack(scores)
    ports.write_table("results_dataset", scores)
    note_scores(ports.find_output("results_dataset"), task=CLUSTERING)


if __name__ == "__main__":
    run_component(assign_data_to_clusters)
