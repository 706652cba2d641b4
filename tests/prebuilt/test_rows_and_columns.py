"""Components that choose, split and bring together rows and columns, compared with polars called directly."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from smalt_prebuilt.problems import ComponentError

from tests.prebuilt.runs import run

CARS = pl.DataFrame(
    {
        "make": ["audi", "bmw", "vw", "kia", "audi", "bmw", "vw", "kia"],
        "engine-size": [1.0, 1.5, 2.0, None, 3.0, 3.5, 4.0, 4.5],
        "engine-type": ["a", "b", "a", "b", None, "b", "a", "b"],
        "price": [10, 20, 30, 40, 50, 60, 70, 80],
    }
)


def test_rows_that_are_entered(tmp_path: Path) -> None:
    """Quotes, empty values, tabs, and names where there is no header."""
    text = '\na,b\n1,"x, y"\n,z\n'
    entered = run("enter_data_manually", tmp_path, data=text).read_table("dataset")
    assert entered.to_dict(as_series=False) == {"a": [1, None], "b": ["x, y", "z"]}
    entered = run("enter_data_manually", tmp_path, data="1\tx\n2\ty", data_format="tsv", has_header=False)
    assert entered.read_table("dataset").to_dict(as_series=False) == {"Col1": [1, 2], "Col2": ["x", "y"]}
    with pytest.raises(ComponentError, match="data is empty"):
        run("enter_data_manually", tmp_path, data=" \n")


@pytest.mark.parametrize(
    ("columns", "names"),
    [
        ("price, make", ["price", "make"]),
        ("engine-*", ["engine-size", "engine-type"]),
        ("@numeric", ["engine-size", "price"]),
        ("@all, !price", ["make", "engine-size", "engine-type"]),
        ("!engine-*", ["make", "price"]),
        ("@text\nprice", ["make", "engine-type", "price"]),
        ('"make"', ["make"]),
    ],
)
def test_columns_that_are_selected(tmp_path: Path, columns: str, names: list[str]) -> None:
    selected = run("select_columns_in_dataset", tmp_path, dataset=CARS, columns=columns)
    assert selected.read_table("results_dataset").equals(CARS.select(names))


def test_a_column_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ComponentError) as raised:
        run("select_columns_in_dataset", tmp_path, dataset=CARS, columns="make, prise")
    assert str(raised.value) == (
        "columns: there is no column 'prise' (did you mean 'price'?); the columns are 'make', 'engine-size', "
        "'engine-type', 'price'"
    )
    with pytest.raises(ComponentError, match="'@numbers' is no kind of columns; the kinds are @all, @numeric"):
        run("select_columns_in_dataset", tmp_path, dataset=CARS, columns="@numbers")


@pytest.mark.parametrize("fraction", [0.0, 0.25, 0.5, 0.7, 1.0])
def test_a_split_has_each_row_once(tmp_path: Path, fraction: float) -> None:
    """The part that was asked for, in the order of the rows; the same for the same seed."""
    made = [run("split_data", tmp_path, dataset=CARS, fraction=fraction, random_seed=seed) for seed in (1, 1)]
    first, second = (made[0].read_table(f"results_dataset{number}") for number in (1, 2))
    assert (first.height, second.height) == (round(8 * fraction), 8 - round(8 * fraction))
    assert pl.concat([first, second]).sort("price").equals(CARS)
    assert first.equals(first.sort("price"))
    assert made[1].read_table("results_dataset1").equals(first)


def test_splits_of_each_kind(tmp_path: Path) -> None:
    """First rows, parts of groups, texts, comparisons; missing values are in the second table."""
    plain = run("split_data", tmp_path, dataset=CARS, fraction=0.25, randomized_split=False)
    assert plain.read_table("results_dataset1").equals(CARS[:2])
    groups = run("split_data", tmp_path, dataset=CARS, stratification_column="make")
    assert groups.read_table("results_dataset1")["make"].sort().to_list() == ["audi", "bmw", "kia", "vw"]
    mode, asked = "regular_expression", {"column": "engine-type", "regular_expression": "^a"}
    found = run("split_data", tmp_path, dataset=CARS, splitting_mode=mode, **asked)
    assert found.read_table("results_dataset1").equals(CARS.filter(pl.col("engine-type") == "a"))
    assert found.read_table("results_dataset2")["price"].to_list() == [20, 40, 50, 60, 80]
    for text, expected in (
        ("> 2", pl.col("engine-size") > 2),
        ("<=1.5", pl.col("engine-size") <= 1.5),
        ("!= 3", pl.col("engine-size") != 3),
    ):
        asked = {"column": "engine-size", "relational_expression": text}
        found = run("split_data", tmp_path, dataset=CARS, splitting_mode="relational_expression", **asked)
        assert found.read_table("results_dataset1").equals(CARS.filter(expected)), text
        assert None in found.read_table("results_dataset2")["engine-size"].to_list()
    texts = {"column": "make", "relational_expression": "== 'vw'"}
    found = run("split_data", tmp_path, dataset=CARS, splitting_mode="relational_expression", **texts)
    assert found.read_table("results_dataset1").equals(CARS.filter(pl.col("make") == "vw"))


def test_mistakes_of_a_split(tmp_path: Path) -> None:
    for given, said in (
        ({"stratification_column": "maker"}, r"did you mean 'make'\?"),
        ({"splitting_mode": "regular_expression", "column": "make"}, "regular_expression is needed"),
        ({"splitting_mode": "regular_expression", "column": "make", "regular_expression": "("}, "is not valid"),
        ({"splitting_mode": "relational_expression", "column": "price"}, "must be a comparison"),
        (
            {"splitting_mode": "relational_expression", "column": "price", "relational_expression": "> x"},
            "'x' is not of the type of column 'price', Int64",
        ),
    ):
        with pytest.raises(ComponentError, match=said):
            run("split_data", tmp_path, dataset=CARS, **given)


def test_parameters_of_another_mode_have_a_line_in_the_log(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Those that were given, or are not their defaults; no others."""
    given = {"splitting_mode": "regular_expression", "column": "make", "regular_expression": "a"}
    run("split_data", tmp_path, dataset=CARS, **given)
    assert "no effect" not in capsys.readouterr().out
    run("split_data", tmp_path, dataset=CARS, **given, fraction=0.7, relational_expression="> 1")
    assert capsys.readouterr().out.splitlines()[:2] == [
        "relational_expression has no effect with splitting_mode regular_expression",
        "fraction has no effect with splitting_mode regular_expression",
    ]
    run("clean_missing_data", tmp_path, dataset=CARS, cleaning_mode="remove_entire_row", replacement_value="9")
    assert "replacement_value has no effect with cleaning_mode remove_entire_row" in capsys.readouterr().out
