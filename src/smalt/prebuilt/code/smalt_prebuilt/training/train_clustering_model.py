"""Train Clustering Model."""

from __future__ import annotations

from ..columns import choose_columns
from ..features import check_cluster_count, fit_pipeline, make_features, make_pipeline
from ..learners.catalogue import CLUSTERING
from ..learners.definitions import load_definition
from ..models import TrainedModel, save_model, score_rows
from ..ports import ComponentPorts, run_component
from ..scored_tables import note_scores


def train_clustering_model(ports: ComponentPorts) -> None:
    definition = load_definition(ports.find_input("untrained_model"), CLUSTERING)
    frame = ports.read_table("dataset")
    columns = choose_columns(frame, ports.get_text("columns", "@all"), "columns")
    features = make_features(frame, columns, takes_missing=False, where="dataset")
    check_cluster_count(definition, frame.height)
    model = TrainedModel(fit_pipeline(make_pipeline(definition, features), features), CLUSTERING, columns, None)
    save_model(ports.find_output("trained_model"), model, features)
    scores = score_rows(model, frame, "dataset")
    ports.write_table("results_dataset", frame.drop(scores.columns, strict=False).hstack(scores))
    note_scores(ports.find_output("results_dataset"), task=CLUSTERING)


if __name__ == "__main__":
    run_component(train_clustering_model)
