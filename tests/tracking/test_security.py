"""What a job's token, and a user's, cannot do to MLflow: every attack that the spike found, through the real server."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.helpers import WORKSPACE
from tests.tracking.conftest import FILES, Job, M, Tracked

Attack = Callable[[str], tuple[str, str, Any]]


@pytest.fixture(scope="module")
def pair(tracked: Tracked) -> tuple[Job, Job]:
    """Two jobs of one workspace and of two experiments: the one whose token is tried, and another."""
    workspace = WORKSPACE.format(f"pair-{uuid.uuid4().hex[:8]}")
    mine = tracked.job(workspace, "mine", experimentName="mine")
    other = tracked.job(workspace, "other", experimentName="other")
    for job in (mine, other):
        body = {"run_id": job.name, "key": "kept", "value": 1.0, "timestamp": 1, "step": 0}
        assert tracked.as_job(job, "POST", f"{M}/runs/log-metric", body).status == 200
        assert tracked.as_job(job, "PUT", f"{FILES}/ExperimentRun/dcid.{job.name}/kept.txt", raw=b"kept").status == 200
    return mine, other


def _metric(run: str, **more: Any) -> dict[str, Any]:
    return {"run_id": run, "run_uuid": run, "key": "m", "value": 2.0, "timestamp": 1, "step": 0, **more}


WRITES: dict[str, Attack] = {
    "metric": lambda run: ("POST", "runs/log-metric", _metric(run)),
    "metric by run_uuid": lambda run: ("POST", "runs/log-metric", {**_metric(run), "run_id": None}),
    "metric by both": lambda run: ("POST", "runs/log-metric", {**_metric(run), "run_id": "mine"}),
    "metric by both, turned": lambda run: ("POST", "runs/log-metric", {**_metric("mine"), "run_id": run}),
    "metric by a list": lambda run: ("POST", "runs/log-metric", {**_metric("mine"), "run_id": [run]}),
    "metric by an object": lambda run: ("POST", "runs/log-metric", {**_metric("mine"), "run_id": {"a": run}}),
    "metric by camel case": lambda run: ("POST", "runs/log-metric", {**_metric("mine"), "runId": run}),
    "metric in a text": lambda run: ("POST", "runs/log-metric", json.dumps(_metric(run))),
    "parameter": lambda run: ("POST", "runs/log-parameter", {"run_id": run, "key": "p", "value": "1"}),
    "batch": lambda run: ("POST", "runs/log-batch", {"run_id": run, "params": [{"key": "p", "value": "1"}]}),
    "tag": lambda run: ("POST", "runs/set-tag", {"run_id": run, "key": "t", "value": "1"}),
    "delete-tag": lambda run: ("POST", "runs/delete-tag", {"run_id": run, "key": "mlflow.user"}),
    "inputs": lambda run: ("POST", "runs/log-inputs", {"run_id": run, "datasets": []}),
    "model": lambda run: ("POST", "runs/log-model", {"run_id": run, "model_json": "{}"}),
    "outputs": lambda run: ("POST", "runs/outputs", {"run_id": run, "models": []}),
    "status": lambda run: ("POST", "runs/update", {"run_id": run, "status": "KILLED"}),
    "delete": lambda run: ("POST", "runs/delete", {"run_id": run}),
    "restore": lambda run: ("POST", "runs/restore", {"run_id": run}),
    "child of it": lambda run: ("POST", "runs/create", {"tags": [{"key": "mlflow.parentRunId", "value": run}]}),
    "model of it": lambda run: ("POST", "logged-models", {"name": "m", "source_run_id": run}),
    "trace of it": lambda run: (
        "POST", "traces", {"request_metadata": [{"key": "mlflow.sourceRun", "value": run}], "timestamp_ms": 1},
    ),
    "traces linked to it": lambda run: ("POST", "traces/link-to-run", {"run_id": run, "trace_ids": ["tr-1"]}),
    "below it": lambda run: ("POST", "runs/set-tag", {"run_id": "mine", "key": "mlflow.parentRunId", "value": run}),
}  # fmt: skip


@pytest.mark.parametrize("name", WRITES)
def test_a_job_writes_no_other_jobs_run(tracked: Tracked, pair: tuple[Job, Job], name: str) -> None:
    """Neither by any route nor by any way to name the run; the answer is a refusal that MLflow's clients show."""
    mine, other = pair
    before = tracked.run(other.workspace, other.name)
    method, path, body = WRITES[name](other.name)
    answer = tracked.as_job(mine, method, f"{M}/{path}", body)
    assert answer.status in (400, 403), answer.body
    assert answer.body["error_code"] in ("PERMISSION_DENIED", "INVALID_PARAMETER_VALUE")
    assert tracked.run(other.workspace, other.name) == before
    assert "mlflow.parentRunId" not in tracked.tags(mine.workspace, mine.name)


