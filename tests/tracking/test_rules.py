"""What plain MLflow calls come to mean under a job's token, through the real server."""

from __future__ import annotations

import http.client
import os
import signal
import threading
import time
import uuid
from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest

from tests.helpers import LONGEST, WORKSPACE, eventually, host_job
from tests.tracking.conftest import FILES, Job, M, Tracked


@pytest.fixture(scope="module")
def job(tracked: Tracked) -> Job:
    workspace = WORKSPACE.format(f"rules-{uuid.uuid4().hex[:8]}")
    return tracked.job(workspace, "job", experimentName="own")


def test_a_job_that_tracks_nothing_starts_nothing(tracked: Tracked, workspace: str) -> None:
    """The variables are there and name the workspace's own URI; no run is made and no database."""
    server = tracked.server
    path = f"{workspace}/jobs/quiet"
    assert server.ask("PUT", path, host_job("env", experimentName="e 1")).status == 201
    eventually(lambda: server.ask("GET", path).body["properties"]["status"] == "Completed")
    said = dict(line.partition("=")[::2] for line in tracked.said(workspace, "quiet").splitlines())
    assert said["MLFLOW_TRACKING_URI"] == f"http://127.0.0.1:{server.port}/mlflow/v1.0{workspace}"
    assert said["MLFLOW_RUN_ID"] == "quiet"
    assert said["MLFLOW_EXPERIMENT_NAME"] == "e 1"
    assert said["MLFLOW_TRACKING_PASSWORD"] == said["MLFLOW_TRACKING_TOKEN"]
    assert {"127.0.0.1", "localhost"} <= set(said["NO_PROXY"].split(",")) & set(said["no_proxy"].split(","))
    assert "AZUREML_RUN_TOKEN" not in said
    assert "MLFLOW_EXPERIMENT_ID" not in said
    assert not server.home.path("workspaces", workspace.rsplit("/", 1)[1], "mlflow.db").exists()


def test_a_users_own_variables_win(tracked: Tracked, workspace: str) -> None:
    """Who tracks elsewhere gets nothing of ours, which would mean nothing there."""
    server = tracked.server
    chosen = {"all": {"MLFLOW_TRACKING_URI": "http://mine"}, "one": {"MLFLOW_RUN_ID": "x", "NO_PROXY": "h"}}
    for name, variables in chosen.items():
        path = f"{workspace}/jobs/{name}"
        assert server.ask("PUT", path, host_job("env", environmentVariables=variables)).status == 201
        eventually(lambda path=path: server.ask("GET", path).body["properties"]["status"] == "Completed")
    said = tracked.said(workspace, "all").splitlines()
    assert [line for line in said if line.startswith("MLFLOW_")] == ["MLFLOW_TRACKING_URI=http://mine"]
    said = tracked.said(workspace, "one").splitlines()
    assert "MLFLOW_RUN_ID=x" in said
    assert next(line for line in said if line.startswith("NO_PROXY=")).startswith("NO_PROXY=h,127.0.0.1")


def test_the_jobs_run_is_there_when_it_first_asks(tracked: Tracked, job: Job) -> None:
    """Its id is the job's name, its files are where the service puts them, beside the logs."""
    run = tracked.as_job(job, "GET", f"{M}/runs/get?run_id=job&run_uuid=job").body["run"]
    assert run["info"]["run_id"] == "job"
    assert run["info"]["artifact_uri"] == "mlflow-artifacts:/ExperimentRun/dcid.job"
    assert tracked.as_job(job, "PUT", f"{FILES}/ExperimentRun/dcid.job/a%20b/k%25s.txt", raw=b"x").status == 200
    assert (tracked.files(job.workspace, "job") / "a b" / "k%s.txt").read_bytes() == b"x"
    listed = tracked.as_job(job, "GET", f"{FILES}?path=ExperimentRun/dcid.job").body["files"]
    assert {"a b", "user_logs"} <= {file["path"] for file in listed}


def test_the_token_may_be_a_password(tracked: Tracked, job: Job) -> None:
    """As MLFLOW_TRACKING_USERNAME and _PASSWORD send it; smalt's own API does not take it so."""
    sent = {"Authorization": "Basic " + b64encode(f"job:{job.token}".encode()).decode()}
    assert tracked.as_job(job, "GET", f"{M}/runs/get?run_id=job", headers=sent).status == 200
    home = {"Authorization": "Basic " + b64encode(f"me:{tracked.server.home.read_token()}".encode()).decode()}
    assert tracked.as_job(job, "GET", f"{M}/runs/get?run_id=job", headers=home).status == 200
    assert tracked.server.ask_tcp("GET", f"{job.workspace}/jobs/job", token=None, headers=home).status == 401


