"""Each learner, trained and scored by the components, compared with scikit-learn called directly."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    IsolationForest,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.linear_model import LinearRegression, LogisticRegression, PoissonRegressor, Ridge
from sklearn.multiclass import OneVsRestClassifier
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, SVR
from smalt_prebuilt.learners.catalogue import LEARNERS
from smalt_prebuilt.problems import ComponentError

from tests.prebuilt.runs import run
from tests.prebuilt.tables import CARS, classify

TRAINING, TEST = CARS[:90], CARS[90:]
TREES = {"number_of_trees": 30, "maximum_leaves_per_tree": 8, "minimum_samples_per_leaf": 5, "random_seed": 4}
BOOSTED: dict[str, Any] = {
    **{"max_iter": 30, "max_leaf_nodes": 8, "min_samples_leaf": 5, "learning_rate": 0.2, "random_state": 4},
    "early_stopping": False,
}
NETWORK = {"hidden_nodes": "20, 10", "number_of_iterations": 60, "random_seed": 4}
LAYERS: dict[str, Any] = {"hidden_layer_sizes": (20, 10), "max_iter": 60, "random_state": 4}
FOREST = {"number_of_trees": 20, "maximum_depth": 5, "random_seed": 4}
RANDOM: dict[str, Any] = {"n_estimators": 20, "max_depth": 5, "random_state": 4}

REGRESSORS = {
    "linear_regression": ({"l2_regularization_weight": 0}, LinearRegression(), False),
    "boosted_decision_tree_regression": (TREES, HistGradientBoostingRegressor(**BOOSTED), False),
    "decision_forest_regression": (FOREST, RandomForestRegressor(**RANDOM), False),
    "support_vector_regression": ({"kernel": "linear", "c": 100}, SVR(kernel="linear", C=100), True),
    "neural_network_regression": (NETWORK, MLPRegressor(**LAYERS), True),
    "poisson_regression": ({"l2_regularization_weight": 0.1}, PoissonRegressor(alpha=0.1, max_iter=1000), True),
}
CLASSIFIERS = {
    "logistic_regression": ({"l2_regularization_weight": 0.5}, LogisticRegression(C=2, max_iter=1000), True),
    "boosted_decision_tree_classification": (TREES, HistGradientBoostingClassifier(**BOOSTED), False),
    "decision_forest_classification": (FOREST, RandomForestClassifier(**RANDOM), False),
    "support_vector_machine": ({"c": 3}, SVC(C=3), True),
    "neural_network_classification": (NETWORK, MLPClassifier(**LAYERS), True),
}


def make_matrix(frame: pl.DataFrame, scaler: StandardScaler | None = None) -> Any:
    """Return the features as the components prepare them: numbers first, then an indicator for each make."""
    numbers = frame.select("size", "weight", pl.col("diesel").cast(pl.Float64)).to_numpy().astype(float)
    indicators = np.array([[make == one for one in ("audi", "bmw", "kia")] for make in frame["make"]], dtype=float)
    return np.hstack([scaler.transform(numbers) if scaler else numbers, indicators])


def make_scaler() -> StandardScaler:
    return StandardScaler().fit(TRAINING.select("size", "weight", pl.col("diesel").cast(pl.Float64)).to_numpy())


def train_and_score(folder: Path, name: str, given: dict[str, Any], training: pl.DataFrame, test: pl.DataFrame) -> Any:
    learner = run(name, folder, **given)
    label = training.columns[-1]
    trained = run(
        "train_model", folder, untrained_model=(learner, "untrained_model"), dataset=training, label_column=label
    )
    return trained, run("score_model", folder, trained_model=(trained, "trained_model"), dataset=test)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("name", REGRESSORS)
def test_a_regressor_predicts_what_scikit_learn_does(tmp_path: Path, name: str) -> None:
    given, estimator, is_scaled = REGRESSORS[name]
    _, scored = train_and_score(tmp_path, name, given, TRAINING, TEST)
    scaler = make_scaler() if is_scaled else None
    expected = estimator.fit(make_matrix(TRAINING, scaler), TRAINING["price"].to_numpy()).predict(
        make_matrix(TEST, scaler)
    )
    table = scored.read_table("scored_dataset")
    assert np.allclose(table["Scored Labels"].to_numpy(), expected)
    assert table.drop("Scored Labels").equals(TEST)


def test_the_penalty_is_that_of_ridge(tmp_path: Path) -> None:
    given = {"l2_regularization_weight": 5, "include_intercept_term": False}
    _, scored = train_and_score(tmp_path, "linear_regression", given, TRAINING, TEST)
    expected = Ridge(alpha=5, fit_intercept=False).fit(make_matrix(TRAINING), TRAINING["price"].to_numpy())
    predicted = scored.read_table("scored_dataset")["Scored Labels"].to_numpy()
    assert np.allclose(predicted, expected.predict(make_matrix(TEST)))


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("count", [2, 3])
@pytest.mark.parametrize("name", CLASSIFIERS)
def test_a_classifier_predicts_what_scikit_learn_does(tmp_path: Path, name: str, count: int) -> None:
    """Classes, and the probability of the second of two, or of each of three; of support vectors, margins."""
    given, estimator, is_scaled = CLASSIFIERS[name]
    cars = classify(CARS, count)
    training, test = cars[:90], cars[90:]
    _, scored = train_and_score(tmp_path, name, given, training, test)
    scaler = make_scaler() if is_scaled else None
    fitted = estimator.fit(make_matrix(training, scaler), training["class"].to_numpy())
    table = scored.read_table("scored_dataset")
    assert table["Scored Labels"].to_list() == fitted.predict(make_matrix(test, scaler)).tolist()
    margins = name == "support_vector_machine"
    kind = "Scored Margins" if margins else "Scored Probabilities"
    strengths = (fitted.decision_function if margins else fitted.predict_proba)(make_matrix(test, scaler))
    if count == 2:
        strengths = strengths if margins else strengths[:, 1]
        assert np.allclose(table[kind].to_numpy(), strengths)
    else:
        assert np.allclose(table.select(f"{kind}_{label}" for label in fitted.classes_).to_numpy(), strengths)


@pytest.mark.parametrize("name", ["logistic_regression", "support_vector_machine"])
def test_one_class_against_all_others(tmp_path: Path, name: str) -> None:
    """Three classes by a learner for two, tuned and trained as any other."""
    given, estimator, _ = CLASSIFIERS[name]
    cars = classify(CARS, 3)
    base = run(name, tmp_path, **given)
    learner = run("one_vs_all_multiclass", tmp_path, binary_model=(base, "untrained_model"))
    own = {"untrained_model": (learner, "untrained_model"), "label_column": "class"}
    trained = run("train_model", tmp_path, dataset=cars[:90], **own)
    scored = run("score_model", tmp_path, trained_model=(trained, "trained_model"), dataset=cars[90:])
    scaler = make_scaler()
    fitted = OneVsRestClassifier(estimator).fit(make_matrix(cars[:90], scaler), cars[:90]["class"].to_numpy())
    table = scored.read_table("scored_dataset")
    assert table["Scored Labels"].to_list() == fitted.predict(make_matrix(cars[90:], scaler)).tolist()
    tuned = run("tune_model_hyperparameters", tmp_path, training_dataset=cars, maximum_number_of_runs=2, **own)
    assert tuned.read_table("sweep_results").height == 2
    again = run("one_vs_all_multiclass", tmp_path, binary_model=(learner, "untrained_model"))
    made = [(one.folder / "untrained_model/learner.json").read_text() for one in (learner, again)]
    assert made[0] == made[1]
    with pytest.raises(ComponentError, match="binary_model is linear_regression, for regression; here you need one of"):
        run("one_vs_all_multiclass", tmp_path, binary_model=(run("linear_regression", tmp_path), "untrained_model"))


def test_quantiles_are_those_of_the_rows_in_the_leaves(tmp_path: Path) -> None:
    """Weighted as scikit-learn's forest puts rows into leaves; the median is the label that is scored."""
    given = {"number_of_trees": 20, "maximum_depth": 5, "minimum_samples_per_leaf": 4, "random_seed": 4}
    name = "fast_forest_quantile_regression"
    _, scored = train_and_score(tmp_path, name, {**given, "quantiles": "0.1, 0.9"}, TRAINING, TEST)
    forest = RandomForestRegressor(n_estimators=20, max_depth=5, min_samples_leaf=4, random_state=4)
    prices = TRAINING["price"].to_numpy()
    forest.fit(make_matrix(TRAINING), prices)
    known, leaves = forest.apply(make_matrix(TRAINING)), forest.apply(make_matrix(TEST))
    table, order = scored.read_table("scored_dataset"), np.argsort(prices)
    for column, part in (("Scored Quantile 0.1", 0.1), ("Scored Labels", 0.5), ("Scored Quantile 0.9", 0.9)):
        for row, own in enumerate(leaves):
            weights = sum((known[:, tree] == own[tree]) / (known[:, tree] == own[tree]).sum() for tree in range(20))
            reached = np.cumsum(weights[order]) / 20
            assert table[column][row] == prices[order][np.argmax(reached >= part - 1e-9)], (column, row)
    assert (table["Scored Quantile 0.1"] <= table["Scored Quantile 0.9"]).all()
    for text in ("0.5, 1", "half"):
        with pytest.raises(ComponentError, match=f"quantiles is '{text}'; give numbers between 0 and 1"):
            train_and_score(tmp_path, name, {**given, "quantiles": text}, TRAINING, TEST)