@pytest.mark.parametrize(
    "raw",
    [
        b'{"run_id":"mine","run_id":"other","key":"m","value":1,"timestamp":1}',
        b'{"run_id":"mine","run\\u005fid":"other","key":"m","value":1,"timestamp":1}',
        json.dumps(_metric("other")).encode("utf-16"),
        json.dumps(_metric("other")).encode("utf-32"),
        b'\xef\xbb\xbf{"run_id":"other","key":"m","value":1,"timestamp":1}',
        b'{"run_id":"mine","key":"m","value":NaN,"timestamp":1}',
        b'[{"run_id":"other"}]',
    ],
)
def test_a_body_with_two_meanings_is_not_passed_on(tracked: Tracked, pair: tuple[Job, Job], raw: bytes) -> None:
    """400, and the other run is as it was."""
    mine, other = pair
    before = tracked.run(other.workspace, other.name)
    for headers in ({}, {"Content-Type": "application/json; charset=utf-16"}, {"Content-Type": "text/plain"}):
        assert tracked.as_job(mine, "POST", f"{M}/runs/log-metric", raw=raw, headers=headers).status == 400
    assert tracked.run(other.workspace, other.name) == before


def test_a_compressed_or_large_body_is_refused(tracked: Tracked, pair: tuple[Job, Job]) -> None:
    """What cannot be looked into is not passed on; 4 MB is enough for JSON."""
    import gzip

    mine, _ = pair
    packed = gzip.compress(json.dumps(_metric("other")).encode())
    answer = tracked.as_job(mine, "POST", f"{M}/runs/log-metric", raw=packed, headers={"Content-Encoding": "gzip"})
    assert answer.status == 400
    large = json.dumps({"run_id": "mine", "params": [{"key": "p", "value": "x" * 5_000_000}]}).encode()
    answer = tracked.as_job(mine, "POST", f"{M}/runs/log-batch", raw=large)
    assert answer.status == 400
    assert "larger than" in answer.body["message"]


FOREIGN_FILES = [
    "ExperimentRun/dcid.other/kept.txt", "ExperimentRun/dcid.other/new/deep.txt", "ExperimentRun/new.txt", "new.txt",
    "ExperimentRun/dcid.mine/../dcid.other/kept.txt", "ExperimentRun/dcid.mine/%2e%2e/dcid.other/kept.txt",
    "ExperimentRun/dcid.mine/%252e%252e/dcid.other/kept.txt", "ExperimentRun/dcid.mine%2f..%2fdcid.other/kept.txt",
    "ExperimentRun/dcid.mine/..%5cdcid.other%5ckept.txt", "ExperimentRun//dcid.other/kept.txt",
    "ExperimentRun/./dcid.other/kept.txt", "ExperimentRun%2fdcid.other/kept.txt", "ExperimentRun/dcid%2eother/kept.txt",
    "experimentrun/dcid.other/kept.txt", "ExperimentRun/dcid.mine", "ExperimentRun/dcid.mine.2/x",
    "ExperimentRun/dcid./x",
    "%2Ftmp%2FPROBE", "//tmp/PROBE", "mlflow/1/models/m-0/artifacts/x", "mlflow/other/traces/t/artifacts/x",
    "ExperimentRun/dcid.mine/a%00b", "ExperimentRun/dcid.mine/%c0%ae%c0%ae/dcid.other/x",
    "ExperimentRun/dcid.mine/..;/dcid.other/kept.txt/..",
]  # fmt: skip


