"""Scripts of SDK v1 in real jobs, beside a real MLflow."""

from __future__ import annotations

import json
import os
import uuid
from pathlib import Path
from typing import Any

import pytest

from tests.helpers import eventually, host_job
from tests.tracking.conftest import M, Tracked

SCRIPT = """
import json, os
from azureml.core import Run, Workspace, Model, Dataset
run = Run.get_context(allow_offline=False)
for loss in (0.5, 0.25):
    run.log("loss", loss)
run.log("note", "good")
run.log_list("primes", [2, 3, 5])
run.log_row("citrus", fruit="fig", size=1)
run.log_row("citrus", fruit="kiwi", size=2)
run.log_confusion_matrix("cm", {"data": {"class_labels": ["0", "1"], "matrix": [[3, 0], [0, 1]]}})
run.tag("by", "wolf")
run.add_properties({"build": "7"})
with run.child_run("part") as child:
    child.log("inner", 1)
if run.parent:
    run.parent.log("from_a_step", 4)
os.makedirs("outputs", exist_ok=True)
open("outputs/model.txt", "w").write("weights")
run.upload_file("extra/notes.txt", "outputs/model.txt")
model = run.register_model("den-model", "outputs/model.txt", tags={"k": "v"})
path = Model.get_model_path("den-model", version=model.version)
ws = run.experiment.workspace
run.complete()
print(json.dumps({
    "metrics": {name: value for name, value in run.get_metrics().items() if name != "cm"},
    "names": [name for name in run.get_file_names() if not name.startswith("user_logs")],
    "model": [model.name, model.tags, os.path.basename(path), open(path).read()],
    "workspace": [ws.name, ws.subscription_id, ws.resource_group, Workspace.from_config().name],
    "experiment": run.experiment.name,
    "uri": ws.get_mlflow_tracking_uri() == os.environ["MLFLOW_TRACKING_URI"],
    "data": [open(run.input_datasets["data"]).read(), Dataset.get_by_name(ws, "data")],
    "children": [one.get_metrics() for one in run.get_children()],
    "id": run.id, "tags": run.get_tags(), "build": run.get_properties()["build"],
}))
"""


def submit(tracked: Tracked, workspace: str, name: str, folder: Path, python: str = "python3") -> dict[str, Any]:
    """What the script printed as a job."""
    (folder / "script.py").write_text(SCRIPT)
    (folder / "data.csv").write_text("a,b\n1,2\n")
    body = host_job(f"{python} {folder}/script.py")
    body["properties"]["inputs"] = {"data": {"jobInputType": "uri_file", "uri": str(folder / "data.csv")}}
    body["properties"]["experimentName"] = "wolves"
    status = run_job(tracked, f"{workspace}/jobs/{name}", body)
    said = tracked.said(workspace, name)
    assert status == "Completed", said
    found: dict[str, Any] = json.loads(said.splitlines()[-1])
    return found


def run_job(tracked: Tracked, path: str, body: dict[str, Any]) -> str:
    """Its last status."""
    ask, over = tracked.server.ask, ("Completed", "Failed")
    assert ask("PUT", path, body).status == 201
    return eventually(lambda: (status := ask("GET", path).body["properties"]["status"]) in over and str(status), path)


def in_the_run(tracked: Tracked, workspace: str, name: str) -> dict[str, Any]:
    """What MLflow has of it, less what differs between any two runs."""
    data = tracked.run(workspace, name)["data"]
    metrics = {one["key"]: (one["value"], one["step"]) for one in data["metrics"]}
    tags = {tag["key"]: tag["value"] for tag in data["tags"] if not tag["key"].startswith("mlflow.")}
    files = tracked.files(workspace, name)
    names = sorted(str(file.relative_to(files)) for file in files.rglob("*") if file.is_file())
    return {"metrics": metrics, "tags": tags, "files": [file for file in names if "_logs" not in file]}


