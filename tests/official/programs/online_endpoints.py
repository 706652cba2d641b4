"""Online deployments that serve: made, asked, split, changed and deleted, as in Azure's notebooks."""

from __future__ import annotations

import json
import urllib.request

import desk
from azure.ai.ml.entities import (
    CodeConfiguration,
    Environment,
    ManagedOnlineDeployment,
    ManagedOnlineEndpoint,
    Model,
    OnlineRequestSettings,
)
from desk import folder, ml, refused, waited, write

SCRIPT = """import json, os

def init():
    global weight
    with open(os.path.join(os.environ["AZUREML_MODEL_DIR"], "model", "weight.txt")) as file:
        weight = int(file.read())

def run(raw):
    return [weight * each for each in json.loads(raw)["data"]]
"""
CONDA = """name: server
dependencies:
  - pip
  - pip:
    - azureml-inference-server-http
"""


def make_deployment(name: str, weight: int) -> ManagedOnlineDeployment:
    write(f"{name}/model/weight.txt", str(weight))
    write(f"{name}/code/score.py", SCRIPT)
    write("conda.yml", CONDA)
    return ManagedOnlineDeployment(
        name=name,
        endpoint_name="served",
        model=Model(path=str(folder / name / "model")),
        code_configuration=CodeConfiguration(code=str(folder / name / "code"), scoring_script="score.py"),
        environment=Environment(
            conda_file=str(folder / "conda.yml"), image="mcr.microsoft.com/azureml/openmpi4.1.0-ubuntu22.04:latest"
        ),
        instance_type="Standard_DS3_v2",
        instance_count=1,
        request_settings=OnlineRequestSettings(request_timeout_ms=60000),
    )


def it_serves_online_deployments() -> None:
    """Blue and green behind one endpoint, by invoke and by HTTP with a key."""
    endpoint = ManagedOnlineEndpoint(name="served", auth_mode="key")
    waited(ml.online_endpoints.begin_create_or_update(endpoint))
    made = ml.online_deployments.begin_create_or_update(make_deployment("blue", 2)).result()
    assert (made.name, made.provisioning_state) == ("blue", "Succeeded")
    write("request.json", json.dumps({"data": [1, 2]}))
    request = str(folder / "request.json")
    assert ml.online_endpoints.invoke(endpoint_name="served", deployment_name="blue", request_file=request) == "[2, 4]"
    endpoint.traffic = {"blue": 100}
    waited(ml.online_endpoints.begin_create_or_update(endpoint))
    assert ml.online_endpoints.get("served").traffic == {"blue": 100}
    ml.online_deployments.begin_create_or_update(make_deployment("green", 3)).result()
    assert ml.online_endpoints.get("served").traffic == {"blue": 100, "green": 0}
    endpoint.traffic, endpoint.mirror_traffic = {"blue": 100}, {"green": 10}
    assert waited(ml.online_endpoints.begin_create_or_update(endpoint)).mirror_traffic == {"green": 10}
    endpoint.traffic, endpoint.mirror_traffic = {"blue": 0, "green": 100}, {}
    waited(ml.online_endpoints.begin_create_or_update(endpoint))
    found = ml.online_endpoints.get("served")
    key = ml.online_endpoints.get_keys("served").primary_key
    asked = urllib.request.Request(
        found.scoring_uri, json.dumps({"data": [5]}).encode(), {"Authorization": f"Bearer {key}"}
    )
    asked.add_header("Content-Type", "application/json")
    with urllib.request.urlopen(asked) as answer:
        assert json.load(answer) == [15]
    assert "POST /score 200" in ml.online_deployments.get_logs("green", "served", 100)
    blue = ml.online_deployments.get("blue", "served")
    blue.instance_count = 2
    assert ml.online_deployments.begin_create_or_update(blue).result().instance_count == 2
    assert "has 100 percent of the traffic" in refused(
        lambda: ml.online_deployments.begin_delete("green", "served").result()
    )
    waited(ml.online_deployments.begin_delete("blue", "served"))
    assert [one.name for one in ml.online_deployments.list("served")] == ["green"]
    waited(ml.online_endpoints.begin_delete("served"))
    assert "no online endpoint" in refused(lambda: ml.online_endpoints.get("served"))


LOADER = """import pandas

class Doubling:
    def predict(self, data, params=None):
        return (data["x"] * 2).tolist()

def _load_pyfunc(path):
    return Doubling()
"""
MLMODEL = """flavors:
  python_function:
    code: code
    env: {conda: conda.yaml, virtualenv: python_env.yaml}
    loader_module: doubling
    python_version: 3.11.0
signature:
  inputs: '[{"type": "long", "name": "x", "required": true}]'
  outputs: null
  params: null
"""


def it_serves_mlflow_models_without_a_script() -> None:
    """A model alone, asked by Azure's form of request."""
    write("doubling/MLmodel", MLMODEL)
    write("doubling/code/doubling.py", LOADER)
    write("doubling/conda.yaml", "dependencies: [python=3.11, pip, {pip: [mlflow, pandas]}]\n")
    waited(ml.online_endpoints.begin_create_or_update(ManagedOnlineEndpoint(name="doubling", auth_mode="key")))
    deployment = ManagedOnlineDeployment(
        name="alone",
        endpoint_name="doubling",
        model=Model(path=str(folder / "doubling"), type="mlflow_model"),
        instance_type="Standard_DS3_v2",
        instance_count=1,
        request_settings=OnlineRequestSettings(request_timeout_ms=60000),
    )
    ml.online_deployments.begin_create_or_update(deployment).result()
    write("doubling.json", json.dumps({"input_data": {"columns": ["x"], "index": [0, 1], "data": [[1], [5]]}}))
    asked = {"endpoint_name": "doubling", "deployment_name": "alone", "request_file": str(folder / "doubling.json")}
    assert ml.online_endpoints.invoke(**asked) == "[2, 10]"
    waited(ml.online_endpoints.begin_delete("doubling"))


if __name__ == "__main__":
    desk.report()
