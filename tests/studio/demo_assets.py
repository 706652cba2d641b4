"""Assets, endpoints and schedules for the pictures of the studio, made of what jobs really wrote."""

from __future__ import annotations

import time
from typing import Any

from tests.helpers import Server, host_job

STORE = "azureml://datastores/workspaceblobstore/paths"
CLEAN = (
    "printf 'pickup_hour,distance_km,fare\\n' > ${{outputs.d}}/fares.csv; for k in $(seq 1 240); do"
    ' echo "$((k % 24)),$((k % 19)).$((k % 7)),$((4 + k * 7 % 53)).50" >> ${{outputs.d}}/fares.csv; done'
)
MLMODEL = (
    "flavors:\\n  python_function:\\n    loader_module: mlflow.sklearn\\n  sklearn:\\n    sklearn_version: 1.5.2\\n"
    "mlflow_version: 2.20.0\\nsignature:\\n"
    '  inputs: \'\\\'\'[{"type": "long", "name": "pickup_hour"}, {"type": "double", "name": "distance_km"}]\'\\\'\'\\n'
    '  outputs: \'\\\'\'[{"type": "double", "name": "fare"}]\'\\\'\'\\n'
)
SCRIPT = """import json

def init():
    print("the model is loaded")

def run(raw):
    return {"fares": [round(4 + 2.3 * km, 2) for _, km in json.loads(raw)["data"]]}
"""
CONDA = "dependencies:\n- python=3.11\n- pip\n- pip:\n  - azureml-inference-server-http\n"


def put(server: Server, workspace: str, path: str, properties: dict[str, Any], **beside: Any) -> Any:
    answer = server.ask("PUT", f"{workspace}/{path}", {**beside, "properties": properties})
    if answer.status >= 400:
        raise RuntimeError(f"{path}: {answer.body}")
    return answer.body


def run_demo_job(server: Server, workspace: str, name: str, command: str, **more: Any) -> None:
    body = host_job(command, displayName=name.replace("_", "-"), experimentName="fares", **more)
    put(server, workspace, f"jobs/{name}", body["properties"])
    list(server.stream(f"/smalt/v1{workspace}/jobs/{name}/stream"))


def add_assets(server: Server, workspace: str) -> None:
    """Register data that a job made, a model that another trained on it, components, an environment and a schedule."""
    for name, text, tags in (
        ("captions", "Captions of the photographs", {"team": "vision"}),
        ("iris", "Fisher's irises", {"source": "uci", "licence": "cc-by"}),
        ("rooms", "Asking prices by number of rooms", {"team": "housing"}),
        ("fares", "Taxi fares of one night, cleaned", {"team": "mobility"}),
    ):
        for version in ("1", "2", "3") if name == "fares" else ("1",):
            uri = f"{STORE}/{name}/{version}/"
            body = {"dataType": "uri_folder", "dataUri": uri, "description": text, "tags": tags}
            put(server, workspace, f"data/{name}/versions/{version}", body)
    out = {"d": {"jobOutputType": "uri_folder", "uri": f"{STORE}/fares/3/"}}
    run_demo_job(server, workspace, "clean_fares", CLEAN, outputs=out)
    fares = {"d": {"jobInputType": "uri_folder", "uri": f"{workspace}/data/fares/versions/3"}}
    train = f"wc -l ${{{{inputs.d}}}}/fares.csv; printf '{MLMODEL}' > ${{{{outputs.m}}}}/MLmodel"
    for name in ("train_fares", "train_again"):
        run_demo_job(server, workspace, name, train, inputs=fares, outputs={"m": {"jobOutputType": "uri_folder"}})
    model = {"modelType": "mlflow_model", "modelUri": "azureml://jobs/train_fares/outputs/m", "stage": "Production"}
    model |= {"description": "Gradient-boosted fares", "tags": {"auc": "0.91"}}
    put(server, workspace, "models/fare-model/versions/1", model)
    uses = {"m": {"jobInputType": "mlflow_model", "uri": f"{workspace}/models/fare-model/versions/1"}}
    run_demo_job(server, workspace, "score_night", "ls ${{inputs.m}}", inputs=uses)
    add_component(server, workspace)
    trigger = {"triggerType": "Recurrence", "frequency": "Day", "interval": 1, "timeZone": "W. Europe Standard Time"}
    job = host_job("true", experimentName="fares")["properties"]
    schedule = {"displayName": "Nightly fares", "description": "Scores the fares of each night"}
    schedule |= {"trigger": {**trigger, "schedule": {"hours": [2], "minutes": [30]}}}
    schedule |= {"action": {"actionType": "CreateJob", "jobDefinition": job}}
    put(server, workspace, "schedules/nightly-fares", schedule)
    for day in (27, 28, 29):
        moment = {"scheduleTime": f"2026-11-{day}T01:30:00Z"}
        server.ask("POST", f"{workspace}/schedules/nightly-fares/trigger", moment)


def add_component(server: Server, workspace: str) -> None:
    inputs = {
        "data": {"type": "uri_folder", "description": "rows to learn from"},
        "trees": {"type": "integer", "min": 1, "max": 2000, "default": 300},
        "rate": {"type": "number", "min": 0, "max": 1, "default": 0.1, "optional": True},
    }
    spec = {
        "type": "command", "name": "train_trees", "version": "1", "display_name": "Train trees",
        "description": "Fits boosted trees and saves them with MLflow.", "environment": "azureml:host@latest",
        "command": "python train.py --trees ${{inputs.trees}} ${{inputs.data}} ${{outputs.model}}",
        "inputs": inputs, "outputs": {"model": {"type": "mlflow_model"}},
    }  # fmt: skip
    put(server, workspace, "components/train_trees/versions/1", {"isAnonymous": False, "componentSpec": spec})


def add_endpoint(server: Server, workspace: str) -> None:
    """Serve a scoring script behind an endpoint, and wait until it answers."""
    place = f"/smalt/v1{workspace}/datastores/workspaceblobstore/files/scorer/score.py"
    assert server.ask("PUT", place, raw=SCRIPT.encode()).status == 200
    put(server, workspace, "codes/scorer/versions/1", {"codeUri": f"{STORE}/scorer/"})
    put(server, workspace, "environments/scoring/versions/1", {"image": "python:3.11", "condaFile": CONDA})
    endpoint = {"authMode": "Key", "description": "Fares while you wait"}
    put(server, workspace, "onlineEndpoints/fares-now", endpoint, location="local")
    deployment = {
        "endpointComputeType": "Managed", "instanceType": "Standard_DS3_v2",
        "environmentId": f"{workspace}/environments/scoring/versions/1",
        "codeConfiguration": {"codeId": f"{workspace}/codes/scorer/versions/1", "scoringScript": "score.py"},
    }  # fmt: skip
    path = "onlineEndpoints/fares-now/deployments/blue"
    put(server, workspace, path, deployment, location="local", sku={"name": "Default", "capacity": 1})
    for _ in range(300):
        state = server.ask("GET", f"{workspace}/{path}").body["properties"]["provisioningState"]
        if state in ("Succeeded", "Failed"):
            break
        time.sleep(0.5)
    put(server, workspace, "onlineEndpoints/fares-now", {**endpoint, "traffic": {"blue": 100}}, location="local")
