from __future__ import annotations

import json
import os
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from smalt import wire
from smalt.entities import PipelineJob
from tests.helpers import LONGEST, eventually, host_job
from tests.tracking.conftest import Tracked

SCRIPT = """
import json, os, urllib.request

def post(path, **body):
    url = os.environ["MLFLOW_TRACKING_URI"] + "/api/2.0/mlflow/runs/" + path
    headers = {"Authorization": "Bearer " + os.environ["MLFLOW_TRACKING_TOKEN"], "Content-Type": "application/json"}
    with urllib.request.urlopen(urllib.request.Request(url, json.dumps(body).encode(), headers)) as answer:
        return json.load(answer)

def metric(key, value, step):
    return {"key": key, "value": value, "timestamp": 1700000000000 + step, "step": step}

run = os.environ["MLFLOW_RUN_ID"]
curve = [metric("loss", 1 / (step + 1), step) for step in range(100)] + [metric("loss", "NaN", 100)]
lr = [{"key": "lr", "value": "0.001"}]
post("log-batch", run_id=run, metrics=[*curve, metric("best", "Infinity", 0)], params=lr)
post("set-tag", run_id=run, key="team", value="red")
fold = post("create", experiment_id="0", start_time=1, run_name="fold",
            tags=[{"key": "mlflow.parentRunId", "value": run}])["run"]["info"]["run_id"]
post("log-batch", run_id=fold, metrics=[metric("loss", 0.5, 0)])
"""


@pytest.fixture
def script(tmp_path: Path) -> str:
    """A command that logs as MLflow's client does."""
    (tmp_path / "train.py").write_text(SCRIPT)
    return f"python {tmp_path / 'train.py'}"


def ran(tracked: Tracked, workspace: str, name: str, command: str, **more: Any) -> None:
    path = f"{workspace}/jobs/{name}"
    assert tracked.server.ask("PUT", path, host_job(command, **more)).status == 201
    over = ("Completed", "Failed")
    eventually(lambda: tracked.server.ask("GET", path).body["properties"]["status"] in over, name, 90)
    assert tracked.server.ask("GET", path).body["properties"]["status"] == "Completed", tracked.said(workspace, name)


def command_line(tracked: Tracked, folder: Path, workspace: str, *words: str) -> tuple[str, str]:
    """What a command that succeeds writes on both streams."""
    program = [sys.executable, "-m", "smalt", *words, "-w", workspace.rpartition("/")[2]]
    environment = {**os.environ, "SMALT_HOME": str(tracked.server.home.root), "COLUMNS": "80"}
    done = subprocess.run(program, capture_output=True, text=True, env=environment, cwd=folder, timeout=LONGEST)
    assert done.returncode == 0, done.stderr
    return done.stdout, done.stderr


def test_what_a_script_logs_is_read_back(tracked: Tracked, workspace: str, script: str) -> None:
    """Last values, extremes, curves and nested runs by our routes; state, parameters and tags by MLflow's."""
    inputs = {"lr": {"jobInputType": "literal", "value": "1e-3"}, "seed": {"jobInputType": "literal", "value": "7"}}
    ran(tracked, workspace, "train", script, inputs=inputs, tags={"team": "blue", "of": "me"})
    path = f"/smalt/v1{workspace}/jobs/train/metrics"
    own, fold = tracked.server.ask("GET", f"{path}?extremes=true").body["runs"]
    assert [own["id"], own["job"], own["label"]] == ["train", "train", ""]
    assert [fold["job"], fold["label"]] == [None, "fold"]
    loss = next(one for one in own["metrics"] if one["name"] == "loss")
    assert [loss[key] for key in ("value", "step", "min", "max", "count")] == ["NaN", 100, 0.01, 1.0, 100]
    assert [one["value"] for one in own["metrics"] if one["name"] == "best"] == ["Infinity"]
    assert [(one["name"], one["value"]) for one in fold["metrics"]] == [("loss", 0.5)]

    query = "?history=true&metric=loss&points=10"
    points = tracked.server.ask("GET", path + query).body["runs"][0]["metrics"][0]["points"]
    assert (points[0][0], points[0][2], points[-1][0], points[-1][2]) == (0, 1.0, 100, "NaN")
    assert len(points) <= 10
    assert [len(run["metrics"]) for run in tracked.server.ask("GET", path + query).body["runs"]] == [1, 1]

    many = tracked.server.ask("POST", f"/smalt/v1{workspace}/metrics", {"jobs": ["train", "no such job"]}).body
    assert many == {"metrics": {"train": {"best": "Infinity", "loss": "NaN"}}}

    def ended() -> bool:
        return bool(tracked.run(workspace, "train")["info"]["status"] == "FINISHED")

    eventually(ended, "the run's end")
    run = tracked.run(workspace, "train")
    assert {one["key"]: one["value"] for one in run["data"]["params"]} == {"lr": "0.001", "seed": "7"}
    assert {key: tracked.tags(workspace, "train")[key] for key in ("team", "of")} == {"team": "red", "of": "me"}