def test_classes_keep_their_type(tmp_path: Path) -> None:
    """Whole numbers and booleans are classes, too."""
    for values, type in (([0, 1], pl.Int64), ([True, False], pl.Boolean)):
        cars = CARS.drop("price").with_columns(pl.Series("class", [values[price > 15000] for price in CARS["price"]]))
        _, scored = train_and_score(tmp_path, "logistic_regression", {}, cars[:90], cars[90:])
        table = scored.read_table("scored_dataset")
        assert table.schema["Scored Labels"] == type
        assert (table["Scored Labels"] == table["class"]).mean() > 0.8


def test_boosted_trees_take_missing_values_and_others_say_so(tmp_path: Path) -> None:
    gaps = TRAINING.with_columns(pl.when(pl.col("size") > 2).then(pl.col("size")), pl.lit("kia").alias("make"))
    _, scored = train_and_score(tmp_path, "boosted_decision_tree_regression", TREES, gaps, gaps)
    assert not scored.read_table("scored_dataset")["Scored Labels"].is_nan().any()
    with pytest.raises(
        ComponentError, match="dataset: values are missing in 'size'; clean them with clean_missing_data"
    ):
        train_and_score(tmp_path, "linear_regression", {}, gaps, gaps)


def test_unknown_categories_are_scored(tmp_path: Path) -> None:
    other = TEST.with_columns(pl.lit("fiat").alias("make"))
    _, scored = train_and_score(tmp_path, "decision_forest_regression", FOREST, TRAINING, other)
    assert scored.read_table("scored_dataset")["Scored Labels"].is_not_nan().all()


