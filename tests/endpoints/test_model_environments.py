"""What an MLflow model says of its packages, when a deployment names no environment; models come from strangers."""

from __future__ import annotations

from pathlib import Path

import pytest

import yaml
from smalt.exceptions import SmaltError
from smalt.service.endpoints.batch.mlflow_models import read_environment
from smalt.service.endpoints.online.model_environments import read_model_environment

GROWING = "{" + ", ".join(f"l{k}: &l{k} [{', '.join([f'*l{k - 1}'] * 9) if k else 1}]" for k in range(9)) + "}"
"""Aliases that make half a billion values of some hundred characters."""
TABLE = """signature: {inputs: '[{"name": "a", "type": "double"}]'}"""
TENSOR = """signature: {inputs: '[{"type": "tensor", "tensor-spec": {"dtype": "uint8", "shape": [-1, 8]}}]'}"""


def write_model(folder: Path, more: str, conda: str) -> Path:
    (folder / "MLmodel").write_text(f"flavors: {{python_function: {{env: {{conda: conda.yaml}}}}}}\n{more}\n")
    (folder / "conda.yaml").write_text(conda)
    return folder


@pytest.mark.parametrize(
    ("signature", "pip", "added"),
    [
        (TABLE, ["mlflow==3.1"], []),
        (TABLE, ["mlflow-skinny==3.1"], ["pyarrow"]),
        (TENSOR, ["mlflow==3.1"], ["pillow"]),
        (TENSOR, ["mlflow==3.1", "Pillow"], []),
        (TABLE, [], ["mlflow"]),
        (f"signature: {GROWING}", ["mlflow"], None),
        (f"other: {GROWING}", ["mlflow"], None),
    ],
)
def test_what_a_batch_deployment_adds(tmp_path: Path, signature: str, pip: list[str], added: list[str] | None) -> None:
    """MLflow, what reads images for tensors, and what reads parquet files; of a document without end a sentence."""
    folder = write_model(tmp_path, signature, f"dependencies: [python=3.11, {{pip: {pip}}}]")
    if added is None:
        with pytest.raises(SmaltError, match=r"MLmodel of the model cannot be read: line 2, .* more of it than can be"):
            read_environment(folder)
    else:
        assert read_environment(folder)["dependencies"][1]["pip"] == [*pip, *added]


def test_a_hostile_conda_file_of_a_model(tmp_path: Path) -> None:
    """The file that MLmodel names is refused in a sentence as well."""
    folder = write_model(tmp_path, TABLE, f"dependencies: {GROWING}")
    with pytest.raises(SmaltError, match="the conda file is not YAML that can be read"):
        read_environment(folder)


@pytest.mark.parametrize(
    "name", ["/etc/passwd", "../secret.yml", "link.yml", "sub/../../secret.yml", "a\0b", "huge.yml"]
)
def test_a_model_names_only_its_own_files(tmp_path: Path, name: str) -> None:
    """Neither an absolute path, nor a way or a link out of its folder; nor a file of any size."""
    (tmp_path / "secret.yml").write_text("password: 1")
    folder = tmp_path / "model"
    (folder / "sub").mkdir(parents=True)
    (folder / "link.yml").symlink_to("../secret.yml")
    (folder / "huge.yml").write_text("#" * (1 << 21))
    (folder / "MLmodel").write_text(yaml.safe_dump({"flavors": {"python_function": {"env": {"conda": name}}}}))
    with pytest.raises(SmaltError, match=r"not in the model's folder|cannot be read|more than 1024 KiB"):
        read_model_environment(folder)


@pytest.mark.parametrize("flavors", ["[a]", "{python_function: [a]}", "7", ""])
def test_a_model_without_the_flavor(tmp_path: Path, flavors: str) -> None:
    """It is said what to do, whatever stands there instead."""
    (tmp_path / "MLmodel").write_text(f"flavors: {flavors}\n")
    with pytest.raises(SmaltError, match="add a scoring script"):
        read_model_environment(tmp_path)
