"""Tables as a run reads them, and files as it writes them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from smalt_automl import saving
from smalt_automl.dataset import find_label, load_tables
from smalt_automl.problems import AutoMLError
from smalt_automl.saving import ModelWriter
from smalt_automl.search import LearningProblem, SearchLimits, TableSearch
from smalt_automl.settings import RunSettings
from smalt_automl.splits import Folds
from smalt_automl.trials import SearchTrial


def make_settings(folder: Path, frame: pd.DataFrame, task: str = "classification", **fields: Any) -> RunSettings:
    frame.to_csv(folder / "train.csv", index=False)
    metric = "accuracy" if task == "classification" else "r2_score"
    return RunSettings(task, "y", metric, folder / "train.csv", None, None, None, folder, None, False, fields)


def test_whole_numbers_stay_so_where_a_target_is_missing(tmp_path: Path) -> None:
    """pandas reads such a column as fractions, and labels of 1.0 would be what the model predicts."""
    frame = pd.DataFrame({"x": range(40), "y": pd.array([0, 1, None, 1] * 10, dtype="Int64")})
    notes: list[str] = []
    data = load_tables(make_settings(tmp_path, frame, positive_label=1), notes.append)
    assert "training_data: 10 rows without a target were left out" in notes
    assert [repr(label) for label in data.labels.tolist()] == ["0", "1"]


@pytest.mark.parametrize(
    ("labels", "label", "place"),
    [([0, 1], "1", 1), ([0.0, 1.0], 1, 1), ([False, True], True, 1), (["no", "True"], True, 1), ([0, 1], 2, None)],
)
def test_a_positive_label_is_found_in_every_type(labels: list[object], label: object, place: int | None) -> None:
    assert find_label(np.array(labels), label) == place


@pytest.mark.parametrize(
    ("rows", "fields", "count"),
    [(1, {}, "; the table has 1"), (2, {"test_data_size": 0.5}, " to test; the table has 1")],
)
def test_a_table_of_one_row_is_one_sentence(tmp_path: Path, rows: int, fields: dict[str, Any], count: str) -> None:
    frame = pd.DataFrame({"x": range(rows), "y": range(rows)})
    with pytest.raises(AutoMLError, match="training_data: a search needs at least 2 rows with a target") as raised:
        load_tables(make_settings(tmp_path, frame, "regression", **fields), lambda text: None)
    assert count in str(raised.value)


def test_a_pickle_that_is_there_is_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A search that is started again finds the files of its first attempt, and not every folder takes links."""
    from sklearn.dummy import DummyRegressor

    example = pd.DataFrame({"x": [1.0, 2.0]})
    writer = ModelWriter(lambda: (example, []))
    trial = SearchTrial(0, "KNN", "knn", {}, 0.0, 1.0, 2)

    def refuse_link(*_: Any) -> None:
        raise OSError("links are not supported")

    for constant in (1.0, 2.0, 3.0):
        if constant == 3.0:
            monkeypatch.setattr(saving.os, "link", refuse_link)
        writer.write_trial(tmp_path, DummyRegressor(strategy="constant", constant=constant).fit(example, [0, 1]), trial)
        assert (tmp_path / "model.pkl").read_bytes() == (tmp_path / "mlflow-model/model.pkl").read_bytes()
        assert not list(tmp_path.glob("mlflow-model/model.pkl.*"))


def test_the_predictions_of_the_best_are_kept_where_all_are_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    """Quantiles and pictures are made of them."""
    rows = np.arange(60)
    truth = np.sin(rows)
    features = pd.DataFrame({"a": truth * 2 + 1, "b": np.cos(rows)})
    folds = Folds([(rows[rows % 2 == 0], rows[rows % 2 == 1]), (rows[rows % 2 == 1], rows[rows % 2 == 0])], "")

    def score(predicted: Any, chosen: Any) -> float:
        return -float(np.mean((predicted - truth[chosen]) ** 2))

    problem = LearningProblem(
        "regression", features, truth, None, folds, rows, None,
        lambda predicted, chosen: {"m": score(predicted, chosen)}, score, "m", True,
    )  # fmt: skip
    monkeypatch.setattr("smalt_automl.search._MOST_KEPT", 1100)  # the predictions of two trials of 60 rows
    search = TableSearch(problem, SearchLimits(2e9, 60.0, 6, None, False, 1, 1), lambda trial: None)
    search.run(["decision_tree", "knn"])
    ranked = sorted(search.trials, key=lambda trial: trial.score or 0.0, reverse=True)
    assert [trial.predictions is not None for trial in ranked] == [True, True, False, False, False, False]