def test_clusters_are_those_of_scikit_learn(tmp_path: Path) -> None:
    numbers = CARS.select("size", "weight")
    learner = run("k_means_clustering", tmp_path, number_of_centroids=3, random_seed=1)
    given = {"untrained_model": (learner, "untrained_model"), "dataset": CARS[:90], "columns": "size, weight"}
    trained = run("train_clustering_model", tmp_path, **given)
    scaler = StandardScaler().fit(numbers[:90].to_numpy())
    expected = KMeans(3, n_init=10, random_state=1).fit(scaler.transform(numbers[:90].to_numpy()))
    assert trained.read_table("results_dataset")["Assignments"].to_list() == expected.labels_.tolist()
    given = {"trained_model": (trained, "trained_model"), "dataset": CARS[90:]}
    assigned = run("assign_data_to_clusters", tmp_path, **given).read_table("results_dataset")
    rest = scaler.transform(numbers[90:].to_numpy())
    assert assigned["Assignments"].to_list() == expected.predict(rest).tolist()
    names = [f"DistancesToClusterCenter no.{number}" for number in range(3)]
    assert np.allclose(assigned.select(names).to_numpy(), expected.transform(rest))
    with pytest.raises(ComponentError, match="use assign_data_to_clusters"):
        run("score_model", tmp_path, **given)


