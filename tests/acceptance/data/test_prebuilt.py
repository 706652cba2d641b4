"""The shipped registry `smalt`: its components are there in every home, and nobody changes them."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from smalt import MLClient, prebuilt
from tests.acceptance.conftest import Desk

ROOT = Path(__file__).resolve().parents[3]
COMPONENTS = Path(prebuilt.FOLDER, "components")


def test_the_registry_is_there(desk: Desk) -> None:
    """In the list of registries, with each component in a version, by label and number, and by Python."""
    assert "smalt" in desk.ask("registry list --query [].name").split()
    names = desk.ask("component list --registry-name smalt --query [].name").split()
    assert sorted(names) == sorted(path.name for path in COMPONENTS.iterdir())
    assert desk.ask("component show -n split_data --label latest --registry-name smalt --query version") == "1"
    assert desk.ask("component show -n split_data -v 1 --registry-name smalt --query display_name") == "Split Data"
    client = MLClient(registry_name="smalt")
    found = client.components.get("split_data", label="latest")
    assert found.id == "azureml://registries/smalt/components/split_data/versions/1"
    assert (found.inputs["fraction"].min, found.inputs["fraction"].max) == (0, 1)
    missing = desk.smalt("component show -n splitdata --label latest --registry-name smalt")
    assert "there is no component 'splitdata@latest' in registry 'smalt'" in missing.err


@pytest.mark.parametrize(
    "command",
    [
        "registry create --name smalt",
        "registry create --name Smalt --folder {folder}/own",
        "registry delete --name smalt --yes",
        "component create --file part.yml --registry-name smalt",
        "component archive -n split_data -v 1 --registry-name smalt",
        "component archive -n split_data --registry-name smalt",
        "data create --name d --path . --registry-name smalt",
    ],
)
def test_nothing_changes_it(desk: Desk, command: str) -> None:
    desk.write("part.yml", "type: command\nname: part\nversion: 1\ncommand: 'true'\nenvironment: azureml:host\n")
    refused = desk.smalt(command.format(folder=desk.folder))
    assert refused.code == 1
    assert "the registry 'smalt' is smalt's own and can only be read" in refused.err


def test_nothing_is_shared_into_it(desk: Desk) -> None:
    desk.write("a.csv", "a\n")
    assert desk.smalt("data create --name d --version 1 --path a.csv --type uri_file").code == 0
    refused = desk.smalt("data share --name d --version 1 --registry-name smalt")
    assert "can only be read" in refused.err
    assert not Path(prebuilt.FOLDER, "data").exists()
    named = desk.smalt(f"config set registry smalt={desk.folder}")
    assert (named.code, "'smalt' are smalt's own" in named.err) == (2, True), named.err


def test_a_pipeline_is_checked_against_its_ports(desk: Desk) -> None:
    """A parameter out of its bounds, a value that is none of the enum's, an input that is not there, at their lines."""
    desk.write("cars.csv", "make,price\naudi,1\n")
    desk.write(
        "job.yml",
        """\
        type: pipeline
        jobs:
          split:
            component: azureml://registries/smalt/components/split_data/labels/latest
            inputs:
              dataset: {type: uri_file, path: ./cars.csv}
              fraction: 1.5
              splitting_mode: halves
              seed: 1
        """,
    )
    refused = desk.smalt("job create --file job.yml")
    assert refused.code == 2
    for said in ("job.yml:7:", "at most 1", "job.yml:8:", "split_rows", "job.yml:9:", "'seed'"):
        assert said in refused.err, refused.err


def test_a_component_comes_into_a_workspace(desk: Desk) -> None:
    assert desk.smalt("component import-from -n split_data -v 1 --registry-name smalt").code == 0
    assert desk.ask("component show -n split_data -v 1 --query display_name") == "Split Data"


def test_components_of_tables_run(desk: Desk) -> None:
    """In this Python, which has polars: texts with quotes and dollars arrive, and tables go from step to step."""
    assert desk.smalt(f"config set host-python {sys.executable}").code == 0
    for name in ("enter_data_manually", "select_columns_in_dataset", "split_data"):
        text = (COMPONENTS / name / "1/component.yml").read_text()
        text = re.sub("(?m)^environment: .*$", "environment: azureml:host", text)
        desk.write(f"{name}.yml", text.replace("../../../code", str(COMPONENTS.parent / "code")))
    desk.write(
        "job.yml",
        '''\
        type: pipeline
        jobs:
          rows:
            component: ./enter_data_manually.yml
            inputs:
              data: |
                a,b
                1,"x'y $HOME `ls`, z"
                2,"say ""hi"""
          select:
            component: ./select_columns_in_dataset.yml
            inputs: {dataset: "${{parent.jobs.rows.outputs.dataset}}", columns: b}
          split:
            component: ./split_data.yml
            inputs:
              dataset: ${{parent.jobs.select.outputs.results_dataset}}
              splitting_mode: regular_expression
              column: b
              regular_expression: \\$HOME
          show:
            command: >-
              python3 -c "import os; import polars as pl; folder = os.environ['AZURE_ML_INPUT_table'];
              print(pl.read_parquet(folder + '/data.parquet').rows())"
            environment: azureml:host
            inputs: {table: "${{parent.jobs.split.outputs.results_dataset1}}"}
        ''',
    )
    ran = desk.smalt("job create --file job.yml --stream")
    assert ran.code == 0, ran.err
    assert 'show | [("x\'y $HOME `ls`, z",)]' in ran.lines, ran.out


@pytest.mark.parametrize("file", ["src/smalt/prebuilt/examples.yml", "examples/automobile-price/pipeline.yml"])
def test_the_examples_are_valid(desk: Desk, file: str) -> None:
    """By the ports of the registry's components: every binding, type, bound and enum."""
    checked = desk.smalt(f"job validate --file {ROOT / file}")
    assert checked.code == 0, checked.err
    assert checked.json["errors"] == []
