"""Metrics, folds, tuning and importance, compared with scikit-learn called directly."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from sklearn import metrics
from sklearn.inspection import permutation_importance
from sklearn.linear_model import LinearRegression, Ridge
from sklearn.model_selection import KFold, StratifiedKFold
from smalt_prebuilt.problems import ComponentError

from tests.prebuilt.runs import Outcome, run
from tests.prebuilt.tables import CARS, classify

NUMBERS = CARS.select("size", "weight", "price")


def train(folder: Path, name: str, frame: pl.DataFrame, **given: Any) -> Outcome:
    learner = run(name, folder, **given)
    label = frame.columns[-1]
    return run("train_model", folder, untrained_model=(learner, "untrained_model"), dataset=frame, label_column=label)


def score(folder: Path, trained: Outcome, frame: pl.DataFrame) -> Outcome:
    return run("score_model", folder, trained_model=(trained, "trained_model"), dataset=frame)


def test_metrics_of_regression(tmp_path: Path) -> None:
    scored = score(tmp_path, train(tmp_path, "linear_regression", NUMBERS[:90]), NUMBERS[90:])
    found = run("evaluate_model", tmp_path, scored_dataset=(scored, "scored_dataset")).read_table("evaluation_results")
    table = scored.read_table("scored_dataset")
    truth, predicted = table["price"].to_numpy(), table["Scored Labels"].to_numpy()
    row = found.row(0, named=True)
    assert row["mean_absolute_error"] == pytest.approx(metrics.mean_absolute_error(truth, predicted))
    assert row["root_mean_squared_error"] == pytest.approx(metrics.root_mean_squared_error(truth, predicted))
    assert row["coefficient_of_determination"] == pytest.approx(metrics.r2_score(truth, predicted))
    assert row["relative_squared_error"] == pytest.approx(1 - metrics.r2_score(truth, predicted))


@pytest.mark.parametrize("count", [2, 3])
def test_metrics_of_classes(tmp_path: Path, count: int) -> None:
    """Two tables are compared: a row for each."""
    cars = classify(CARS, count)
    scored = [
        score(tmp_path, train(tmp_path, name, cars[:60]), cars[60:])
        for name in ("decision_forest_classification", "support_vector_machine")
    ]
    given = {
        "scored_dataset": (scored[0], "scored_dataset"),
        "scored_dataset_to_compare": (scored[1], "scored_dataset"),
    }
    found = run("evaluate_model", tmp_path, **given).read_table("evaluation_results")
    assert found["dataset"].to_list() == [*given]
    for row, one, kind in zip(found.rows(named=True), scored, ("Scored Probabilities", "Scored Margins"), strict=True):
        table = one.read_table("scored_dataset")
        truth, predicted = table["class"].to_numpy(), table["Scored Labels"].to_numpy()
        assert row["accuracy"] == pytest.approx(metrics.accuracy_score(truth, predicted))
        options: dict[str, Any] = {"pos_label": "middle"} if count == 2 else {"average": "weighted"}
        assert row["precision"] == pytest.approx(metrics.precision_score(truth, predicted, **options))
        assert row["recall"] == pytest.approx(metrics.recall_score(truth, predicted, **options))
        assert row["f1_score"] == pytest.approx(metrics.f1_score(truth, predicted, **options))
        if count == 2:
            assert row["auc"] == pytest.approx(metrics.roc_auc_score(truth == "middle", table[kind].to_numpy()))
        elif kind == "Scored Probabilities":
            strengths = table.select(f"{kind}_{label}" for label in ("high", "low", "middle")).to_numpy()
            area = metrics.roc_auc_score(truth, strengths, multi_class="ovr", average="weighted")
            assert row["auc"] == pytest.approx(area)


def test_the_confusion_matrix_is_that_of_scikit_learn(tmp_path: Path) -> None:
    """A row for each pair of classes, with what part of the class it is; none for predictions of numbers."""
    cars, names = classify(CARS, 3), ["high", "low", "middle"]
    scored = score(tmp_path, train(tmp_path, "decision_forest_classification", cars[:60], maximum_depth=2), cars[60:])
    ran = run("evaluate_model", tmp_path, scored_dataset=(scored, "scored_dataset"))
    table, found = scored.read_table("scored_dataset"), ran.read_table("confusion_matrix")
    pairs = (table["class"].to_list(), table["Scored Labels"].to_list())
    expected = metrics.confusion_matrix(*pairs, labels=names)
    assert found["rows"].to_numpy().reshape(3, 3).tolist() == expected.tolist()
    assert found.select("actual", "predicted").rows() == [(one, other) for one in names for other in names]
    shares = metrics.confusion_matrix(*pairs, labels=names, normalize="true")
    assert np.allclose(found["share_of_actual"].to_numpy().reshape(3, 3), shares)
    scored = score(tmp_path, train(tmp_path, "linear_regression", NUMBERS[:90]), NUMBERS[90:])
    ran = run("evaluate_model", tmp_path, scored_dataset=(scored, "scored_dataset"))
    assert ran.read_table("confusion_matrix").height == 0


def test_metrics_of_clusters_and_anomalies(tmp_path: Path) -> None:
    learner = (run("k_means_clustering", tmp_path, number_of_centroids=3), "untrained_model")
    made = run("train_clustering_model", tmp_path, untrained_model=learner, dataset=NUMBERS)
    given = {"scored_dataset": (made, "results_dataset")}
    row = run("evaluate_model", tmp_path, **given).read_table("evaluation_results").row(0, named=True)
    table = made.read_table("results_dataset")
    distances = table.select(pl.col("^Distances.*$")).to_numpy()
    assert row["number_of_clusters"] == 3
    assert row["average_distance_to_cluster_center"] == pytest.approx(distances.min(axis=1).mean())
    learner = (run("isolation_forest_anomaly_detection", tmp_path), "untrained_model")
    trained = run("train_anomaly_detection_model", tmp_path, untrained_model=learner, dataset=NUMBERS)
    odd = NUMBERS.with_columns(pl.Series("odd", [price > 20000 for price in NUMBERS["price"]]))
    scored = score(tmp_path, trained, odd)
    given = {"scored_dataset": (scored, "scored_dataset"), "label_column": "odd"}
    row = run("evaluate_model", tmp_path, **given).read_table("evaluation_results").row(0, named=True)
    table = scored.read_table("scored_dataset")
    assert row["auc"] == pytest.approx(metrics.roc_auc_score(table["odd"], table["Scored Probabilities"]))
    assert row["accuracy"] == pytest.approx(metrics.accuracy_score(table["odd"], table["Scored Labels"] == 1))


def test_a_scored_table_that_was_changed(tmp_path: Path) -> None:
    """Its label is asked for, and its task is told by its columns."""
    scored = score(tmp_path, train(tmp_path, "linear_regression", NUMBERS[:90]), NUMBERS[90:])
    given = {"dataset": (scored, "scored_dataset"), "columns": "price, Scored Labels"}
    changed = (run("select_columns_in_dataset", tmp_path, **given), "results_dataset")
    with pytest.raises(ComponentError, match=r"label_column is needed.*the columns are 'price', 'Scored Labels'"):
        run("evaluate_model", tmp_path, scored_dataset=changed)
    found = run("evaluate_model", tmp_path, scored_dataset=changed, label_column="price")
    whole = run("evaluate_model", tmp_path, scored_dataset=(scored, "scored_dataset"))
    assert found.read_table("evaluation_results").equals(whole.read_table("evaluation_results"))
    with pytest.raises(ComponentError, match="has no column 'Scored Labels' or 'Assignments'"):
        run("evaluate_model", tmp_path, scored_dataset=NUMBERS)


def test_folds_of_regression(tmp_path: Path) -> None:
    learner = (run("linear_regression", tmp_path, l2_regularization_weight=0), "untrained_model")
    given = {"untrained_model": learner, "dataset": NUMBERS, "label_column": "price", "number_of_folds": 4}
    ran = run("cross_validate_model", tmp_path, **given, random_seed=5)
    rows, truth = NUMBERS.select("size", "weight").to_numpy(), NUMBERS["price"].to_numpy()
    predicted, errors = np.empty(len(truth)), []
    for others, part in KFold(4, shuffle=True, random_state=5).split(rows):
        predicted[part] = LinearRegression().fit(rows[others], truth[others]).predict(rows[part])
        errors.append(metrics.mean_absolute_error(truth[part], predicted[part]))
    assert np.allclose(ran.read_table("scored_results")["Scored Labels"].to_numpy(), predicted)
    results = ran.read_table("evaluation_results")
    assert results["fold"].to_list() == ["0", "1", "2", "3", "mean", "standard deviation"]
    assert results["mean_absolute_error"].to_list() == pytest.approx([*errors, np.mean(errors), np.std(errors, ddof=1)])


def test_folds_have_each_class(tmp_path: Path) -> None:
    cars = classify(CARS, 3)
    learner = (run("decision_forest_classification", tmp_path, number_of_trees=5), "untrained_model")
    given = {"untrained_model": learner, "dataset": cars, "label_column": "class", "number_of_folds": 3}
    numbers = run("cross_validate_model", tmp_path, **given).read_table("scored_results")["Fold Number"].to_numpy()
    splits = StratifiedKFold(3, shuffle=True, random_state=0).split(np.zeros(len(cars)), cars["class"].to_numpy())
    for number, (_, part) in enumerate(splits):
        assert (numbers[part] == number).all()
    with pytest.raises(ComponentError, match="has 39 rows of the rarest class, too few for 41 folds"):
        run("cross_validate_model", tmp_path, **{**given, "number_of_folds": 41})


def test_tuning_finds_the_best_of_a_grid(tmp_path: Path) -> None:
    """The order of the sets is that of scikit-learn's errors, and the best model is trained on all rows."""
    learner = (run("linear_regression", tmp_path), "untrained_model")
    weights = [0.01, 100.0, 100000.0]
    given = {
        "untrained_model": learner,
        "training_dataset": NUMBERS[:90],
        "validation_dataset": NUMBERS[90:],
        "label_column": "price",
        "sweeping_mode": "entire_grid",
        "parameter_ranges": "l2_regularization_weight: 0.01, 100, 100000",
    }
    ran = run("tune_model_hyperparameters", tmp_path, **given)
    rows, truth = NUMBERS.select("size", "weight").to_numpy(), NUMBERS["price"].to_numpy()
    models = [Ridge(alpha=weight).fit(rows[:90], truth[:90]) for weight in weights]
    errors = [metrics.root_mean_squared_error(truth[90:], model.predict(rows[90:])) for model in models]
    results = ran.read_table("sweep_results")
    order = np.argsort(errors)
    assert results["l2_regularization_weight"].to_list() == [weights[index] for index in order]
    assert results["root_mean_squared_error"].to_list() == pytest.approx([errors[index] for index in order])
    scored = run("score_model", tmp_path, trained_model=(ran, "trained_best_model"), dataset=NUMBERS)
    predicted = scored.read_table("scored_dataset")["Scored Labels"].to_numpy()
    assert np.allclose(predicted, models[order[0]].predict(rows))


