"""The program from the command line: tables in, journal and model out."""

from __future__ import annotations

import json
import os
import pickle
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_diabetes, load_iris

LOAD = """
import sys, json, warnings
warnings.simplefilter("ignore")
sys.path[:] = [p for p in sys.path if "shipped" not in p]
import mlflow.pyfunc, pandas as pd
model = mlflow.pyfunc.load_model(sys.argv[1])
assert model.metadata.signature.inputs is not None
print(json.dumps(model.predict(pd.read_json(sys.argv[2])).tolist()))
assert not [name for name in sys.modules if "smalt" in name]
"""


class Ran:
    """What one run of the program left."""

    def __init__(self, folder: Path, code: int, said: str) -> None:
        self.folder, self.code, self.said = folder, code, said
        self.lines = [json.loads(line) for line in (folder / "outputs/automl/journal.jsonl").read_text().splitlines()]
        self.trials = [line for line in self.lines if line["event"] == "trial"]
        self.notes = [line["text"] for line in self.lines if line["event"] == "note"]
        self.last = self.lines[-1]

    def predict(self, frame: pd.DataFrame) -> list[Any]:
        """Predict in a process that has MLflow and no smalt."""
        rows = self.folder / "rows.json"
        frame.to_json(rows)
        command = [sys.executable, "-c", LOAD, str(self.folder / "best"), str(rows)]
        variables = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        done = subprocess.run(command, capture_output=True, text=True, cwd=self.folder, env=variables)
        assert done.returncode == 0, done.stderr
        return list(json.loads(done.stdout.splitlines()[-1]))


def run(folder: Path, frame: pd.DataFrame, more: tuple[str, ...] = (), **settings: Any) -> Ran:
    frame.to_csv(folder / "train.csv", index=False)
    limits = {"timeout_minutes": 2, "max_trials": 3, **settings.pop("limits", {})}
    training = {"enable_model_explainability": False, **settings.pop("training", {})}
    fields = {"task": "classification", "target_column_name": "y", "limits": limits, "training": training, "seed": 1}
    command = [sys.executable, "-m", "smalt_automl", "--training-data", "train.csv", "--best-model", "best", *more]
    variables = {**os.environ, "SMALT_AUTOML_SETTINGS": json.dumps({**fields, **settings})}
    done = subprocess.run(command, cwd=folder, env=variables, capture_output=True, text=True)
    return Ran(folder, done.returncode, done.stderr)


@pytest.fixture(scope="module")
def flowers() -> pd.DataFrame:
    bunch = load_iris(as_frame=True)
    names = bunch.target_names[bunch.target]
    return bunch.data.rename(columns=lambda name: name.replace(" (cm)", "")).assign(y=names)


def test_the_best_model_predicts_labels_without_smalt(tmp_path: Path, flowers: pd.DataFrame) -> None:
    ran = run(tmp_path, flowers, ("--trials", "trials"), n_cross_validations=3)
    assert ran.code == 0, ran.said
    predicted = ran.predict(flowers.drop(columns="y"))
    assert np.mean(np.array(predicted) == flowers["y"]) > 0.9
    assert [trial["number"] for trial in ran.trials] == list(range(len(ran.trials)))
    assert ran.last["event"] == "best"
    assert ran.last["score"] == max(trial["score"] for trial in ran.trials)
    assert {"VotingEnsemble", "StackEnsemble"} <= {trial["algorithm"] for trial in ran.trials}
    for trial in ran.trials:
        assert {"AUC_weighted", "accuracy", "log_loss", "norm_macro_recall"} <= set(trial["metrics"])
        assert (tmp_path / f"trials/{trial['number']}/outputs/mlflow-model/MLmodel").is_file()
    best = tmp_path / f"trials/{ran.last['number']}/outputs"
    for name in ("model.pkl", "conda_env_v_1_0_0.yml", "scoring_file_v_2_0_0.py", "generated_code/script.py"):
        assert (best / name).is_file()
    for name in ("leaderboard.csv", "confusion_matrix.png", "roc_curve.csv", "precision_recall_curve.png"):
        assert (tmp_path / "outputs/automl" / name).stat().st_size


def test_the_same_seed_gives_the_same_first_trial(tmp_path: Path, flowers: pd.DataFrame) -> None:
    """Which algorithm is next depends on how long trials take; the folds and the models do not."""
    scores = []
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        ran = run(tmp_path / name, flowers, n_cross_validations=2, limits={"max_trials": 1})
        scores.append([(trial["algorithm"], trial["hyperparameters"], trial["metrics"]) for trial in ran.trials])
    assert scores[0] == scores[1]


