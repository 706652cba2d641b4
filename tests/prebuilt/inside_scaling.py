"""Scales and bins, compared with scikit-learn's own."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from sklearn.preprocessing import KBinsDiscretizer, MinMaxScaler, StandardScaler

from tests.prebuilt.runs import run
from tests.prebuilt.tables import CARS, make_cars

NUMBERS = ["size", "weight", "price"]


@pytest.mark.parametrize(("method", "scaler"), [("z_score", StandardScaler()), ("min_max", MinMaxScaler())])
def test_scales_are_those_of_scikit_learn(tmp_path: Path, method: str, scaler: StandardScaler | MinMaxScaler) -> None:
    """Of the table itself, and of another one by the transformation."""
    ran = run("normalize_data", tmp_path, dataset=CARS, transformation_method=method)
    expected = scaler.fit_transform(CARS.select(NUMBERS).to_numpy())
    assert np.allclose(ran.read_table("transformed_dataset").select(NUMBERS).to_numpy(), expected)
    other = make_cars(20, 8)
    again = run("apply_transformation", tmp_path, dataset=other, transformation=(ran, "transformation_function"))
    made = again.read_table("transformed_dataset")
    assert np.allclose(made.select(NUMBERS).to_numpy(), scaler.transform(other.select(NUMBERS).to_numpy()))
    assert made["make"].equals(other["make"])


def test_functions_of_numbers(tmp_path: Path) -> None:
    from scipy.stats import lognorm

    size = CARS["size"].to_numpy()
    logs = np.log(size)
    for method, expected in (
        ("tanh", np.tanh(size)),
        ("logistic", 1 / (1 + np.exp(-size))),
        ("log_normal", lognorm.cdf(size, s=logs.std(), scale=np.exp(logs.mean()))),
    ):
        ran = run("normalize_data", tmp_path, dataset=CARS, columns="size", transformation_method=method)
        assert np.allclose(ran.read_table("transformed_dataset")["size"].to_numpy(), expected), method


def test_a_constant_column(tmp_path: Path) -> None:
    frame = pl.DataFrame({"a": [3, 3, None]})
    for use_0, expected in ((True, [0.0, 0.0, None]), (False, [None, None, None])):
        ran = run("normalize_data", tmp_path, dataset=frame, use_0_for_constant_columns=use_0)
        assert ran.read_table("transformed_dataset")["a"].to_list() == expected


@pytest.mark.parametrize(("mode", "strategy"), [("quantiles", "quantile"), ("equal_width", "uniform")])
def test_bins_are_those_of_scikit_learn(tmp_path: Path, mode: str, strategy: str) -> None:
    ran = run(
        "group_data_into_bins",
        tmp_path,
        dataset=CARS,
        columns="size, weight",
        binning_mode=mode,
        number_of_bins=5,
        output_mode="in_place",
        tag_columns_as_categorical=False,
    )
    made = ran.read_table("quantized_dataset").select("size", "weight").to_numpy()
    bins = KBinsDiscretizer(5, encode="ordinal", strategy=strategy, quantile_method="linear", subsample=None)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = bins.fit_transform(CARS.select("size", "weight").to_numpy()) + 1
    assert (made == expected).all()


def test_bins_of_own_edges(tmp_path: Path) -> None:
    """An edge belongs to the bin above; missing values have no bin; another table is grouped alike."""
    frame = pl.DataFrame({"a": [-1.0, 0.0, 9.9, 10.0, None, float("nan")]})
    given = {"binning_mode": "custom_edges", "bin_edges": "0, 10", "columns": "a"}
    ran = run("group_data_into_bins", tmp_path, dataset=frame, **given)
    table = ran.read_table("quantized_dataset")
    assert table["a_quantized"].to_list() == ["1", "2", "2", "3", None, None]
    assert table.schema["a_quantized"] == pl.Categorical
    again = run("apply_transformation", tmp_path, dataset=frame[2:4], transformation=(ran, "binning_function"))
    assert again.read_table("transformed_dataset")["a_quantized"].to_list() == ["2", "3"]