def test_any_experiment_is_the_jobs_own(tracked: Tracked, job: Job) -> None:
    """`mlflow.set_experiment("other")`, which would make the script die, changes nothing."""
    own = tracked.run(job.workspace, "job")["info"]["experiment_id"]
    found = tracked.as_job(job, "GET", f"{M}/experiments/get-by-name?experiment_name=other").body["experiment"]
    assert (found["name"], found["experiment_id"]) == ("own", own)
    assert tracked.as_job(job, "POST", f"{M}/experiments/create", {"name": "other"}).body == {"experiment_id": own}
    assert tracked.as_user(job.workspace, "GET", f"{M}/experiments/get-by-name?experiment_name=other").status == 404


def test_a_further_run_is_the_jobs_child_wherever_it_wanted_to_be(tracked: Tracked, job: Job) -> None:
    """It may be written to, also by the next server; its own children too."""
    own = tracked.run(job.workspace, "job")["info"]["experiment_id"]
    made = tracked.as_job(job, "POST", f"{M}/runs/create", {"experiment_id": "0", "start_time": 1}).body["run"]["info"]
    assert made["experiment_id"] == own
    assert tracked.tags(job.workspace, made["run_id"])["mlflow.parentRunId"] == "job"
    nested = {"tags": [{"key": "mlflow.parentRunId", "value": made["run_id"]}], "run_name": "deep"}
    deep = tracked.as_job(job, "POST", f"{M}/runs/create", nested).body["run"]["info"]["run_id"]
    for run in (made["run_id"], deep):
        body = {"run_id": run, "metrics": [{"key": "m", "value": 1, "timestamp": 1, "step": 1}]}
        assert tracked.as_job(job, "POST", f"{M}/runs/log-batch", body).status == 200
        assert tracked.as_job(job, "POST", f"{M}/runs/update", {"run_id": run, "status": "FINISHED"}).status == 200
        assert tracked.run(job.workspace, run)["info"]["status"] == "FINISHED"
        assert tracked.as_job(job, "PUT", f"{FILES}/ExperimentRun/dcid.{run}/x", raw=b"x").status == 200
    assert tracked.as_job(job, "POST", f"{M}/runs/delete", {"run_id": deep}).status == 200


def test_who_made_a_run_is_known_from_its_chain_of_parents(tracked: Tracked, job: Job) -> None:
    """What was not remembered is found out: a run below the job's is the job's, another user's is not."""
    mine = {"experiment_id": "0", "tags": [{"key": "mlflow.parentRunId", "value": "job"}]}
    below = tracked.as_user(job.workspace, "POST", f"{M}/runs/create", mine).body["run"]["info"]["run_id"]
    beside = tracked.as_user(job.workspace, "POST", f"{M}/runs/create", {"experiment_id": "0"}).body
    tag: dict[str, Any] = {"key": "t", "value": "1"}
    assert tracked.as_job(job, "POST", f"{M}/runs/set-tag", {"run_id": below, **tag}).status == 200
    refused = tracked.as_job(job, "POST", f"{M}/runs/set-tag", {"run_id": beside["run"]["info"]["run_id"], **tag})
    assert refused.status == 403
    assert tracked.as_job(job, "POST", f"{M}/runs/set-tag", {"run_id": "0" * 32, **tag}).status == 404


def test_mlflow_does_not_say_how_the_job_ended(tracked: Tracked, job: Job) -> None:
    """Status, end and name of the job's own run are answered as they are, and not taken."""
    before = tracked.run(job.workspace, "job")["info"]
    body = {"run_id": "job", "run_uuid": "job", "status": "KILLED", "end_time": 5, "run_name": "other"}
    answer = tracked.as_job(job, "POST", f"{M}/runs/update", body)
    assert answer.body["run_info"]["status"] == before["status"] == "FINISHED"
    assert tracked.run(job.workspace, "job")["info"] == before


def test_a_model_logged_outside_of_any_run_is_the_jobs(tracked: Tracked, job: Job) -> None:
    """MLflow 3 would leave it without a run; here it is an output of the job's, and lies in its folder."""
    body = {"experiment_id": "0", "name": "model"}
    made = tracked.as_job(job, "POST", f"{M}/logged-models", body).body["model"]["info"]
    assert made["source_run_id"] == "job"
    assert made["artifact_uri"] == "mlflow-artifacts:/ExperimentRun/dcid.job/model"
    outputs = tracked.run(job.workspace, "job")["outputs"]["model_outputs"]
    assert made["model_id"] in {output["model_id"] for output in outputs}
    path = f"{M}/logged-models/{made['model_id']}"
    ready = {"model_id": made["model_id"], "status": "LOGGED_MODEL_READY"}
    assert tracked.as_job(job, "PATCH", path, ready).status == 200
    other = tracked.job(job.workspace, "other")
    assert tracked.as_job(other, "PATCH", path, ready).status == 403
    theirs = tracked.as_job(other, "POST", f"{M}/logged-models", {"name": "m"}).body["model"]["info"]["model_id"]
    assert tracked.as_job(other, "PATCH", f"{M}/logged-models/{theirs}", ready).status == 400
    tags = {"tags": [{"key": "a", "value": "b"}]}
    assert tracked.as_job(other, "PATCH", f"{path}/tags", tags).status == 403
    registered = {"tags": [{"key": "mlflow.modelVersions", "value": "[]"}]}
    assert tracked.as_job(other, "PATCH", f"{path}/tags", registered).status == 200