def test_a_v1_script_logs_to_the_jobs_own_run(tracked: Tracked, workspace: str, tmp_path: Path) -> None:
    """Where azureml-core is not installed."""
    name = f"v1-{uuid.uuid4().hex[:8]}"
    said = submit(tracked, workspace, name, tmp_path)
    assert said["metrics"] == {
        "loss": [0.5, 0.25],
        "note": "good",
        "primes": [2, 3, 5],
        "citrus": {"fruit": ["fig", "kiwi"], "size": [1, 2]},
    }
    assert said["model"] == ["den-model", {"k": "v"}, "model.txt", "weights"]
    assert said["workspace"] == [workspace.rsplit("/", 1)[1], "sub", "group", workspace.rsplit("/", 1)[1]]
    assert (said["experiment"], said["id"], said["uri"], said["build"]) == ("wolves", name, True, "7")
    assert said["data"] == ["a,b\n1,2\n", said["data"][1]]
    assert said["children"] == [{"inner": 1}]
    run = in_the_run(tracked, workspace, name)
    assert run["metrics"]["loss"] == (0.25, 1)
    assert run["tags"]["by"] == "wolf"
    assert {"extra/notes.txt", "outputs/model.txt", "citrus.json", "cm.json"} <= set(run["files"])
    version = tracked.as_user(workspace, "GET", f"{M}/model-versions/get?name=den-model&version=1").body
    assert version["model_version"]["run_id"] == name


def test_a_step_logs_to_its_pipeline(tracked: Tracked, workspace: str, tmp_path: Path) -> None:
    """`run.parent` is the pipeline's run, as in the service."""
    script = tmp_path / "step.py"
    script.write_text(
        "from azureml.core import Run\nrun = Run.get_context()\n"
        "run.parent.log('best', 4)\nrun.parent.tag('by', run.id)\nrun.log('own', 1)\n"
        "run.parent.upload_file('from_step.py', __file__)\n"
        "print(run.parent.id, run.parent.parent)\n"
    )
    command = {"name": "one", "version": "1", "command": f"python3 {script}", "environment": "azureml:host@latest"}
    node = {"type": "command", "component": {"type": "command", **command}}
    body = {"properties": {"jobType": "Pipeline", "jobs": {"one": node}, "settings": {}}}
    status = run_job(tracked, f"{workspace}/jobs/v1-pipe", body)
    tree = tracked.server.ask("GET", f"/smalt/v1{workspace}/jobs/v1-pipe/tree").body["jobs"]
    step = next(one["name"] for one in tree if one["node"] == "one")
    assert (status, tracked.said(workspace, step)) == ("Completed", "v1-pipe None")
    run = in_the_run(tracked, workspace, "v1-pipe")
    assert run["metrics"] == {"best": (4, 0)}
    assert run["tags"]["by"] == step
    assert run["files"] == ["from_step.py"]
    assert in_the_run(tracked, workspace, step)["metrics"] == {"own": (1, 0)}


def test_models_that_smalt_has_are_found_by_path(tracked: Tracked, workspace: str, tmp_path: Path) -> None:
    """A model that is a file is that file, one that is a folder the folder."""
    (tmp_path / "many").mkdir()
    for file in ("one.pkl", "many/a.bin", "many/b.bin"):
        (tmp_path / file).write_text(f"weights of {file}")
    for name, path in (("single", "one.pkl"), ("several", "many")):
        body = {"properties": {"modelUri": str(tmp_path / path), "modelType": "custom_model"}}
        assert tracked.server.ask("PUT", f"{workspace}/models/{name}/versions/3", body).status in (200, 201)
    script = tmp_path / "score.py"
    script.write_text(
        "import os\nfrom azureml.core import Model\n"
        "print(open(Model.get_model_path('single')).read(), Model.get_model_path('single', version=3))\n"
        "print(sorted(os.listdir(Model.get_model_path('several'))))\n"
    )
    run_job(tracked, f"{workspace}/jobs/score", host_job(f"python3 {script}"))
    said = tracked.said(workspace, "score").splitlines()
    assert said == ["weights of one.pkl azureml-models/single/3/one.pkl", "['a.bin', 'b.bin']"]


def test_the_same_with_azureml_core_installed(tracked: Tracked, workspace: str, tmp_path: Path) -> None:
    """The installed package, which finds no service, and its absence leave the same run."""
    python = os.environ.get("SMALT_TEST_AZUREML_PYTHON")
    if not python:
        pytest.skip("name a Python that has azureml-core in SMALT_TEST_AZUREML_PYTHON")
    without = f"v1-{uuid.uuid4().hex[:8]}"
    installed = f"v1-{uuid.uuid4().hex[:8]}"
    submit(tracked, workspace, without, tmp_path)
    submit(tracked, workspace, installed, tmp_path, python)
    expected = in_the_run(tracked, workspace, without)
    assert len(expected["metrics"]) == 3
    assert in_the_run(tracked, workspace, installed) == expected
