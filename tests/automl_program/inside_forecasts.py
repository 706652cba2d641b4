"""Forecasts in one process: what is known before an origin, and what is validated."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from smalt_automl.forecasting import ForecastRun
from smalt_automl.problems import AutoMLError
from smalt_automl.search import TableSearch
from smalt_automl.settings import RunSettings

HORIZON = 7
METRIC = "normalized_root_mean_squared_error"


class Notes(list[str]):
    """The notes of a run."""


def make_run(folder: Path, frame: pd.DataFrame, test: pd.DataFrame | None = None, **more: Any) -> ForecastRun:
    frame.to_csv(folder / "train.csv", index=False)
    if test is not None:
        test.to_csv(folder / "test.csv", index=False)
    forecasting = {"time_column_name": "day", "forecast_horizon": HORIZON, **more.pop("forecasting", {})}
    fields = {"target_column_name": "y", "forecasting": forecasting, "limits": {"timeout_minutes": 600}, **more}
    settings = RunSettings(
        "forecasting", "y", METRIC, folder / "train.csv", None, None if test is None else folder / "test.csv",
        None, folder, None, False, fields,
    )  # fmt: skip
    notes = Notes()
    run = ForecastRun(settings, notes.append, lambda trial: None)
    run.kept_notes = notes
    return run


def make_series(rows: int = 70) -> pd.DataFrame:
    values = np.random.default_rng(0).normal(size=rows).cumsum() + 50
    return pd.DataFrame({"day": pd.date_range("2022-01-01", periods=rows), "y": values})


def impute(strategy: str) -> dict[str, Any]:
    entry = {"fields": ["y"], "parameters": {"strategy": strategy}}
    return {"featurization": {"transformer_params": {"imputer": [entry]}}}


@pytest.mark.parametrize("strategy", ["ffill", "bfill", "mean", "median"])
def test_nothing_before_an_origin_is_made_of_what_comes_after_it(tmp_path: Path, strategy: str) -> None:
    """Neither the level that stands for lags before the begin, nor what fills the gap before the last origin."""
    found = []
    for added in (0.0, 1000.0):
        frame = make_series()
        frame.loc[60:62, "y"] = np.nan
        frame.loc[63:, "y"] += added  # the last horizon
        lags = {"target_lags": [1, 7], "target_rolling_window_size": 3}
        run = make_run(tmp_path, frame, n_cross_validations=1, forecasting=lags, **impute(strategy))
        run.prepare()
        train, valid = run.data.folds.pairs[0]
        seen: list[Any] = []

        def forecast(frame: Any, grid: Any, places: Any, steps: Any, seen: list[Any] = seen) -> Any:
            seen.append(grid.values)
            return np.zeros(len(frame))

        run._forecast_fold(valid, 0, forecast)
        found.append((run.features.iloc[train], pd.DataFrame(run.data.truth[train]), pd.DataFrame(seen[0])))
        assert run.data.steps[valid].min() == 63
    for one, other in zip(*found, strict=True):
        pd.testing.assert_frame_equal(one, other)


def test_filled_targets_are_not_validated(tmp_path: Path) -> None:
    frame = make_series()
    frame.loc[[64, 66], "y"] = np.nan
    run = make_run(tmp_path, frame, n_cross_validations=1)
    run.prepare()
    (_, valid) = run.data.folds.pairs[0]
    assert sorted(run.data.steps[valid]) == [63, 65, 67, 68, 69]
    rows: list[int] = []

    def forecast(frame: Any, grid: Any, places: Any, steps: Any) -> Any:
        rows.extend(steps)
        return steps.astype(float)

    assert list(run._forecast_fold(valid, 0, forecast)) == list(run.data.steps[valid])
    assert sorted(rows) == list(range(63, 70)), "lags of later rows need the forecasts of these"


def test_a_series_that_a_fold_does_not_validate_is_hidden_there_too(tmp_path: Path) -> None:
    """It began after the fold's origin, so its rows tell of the time that is forecast."""
    frame = pd.concat([make_series().assign(shop="a"), make_series().assign(shop="b").tail(16)])
    run = make_run(tmp_path, frame, n_cross_validations=3, forecasting={"time_series_id_column_names": ["shop"]})
    run.prepare()
    for train, valid in run.data.folds.pairs:
        assert run.data.steps[train].max() < run.data.steps[valid].min()


SERIES_ONLY = {"training": {"allowed_training_algorithms": ["seasonal_naive"]}}


def test_test_rows_without_a_target_are_forecast_and_not_measured(tmp_path: Path) -> None:
    """The others are forecast as well: `predicted` is not their actual value."""
    frame = pd.DataFrame({"day": pd.date_range("2022-01-01", periods=84), "y": [float(n % 7) for n in range(84)]})
    test = frame.tail(14).assign(y=frame.y.tail(14) + 1)
    test.loc[[72, 75, 80], "y"] = np.nan
    result = make_run(tmp_path, frame.head(70), test, **SERIES_ONLY).run()
    predicted = result.test_table["predicted"].to_numpy()
    assert list(predicted[:7]) == [float(n % 7) for n in range(7)]
    assert np.isfinite(predicted).all()
    assert result.test_metrics is not None
    assert result.test_metrics["mean_absolute_error"] > 0.5


def test_test_rows_of_the_time_of_training_are_left_out(tmp_path: Path) -> None:
    """Their targets are known, so a forecast of them tells nothing."""
    frame = make_series()
    run = make_run(tmp_path, frame.head(63), frame.tail(10), **SERIES_ONLY)
    result = run.run()
    assert len(result.test_table) == 7
    assert "test_data: 3 rows that are not after the training data of their series were left out" in run.kept_notes
    with pytest.raises(AutoMLError, match="test_data: no row is after the training data, which end at 2022-03-11"):
        make_run(tmp_path, frame, frame.tail(10), **SERIES_ONLY).prepare()


def test_a_last_fit_that_fails_leaves_the_model_that_was_scored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> None:
        raise MemoryError("no memory")

    monkeypatch.setattr(TableSearch, "fit_final", fail)
    training = {"allowed_training_algorithms": ["elastic_net"], "enable_vote_ensemble": False}
    run = make_run(tmp_path, make_series(), n_cross_validations=1, training=training, limits={"max_trials": 2})
    result = run.run()
    text = "could not be trained on all rows (MemoryError: no memory); the model that was scored stays"
    assert any(text in note for note in run.kept_notes)
    assert np.isfinite(result.model.predict(pd.DataFrame({"day": pd.date_range("2022-03-12", periods=3)}))).all()
