"""Notebooks of SDK v1: cells stay cells, with their magics; files that cells write are upgraded as well."""

from __future__ import annotations

import json

from smalt.v1.upgrade.notebook import upgrade_notebook


def make_notebook(*cells: str) -> str:
    made = [
        {"cell_type": "code", "metadata": {}, "outputs": [{"x": 1}], "execution_count": 1, "source": [cell]}
        for cell in cells
    ]
    document = {"cells": [{"cell_type": "markdown", "metadata": {}, "source": ["# Hi"]}, *made], "metadata": {}}
    return json.dumps({**document, "nbformat": 4, "nbformat_minor": 5}, indent=1)


def read_cells(text: str) -> list[str]:
    return ["".join(cell["source"]) for cell in json.loads(text)["cells"] if cell["cell_type"] == "code"]


def test_cells_and_magics_stay() -> None:
    """What a cell defines is known in the next; each import stands where the old one stood."""
    upgraded = upgrade_notebook(
        make_notebook(
            "%matplotlib inline\nfrom azureml.core import Workspace\n!pip list",
            "# connect\nws = Workspace.from_config()",
            "%%time\nprint(ws.name)",
            "%%bash\necho azureml",
            "x = !ls",
        )
    )
    assert read_cells(upgraded.text) == [
        "%matplotlib inline\nfrom azure.ai.ml import MLClient\n"
        "from azure.identity import DefaultAzureCredential\n!pip list",
        "# connect\nml_client = MLClient.from_config(DefaultAzureCredential())",
        "%%time\nprint(ml_client.workspace_name)",
        "%%bash\necho azureml",
        "x = !ls",
    ]
    assert [(one.cell, one.line) for one in upgraded.findings] == [(2, 2), (3, 2)]


def test_a_script_that_a_cell_writes_is_upgraded() -> None:
    script = "%%writefile train.py\nfrom azureml.core import Run\nrun = Run.get_context()\nrun.log('a', 1)"
    upgraded = upgrade_notebook(make_notebook(script))
    assert read_cells(upgraded.text) == ["%%writefile train.py\nimport mlflow\nmlflow.log_metric('a', 1)"]


def test_a_notebook_without_v1_is_not_touched() -> None:
    text = make_notebook("print(1)")
    assert upgrade_notebook(text).text == text


def test_a_conda_file_that_a_cell_writes_logs_by_mlflow() -> None:
    """It is the environment of scripts that log by MLflow now."""
    conda = "%%writefile conda.yml\ndependencies:\n- python=3.8\n- pip:\n  - azureml-defaults\n"
    cells = [conda, "from azureml.core import Workspace\nws = Workspace.from_config()\n"]
    document = {"cells": [{"cell_type": "code", "source": one, "outputs": []} for one in cells]}
    upgraded = json.loads(upgrade_notebook(json.dumps(document)).text)
    assert "".join(upgraded["cells"][0]["source"]).endswith("- pip:\n  - mlflow-skinny\n  - azureml-mlflow")