def test_the_scoring_script_predicts(tmp_path: Path, flowers: pd.DataFrame) -> None:
    run(tmp_path, flowers, n_cross_validations=2, limits={"max_trials": 1})
    code = "import scoring_file_v_2_0_0 as s; s.init(); print(s.run({'data': [s.EXAMPLE]}))"
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path / "outputs", capture_output=True, text=True)
    assert "{'Results': ['setosa']}" in done.stdout, done.stdout + done.stderr


def test_the_generated_script_trains_the_best_again(tmp_path: Path, flowers: pd.DataFrame) -> None:
    run(tmp_path, flowers, n_cross_validations=2, limits={"max_trials": 1})
    command = [sys.executable, "script.py", str(tmp_path / "train.csv"), "again.pkl"]
    variables = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    folder = tmp_path / "outputs/generated_code"
    assert subprocess.run(command, cwd=folder, env=variables, capture_output=True).returncode == 0
    frame = flowers.drop(columns="y")
    models = [pickle.loads(path.read_bytes()) for path in (folder / "again.pkl", tmp_path / "outputs/model.pkl")]
    assert list(models[0].predict(frame)) == list(models[1].predict(frame))


def test_only_allowed_algorithms_are_tried(tmp_path: Path, flowers: pd.DataFrame) -> None:
    allowed = ["knn", "decision_tree", "LinearSVM", "multinomial_naive_bayes", "SVM", "SGD", "bernoulli_naive_bayes"]
    training = {
        "allowed_training_algorithms": allowed,
        "enable_vote_ensemble": False,
        "enable_stack_ensemble": False,
    }
    ran = run(tmp_path, flowers, n_cross_validations=2, training=training, limits={"max_trials": 20})
    assert len(ran.trials) == 20
    assert {trial["status"] for trial in ran.trials} == {"Completed"}
    names = {"KNN", "DecisionTree", "LinearSVM", "MultinomialNaiveBayes", "SVM", "SGD", "BernoulliNaiveBayes"}
    assert {trial["algorithm"] for trial in ran.trials} <= names


def test_the_exit_score_ends_the_search(tmp_path: Path, flowers: pd.DataFrame) -> None:
    ran = run(tmp_path, flowers, n_cross_validations=2, limits={"exit_score": 0.5, "max_trials": 50})
    assert any("the exit score 0.5 was reached" in note for note in ran.notes)


def test_folds_without_a_rare_class_do_not_fail_a_trial(tmp_path: Path) -> None:
    """Six rows of a class are in six of the ten folds; the area under the curve is the mean over those."""
    x = np.random.default_rng(0).random(200)
    frame = pd.DataFrame({"x": x, "y": np.where(x >= np.sort(x)[-6], "rare", "usual")})
    ran = run(tmp_path, frame, ("--trials", "trials"))
    assert ran.code == 0, ran.said
    assert "validation: 10 folds, since the table has 200 rows" in ran.notes
    assert {trial["status"] for trial in ran.trials} == {"Completed"}
    assert ran.last["metrics"]["AUC_weighted"] > 0.9


def test_an_ensemble_that_cannot_be_made_leaves_the_trials(tmp_path: Path, flowers: pd.DataFrame) -> None:
    training = {"stack_ensemble_settings": {"stack_meta_learner_kwargs": {"nonsense": 1}}}
    ran = run(tmp_path, flowers, n_cross_validations=2, training=training)
    assert ran.code == 0, ran.said
    assert any(note.startswith("the stack ensemble could not be made: TypeError: ") for note in ran.notes)
    assert {trial["algorithm"] for trial in ran.trials} >= {"VotingEnsemble"}