def test_anomalies_are_those_of_scikit_learn(tmp_path: Path) -> None:
    numbers = CARS.select("size", "weight", "price")
    odd = pl.concat([numbers[90:], pl.DataFrame({"size": [1.0], "weight": [5000], "price": [90000.0]})])
    given = {"number_of_trees": 50, "anomaly_fraction": 0.05, "random_seed": 2}
    found = detect(tmp_path, "isolation_forest_anomaly_detection", given, numbers[:90], odd)
    forest = IsolationForest(n_estimators=50, contamination=0.05, random_state=2).fit(numbers[:90].to_numpy())
    assert found["Scored Labels"].to_list() == (forest.predict(odd.to_numpy()) == -1).astype(int).tolist()
    assert np.allclose(found["Scored Probabilities"].to_numpy(), -forest.score_samples(odd.to_numpy()))
    given = {"number_of_components": 1, "anomaly_fraction": 0.05}
    found = detect(tmp_path, "pca_based_anomaly_detection", given, numbers[:90], odd)
    scaler = StandardScaler().fit(numbers[:90].to_numpy())
    rows = scaler.transform(odd.to_numpy())
    main = PCA(1, random_state=0).fit(scaler.transform(numbers[:90].to_numpy()))
    distances = np.linalg.norm(rows - main.inverse_transform(main.transform(rows)), axis=1)
    assert np.allclose(found["Scored Probabilities"].to_numpy(), distances)
    assert found["Scored Labels"][-1] == 1


def detect(folder: Path, name: str, given: dict[str, Any], training: pl.DataFrame, rows: pl.DataFrame) -> pl.DataFrame:
    learner = run(name, folder, **given)
    trained = run(
        "train_anomaly_detection_model", folder, untrained_model=(learner, "untrained_model"), dataset=training
    )
    return run("score_model", folder, trained_model=(trained, "trained_model"), dataset=rows).read_table(
        "scored_dataset"
    )


def test_a_trained_model_is_one_of_mlflow(tmp_path: Path) -> None:
    """Loaded by MLflow in a process that knows no component, it predicts the same from the raw columns."""
    import subprocess
    import sys

    trained, scored = train_and_score(tmp_path, "linear_regression", {}, TRAINING, TEST)
    rows = tmp_path / "rows.json"
    TEST.drop("price").to_pandas().to_json(rows, orient="records")
    program = (
        "import mlflow.pyfunc, pandas, sys; rows = pandas.read_json(sys.argv[2], orient='records');"
        "rows = rows.astype({'weight': float, 'diesel': float});"
        "print(*mlflow.pyfunc.load_model(sys.argv[1]).predict(rows))"
    )
    command = [sys.executable, "-c", program, str(trained.folder / "trained_model"), str(rows)]
    done = subprocess.run(command, capture_output=True, text=True, cwd="/", env={})
    assert done.returncode == 0, done.stderr
    expected = scored.read_table("scored_dataset")["Scored Labels"].to_numpy()
    assert np.allclose([float(part) for part in done.stdout.split()], expected)


