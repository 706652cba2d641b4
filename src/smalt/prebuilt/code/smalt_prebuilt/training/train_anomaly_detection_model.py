"""Train Anomaly Detection Model."""

from __future__ import annotations

from ..columns import choose_columns
from ..features import fit_pipeline, make_features, make_pipeline
from ..learners.catalogue import ANOMALIES
from ..learners.definitions import load_definition
from ..models import TrainedModel, save_model
from ..ports import ComponentPorts, run_component


def train_anomaly_detection_model(ports: ComponentPorts) -> None:
    definition = load_definition(ports.find_input("untrained_model"), ANOMALIES)
    frame = ports.read_table("dataset")
    columns = choose_columns(frame, ports.get_text("columns", "@all"), "columns")
    features = make_features(frame, columns, takes_missing=False, where="dataset")
    model = TrainedModel(fit_pipeline(make_pipeline(definition, features), features), ANOMALIES, columns, None)
    save_model(ports.find_output("trained_model"), model, features)
    print(f"trained {definition.name} on {frame.height:,} rows with {len(columns):,} columns")


if __name__ == "__main__":
    run_component(train_anomaly_detection_model)