def test_rows_of_no_weight_teach_nothing(tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    x = generator.random(300)
    frame = pd.DataFrame({"x": x, "y": np.where(x > 0.5, "high", "low"), "w": 1.0})
    wrong = frame.assign(y=np.where(x > 0.5, "low", "high"), w=0.0)
    both = pd.concat([frame, wrong, wrong], ignore_index=True)
    training = {"allowed_training_algorithms": ["light_gbm"]}
    ran = run(tmp_path, both, weight_column_name="w", n_cross_validations=3, training=training)
    assert ran.code == 0, ran.said
    assert ran.last["metrics"]["accuracy"] > 0.95
    predicted = ran.predict(pd.DataFrame({"x": [0.1, 0.9]}))
    assert predicted == ["low", "high"]


def test_regression_with_test_rows(tmp_path: Path) -> None:
    frame = load_diabetes(as_frame=True).frame.rename(columns={"target": "y"})
    ran = run(tmp_path, frame, task="regression", test_data_size=0.2, n_cross_validations=2, primary_metric="r2_score")
    assert ran.code == 0, ran.said
    assert ran.last["test_metrics"]["r2_score"] > 0.2
    assert len(pd.read_csv(tmp_path / "outputs/predictions.csv")) == round(0.2 * len(frame))
    assert (tmp_path / "outputs/automl/residuals.png").is_file()


def series(rows: int = 120) -> pd.DataFrame:
    days = pd.date_range("2022-01-01", periods=rows)
    wave = np.tile([10, 12, 15, 14, 11, 3, 2], rows // 7 + 1)[:rows]
    parts = [
        pd.DataFrame({"day": days, "shop": name, "price": 1.0, "y": wave * size})
        for name, size in (("a", 1.0), ("b", 5.0))
    ]
    return pd.concat(parts, ignore_index=True)


def test_a_forecast_continues_each_series(tmp_path: Path) -> None:
    frame = series()
    train, test = frame[frame.day < "2022-04-24"], frame[frame.day >= "2022-04-24"]
    forecasting = {"time_column_name": "day", "time_series_id_column_names": ["shop"], "forecast_horizon": 7}
    ran = run(tmp_path, train, task="forecasting", forecasting=forecasting, limits={"max_trials": 8})
    assert ran.code == 0, ran.said
    model = pickle.loads((tmp_path / "outputs/model.pkl").read_bytes())
    assert np.allclose(model.predict(test.drop(columns="y")), test["y"], rtol=0.05)
    shuffled = test.sample(frac=1, random_state=1)
    assert np.allclose(model.predict(shuffled.drop(columns="y")), shuffled["y"], rtol=0.05)
    model.quantiles = [0.1, 0.9]
    table = model.forecast_quantiles(test.drop(columns="y"))
    assert (table[0.1] <= table[0.9]).all()


@pytest.mark.parametrize(
    ("times", "next_time", "frequency"),
    [
        (range(1980, 2020), 2020, "YS-JAN"),
        ([int(day) for day in pd.date_range("2020-01-20", periods=40).strftime("%Y%m%d")], 20200229, "D"),
    ],
)
def test_times_may_be_whole_numbers(tmp_path: Path, times: Any, next_time: int, frequency: str) -> None:
    """Of years or of days, in the table and in what the model forecasts."""
    frame = pd.DataFrame({"when": list(times), "y": np.arange(40.0)})
    training = {"allowed_training_algorithms": ["naive"]}
    forecasting = {"time_column_name": "when", "forecast_horizon": 3}
    ran = run(tmp_path, frame, task="forecasting", forecasting=forecasting, training=training)
    assert ran.code == 0, ran.said
    assert f"the frequency is {frequency}, the horizon 3" in " ".join(ran.notes)
    assert not any("were filled" in note for note in ran.notes)
    assert ran.predict(pd.DataFrame({"when": [next_time]})) == [39.0]


def test_numbers_that_are_no_times_are_one_sentence(tmp_path: Path, flowers: pd.DataFrame) -> None:
    forecasting = {"time_column_name": "sepal length"}
    ran = run(tmp_path, flowers.assign(y=1.0), task="forecasting", forecasting=forecasting)
    assert ran.code == 2
    assert "'sepal length' of training_data has 5.1, which is no time; write 2020-01-31, or a number for" in ran.said


DAILY = {"time_column_name": "day", "forecast_horizon": 7, "target_aggregate_function": "sum", "frequency": "D"}


def test_days_without_rows_are_missing_and_not_0(tmp_path: Path) -> None:
    """They are filled as other gaps are; the test data are aggregated as well."""
    hours = pd.DataFrame({"day": pd.date_range("2022-01-01", periods=24 * 70, freq="h"), "y": 1.0})
    hours = hours[hours.day.dt.day_of_year != 20]
    is_test = hours.day >= "2022-03-05"
    hours[is_test].to_csv(tmp_path / "test.csv", index=False)
    more = ("--test-data", "test.csv")
    training = {"allowed_training_algorithms": ["average"]}
    ran = run(tmp_path, hours[~is_test], more, task="forecasting", forecasting=DAILY, training=training)
    assert ran.code == 0, ran.said
    assert "1 missing values of the target were filled" in ran.notes
    assert ran.last["test_metrics"]["mean_absolute_error"] == 0
    assert len(pd.read_csv(tmp_path / "outputs/predictions.csv")) == 7


def test_test_data_beside_the_grid_are_refused_before_the_search(tmp_path: Path) -> None:
    frame = series().query("shop == 'a'").drop(columns=["shop", "price"])
    frame.tail(7).assign(day=frame.day + pd.Timedelta(hours=5)).to_csv(tmp_path / "test.csv", index=False)
    forecasting = {"time_column_name": "day", "forecast_horizon": 7}
    ran = run(tmp_path, frame.head(113), ("--test-data", "test.csv"), task="forecasting", forecasting=forecasting)
    assert (ran.code, ran.trials) == (2, [])
    assert (
        "test_data: the time 2022-04-24 05:00:00 is before the training data, or not on the frequency 'D'" in ran.said
    )


@pytest.mark.parametrize("lags", ["auto", [1, 7]])
def test_validation_knows_nothing_after_its_origin(tmp_path: Path, lags: Any) -> None:
    """A random walk is best forecast by its last value; who sees values of the horizon has a better score."""
    generator = np.random.default_rng(3)
    noise = generator.normal(size=300)
    frame = pd.DataFrame({"day": pd.date_range("2022-01-01", periods=300), "y": np.cumsum(noise)})
    forecasting = {"time_column_name": "day", "forecast_horizon": 20, "target_lags": lags}
    training = {"allowed_training_algorithms": ["elastic_net", "naive"], "enable_vote_ensemble": False}
    ran = run(tmp_path, frame, task="forecasting", forecasting=forecasting, training=training, limits={"max_trials": 5})
    naive = next(trial["score"] for trial in ran.trials if trial["algorithm"] == "Naive")
    linear = [trial["score"] for trial in ran.trials if trial["algorithm"] == "ElasticNet"]
    assert min(linear) > 0.5 * naive


@pytest.mark.parametrize(
    ("change", "settings", "sentence"),
    [
        ({}, {"target_column_name": "z"}, "target_column_name: the training data have no column 'z'"),
        ({"y": 1}, {}, "target_column_name: the column 'y' has one class only"),
        ({}, {"positive_label": "rose"}, "positive_label: the target has no class 'rose'"),
        ({}, {"task": "regression"}, "which is no number, in a regression"),
        ({}, {"weight_column_name": "w"}, "weight_column_name: the training data have no column 'w'"),
        ({"w": -1}, {"weight_column_name": "w"}, "weight_column_name: the column 'w' has -1, which is no weight;"),
        (
            {"w": "abc"},
            {"weight_column_name": "w"},
            "weight_column_name: the column 'w' has 'abc', which is no weight;",
        ),
        ({"w": 0}, {"weight_column_name": "w"}, "weight_column_name: all weights of the column 'w' are 0"),
        ({"y": 1.5}, {"task": "regression"}, "target_column_name: the column 'y' has one value only, 1.5"),
        (
            {"y": np.inf},
            {"task": "regression"},
            "the target 'y' has inf, which is no finite number, in a regression",
        ),
        ({}, {"primary_metric": "r2_score"}, "primary_metric: 'r2_score' is no primary metric of classification"),
        (
            {},
            {"featurization": {"column_name_and_types": {"petal": "Text"}}},
            "featurization.column_name_and_types: the training data have no column 'petal'",
        ),
    ],
)
def test_a_mistake_is_one_sentence(
    tmp_path: Path, flowers: pd.DataFrame, change: dict[str, Any], settings: dict[str, Any], sentence: str
) -> None:
    ran = run(tmp_path, flowers.assign(**change), **settings)
    assert ran.code == 2
    assert sentence in ran.said
    assert "Traceback" not in ran.said
    assert ran.last["event"] == "error"


def test_sigterm_ends_the_search_with_the_best_so_far(tmp_path: Path, flowers: pd.DataFrame) -> None:
    flowers.to_csv(tmp_path / "train.csv", index=False)
    fields = {"task": "classification", "target_column_name": "y", "limits": {"timeout_minutes": 30}, "seed": 1}
    command = [sys.executable, "-u", "-m", "smalt_automl", json.dumps(fields), "--training-data", "train.csv"]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            while "trial" not in process.stdout.readline():
                assert process.poll() is None
            process.send_signal(signal.SIGTERM)
            process.stdout.read()
            assert process.wait() == 0
        finally:
            process.kill()
    assert json.loads((tmp_path / "outputs/automl/result.json").read_text())["event"] == "best"