@pytest.mark.parametrize("path", FOREIGN_FILES)
def test_a_job_writes_no_file_outside_its_run(tracked: Tracked, pair: tuple[Job, Job], path: str) -> None:
    """Whatever the encoding; nothing anywhere below the artifact store, or outside it, has changed."""
    mine, other = pair
    store = tracked.files(mine.workspace, "x").parents[1]
    before = _tree(store)
    probe = Path("/tmp", f"smalt-probe-{uuid.uuid4().hex}")  # an earlier run may have left one
    answer = tracked.as_job(mine, "PUT", f"{FILES}/{path.replace('PROBE', probe.name)}", raw=b"attack")
    assert answer.status in (400, 403, 404), answer.body
    assert _tree(store) == before
    assert (tracked.files(other.workspace, "other") / "kept.txt").read_bytes() == b"kept"
    assert not probe.exists()


@pytest.mark.parametrize("path", ["..", "../..", "ExperimentRun/../..", "%2e%2e", "%252e%252e", "/etc", "a%5c..%5c.."])
def test_nobody_reads_or_lists_outside_the_store(tracked: Tracked, pair: tuple[Job, Job], path: str) -> None:
    """The same walls for the query of a list, for a file's path and for users."""
    mine, _ = pair
    for send in (tracked.as_job, lambda job, *rest: tracked.as_user(job.workspace, *rest)):
        assert send(mine, "GET", f"{FILES}?path={path}").status == 400
        assert send(mine, "GET", f"{FILES}/{path}/passwd").status == 400
        assert send(mine, "GET", f"{M}/artifacts/list?run_id=mine&path={path}").status == 400


def test_a_link_out_of_the_store_is_not_followed(tracked: Tracked, pair: tuple[Job, Job], tmp_path: Path) -> None:
    """A job can make links in its own folder; the server goes none that leads out."""
    mine, _ = pair
    (tmp_path / "secret").write_text("secret")
    link = tracked.files(mine.workspace, mine.name) / "way-out"
    link.symlink_to(tmp_path)
    try:
        answer = tracked.as_job(mine, "GET", f"{FILES}/ExperimentRun/dcid.mine/way-out/secret")
        assert answer.status >= 400
        assert b"secret" not in (answer.body if isinstance(answer.body, bytes) else b"")
        tracked.as_job(mine, "PUT", f"{FILES}/ExperimentRun/dcid.mine/way-out/new", raw=b"attack")
        assert not (tmp_path / "new").exists()
    finally:
        link.unlink()


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/ajax-api/2.0/mlflow/upload-artifact?run_uuid=mine&path=x"),
        ("POST", "/ajax-api/3.0/mlflow/assistant/run"),
        ("GET", "/ajax-api/3.0/mlflow/assistant/status"),
        ("POST", "/api/3.0/mlflow/gateway/secrets/create"),
        ("GET", "/gateway/endpoints"),
        ("POST", "/api/2.0/mlflow/webhooks"),
        ("POST", "/api/3.0/mlflow/scorers/register"),
        ("POST", "/ajax-api/3.0/jobs/"),
        ("POST", "/ajax-api/2.0/mlflow/runs/create-promptlab-run"),
        ("POST", "/graphql"),
        ("GET", "/get-artifact?run_uuid=other&path=kept.txt"),
        ("GET", "/model-versions/get-artifact?name=m&version=1&path=x"),
        ("DELETE", f"{FILES}/ExperimentRun/dcid.other"),
        ("POST", "/smalt/runs"),
        ("POST", "/smalt/models"),
        ("GET", "/smalt/health"),
        ("POST", f"/{M}/runs/log-metric"),
        ("POST", "/api/2.0/mlflow/runs%2flog-metric"),
        ("POST", "/api/2.0/mlflow/%72uns/log-metric"),
    ],
)
def test_what_is_not_needed_is_closed_to_users_too(
    tracked: Tracked, pair: tuple[Job, Job], method: str, path: str
) -> None:
    """404 that names the route, for both kinds of token."""
    mine, _ = pair
    for token in (mine.token, tracked.server.home.read_token() or ""):
        answer = tracked.send(mine.workspace, token, method, path, _metric("other") if method == "POST" else None)
        assert answer.status == 404
        assert answer.body["error_code"] == "ENDPOINT_NOT_FOUND"