def test_jobs_beside_each_other(tracked: Tracked, workspace: str, script: str) -> None:
    """Parameters as logged, metrics also of nested runs, what each ran; a job that logged nothing is there, too."""
    ran(tracked, workspace, "one", script)
    ran(tracked, workspace, "two", "true", inputs={"lr": {"jobInputType": "literal", "value": "1"}})
    one, two = tracked.server.ask("POST", f"/smalt/v1{workspace}/compare", {"jobs": ["one", "two"]}).body["jobs"]
    assert one["parameters"] == {"lr": "0.001"}
    assert one["metrics"] == {"best": "Infinity", "loss": "NaN", "fold: loss": 0.5}
    assert (two["parameters"], two["command"], "metrics" in two) == ({"lr": "1"}, "true", False)
    assert two["environment"] == {"name": "host@latest"}
    refused = tracked.server.ask("POST", f"/smalt/v1{workspace}/compare", {"jobs": ["one", "three"]})
    assert (refused.status, "there is no job 'three'" in json.dumps(refused.body)) == (404, True)


def test_a_deleted_jobs_run_is_no_part_of_the_next_ones(tracked: Tracked, workspace: str, script: str) -> None:
    """A job of the same name begins with an empty run; one that was renamed is called so in MLflow."""
    ran(tracked, workspace, "again", script)
    assert tracked.server.ask("DELETE", f"{workspace}/jobs/again").status == 200
    ran(tracked, workspace, "again", "true")
    assert "metrics" not in tracked.run(workspace, "again")["data"]
    assert tracked.server.ask("GET", f"/smalt/v1{workspace}/jobs/again/metrics").body["runs"][0]["metrics"] == []
    changed = tracked.server.ask("PATCH", f"/history/v1.0{workspace}/experiments/x/runs/again", {"displayName": "new"})
    assert changed.status == 200
    eventually(lambda: tracked.run(workspace, "again")["info"]["run_name"] == "new", "the new name")


def test_without_a_store_there_is_nothing_to_read(server: Any, workspace: str) -> None:
    """A workspace that never tracked has no metrics, and asking makes no store."""
    assert server.ask("PUT", f"{workspace}/jobs/plain", host_job("true")).status == 201
    found = server.ask("GET", f"/smalt/v1{workspace}/jobs/plain/metrics")
    assert found.body == {"runs": [{"id": "plain", "job": "plain", "label": "", "metrics": []}]}
    assert server.ask("POST", f"/smalt/v1{workspace}/metrics", {"jobs": ["plain"]}).body == {"metrics": {}}
    assert server.ask("POST", f"/smalt/v1{workspace}/metrics", {"jobs": "plain"}).status == 400
    name = workspace.rpartition("/")[2]
    eventually(lambda: server.home.path("workspaces", name).is_dir(), "the workspace's folder")
    assert not server.home.path("workspaces", name, "mlflow.db").exists()


def test_the_command_line_shows_what_was_logged(tracked: Tracked, script: str, tmp_path: Path, workspace: str) -> None:
    """The result alone is on standard output: rows, curves, pages; the end of a stream tells the last values."""
    (tmp_path / "job.yml").write_text(f"command: {script}\nenvironment: azureml:host@latest\nexperiment_name: cli\n")

    smalt = partial(command_line, tracked, tmp_path, workspace)
    for name in ("one", "two"):
        out, said = smalt("job", "create", "--file", "job.yml", "--name", name, "--stream")
        assert (out, said.splitlines()[-2:]) == (
            "", ["metrics: best Infinity, loss NaN", "metrics of fold: loss 0.5"],
        )  # fmt: skip
    rows = [line.split("\t") for line in smalt("job", "metrics", "one", "-o", "tsv")[0].splitlines()]
    assert [(row[0], row[1], row[7]) for row in rows if not row[0].startswith("system/")] == [
        ("best", "Infinity", ""), ("loss", "NaN", ""), ("loss", "0.5", "fold"),
    ]  # fmt: skip
    values = json.loads(smalt("job", "metrics", "one", "--metric", "loss", "--history")[0])
    assert [row["value"] for row in values if row["run"] == ""] == [1 / (step + 1) for step in range(100)] + ["NaN"]
    drawn = smalt("job", "metrics", "one", "--plot", "--metric", "loss")[0].splitlines()
    assert drawn[0] == "loss  last NaN, from 0.01 to 1"
    assert drawn[-1] == "fold: loss  0.5"
    assert max(len(line) for line in drawn) <= 80
    assert json.loads(smalt("job", "show", "one", "--query", "metrics")[0]) == {"best": "Infinity", "loss": "NaN"}
    listed = json.loads(smalt("job", "list", "--metrics")[0])
    assert [(job["name"], job["metrics"]["best"]) for job in listed] == [("two", "Infinity"), ("one", "Infinity")]
    compared = json.loads(smalt("job", "compare", "one", "two")[0])
    assert {"differs": True, "what": "job", "name": "display_name", "one": "one", "two": "two"} in compared
    assert {"differs": False, "what": "parameter", "name": "lr", "one": "0.001", "two": "0.001"} in compared
    assert smalt("job", "compare", "one", "two", "--html", "page.html") == ("", "wrote page.html\n")
    figures = (tmp_path / "page.html").read_text().split("<figure")[1:]
    logged = [figure for figure in figures if "system/" not in figure]  # a slow job has curves of the machine as well
    assert sum(figure.count("<polyline") for figure in logged) == 2


