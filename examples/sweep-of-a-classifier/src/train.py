"""Train a classifier of irises with one set of hyperparameters, and log how well it does."""

import argparse
import csv
import json
import math
import random
from pathlib import Path

import mlflow


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--flowers", type=Path, required=True)
    parser.add_argument("--learning_rate", type=float, required=True)
    parser.add_argument("--penalty", type=float, required=True)
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--model", type=Path, required=True)
    arguments = parser.parse_args()
    rows = read_rows(arguments.flowers)
    random.Random(1).shuffle(rows)
    training, test = rows[:100], rows[100:]
    species = sorted({kind for _, kind in rows})
    weights = {kind: [0.0] * 5 for kind in species}
    for epoch in range(arguments.epochs):
        for measures, kind in training:
            learn(weights, measures, kind, arguments.learning_rate, arguments.penalty)
        mlflow.log_metric("accuracy", measure_accuracy(weights, test), step=epoch)
    (arguments.model / "weights.json").write_text(json.dumps(weights))


def read_rows(path: Path) -> list[tuple[list[float], str]]:
    with path.open() as file:
        rows = list(csv.reader(file))[1:]
    return [([*map(float, row[:4]), 1.0], row[4]) for row in rows]


def learn(weights: dict[str, list[float]], measures: list[float], kind: str, rate: float, penalty: float) -> None:
    """Take one step of logistic regression, for each species against the rest."""
    for one, values in weights.items():
        error = (one == kind) - predict(values, measures)
        weights[one] = [value + rate * (error * x - penalty * value) for value, x in zip(values, measures)]


def predict(weights: list[float], measures: list[float]) -> float:
    total = sum(weight * x for weight, x in zip(weights, measures))
    return 1 / (1 + math.exp(-max(-50.0, min(50.0, total))))


def measure_accuracy(weights: dict[str, list[float]], rows: list[tuple[list[float], str]]) -> float:
    hits = sum(max(weights, key=lambda one: predict(weights[one], measures)) == kind for measures, kind in rows)
    return hits / len(rows)


if __name__ == "__main__":
    main()
