"""Measure an invocation of a batch endpoint: from the request until its job is recorded and queued, on a warm server.

    python bench/invocations.py [--count N]

A deployment of a pipeline component and one of a model are invoked in turn, by REST over one connection of the local
client; the jobs need no environment. Beside them the same pipeline is submitted as a job. Printed are milliseconds: the
median and the 90th percentile of N invocations each; each job is cancelled before the next one is made.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from smalt import Input, MLClient, load_batch_deployment, load_component, load_job
from smalt.entities import BatchEndpoint
from smalt.machine.home import Home

COMPONENT = """
type: pipeline
name: waiting
version: "1"
inputs: {data: {type: uri_folder}, times: {type: integer, default: 1}}
outputs: {made: {type: uri_folder}}
jobs:
  wait:
    type: command
    inputs: {data: "${{parent.inputs.data}}", times: "${{parent.inputs.times}}"}
    outputs: {made: "${{parent.outputs.made}}"}
    environment: azureml:host
    command: sleep 600; ls ${{inputs.data}} ${{inputs.times}} > ${{outputs.made}}/all
"""
JOB = "type: pipeline\ncomponent: azureml:waiting:1\ninputs: {data: {type: uri_folder, path: data}}\n"
PIPELINE = "name: steps\nendpoint_name: pipe\ntype: pipeline\ncomponent: azureml:waiting:1\n"
MODEL = """
name: scorer
endpoint_name: model
model: {name: weights, path: weights.txt}
code_configuration: {code: code, scoring_script: score.py}
environment: azureml:host
compute: cpu-cluster
"""
SCRIPT = "import time\ndef run(mini_batch):\n    time.sleep(600)\n"


def prepare_endpoints(client: MLClient, folder: Path) -> None:
    (folder / "code").mkdir()
    (folder / "data").mkdir()
    files = {
        "component.yml": COMPONENT, "job.yml": JOB, "pipeline.yml": PIPELINE, "model.yml": MODEL,
        "code/score.py": SCRIPT, "data/a": "a", "weights.txt": "1",
    }  # fmt: skip
    for name, text in files.items():
        (folder / name).write_text(text)
    client.components.create_or_update(load_component(folder / "component.yml"))
    for endpoint, file, deployment in (("pipe", "pipeline.yml", "steps"), ("model", "model.yml", "scorer")):
        client.batch_endpoints.begin_create_or_update(BatchEndpoint(name=endpoint)).result()
        client.batch_deployments.begin_create_or_update(load_batch_deployment(folder / file)).result()
        made = client.batch_endpoints.get(endpoint)
        made.defaults.deployment_name = deployment
        client.batch_endpoints.begin_create_or_update(made).result()


def measure(client: MLClient, submit: Callable[[], str], count: int) -> list[float]:
    """Return the milliseconds of each submission; the first three only warm up."""
    found = []
    for _ in range(count + 3):
        began = time.perf_counter()
        name = submit()
        found.append((time.perf_counter() - began) * 1000)
        client.jobs.begin_cancel(name).wait()
    return sorted(found[3:])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=50)
    count = parser.parse_args().count
    with tempfile.TemporaryDirectory(prefix="smalt-bench-") as place:
        folder = Path(place)
        client = MLClient(home=Home(folder / "home"), show_progress=False)
        prepare_endpoints(client, folder)
        data = Input(path=str(folder / "data"))
        ways: dict[str, Callable[[], str]] = {
            "pipeline deployment": lambda: str(client.batch_endpoints.invoke("pipe", inputs={"data": data}).name),
            "model deployment": lambda: str(client.batch_endpoints.invoke("model", input=data).name),
            "the same pipeline as a job": lambda: str(client.jobs.create_or_update(load_job(folder / "job.yml")).name),
        }
        print("| invoke until queued, ms | median | 90 % |\n|---|---|---|")
        try:
            for way, submit in ways.items():
                found = measure(client, submit, count)
                print(f"| {way} | {statistics.median(found):.1f} | {found[int(len(found) * 0.9)]:.1f} |")
        finally:
            client.connection.post("/smalt/v1/shutdown", {"force": True})


if __name__ == "__main__":
    main()