def test_a_step_logs_to_its_pipeline(tracked: Tracked, workspace: str) -> None:
    """As `run.parent.log` does in the service; not to a step beside it."""
    server, path = tracked.server, f"{workspace}/jobs/pipe"
    body = {"jobType": "Pipeline", "jobs": {"one": _step("one"), "two": _step("two")}, "settings": {}}
    assert server.ask("PUT", path, {"properties": body}).status == 201
    eventually(lambda: server.ask("GET", path).body["properties"]["status"] in ("Completed", "Failed"))
    tree = {one["node"]: one for one in server.ask("GET", f"/smalt/v1{workspace}/jobs/pipe/tree").body["jobs"]}
    one = Job(workspace, tree["one"]["name"], tracked.said(workspace, tree["one"]["name"]))
    batch = {"metrics": [{"key": "m", "value": 1, "timestamp": 1, "step": 1}]}
    assert tracked.as_job(one, "POST", f"{M}/runs/log-batch", {"run_id": "pipe", **batch}).status == 200
    assert tracked.tags(workspace, one.name)["mlflow.parentRunId"] == "pipe"
    beside = tree["two"]["name"]
    assert tracked.as_job(one, "POST", f"{M}/runs/log-batch", {"run_id": beside, **batch}).status == 403
    assert tracked.as_job(one, "GET", f"{M}/runs/get?run_id={beside}").status == 200


def test_mlflow_killed_while_jobs_log_loses_nothing(tracked: Tracked, job: Job) -> None:
    """Calls are held until it is back, and answered 200; every acknowledged point is there once."""
    killed = threading.Event()

    def kill() -> None:
        for pid in _children(tracked):
            os.kill(pid, signal.SIGKILL)
        killed.set()

    assert len(_children(tracked)) == 1
    statuses = []
    for step in range(40):
        if step == 10:
            threading.Thread(target=kill).start()
        body = {"run_id": "job", "key": "held", "value": step, "timestamp": step, "step": step}
        statuses.append(tracked.as_job(job, "POST", f"{M}/runs/log-metric", body).status)
    assert killed.is_set()
    assert set(statuses) == {200}
    history = tracked.as_job(job, "GET", f"{M}/metrics/get-history?run_id=job&metric_key=held").body["metrics"]
    assert sorted(int(point["step"]) for point in history) == list(range(40))


def test_a_long_file_goes_through_whole(tracked: Tracked, job: Job) -> None:
    """Longer than what is held at once, in both directions."""
    content = os.urandom(5_000_000)
    path = f"{FILES}/ExperimentRun/dcid.job/long.bin"
    assert tracked.as_job(job, "PUT", path, raw=content, headers={"Content-Type": "x/y"}).status == 200
    answer = tracked.as_job(job, "GET", path)
    assert answer.body == content
    assert answer.headers["content-security-policy"] == "sandbox"


def test_small_calls_do_not_wait_for_each_other(tracked: Tracked, job: Job) -> None:
    """Nagle's algorithm is off on the port: with it each answer on a kept connection takes 40 ms."""
    path, sent = f"/mlflow/v1.0{job.workspace}{M}/runs/get?run_id=job", {"Authorization": f"Bearer {job.token}"}
    connection = http.client.HTTPConnection("127.0.0.1", tracked.server.port, timeout=LONGEST)

    def measure_call() -> float:
        begun = time.monotonic()
        connection.request("GET", path, headers=sent)
        connection.getresponse().read()
        return time.monotonic() - begun

    eventually(lambda: measure_call() < 0.035, "a quick answer")
    connection.close()


def _step(name: str) -> dict[str, Any]:
    command = {"command": "printenv MLFLOW_TRACKING_TOKEN", "environment": "azureml:host@latest"}
    return {"type": "command", "component": {"type": "command", "name": name, "version": "1", **command}}


def _children(tracked: Tracked) -> list[int]:
    """The process of MLflow of this server."""
    socket = str(tracked.server.home.socket_path("mlflow")).encode()
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if socket in (process / "cmdline").read_bytes().split(b"\0"):
                found.append(int(process.name))
        except OSError:
            continue
    return found
