"""Pipelines of prebuilt components that really run: `-m integration`, as their packages are installed."""

from __future__ import annotations

import math
import shutil
from pathlib import Path

import polars as pl
import pytest

import yaml
from smalt import prebuilt
from tests.acceptance import conftest
from tests.acceptance.conftest import Desk

pytestmark = pytest.mark.integration
ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first step installs the environment of all."""
    monkeypatch.setattr(conftest, "LONGEST", 900)


def read_output(desk: Desk, job: str, output: str) -> pl.DataFrame:
    assert desk.smalt(f"job download --name {job} --output-name {output} -p {job}").code == 0
    (file,) = (desk.folder / job).rglob(f"{output}/**/data.parquet")
    return pl.read_parquet(file)


def test_the_automobile_sample_predicts_prices(desk: Desk) -> None:
    """Its metrics are those of its scored table, are logged as metrics, and its model is one of MLflow."""
    ran = desk.smalt(f"job create --file {ROOT / 'examples/automobile-price/pipeline.yml'} --name cars --stream")
    assert ran.code == 0, ran.err
    scored = read_output(desk, "cars-score_model", "scored_dataset")
    errors = scored["price"] - scored["Scored Labels"]
    spread = scored["price"] - scored["price"].mean()
    found = read_output(desk, "cars-evaluate_model", "evaluation_results").row(0, named=True)
    assert found["mean_absolute_error"] == pytest.approx(errors.abs().mean())
    assert found["root_mean_squared_error"] == pytest.approx(math.sqrt((errors**2).mean()))
    assert found["coefficient_of_determination"] == pytest.approx(1 - (errors**2).sum() / (spread**2).sum())
    assert found["coefficient_of_determination"] > 0.8
    logged = desk.ask("job metrics --name cars-evaluate_model --query \"[?name=='mean_absolute_error'].value | [0]\"")
    assert float(logged) == pytest.approx(found["mean_absolute_error"])
    whole = read_output(desk, "cars-split_data", "results_dataset1")
    assert whole.height + scored.height == count_whole_rows()
    assert desk.smalt("job download --name cars --output-name model -p model").code == 0
    assert [*(desk.folder / "model").rglob("MLmodel")]


def count_whole_rows() -> int:
    path = ROOT / "examples/automobile-price/data/automobiles.csv"
    table = pl.read_csv(path, null_values="?", infer_schema_length=None).drop("normalized-losses")
    return table.drop_nulls().height


def test_every_component_runs(desk: Desk) -> None:
    """The pipeline of examples has each once; without R, all but its own complete."""
    document = yaml.safe_load(Path(prebuilt.FOLDER, "examples.yml").read_text())
    if shutil.which("Rscript") is None:
        del document["jobs"]["execute_r_script"]
    desk.write("all.yml", yaml.safe_dump(document, sort_keys=False))
    ran = desk.smalt("job create --file all.yml --name all --stream")
    assert ran.code == 0, ran.err
    medians = read_output(desk, "all-execute_python_script", "result_dataset2")
    assert medians.filter(pl.col("make") == "bmw")["price"].to_list() == [(16925 + 20970) / 2]
    exported = desk.smalt("job download --name all-export_data --output-name exported -p out")
    assert exported.code == 0
    (file,) = (desk.folder / "out").rglob("cars.parquet")
    ratios = pl.read_parquet(file)
    assert ratios.group_by("make").agg(pl.col("divide(price)").mean())["divide(price)"].to_list() == pytest.approx(
        [1.0] * 7
    )


def test_a_mistake_of_the_user_is_one_sentence(desk: Desk) -> None:
    """The job's error ends with it; no traceback is shown."""
    text = (
        (ROOT / "examples/automobile-price/pipeline.yml")
        .read_text()
        .replace("label_column: price", "label_column: cost")
    )
    text = text.replace("./data/", f"{ROOT}/examples/automobile-price/data/")
    ran = desk.job(text, "--name wrong")
    assert ran.code == 1
    assert "train_model: label_column: there is no column 'cost'; the columns are 'symboling', 'make'" in ran.err
    assert "Traceback" not in ran.out + ran.err
