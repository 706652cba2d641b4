"""MLflow models that are deployed without a script; MLflow is installed by the home, so `-m integration` runs them."""

from __future__ import annotations

import json
import struct
import zlib
from pathlib import Path

import polars
import pytest

from smalt import Input, MLClient, load_batch_deployment
from smalt.entities import BatchEndpoint, Model
from tests.helpers import Server

CONDA = """
dependencies:
  - python=3.10
  - pip
  - pip: [mlflow-skinny<3, "pandas<3", "numpy<3"]
"""
LOADER = """
class Adder:
    def predict(self, data, params=None):
        return data["a"] + data["b"]

class Summer:
    def predict(self, data, params=None):
        return data.reshape(len(data), -1).sum(axis=1)

def _load_pyfunc(path):
    with open(path + "/kind") as file:
        return {"adder": Adder, "summer": Summer}[file.read()]()
"""
COLUMNS = [{"name": "a", "type": "long"}, {"name": "b", "type": "double"}]
PIXELS = [{"type": "tensor", "tensor-spec": {"dtype": "float32", "shape": [-1, 2, 2]}}]

pytestmark = pytest.mark.integration


def write_model(folder: Path, kind: str, inputs: list[dict[str, object]]) -> Path:
    """Write a model as MLflow saves it, of code alone."""
    for name in ("code", "data"):
        (folder / name).mkdir(parents=True)
    (folder / "code" / "loader_of_it.py").write_text(LOADER)
    (folder / "data" / "kind").write_text(kind)
    (folder / "conda.yaml").write_text(CONDA)
    flavor = {"loader_module": "loader_of_it", "code": "code", "data": "data", "env": {"conda": "conda.yaml"}}
    described = {"flavors": {"python_function": flavor}, "signature": {"inputs": json.dumps(inputs)}}
    (folder / "MLmodel").write_text(json.dumps(described))
    return folder


def write_image(path: Path, pixels: list[list[int]], colours: int = 1) -> None:
    """Write a PNG, grey or with the three values of each pixel in a row."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", len(pixels[0]) // colours, len(pixels), 8, colours - 1, 0, 0, 0)
    rows = zlib.compress(b"".join(b"\0" + bytes(row) for row in pixels))
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b""))


def score(client: MLClient, folder: Path, model: Path, data: Path, settings: str = "mini_batch_size: 10") -> list[str]:
    """Deploy the model, invoke it, and return the rows."""
    name = model.name
    client.models.create_or_update(Model(name=name, path=str(model), type="mlflow_model"))
    client.batch_endpoints.begin_create_or_update(BatchEndpoint(name=name)).result()
    file = folder / f"{name}.yml"
    text = f"name: d\nendpoint_name: {name}\nmodel: azureml:{name}@latest\ncompute: azureml:cpu-cluster\n"
    file.write_text(f"{text}settings: {{{settings}, retry_settings: {{max_retries: 0}}}}\n")
    client.batch_deployments.begin_create_or_update(load_batch_deployment(file)).result()
    job = client.batch_endpoints.invoke(name, deployment_name="d", input=Input(path=str(data)))
    client.jobs.stream(str(job.name))
    client.jobs.download(str(job.name), output_name="score", download_path=folder / f"{name}-got")
    return (folder / f"{name}-got/named-outputs/score/predictions.csv").read_text().splitlines()


def test_tables_and_images_by_signature(module_server: Server, tmp_path: Path) -> None:
    """Columns get the types of the signature, others are left out; images become tensors of its shape."""
    client = MLClient(home=module_server.home)
    tables = tmp_path / "tables"
    tables.mkdir()
    (tables / "1.csv").write_text("x,b,a\nno,0.5,1\nno,1.5,2\n")
    (tables / "2.jsonl").write_text('{"a": 3, "b": 1}\n')
    (tables / "3.json").write_text('{"dataframe_split": {"columns": ["a", "b"], "data": [[4, 2]]}}')
    polars.DataFrame({"b": [5.0, 6.0], "a": [7, 8], "x": ["no", "no"]}).write_parquet(tables / "5.parquet")
    polars.DataFrame({"a": [9], "b": [0.25]}).write_parquet(tables / "6.pqt")
    (tables / "4.json").write_text('[{"a": 5, "b": 3}, {"a": 6, "b": 4}]')
    rows = score(client, tmp_path, write_model(tmp_path / "adder", "adder", COLUMNS), tables)
    assert rows == [
        "0,1.5,1.csv", "1,3.5,1.csv", "0,4.0,2.jsonl", "0,6.0,3.json", "0,8.0,4.json", "1,10.0,4.json",
        "0,12.0,5.parquet", "1,14.0,5.parquet", "0,9.25,6.pqt",
    ]  # fmt: skip
    images = tmp_path / "images"
    images.mkdir()
    write_image(images / "a.png", [[1, 2], [3, 4]])
    write_image(images / "b.png", [[0, 0], [0, 9]])
    rows = score(client, tmp_path, write_model(tmp_path / "summer", "summer", PIXELS), images)
    assert rows == ["10.0,a.png", "9.0,b.png"]


def test_images_in_colour_and_of_another_size(module_server: Server, tmp_path: Path) -> None:
    """Colours are the last axis; an image that does not fit the signature has no row, and the others have theirs."""
    client = MLClient(home=module_server.home)
    images = tmp_path / "images"
    images.mkdir()
    write_image(images / "a.png", [[1, 2, 3, 1, 2, 3]] * 2, colours=3)
    write_image(images / "b.png", [[1, 2, 3]] * 3)
    write_image(images / "c.png", [[0, 0, 0, 0, 0, 1]] * 2, colours=3)
    pixels: list[dict[str, object]] = [{"type": "tensor", "tensor-spec": {"dtype": "uint8", "shape": [-1, 2, 2, 3]}}]
    rows = score(client, tmp_path, write_model(tmp_path / "colours", "summer", pixels), images, "mini_batch_size: 1")
    assert rows == ["24,a.png", "2,c.png"]
