"""Batch endpoints whose server is killed during invocations: each request is one job, and each row comes once."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable
from pathlib import Path

import pytest

from smalt import Input, MLClient, load_batch_deployment, load_component
from smalt.entities import BatchEndpoint, PipelineComponentBatchDeployment
from smalt.entities.endpoints import published
from smalt.exceptions import Conflict
from smalt.machine.home import Home
from tests.helpers import Server, eventually

SCRIPT = """
import os, time
from pathlib import Path

def run(mini_batch):
    with open(os.environ["CALLS"], "a") as file:
        file.write(Path(mini_batch[0]).name + "\\n")
    time.sleep(0.1)
    return [Path(one).name for one in mini_batch]
"""
DEPLOYMENT = """
name: scorer
endpoint_name: scored
model: {{name: weights, path: weights.txt}}
code_configuration: {{code: code, scoring_script: score.py}}
environment: azureml:host
compute: cpu-cluster
settings:
  mini_batch_size: 1
  max_concurrency_per_instance: 2
  environment_variables: {{CALLS: "{calls}"}}
"""


def prepare_endpoint(client: MLClient, folder: Path, files: int) -> None:
    """Make an endpoint 'scored' with a default deployment, and data of some files."""
    for name in ("code", "data"):
        (folder / name).mkdir()
    (folder / "weights.txt").write_text("1")
    (folder / "code" / "score.py").write_text(SCRIPT)
    (folder / "deployment.yml").write_text(DEPLOYMENT.format(calls=folder / "calls"))
    for number in range(files):
        (folder / "data" / f"{number:02}.txt").write_text("x")
    client.batch_endpoints.begin_create_or_update(BatchEndpoint(name="scored")).result()
    client.batch_deployments.begin_create_or_update(load_batch_deployment(folder / "deployment.yml")).result()
    endpoint = client.batch_endpoints.get("scored")
    endpoint.default_deployment_name = "scorer"
    client.batch_endpoints.begin_create_or_update(endpoint).result()


def send_while_killed(server: Server, send: Callable[[MLClient, str], str], number: int) -> list[str]:
    """Send each of several requests twice, with an id, while the server is killed; return the names of their jobs.

    `send` returns the name of the job in the answer to a request with an id.
    """
    answers: dict[str, set[str]] = {uuid.uuid4().hex: set() for _ in range(number)}
    is_over = threading.Event()

    def send_all() -> None:
        client = MLClient(home=server.home, show_progress=False)
        try:
            for id in answers:
                for _ in range(2):  # as a caller that never saw the first answer
                    answers[id].add(send(client, id))
        finally:
            is_over.set()

    def count_answers() -> int:
        return sum(map(len, answers.values()))

    caller = threading.Thread(target=send_all)
    caller.start()
    killed = 0
    while not is_over.is_set():
        server.kill()
        server.start_again()
        killed += 1
        seen = count_answers()
        eventually(lambda seen=seen: is_over.is_set() or count_answers() > seen, "an answer")  # type: ignore[misc]
    caller.join()
    assert killed > 3
    assert all(len(names) == 1 for names in answers.values()), answers
    return sorted(name for names in answers.values() for name in names)


def test_no_invocation_is_lost_or_doubled(own_server: Server, tmp_path: Path) -> None:
    """Requests that are sent again until they are answered make one job each, whenever the server is killed."""
    own_server.start()
    client = MLClient(home=own_server.home, show_progress=False)
    prepare_endpoint(client, tmp_path, 1)
    data = {"data": {"jobInputType": "UriFolder", "uri": f"file://{tmp_path}/data"}}
    path = f"{client.batch_endpoints._build_path('scored')}/jobs"

    def invoke(client: MLClient, id: str) -> str:
        headers = {"repeatability_request-id": id}
        return str(client.connection.request("POST", path, {"properties": {"inputData": data}}, headers)["name"])

    names = send_while_killed(own_server, invoke, 24)
    assert sorted(str(job.name) for job in client.batch_endpoints.list_jobs("scored")) == names
    for name in names:
        eventually(lambda name=name: client.jobs.get(name).status == "Completed", name)  # type: ignore[misc]


COMPONENT = """
type: pipeline
name: noting
version: "1"
inputs: {word: {type: string, default: none}}
jobs:
  note:
    type: command
    inputs: {word: "${{parent.inputs.word}}"}
    environment: azureml:host
    command: echo ${{inputs.word}} $AZUREML_RUN_ID >>TRACE
"""


def test_no_request_of_2020_is_lost_or_doubled(own_server: Server, tmp_path: Path) -> None:
    """A published pipeline of SDK v1 runs once for each request with an id, however often that is sent."""
    own_server.start()
    client = MLClient(home=own_server.home, show_progress=False)
    id_of_it, trace = str(uuid.uuid4()), tmp_path / "trace"
    (tmp_path / "noting.yml").write_text(COMPONENT.replace("TRACE", str(trace)))
    client.components.create_or_update(load_component(tmp_path / "noting.yml"))
    client.batch_endpoints.begin_create_or_update(BatchEndpoint(name="notes")).result()
    deployment = PipelineComponentBatchDeployment(
        name="v0",
        endpoint_name="notes",
        component="azureml:noting:1",
        settings={"force_rerun": True},
        properties={published.PIPELINE: id_of_it},
    )
    client.batch_deployments.begin_create_or_update(deployment).result()
    workspace = client.batch_endpoints._build_path("").partition("/batchEndpoints")[0]
    path = f"{published.ROUTE}{workspace}/PipelineRuns/PipelineSubmit/{id_of_it}"

    def submit(client: MLClient, id: str) -> str:
        body = {"ExperimentName": "notes", "ParameterAssignments": {"word": "w"}}
        return str(client.connection.request("POST", path, body, {"repeatability_request-id": id})["Id"])

    names = send_while_killed(own_server, submit, 16)
    for name in names:
        eventually(lambda name=name: client.jobs.get(name).status == "Completed", name)  # type: ignore[misc]
    assert sorted(str(job.name) for job in client.jobs.list()) == names
    assert sorted(trace.read_text().splitlines()) == sorted(f"w {name}-note" for name in names)
    headers = {"repeatability_request-id": "one"}
    client.connection.request("POST", path, {"ExperimentName": "notes"}, headers)
    with pytest.raises(Conflict, match="belongs to another request"):
        client.connection.request("POST", path, {"ParameterAssignments": {"word": "other"}}, headers)


def test_rows_come_once_after_kills(own_server: Server, tmp_path: Path) -> None:
    """A running invocation outlives its server; what it had scored is not scored again."""
    own_server.start()
    client = MLClient(home=Home(own_server.home.root), show_progress=False)
    prepare_endpoint(client, tmp_path, 20)
    job = client.batch_endpoints.invoke("scored", input=Input(path=str(tmp_path / "data")))
    calls = tmp_path / "calls"
    for count in (2, 8, 14):
        eventually(lambda count=count: calls.exists() and len(calls.read_text().split()) >= count, "calls")  # type: ignore[misc]
        own_server.kill()
        own_server.start_again()
    name = str(job.name)
    eventually(lambda: client.jobs.get(name).status == "Completed", name)
    client.jobs.download(name, output_name="score", download_path=tmp_path / "got")
    names = [f"{number:02}.txt" for number in range(20)]
    assert (tmp_path / "got/named-outputs/score/predictions.csv").read_text().split() == names
    assert sorted(calls.read_text().split()) == names