def test_a_pipelines_metrics_are_those_of_its_steps(
    tracked: Tracked, script: str, tmp_path: Path, workspace: str
) -> None:
    """The step's run is nested below its pipeline's, which is there though it never logged; both end."""
    step = f"{{command: {script}, environment: 'azureml:host@latest'}}"
    (tmp_path / "pipeline.yml").write_text(f"type: pipeline\njobs:\n  train: {step}\n")
    smalt = partial(command_line, tracked, tmp_path, workspace)
    _, said = smalt("job", "create", "--file", "pipeline.yml", "--name", "pipe", "--stream")
    assert said.splitlines()[-2:] == ["metrics of train: best Infinity, loss NaN", "metrics of train/fold: loss 0.5"]
    place = smalt("workspace", "show", "--query", "id", "-o", "tsv")[0].strip()

    def tags(run: str) -> tuple[str | None, str | None]:
        found = tracked.tags(place, run)
        return found.get("mlflow.parentRunId"), found.get("mlflow.rootRunId")

    assert [tags(run) for run in ("pipe", "pipe-train")] == [(None, "pipe"), ("pipe", "pipe")]

    def is_over(run: str) -> bool:
        return bool(tracked.run(place, run)["info"]["status"] == "FINISHED")

    for run in ("pipe", "pipe-train"):
        eventually(partial(is_over, run), f"the end of {run}")


def test_a_reused_step_shows_the_metrics_of_the_earlier_one(tracked: Tracked, workspace: str, script: str) -> None:
    """Alone, in its pipeline, compared, in MLflow, whose search finds it by them, and after the earlier was deleted."""
    pipeline = {"type": "pipeline", "jobs": {"train": {"command": script, "environment": "azureml:host"}}}
    body = wire.to_rest(PipelineJob.from_dict(pipeline))
    for name in ("made", "again"):
        path = f"{workspace}/jobs/{name}"
        assert tracked.server.ask("PUT", path, body).status == 201
        eventually(
            lambda path=path: tracked.server.ask("GET", path).body["properties"]["status"] == "Completed", name, 90
        )
    path = f"/smalt/v1{workspace}/jobs/again/metrics?metric=best&history=true"
    _, run = tracked.server.ask("GET", path).body["runs"]
    assert [run["job"], run["metrics"][0]["value"]] == ["again-train", "Infinity"]
    assert len(run["metrics"][0]["points"]) == 1
    latest = tracked.server.ask("POST", f"/smalt/v1{workspace}/metrics", {"jobs": ["again-train"]}).body["metrics"]
    assert latest["again-train"]["best"] == "Infinity"
    names = ["made", "again", "made-train", "again-train"]
    compared = tracked.server.ask("POST", f"/smalt/v1{workspace}/compare", {"jobs": names}).body["jobs"]
    metrics = [job["metrics"] for job in compared]
    assert metrics[0] == metrics[1]
    assert metrics[2] == metrics[3]
    assert metrics[3]["best"] == "Infinity"
    parameters = [job.get("parameters") for job in compared]
    assert parameters[2] == parameters[3]
    in_mlflow = [tracked.run(workspace, name)["data"]["metrics"] for name in ("made-train", "again-train")]
    assert in_mlflow[0] == in_mlflow[1] != []
    assert tracked.server.ask("DELETE", f"{workspace}/jobs/made").status < 300
    latest = tracked.server.ask("POST", f"/smalt/v1{workspace}/metrics", {"jobs": ["again-train"]}).body["metrics"]
    assert latest["again-train"]["best"] == "Infinity"
    assert tracked.server.ask("GET", path).body["runs"][1]["metrics"] == run["metrics"]