@pytest.mark.parametrize(
    "place", ["/tmp/smalt-probe", "file:///tmp/smalt-probe", "../../x", "s3://bucket/x", "dbfs:/x"]
)
def test_nobody_says_where_an_experiment_lies(
    tracked: Tracked, pair: tuple[Job, Job], workspace: str, place: str
) -> None:
    """The hole by which MLflow writes anywhere: a user is refused, for a job there is no such experiment."""
    mine, _ = pair
    body = {"name": "probe", "artifact_location": place}
    assert tracked.as_user(workspace, "POST", f"{M}/experiments/create", body).status == 403
    assert tracked.as_job(mine, "POST", f"{M}/experiments/create", body).status == 403
    found = tracked.as_user(workspace, "POST", f"{M}/experiments/search", {"max_results": 10}).body
    assert "probe" not in json.dumps(found)
    tag = {"run_id": "mine", "key": "mlflow.artifactLocation", "value": place}
    assert tracked.as_job(mine, "POST", f"{M}/runs/set-tag", tag).status == 403


@pytest.mark.parametrize(
    "source", ["/etc", "file:///etc", "s3://b/x", "runs:/mine/../../x", "http://h/x", "mlflow-artifacts:/%2e%2e/x"]
)
def test_a_model_version_is_not_made_of_files_elsewhere(tracked: Tracked, pair: tuple[Job, Job], source: str) -> None:
    """Neither with a job's token nor with a user's."""
    mine, _ = pair
    tracked.as_user(mine.workspace, "POST", f"{M}/registered-models/create", {"name": "probe"})
    body = {"name": "probe", "source": source, "run_id": "mine"}
    for token in (mine.token, tracked.server.home.read_token() or ""):
        assert tracked.send(mine.workspace, token, "POST", f"{M}/model-versions/create", body).status == 400


USERS_ONLY = [
    ("POST", "experiments/delete", {"experiment_id": "0"}),
    ("POST", "experiments/update", {"experiment_id": "0", "new_name": "x"}),
    ("POST", "experiments/set-experiment-tag", {"experiment_id": "0", "key": "a", "value": "b"}),
    ("DELETE", "registered-models/delete", {"name": "m"}),
    ("DELETE", "model-versions/delete", {"name": "m", "version": "1"}),
    ("POST", "registered-models/rename", {"name": "m", "new_name": "n"}),
    ("POST", "runs/delete", {"run_id": "mine"}),
    ("POST", "traces/delete-traces", {"experiment_id": "0", "max_timestamp_millis": 1}),
]


@pytest.mark.parametrize(("method", "path", "body"), USERS_ONLY)
def test_what_only_users_may(
    tracked: Tracked, pair: tuple[Job, Job], method: str, path: str, body: dict[str, str]
) -> None:
    """Deleting and renaming, also of the job's own run, is not for a job's token."""
    answer = tracked.as_job(pair[0], method, f"{M}/{path}", body)
    assert answer.status == 403
    assert answer.body["error_code"] == "PERMISSION_DENIED"


def test_a_jobs_token_opens_nothing_else(tracked: Tracked, pair: tuple[Job, Job], other_workspace: str) -> None:
    """No other workspace, nothing of the server's, no list of workspaces."""
    mine, _ = pair
    answer = tracked.send(other_workspace, mine.token, "GET", f"{M}/runs/get?run_id=mine")
    assert answer.status == 403
    assert answer.body["error_code"] == "PERMISSION_DENIED"
    for path in (f"{other_workspace}/jobs/mine", "/smalt/v1/status", f"/smalt/v1{other_workspace}/jobs/mine/tree"):
        assert tracked.server.ask_tcp("GET", path, token=mine.token).status == 403
    assert tracked.server.ask_tcp("PUT", f"{other_workspace}/jobs/new", {}, token=mine.token).status == 403


