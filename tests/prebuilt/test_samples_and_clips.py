"""Components that clip, sample and describe rows, compared with what polars gives when it is called directly."""

from __future__ import annotations

import math
from collections import Counter
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from smalt_prebuilt.problems import ComponentError

from tests.prebuilt.runs import run

NUMBERS = pl.DataFrame({"a": [*range(101)], "b": [0.0, math.nan, None, *[1.0] * 98], "kind": ["x", *["y"] * 100]})


CONSTANT = {"threshold_kind": "constant", "upper_threshold": 0.5}


def clip(folder: Path, **given: Any) -> pl.DataFrame:
    return run("clip_values", folder, dataset=NUMBERS, columns="a", **given).read_table("results_dataset")


def test_percentiles_of_a_column_are_its_thresholds(tmp_path: Path) -> None:
    """The percentiles of 0 to 100 are the numbers themselves; other columns stay as they are."""
    made = clip(tmp_path, upper_threshold=90, lower_threshold=20)
    assert made["a"].to_list() == [min(90, max(20, value)) for value in range(101)]
    assert made.drop("a").equals(NUMBERS.drop("a"))


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"clip_mode": "clip_peaks", "upper_substitute": "mean"}, {95: 50.0, 90: 90.0, 2: 2.0}),
        ({"clip_mode": "clip_peaks", "upper_substitute": "missing"}, {95: None, 90: 90.0, 2: 2.0}),
        ({"clip_mode": "clip_subpeaks", "lower_substitute": "median"}, {95: 95.0, 2: 50.0, 10: 10.0}),
        ({"upper_substitute": "missing"}, {95: None, 2: 10.0}),
    ],
)
def test_what_stands_for_values_beyond(tmp_path: Path, given: dict[str, Any], expected: dict[int, float]) -> None:
    """Constant thresholds; mean and median are those of the whole column."""
    made = clip(tmp_path, threshold_kind="constant", upper_threshold=90, lower_threshold=10, **given)
    assert {row: made["a"][row] for row in expected} == expected


def test_clipped_columns_beside_those_that_were(tmp_path: Path) -> None:
    made = clip(tmp_path, overwrite=False, add_indicator_columns=True, upper_threshold=90, lower_threshold=0)
    assert made.columns == ["a", "b", "kind", "a_clipped", "a_IsClipped"]
    assert made["a"].to_list() == [*range(101)]
    assert made["a_IsClipped"].to_list() == [value > 90 for value in range(101)]
    gaps = run("clip_values", tmp_path, dataset=NUMBERS, columns="b", clip_mode="clip_peaks", **CONSTANT)
    assert gaps.read_table("results_dataset")["b"].to_list() == [0.0, None, None, *[0.5] * 98]


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"columns": "kind"}, "only numbers can be clipped, and these are none: 'kind'"),
        ({"upper_threshold": 101}, "upper_threshold is 101; give a percentile from 0 to 100"),
        ({"upper_threshold": 5, "lower_threshold": 10}, "lower_threshold is above upper_threshold for column 'a'"),
    ],
)
def test_thresholds_that_cannot_be(tmp_path: Path, given: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ComponentError, match=sentence):
        run("clip_values", tmp_path, dataset=NUMBERS, **{"columns": "a", **given})


def take(folder: Path, frame: pl.DataFrame = NUMBERS, **given: Any) -> pl.DataFrame:
    return run("partition_and_sample", folder, dataset=frame, **given).read_table("results_dataset")


def test_a_sample_is_drawn_by_its_seed(tmp_path: Path) -> None:
    """It has the part of the rows, each once and in order; of a stratification, of each group."""
    made = take(tmp_path, rate_of_sampling=0.2, random_seed=4)
    assert made.height == 20
    assert made["a"].to_list() == sorted({*made["a"]})
    assert made.equals(take(tmp_path, rate_of_sampling=0.2, random_seed=4))
    assert not made.equals(take(tmp_path, rate_of_sampling=0.2, random_seed=5))
    halves = NUMBERS.with_columns(pl.Series("kind", ["x"] * 20 + ["y"] * 81))
    kinds = take(tmp_path, halves, rate_of_sampling=0.5, stratification_column="kind")["kind"]
    assert Counter(kinds) == {"x": 10, "y": 40}
    assert take(tmp_path, mode="head", number_of_rows=7).equals(NUMBERS.head(7))


def test_folds_have_each_row_once(tmp_path: Path) -> None:
    """A fold and its complement are the table; of a stratification, each fold has its share of each group."""
    halves = NUMBERS.with_columns(pl.Series("kind", ["x"] * 20 + ["y"] * 81))
    folded = take(tmp_path, halves, mode="assign_to_folds", number_of_folds=4, stratification_column="kind")
    assert folded.drop("Fold").equals(halves)
    assert sorted(Counter(folded["Fold"]).values()) == [25, 25, 25, 26]
    assert Counter(folded.filter(pl.col("kind") == "x")["Fold"]) == {1: 5, 2: 5, 3: 5, 4: 5}
    one = take(tmp_path, folded, mode="pick_fold", fold=2)
    rest = take(tmp_path, folded, mode="pick_fold", fold=2, pick_complement=True)
    assert one.equals(folded.filter(pl.col("Fold") == 2).drop("Fold"))
    assert sorted([*one["a"], *rest["a"]]) == [*range(101)]


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"mode": "pick_fold"}, "dataset has no column 'Fold'; connect the output of partition_and_sample"),
        ({"mode": "assign_to_folds", "number_of_folds": 102}, "give a number from 2 to the 101 rows of the table"),
        ({"stratification_column": "knd"}, "stratification_column: there is no column 'knd'"),
    ],
)
def test_partitions_that_cannot_be(tmp_path: Path, given: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ComponentError, match=sentence):
        take(tmp_path, **given)


def test_columns_are_described(tmp_path: Path) -> None:
    """Numbers by polars' own figures of what is known; of texts what texts have."""
    made = run("summarize_data", tmp_path, dataset=NUMBERS).read_table("results_dataset")
    a, b, kind = made.rows(named=True)
    numbers = NUMBERS["a"].cast(pl.Float64)
    assert (a["Feature"], a["Count"], a["Unique Value Count"], a["Missing Value Count"]) == ("a", 101, 101, 0)
    assert (a["Min"], a["Max"], a["Range"], a["Mean"], a["Median"], a["P95"], a["P0.5"]) == (
        0,
        100,
        100,
        50,
        50,
        95,
        0.5,
    )
    assert (a["Sample Variance"], a["Sample Standard Deviation"]) == (numbers.var(), numbers.std())
    assert a["Mean Deviation"] == pytest.approx(sum(abs(value - 50) for value in range(101)) / 101)
    assert (a["1st Quartile"], a["3rd Quartile"], a["Sample Skewness"]) == (25, 75, pytest.approx(0))
    assert (b["Missing Value Count"], b["Unique Value Count"], b["Mode"], b["Min"]) == (2, 2, "1.0", 0)
    assert (kind["Mode"], kind["Unique Value Count"], kind["Mean"], kind["P99"]) == ("y", 2, None, None)
    empty = run("summarize_data", tmp_path, dataset=NUMBERS.head(0)).read_table("results_dataset")
    assert empty["Count"].to_list() == [0, 0, 0]
    assert empty["Mean"].to_list() == [None, None, None]
