"""Scripts of the user's own, in Python and in R."""

from __future__ import annotations

import shutil
import zipfile
from pathlib import Path

import polars as pl
import pytest
from smalt_prebuilt.problems import ComponentError

from tests.prebuilt.runs import run
from tests.prebuilt.tables import CARS

PYTHON = """
import pandas as pd

def azureml_main(dataframe1=None, dataframe2=None):
    assert dataframe2 is None
    dataframe1["double"] = dataframe1["price"] * 2
    return dataframe1, dataframe1.groupby("make")["price"].mean()
"""
R = """
azureml_main <- function(dataframe1, dataframe2) {
  stopifnot(is.null(dataframe2), is.logical(dataframe1$diesel), is.numeric(dataframe1$price))
  dataframe1$double <- dataframe1$price * 2
  list(dataframe1, aggregate(price ~ make, dataframe1, mean))
}
"""
GAPS = pl.DataFrame(
    {
        "text": ["a", None, "", "NA", 'x "y", z\nw', "ä"],
        "flag": [True, None, False, True, False, True],
        "whole": [1, None, 3, 4, 5, 6],
        "number": [0.1, None, 1e300, -2.5, 0.0, 1.0],
    }
)
needs_r = pytest.mark.skipif(shutil.which("Rscript") is None, reason="R is not on this machine")


def test_python_gets_and_returns_frames(tmp_path: Path) -> None:
    ran = run("execute_python_script", tmp_path, dataset1=CARS, python_script=PYTHON)
    assert ran.read_table("result_dataset").equals(CARS.with_columns((pl.col("price") * 2).alias("double")))
    means = CARS.group_by("make").agg(pl.col("price").mean()).sort("make")
    assert ran.read_table("result_dataset2")["price"].to_list() == pytest.approx(means["price"].to_list())


def test_the_default_script_returns_its_table(tmp_path: Path) -> None:
    for name in ("execute_python_script", *(["execute_r_script"] if shutil.which("Rscript") else [])):
        ran = run(name, tmp_path, dataset1=CARS)
        assert ran.read_table("result_dataset").equals(
            CARS.cast({"weight": ran.read_table("result_dataset").schema["weight"]})
        )
        assert ran.read_table("result_dataset2").width == 0


@pytest.mark.parametrize("is_packed", [True, False])
def test_python_imports_from_a_bundle(tmp_path: Path, is_packed: bool) -> None:
    name = f"helper_{is_packed}".lower()
    (tmp_path / "bundle").mkdir()
    (tmp_path / f"bundle/{name}.py").write_text("NUMBER = 7\n")
    bundle = tmp_path / "bundle"
    if is_packed:
        bundle = tmp_path / "bundle.zip"
        with zipfile.ZipFile(bundle, "w") as archive:
            archive.write(tmp_path / f"bundle/{name}.py", f"{name}.py")
    script = f"import pandas, {name}\ndef azureml_main():\n    return pandas.DataFrame({{'n': [{name}.NUMBER]}})\n"
    ran = run("execute_python_script", tmp_path, script_bundle=bundle, python_script=script)
    assert ran.read_table("result_dataset").rows() == [(7,)]


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("def main(): pass", r"python_script has no function azureml_main\(dataframe1, dataframe2\)"),
        ("def azureml_main(:", "python_script, line 1: invalid syntax: def azureml_main"),
        (
            "def azureml_main(a, b):\n    return a['prise']",
            r"python_script, line 2 \(return a\['prise'\]\): KeyError: 'prise'",
        ),
        ("def azureml_main(a, b):\n    return 7", "returned a int for result_dataset; return a data frame"),
        ("def azureml_main(a, b):\n    return a, a, a", "returned 3 values; return one data frame, or two"),
    ],
)
def test_faults_of_a_python_script_are_sentences(tmp_path: Path, script: str, said: str) -> None:
    with pytest.raises(ComponentError, match=said):
        run("execute_python_script", tmp_path, dataset1=CARS, python_script=script)


@needs_r
def test_r_gets_and_returns_frames(tmp_path: Path) -> None:
    ran = run("execute_r_script", tmp_path, dataset1=CARS, r_script=R)
    table = ran.read_table("result_dataset")
    assert table["double"].to_list() == pytest.approx((CARS["price"] * 2).to_list())
    assert table["diesel"].to_list() == CARS["diesel"].to_list()
    means = CARS.group_by("make").agg(pl.col("price").mean()).sort("make")
    assert ran.read_table("result_dataset2")["price"].to_list() == pytest.approx(means["price"].to_list())


@needs_r
def test_values_are_the_same_after_r(tmp_path: Path) -> None:
    """Missing values, empty texts, the text NA, quotes, line breaks, and numbers to their last digit."""
    table = run("execute_r_script", tmp_path, dataset1=GAPS).read_table("result_dataset")
    assert table.columns == GAPS.columns
    for name in GAPS.columns:
        assert table[name].to_list() == GAPS[name].to_list(), name


@needs_r
@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("f <- 1", "r_script: there is no function azureml_main"),
        ("azureml_main <- function(a, b) stop('no way')", "r_script: no way"),
        ("azureml_main <- function(a, b) 7", "azureml_main must return a data frame, or a list"),
        ("azureml_main <- function(", "r_script: .*unexpected end of input"),
    ],
)
def test_faults_of_an_r_script_are_sentences(tmp_path: Path, script: str, said: str) -> None:
    with pytest.raises(ComponentError, match=said):
        run("execute_r_script", tmp_path, dataset1=CARS, r_script=script)


def test_a_machine_without_r(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ComponentError, match="R is not on this machine: install it"):
        run("execute_r_script", tmp_path, dataset1=CARS)
