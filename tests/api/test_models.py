"""Models by every name that a user may have for one."""

from __future__ import annotations

from typing import Any

import pytest

from tests.helpers import Server, eventually, host_job

STORE = "azureml://datastores/workspaceartifactstore/paths/ExperimentRun/dcid."


@pytest.fixture
def trained(server: Server, workspace: str) -> str:
    """A job that left a model, registered as `iris` in two versions, the first with an alias and a stage."""
    run(server, workspace, "train", host_job("mkdir outputs/model; echo kept > outputs/model/MLmodel"))
    version(server, workspace, "1", "runs:/train/outputs/model", stage="Production", properties={"aliases": "a, best"})
    version(server, workspace, "2", "azureml://jobs/train/outputs/artifacts/paths/outputs/model/")
    return workspace


@pytest.mark.parametrize(
    "name",
    [
        "runs:/train/outputs/model",
        "azureml://jobs/train/outputs/artifacts/paths/outputs/model",
        "mlflow-artifacts:/ExperimentRun/dcid.train/outputs/model",
        "models:/iris/1",
        "models:/iris/latest",
        "models:/iris@best",
        "models:/iris/Production",
        "azureml:iris:1",
        "azureml:iris@best",
        "azureml:iris@latest",
    ],
)
def test_a_job_reads_a_model_by_each_of_its_names(server: Server, trained: str, name: str) -> None:
    """Runs, MLflow's registry, the job's artifacts and the asset all lead to the same files."""
    source = {"jobInputType": "mlflow_model", "uri": name}
    run(server, trained, "score", host_job("grep kept ${{inputs.m}}/MLmodel", inputs={"m": source}))
    again = {"jobInputType": "mlflow_model", "uri": "azureml:again:1"}
    version(server, trained, "1", name, model="again")
    run(server, trained, "second", host_job("grep kept ${{inputs.m}}/MLmodel", inputs={"m": again}))


def test_a_model_is_kept_as_where_it_lies(server: Server, trained: str) -> None:
    """The path is the datastore's, the job is known, and the same PUT again is the same model."""
    found = version(server, trained, "1", "runs:/train/outputs/model", properties={"aliases": "best"}, status=200)
    assert found["modelUri"] == f"{STORE}train/outputs/model"
    assert found["jobName"] == "train"
    by_alias = server.ask("GET", f"{trained}/models/iris/labels/best").body
    assert by_alias["name"] == "1"


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("runs:/train/none", "runs:/train/none does not exist"),
        ("runs:/nobody/model", "there is no job nobody with an output 'artifacts'"),
        ("models:/iris/7", "models:/iris/7 is not registered"),
        ("models:/iris@worst", "models:/iris@worst is not registered"),
        ("models:/iris/Staging", "models:/iris/Staging is not registered"),
        ("models:/iris", "models:/iris names no model; write models:/NAME/VERSION"),
        ("azureml://jobs/train/outputs/artifacts/paths/none", "does not exist"),
    ],
)
def test_what_is_not_there_is_told_at_once(server: Server, trained: str, name: str, sentence: str) -> None:
    """By the job's submission as by the model's registration, in one sentence, and nothing is kept."""
    source = {"jobInputType": "mlflow_model", "uri": name}
    told = server.ask("PUT", f"{trained}/jobs/no", host_job("true", inputs={"m": source}))
    assert (told.status, sentence in told.body["error"]["message"]) == (400, True), told.body
    told = server.ask("PUT", f"{trained}/models/no/versions/1", {"properties": {"modelUri": name}})
    assert 400 <= told.status < 500
    assert sentence in told.body["error"]["message"]
    assert server.ask("GET", f"{trained}/models/no").status == 404


def version(
    server: Server, workspace: str, number: str, uri: str, model: str = "iris", status: int = 0, **more: Any
) -> dict[str, Any]:
    body = {"properties": {"modelUri": uri, "modelType": "mlflow_model", **more}}
    answer = server.ask("PUT", f"{workspace}/models/{model}/versions/{number}", body)
    assert answer.status in (status or 201, status or 200), answer.body
    properties: dict[str, Any] = answer.body["properties"]
    return properties


def run(server: Server, workspace: str, name: str, body: dict[str, Any]) -> None:
    answer = server.ask("PUT", f"{workspace}/jobs/{name}", body)
    assert answer.status == 201, answer.body
    status = eventually(lambda: _over(server, workspace, name))
    assert status == "Completed"


def _over(server: Server, workspace: str, name: str) -> str:
    status = str(server.ask("GET", f"{workspace}/jobs/{name}").body["properties"]["status"])
    return status if status in ("Completed", "Failed", "Canceled") else ""