def test_a_model_of_somebody_else_is_scored(tmp_path: Path) -> None:
    import mlflow.sklearn

    frame = CARS.select("size", "weight").to_pandas()
    model = LinearRegression().fit(frame, CARS["price"].to_numpy())
    mlflow.sklearn.save_model(model, str(tmp_path / "own"), serialization_format="cloudpickle")
    scored = run("score_model", tmp_path, trained_model=tmp_path / "own", dataset=CARS.select("size", "weight"))
    assert np.allclose(scored.read_table("scored_dataset")["Scored Labels"].to_numpy(), model.predict(frame))
    with pytest.raises(ComponentError, match="has no file MLmodel"):
        run("score_model", tmp_path, trained_model=tmp_path, dataset=CARS)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (
            {"label_column": "prise"},
            r"label_column: there is no column 'prise' \(did you mean 'price'\?\); the columns",
        ),
        ({"label_column": "make"}, "the label column 'make' is of type String, and regression needs numbers"),
        ({"dataset": TRAINING[:0], "label_column": "price"}, "dataset has no rows"),
        (
            {"dataset": TRAINING.with_columns(pl.lit(None).cast(pl.Float64).alias("price")), "label_column": "price"},
            "90 values are missing in the label column 'price'",
        ),
        (
            {
                "dataset": TRAINING.with_columns(pl.lit("2020-01-01").str.to_date().alias("day")),
                "label_column": "price",
            },
            "column 'day' is of type Date, which is no feature",
        ),
    ],
)
def test_mistakes_of_training_are_sentences(tmp_path: Path, given: dict[str, Any], said: str) -> None:
    learner = run("linear_regression", tmp_path)
    with pytest.raises(ComponentError, match=said):
        run("train_model", tmp_path, **{"untrained_model": (learner, "untrained_model"), "dataset": TRAINING, **given})


def test_mistakes_of_learners_are_sentences(tmp_path: Path) -> None:
    clusters = (run("k_means_clustering", tmp_path, number_of_centroids=500), "untrained_model")
    with pytest.raises(ComponentError, match="is k_means_clustering, for clustering; here you need one of linear_reg"):
        run("train_model", tmp_path, untrained_model=clusters, dataset=TRAINING, label_column="price")
    with pytest.raises(ComponentError, match="number_of_centroids is 500, and the table has 90 rows"):
        run("train_clustering_model", tmp_path, untrained_model=clusters, dataset=TRAINING)
    with pytest.raises(ComponentError, match="untrained_model is no learner"):
        run("train_model", tmp_path, untrained_model=tmp_path, dataset=TRAINING, label_column="price")
    classes = (run("logistic_regression", tmp_path), "untrained_model")
    with pytest.raises(ComponentError, match="which are no classes; choose a learner for regression"):
        run("train_model", tmp_path, untrained_model=classes, dataset=TRAINING, label_column="price")
    network = (run("neural_network_regression", tmp_path, hidden_nodes="many"), "untrained_model")
    with pytest.raises(ComponentError, match="hidden_nodes is 'many'"):
        run("train_model", tmp_path, untrained_model=network, dataset=TRAINING, label_column="price")
    linear = (run("linear_regression", tmp_path), "untrained_model")
    trained = run("train_model", tmp_path, untrained_model=linear, dataset=TRAINING, label_column="price")
    with pytest.raises(ComponentError, match="dataset: there is no column 'size'; the columns are 'make'"):
        run("score_model", tmp_path, trained_model=(trained, "trained_model"), dataset=TEST.select("make"))


def test_a_mark_for_missing_values_is_told_by_its_name(tmp_path: Path) -> None:
    learner = (run("linear_regression", tmp_path), "untrained_model")
    price = pl.col("price").cast(pl.String)
    marked = TRAINING.with_columns(
        pl.when(pl.int_range(pl.len()) < 4).then(pl.lit("?")).otherwise(price).alias("price")
    )
    with pytest.raises(ComponentError, match=r"the value '\?' in 4 of 90 rows is no number; .* set missing_values in"):
        run("train_model", tmp_path, untrained_model=learner, dataset=marked, label_column="price")
    with pytest.raises(ComponentError, match="choose a learner for classification"):
        run("train_model", tmp_path, untrained_model=learner, dataset=TRAINING, label_column="make")


def test_each_learner_is_compared_above() -> None:
    others = {"k_means_clustering", "pca_based_anomaly_detection", "isolation_forest_anomaly_detection"}
    others.add("fast_forest_quantile_regression")
    assert {*REGRESSORS, *CLASSIFIERS, *others} == {*LEARNERS}
