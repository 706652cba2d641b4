"""Write four trials to the journal, of which one failed, and wait before the last until the file `GO` is there."""

import argparse
import json
import os
import sys
import time
from pathlib import Path

SCORES = [0.5, None, 0.9, 0.7]


def main() -> None:
    parser = argparse.ArgumentParser()
    for name in ("training-data", "validation-data", "test-data", "best-model", "trials", "journal"):
        parser.add_argument(f"--{name}")
    parser.add_argument("--tell", action="store_true")
    given = parser.parse_args()
    settings = json.loads(os.environ["SMALT_AUTOML_SETTINGS"])
    with open(os.environ["RUNS"], "a") as runs:
        runs.write(f"{settings['target_column_name']}\n")
    go, journal = os.environ.get("GO"), Path(given.journal)
    for number, score in enumerate(SCORES):
        while go and number == len(SCORES) - 1 and not os.path.exists(go):
            time.sleep(0.02)
        files = Path(given.trials, str(number), "outputs", "mlflow-model")
        files.mkdir(parents=True)
        (files / "MLmodel").write_text(f"run_id: {os.environ['AZUREML_RUN_ID']} {number}\n")
        write(journal, make_line(number, score))
    Path("outputs", "automl").mkdir(parents=True, exist_ok=True)
    Path("outputs", "automl", "leaderboard.csv").write_text("best first\n")
    if os.environ.get("FAIL"):
        write(journal, {"event": "error", "text": os.environ["FAIL"]})
        sys.exit(2)
    Path(given.best_model, "MLmodel").write_text("best\n")
    write(journal, {"event": "best", "number": 2, "score": 0.9, "metrics": {"accuracy": 0.9}})


def make_line(number: int, score: float | None) -> dict:
    is_failed = score is None
    return {
        "event": "trial", "number": number, "started": 100.0 + number, "seconds": 0.5,
        "algorithm": "LightGBM", "hyperparameters": {"leaves": 2**number, "deep": [1, 2]},
        "status": "Failed" if is_failed else "Completed", "error": "it did not fit" if is_failed else None,
        "score": score, "metrics": {} if is_failed else {"accuracy": score},
    }  # fmt: skip


def write(journal: Path, line: dict) -> None:
    with journal.open("a") as file:
        file.write(json.dumps(line) + "\n")


main()