def test_a_workspaces_runs_are_not_in_another(tracked: Tracked, pair: tuple[Job, Job], other_workspace: str) -> None:
    """Each has a database of its own: a user of the other does not find them by id or by search."""
    mine, _ = pair
    assert tracked.as_user(mine.workspace, "GET", f"{M}/runs/get?run_id=mine").status == 200
    assert tracked.as_user(other_workspace, "GET", f"{M}/runs/get?run_id=mine").status == 404
    found = tracked.as_user(other_workspace, "POST", f"{M}/runs/search", {"experiment_ids": ["0", "1", "2"]})
    assert found.body.get("runs", []) == []


def test_headers_choose_no_workspace_and_no_user(tracked: Tracked, pair: tuple[Job, Job], other_workspace: str) -> None:
    """What the server says to its child cannot be said from outside, in any spelling of the header."""
    mine, _ = pair
    folder = mine.workspace.rsplit("/", 1)[1]
    for name in ("X-Smalt-Workspace", "X_Smalt_Workspace", "x-mlflow-workspace", "X-Forwarded-For"):
        answer = tracked.as_user(other_workspace, "GET", f"{M}/runs/get?run_id=mine", headers={name: folder})
        assert answer.status == 404


@pytest.mark.parametrize(
    "headers",
    [{"Host": "evil.example"}, {"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}],
)
def test_foreign_pages_reach_nothing(tracked: Tracked, pair: tuple[Job, Job], headers: dict[str, str]) -> None:
    """The gate's checks hold here too, and MLflow's clients can read the refusal."""
    answer = tracked.as_job(pair[0], "GET", f"{M}/runs/get?run_id=mine", headers=headers)
    assert answer.status == 403
    assert answer.body["error_code"] == "PERMISSION_DENIED"


@pytest.mark.parametrize("token", ["", "wrong", "smaltjob.1.mine.0", "smaltjob.x.y", "smaltjob." + "." * 3])
def test_without_a_good_token_nothing_is_answered(tracked: Tracked, pair: tuple[Job, Job], token: str) -> None:
    """401 with a code that mlflow 1.30 knows."""
    answer = tracked.send(pair[0].workspace, token, "GET", f"{M}/runs/get?run_id=mine")
    assert answer.status == 401
    assert answer.body["error_code"] == "CUSTOMER_UNAUTHORIZED"


def _tree(folder: Path) -> list[tuple[str, int]]:
    return sorted((str(path), path.stat().st_size) for path in folder.rglob("*") if path.is_file())


def test_secrets_are_not_logged(tracked: Tracked) -> None:
    """Parameters, tags, notes and data sets have stars where a value of the workspace's vault stood, and the rest."""
    workspace = WORKSPACE.format(f"vault-{uuid.uuid4().hex[:8]}")
    put = tracked.server.ask("PUT", f"/smalt/v1{workspace}/secrets/db", {"value": "pa$$w0rd"})
    assert put.status == 200
    job = tracked.job(workspace, "logs")
    data = {"name": "d", "digest": "1", "source_type": "sql", "source": '{"url": "postgres://me:pa$$w0rd@db"}'}
    for path, body in (
        ("log-batch", {"params": [{"key": "a", "value": "x pa$$w0rd y"}], "metrics": [], "tags": []}),
        ("log-parameter", {"key": "b", "value": "pa%24%24w0rd"}),
        ("set-tag", {"key": "mlflow.note.content", "value": "by pa$$w0rd"}),
        ("log-inputs", {"datasets": [{"dataset": data, "tags": []}]}),
    ):
        answer = tracked.as_job(job, "POST", f"{M}/runs/{path}", {"run_id": job.name, **body})
        assert answer.status == 200, answer
    run = tracked.run(workspace, job.name)
    assert {one["key"]: one["value"] for one in run["data"]["params"]} == {"a": "x ******** y", "b": "************"}
    assert tracked.tags(workspace, job.name)["mlflow.note.content"] == "by ********"
    assert "me:********@db" in run["inputs"]["dataset_inputs"][0]["dataset"]["source"]
    assert "pa$$w0rd" not in json.dumps(run)