def test_tuning_draws_some_sets(tmp_path: Path) -> None:
    learner = (run("decision_forest_classification", tmp_path), "untrained_model")
    cars = classify(CARS, 2)
    given = {"untrained_model": learner, "training_dataset": cars, "label_column": "class"}
    ranges = "number_of_trees: 1, 3, 5\nmaximum_depth: 1, 2, 4"
    ran = run("tune_model_hyperparameters", tmp_path, **given, parameter_ranges=ranges, maximum_number_of_runs=4)
    results = ran.read_table("sweep_results")
    assert results.height == results.unique(["number_of_trees", "maximum_depth"]).height == 4
    assert results["accuracy"].to_list() == sorted(results["accuracy"], reverse=True)
    for text, said in (
        ("trees: 1", "decision_forest_classification has no parameter 'trees'; it has number_of_trees"),
        ("number_of_trees 1", "is not of the form NAME: VALUE, VALUE"),
        ("number_of_trees: few", "'few' is no value of number_of_trees"),
    ):
        with pytest.raises(ComponentError, match=said):
            run("tune_model_hyperparameters", tmp_path, **given, parameter_ranges=text)


def test_importance_is_that_of_scikit_learn(tmp_path: Path) -> None:
    trained = train(tmp_path, "linear_regression", NUMBERS[:90], l2_regularization_weight=0)
    given = {"trained_model": (trained, "trained_model"), "test_dataset": NUMBERS[90:], "random_seed": 3}
    found = run("permutation_feature_importance", tmp_path, **given).read_table("feature_importance")
    rows, truth = NUMBERS.select("size", "weight").to_pandas().astype(float), NUMBERS["price"].to_numpy()
    model = LinearRegression().fit(rows[:90], truth[:90])
    expected = permutation_importance(model, rows[90:], truth[90:], scoring="r2", n_repeats=5, random_state=3)
    order = np.argsort(-expected.importances_mean)
    assert found["feature"].to_list() == [["size", "weight"][index] for index in order]
    assert found["importance"].to_list() == pytest.approx(expected.importances_mean[order].tolist())
