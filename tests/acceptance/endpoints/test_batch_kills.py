"""Batch endpoints whose server is killed during invocations: each request is one job, and each row comes once."""

from __future__ import annotations

import threading
import uuid
from pathlib import Path

from smalt import Input, MLClient, load_batch_deployment
from smalt.entities import BatchEndpoint
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


def test_no_invocation_is_lost_or_doubled(own_server: Server, tmp_path: Path) -> None:
    """Requests that are sent again until they are answered make one job each, whenever the server is killed."""
    own_server.start()
    client = MLClient(home=own_server.home, show_progress=False)
    prepare_endpoint(client, tmp_path, 1)
    data = {"data": {"jobInputType": "UriFolder", "uri": f"file://{tmp_path}/data"}}
    path = f"{client.batch_endpoints._build_path('scored')}/jobs"
    answers: dict[str, set[str]] = {uuid.uuid4().hex: set() for _ in range(24)}
    is_over = threading.Event()

    def invoke_all() -> None:
        mine = MLClient(home=own_server.home, show_progress=False)
        for id in answers:
            for _ in range(2):  # each request comes twice, as from a caller that never saw the first answer
                headers = {"repeatability_request-id": id}
                sent = mine.connection.request("POST", path, {"properties": {"inputData": data}}, headers)
                answers[id].add(sent["name"])
        is_over.set()

    def count_answers() -> int:
        return sum(map(len, answers.values()))

    caller = threading.Thread(target=invoke_all)
    caller.start()
    killed = 0
    while not is_over.is_set():
        own_server.kill()
        own_server.start_again()
        killed += 1
        seen = count_answers()
        eventually(lambda seen=seen: is_over.is_set() or count_answers() > seen, "an answer")  # type: ignore[misc]
    caller.join()
    assert killed > 3
    assert all(len(names) == 1 for names in answers.values())
    jobs = [job.name for job in client.batch_endpoints.list_jobs("scored")]
    assert sorted(jobs) == sorted(name for names in answers.values() for name in names)
    for name in jobs:
        eventually(lambda name=name: client.jobs.get(name).status == "Completed", name, 120)  # type: ignore[misc]


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
    eventually(lambda: client.jobs.get(name).status == "Completed", name, 120)
    client.jobs.download(name, output_name="score", download_path=tmp_path / "got")
    names = [f"{number:02}.txt" for number in range(20)]
    assert (tmp_path / "got/named-outputs/score/predictions.csv").read_text().split() == names
    assert sorted(calls.read_text().split()) == names
