"""AutoML of tables beside FLAML called directly: the same rows, seconds and cores; scores on rows that neither saw.

    PYTHON bench/automl.py [--seconds 60] [--runs 3] [--tables bank,…] [--examples FOLDER]

PYTHON is one that has the packages of src/smalt/automl_program/requirements.txt. FOLDER has the AutoML examples of
azureml-examples (cli/jobs/automl-standalone-jobs); without it only the tables of scikit-learn are used.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

PROGRAM = Path(__file__).resolve().parent.parent / "src/smalt/automl_program"


def load_tables(examples: Path | None) -> dict[str, tuple[str, str, pd.DataFrame, str]]:
    """Return name → (task, metric of FLAML, table, target)."""
    from sklearn import datasets

    tables = {}
    for name, task, metric, load in (
        ("cancer", "classification", "roc_auc", datasets.load_breast_cancer),
        ("wine", "classification", "accuracy", datasets.load_wine),
        ("diabetes", "regression", "r2", datasets.load_diabetes),
        ("digits", "classification", "accuracy", datasets.load_digits),
    ):
        bunch = load(as_frame=True)
        tables[name] = (task, metric, bunch.frame, "target")
    if examples:
        hardware = examples / "cli-automl-regression-task-hardware-perf/training-mltable-folder"
        bank = examples / "cli-automl-classification-task-bankmarketing/training-mltable-folder"
        tables["hardware"] = ("regression", "r2", pd.read_csv(hardware / "training-machine-dataset.csv"), "ERP")
        tables["bank"] = ("classification", "roc_auc", pd.read_csv(bank / "bank_marketing_train_data.csv"), "y")
    return tables


def score(metric: str, truth: pd.Series, model) -> float:  # type: ignore[no-untyped-def]
    from sklearn.metrics import accuracy_score, r2_score, roc_auc_score

    predict, chances = model
    if metric == "roc_auc":
        labels = sorted(truth.unique())
        return float(roc_auc_score(truth == labels[1], chances()[:, 1]))
    return float(accuracy_score(truth, predict()) if metric == "accuracy" else r2_score(truth, predict()))


def run_flaml(
    task: str, metric: str, train: pd.DataFrame, test: pd.DataFrame, target: str, seconds: float, seed: int
) -> float:
    """FLAML in a process of its own, which has the time of its import, too."""
    code = (
        "import sys, json, pickle, pandas as pd\nfrom flaml import AutoML\n"
        "task, metric, target, seconds, seed, train, out = sys.argv[1:]\n"
        "frame = pd.read_pickle(train); y = frame.pop(target); model = AutoML()\n"
        "model.fit(frame, y, task=task, metric=metric, time_budget=float(seconds), seed=int(seed), verbose=0)\n"
        "pickle.dump(model, open(out, 'wb'))\n"
    )
    with tempfile.TemporaryDirectory() as folder:
        table, out = Path(folder, "train.pkl"), Path(folder, "model.pkl")
        train.to_pickle(table)
        arguments = [task, metric, target, str(seconds), str(seed), str(table), str(out)]
        subprocess.run([sys.executable, "-W", "ignore", "-c", code, *arguments], check=True, capture_output=True)
        model = pd.read_pickle(out)
        features = test.drop(columns=target)
        return score(metric, test[target], (lambda: model.predict(features), lambda: model.predict_proba(features)))


def run_smalt(
    task: str, metric: str, train: pd.DataFrame, test: pd.DataFrame, target: str, seconds: float, seed: int
) -> tuple[float, float]:
    names = {"roc_auc": "AUC_weighted", "accuracy": "accuracy", "r2": "r2_score"}
    settings = {
        "task": task,
        "primary_metric": names[metric],
        "target_column_name": target,
        "limits": {"timeout_minutes": seconds / 60},
        "training": {"enable_model_explainability": False},
        "seed": seed,
    }
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "smalt_automl").symlink_to(PROGRAM)
        table, outputs = Path(folder, "train.parquet"), Path(folder, "outputs")
        train.to_parquet(table)
        command = [sys.executable, "-m", "smalt_automl", json.dumps(settings), "--training-data", str(table)]
        started = time.monotonic()
        subprocess.run([*command, "--outputs", str(outputs)], check=True, capture_output=True, cwd=folder)
        taken = time.monotonic() - started
        import mlflow.sklearn

        model = mlflow.sklearn.load_model(str(outputs / "mlflow-model"))
        features = test.drop(columns=target)
        return score(
            metric, test[target], (lambda: model.predict(features), lambda: model.predict_proba(features))
        ), taken


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--first", type=int, default=0, help="the number of the first run, which draws rows and seed")
    parser.add_argument("--tables", default="")
    parser.add_argument("--examples", type=Path)
    options = parser.parse_args()
    os.environ["PYTHONWARNINGS"] = "ignore"
    tables = load_tables(options.examples)
    print(f"{'table':10s} {'rows':>6s} {'metric':9s} {'FLAML':>8s} {'smalt':>8s} {'smalt-FLAML':>12s} {'seconds':>8s}")
    for name in options.tables.split(",") if options.tables else tables:
        task, metric, frame, target = tables[name]
        ours, theirs, taken = [], [], []
        for run in range(options.first, options.first + options.runs):
            order = np.random.default_rng(run).permutation(len(frame))
            cut = len(frame) // 4
            test, train = frame.iloc[order[:cut]], frame.iloc[order[cut:]].reset_index(drop=True)
            theirs.append(run_flaml(task, metric, train, test, target, options.seconds, run + 1))
            value, seconds = run_smalt(task, metric, train, test, target, options.seconds, run + 1)
            ours.append(value)
            taken.append(seconds)
        gain = statistics.median(y - x for x, y in zip(theirs, ours, strict=True))
        shown = f"{statistics.median(theirs):8.4f} {statistics.median(ours):8.4f} {gain:+12.4f}"
        print(f"{name:10s} {len(frame):6d} {metric:9s} {shown} {statistics.median(taken):8.1f}", flush=True)


if __name__ == "__main__":
    main()
