"""Batch deployments of models whose environment is an image, in real containers; skipped where there is no Podman."""

from __future__ import annotations

from pathlib import Path

from smalt import Input, MLClient, load_batch_deployment
from smalt.entities import BatchEndpoint
from tests.helpers import Server, eventually

from .podman import Podman

SCRIPT = """
import glob, os
from pathlib import Path

def init():
    global model
    (model,) = glob.glob(os.environ["AZUREML_MODEL_DIR"] + "/*")

def run(mini_batch):
    weights = Path(model, "weights.txt").read_text().strip()
    Path(os.environ["AZUREML_BI_OUTPUT_PATH"], Path(mini_batch[0]).name + ".side").touch()
    is_inside = Path("/run/.containerenv").exists()
    return [f"{Path(one).name} {weights} {is_inside} {os.environ['WORD']}" for one in mini_batch]
"""
DEPLOYMENT = """
name: scorer
endpoint_name: scored
model: {{name: weighty, path: model}}
code_configuration: {{code: code, scoring_script: score.py}}
environment: {{name: own, version: "1", image: {image}}}
compute: cpu-cluster
settings:
  mini_batch_size: 2
  max_concurrency_per_instance: 2
  environment_variables: {{WORD: inside}}
"""


def test_a_scoring_script_runs_in_its_image(own_server: Server, podman: Podman, tmp_path: Path) -> None:
    """With its model, its variables and its output; rows come once and in order, also after a kill of the server."""
    own_server.set(container_command=podman.command, container_arguments=podman.arguments)
    own_server.start()
    client = MLClient(home=own_server.home, show_progress=False)
    for name in ("model", "code", "data"):
        (tmp_path / name).mkdir()
    (tmp_path / "model/weights.txt").write_text("7")
    (tmp_path / "code/score.py").write_text(SCRIPT)
    for number in range(6):
        (tmp_path / f"data/{number}.txt").write_text("x")
    file = tmp_path / "deployment.yml"
    file.write_text(DEPLOYMENT.format(image=podman.image))
    client.batch_endpoints.begin_create_or_update(BatchEndpoint(name="scored")).result()
    client.batch_deployments.begin_create_or_update(load_batch_deployment(file)).result()
    data = Input(path=str(tmp_path / "data"))
    name = str(client.batch_endpoints.invoke("scored", deployment_name="scorer", input=data).name)
    own_server.kill()
    own_server.start_again()
    over = {"Completed", "Failed", "Canceled"}
    assert eventually(lambda: {client.jobs.get(name).status} & over, name, 180) == {"Completed"}
    client.jobs.download(name, output_name="score", download_path=tmp_path / "got")
    score = tmp_path / "got/named-outputs/score"
    rows = (score / "predictions.csv").read_text().splitlines()
    assert rows == [f"{number}.txt 7 True inside" for number in range(6)], "Podman makes that file in a container"
    assert sorted(one.name for one in score.glob("*.side")) == ["0.txt.side", "2.txt.side", "4.txt.side"]
