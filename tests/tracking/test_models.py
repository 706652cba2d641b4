"""A model is one thing: an asset of smalt and a registered model of MLflow."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from smalt.service.data.files.write_protection import is_write_protected
from tests.helpers import Answer, eventually, host_job
from tests.tracking.conftest import FILES, Job, M, Tracked

MLMODEL = "flavors:\n  sklearn:\n    sklearn_version: 1.5.0\n  python_function:\n    loader_module: mlflow.sklearn\n"
STORE = "azureml://datastores/workspaceartifactstore/paths/ExperimentRun/dcid."


@pytest.fixture
def job(tracked: Tracked, workspace: str) -> Job:
    """A job that has logged a model."""
    found = tracked.job(workspace, "train")
    folder = tracked.files(workspace, "train") / "model"
    folder.mkdir()
    (folder / "MLmodel").write_text(MLMODEL)
    return found


def test_what_mlflow_registers_is_a_model_of_smalt(tracked: Tracked, job: Job) -> None:
    """With its type, flavors, place and job, and what is said of it there."""
    registered(tracked, job, "iris", description="of flowers", tags=[{"key": "k", "value": "v"}])
    found = asset(tracked, job, "iris", "1")
    assert found["modelType"] == "mlflow_model"
    assert found["modelUri"] == f"{STORE}train/model"
    assert found["jobName"] == "train"
    assert found["flavors"]["sklearn"] == {"data": {"sklearn_version": "1.5.0"}}
    assert (found["description"], found["tags"]) == ("of flowers", {"k": "v"})
    registered(tracked, job, "notes", path="user_logs")
    assert asset(tracked, job, "notes", "1")["modelType"] == "custom_model"


GROWING = "{" + ", ".join(f"l{k}: &l{k} [{', '.join([f'*l{k - 1}'] * 9) if k else 1}]" for k in range(9)) + "}"
"""Aliases that make half a billion values of some hundred characters."""


@pytest.mark.parametrize("flavors", [GROWING, "&a {again: *a}"], ids=["growing", "recursive"])
def test_a_hostile_mlmodel_has_no_flavors(tracked: Tracked, job: Job, flavors: str) -> None:
    """A job writes what it wants there; the server neither stops nor fills its memory."""
    (tracked.files(job.workspace, "train") / "model/MLmodel").write_text(f"flavors: {flavors}\n")
    registered(tracked, job, "hostile")
    found = asset(tracked, job, "hostile", "1")
    assert (found["modelType"], found["flavors"]) == ("mlflow_model", {})


def test_a_workspace_that_nobody_has_used_has_a_registry(tracked: Tracked, workspace: str) -> None:
    """A client from outside may be the first to come."""
    found = tracked.as_user(workspace, "GET", f"{M}/registered-models/search")
    assert (found.status, found.body) == (200, {})
    assert tracked.as_user(workspace, "POST", f"{M}/experiments/create", {"name": "first"}).status == 200


def test_what_is_changed_through_mlflow_is_changed_in_smalt(tracked: Tracked, job: Job) -> None:
    """Tags, description, stage and alias of the version; tags and description of the model."""
    registered(tracked, job, "iris")
    one = {"name": "iris", "version": "1"}
    write(tracked, job, "POST", "model-versions/set-tag", {**one, "key": "a", "value": "b"})
    write(tracked, job, "PATCH", "model-versions/update", {**one, "description": "better"})
    write(tracked, job, "POST", "model-versions/transition-stage", {**one, "stage": "Staging"})
    write(tracked, job, "POST", "registered-models/alias", {**one, "alias": "best"})
    write(tracked, job, "POST", "registered-models/set-tag", {"name": "iris", "key": "of", "value": "all"})
    write(tracked, job, "PATCH", "registered-models/update", {"name": "iris", "description": "flowers"})
    found = asset(tracked, job, "iris", "1")
    assert (found["tags"], found["description"], found["stage"]) == ({"a": "b"}, "better", "Staging")
    assert found["properties"]["aliases"] == "best"
    assert tracked.server.ask("GET", f"{job.workspace}/models/iris/labels/best").body["name"] == "1"
    container = tracked.server.ask("GET", f"{job.workspace}/models/iris").body["properties"]
    assert (container["tags"], container["description"]) == ({"of": "all"}, "flowers")
    write(tracked, job, "DELETE", "model-versions/delete-tag", {**one, "key": "a"})
    write(tracked, job, "DELETE", "registered-models/alias", {"name": "iris", "alias": "best"})
    found = asset(tracked, job, "iris", "1")
    assert (found["tags"], found["properties"]) == ({}, {})


def test_what_smalt_registers_is_a_model_of_mlflow(tracked: Tracked, job: Job, tmp_path: Path) -> None:
    """Its clients see tags, description, stage and alias, and read its files wherever they lie."""
    (tmp_path / "m" / "data").mkdir(parents=True)
    (tmp_path / "m" / "MLmodel").write_text(MLMODEL)
    (tmp_path / "m" / "data" / "w.bin").write_bytes(b"weights")
    more = {"tags": {"t": "u"}, "description": "d", "stage": "Production", "properties": {"aliases": "best"}}
    put(tracked, job, "local", "4", (tmp_path / "m").as_uri(), **more)
    put(tracked, job, "local", "1.0", (tmp_path / "m").as_uri())
    [found] = read(tracked, job, "model-versions/search")["model_versions"]
    assert (found["name"], found["version"], found["description"]) == ("local", "4", "d")
    assert found["current_stage"] == "Production"
    assert found["tags"] == [{"key": "t", "value": "u"}]
    by_alias = read(tracked, job, "registered-models/alias?name=local&alias=best")["model_version"]
    assert (by_alias["version"], by_alias["aliases"]) == ("4", ["best"])
    uri = read(tracked, job, "model-versions/get-download-uri?name=local&version=4")["artifact_uri"]
    assert uri == "mlflow-artifacts:/models/local/4"
    top = tracked.as_job(job, "GET", f"{FILES}?path=models/local/4").body["files"]
    assert top == [{"path": "MLmodel", "is_dir": False, "file_size": len(MLMODEL)}, {"path": "data", "is_dir": True}]
    assert tracked.as_job(job, "GET", f"{FILES}/models/local/4/data/w.bin").body == b"weights"


def test_a_model_that_is_one_file_is_a_folder_of_one(tracked: Tracked, job: Job, tmp_path: Path) -> None:
    """As MLflow's clients can load folders only."""
    (tmp_path / "model.pkl").write_bytes(b"pickle")
    put(tracked, job, "single", "1", (tmp_path / "model.pkl").as_uri(), modelType="custom_model")
    files = tracked.as_job(job, "GET", f"{FILES}?path=models/single/1").body["files"]
    assert files == [{"path": "model.pkl", "is_dir": False, "file_size": 6}]
    assert tracked.as_job(job, "GET", f"{FILES}/models/single/1/model.pkl").body == b"pickle"


def test_the_files_of_a_model_are_for_reading(tracked: Tracked, job: Job, other_workspace: str) -> None:
    """Nobody writes there, nothing outside and of no other workspace is read, and what is not there is said."""
    folder = tracked.files(job.workspace, "train") / "model"
    (folder / "link").symlink_to("/etc/hostname")
    put(tracked, job, "sly", "1", f"{STORE}train/model")
    assert tracked.as_job(job, "GET", f"{FILES}/models/sly/1/MLmodel").body == MLMODEL.encode()
    for who in ("job", "user"):
        token = job.token if who == "job" else tracked.server.home.read_token() or ""

        def status(method: str, path: str, raw: bytes | None = None, token: str = token) -> int:
            return tracked.send(job.workspace, token, method, f"{FILES}/models/{path}", raw=raw).status

        assert status("GET", "sly/1/link") == 403
        assert status("PUT", "sly/1/new", raw=b"x") == 403
        assert status("GET", "sly/1/none") == 404
        assert status("GET", "none/1/x") == 404
        assert status("GET", "sly") == 404
        assert status("GET", "sly/1/../MLmodel") == 400
    assert not (folder / "new").exists()
    theirs = tracked.job(other_workspace, "train")
    long = job.workspace.removeprefix("/")
    put(
        tracked,
        theirs,
        "mine",
        "1",
        f"azureml://{long}/datastores/workspaceartifactstore/paths/ExperimentRun/dcid.train/model",
    )
    assert tracked.as_job(theirs, "GET", f"{FILES}/models/mine/1/MLmodel").status == 403


def test_changes_in_smalt_are_followed(tracked: Tracked, job: Job) -> None:
    """An alias that moves to another version, tags, and a version that is archived and restored."""
    registered(tracked, job, "iris")
    registered(tracked, job, "iris")
    for version in ("1", "2"):
        change(tracked, job, "iris", version, properties={"aliases": "best"}, tags={"n": version})
    assert read(tracked, job, "registered-models/alias?name=iris&alias=best")["model_version"]["version"] == "2"
    change(tracked, job, "iris", "2", isArchived=True)
    assert versions(tracked, job, "iris") == {"1": "1"}
    change(tracked, job, "iris", "2", isArchived=False)
    assert versions(tracked, job, "iris") == {"1": "1", "2": "2"}
    uri = read(tracked, job, "model-versions/get-download-uri?name=iris&version=2")["artifact_uri"]
    assert uri == "mlflow-artifacts:/ExperimentRun/dcid.train/model"


def test_what_mlflow_deletes_is_archived(tracked: Tracked, job: Job) -> None:
    """Its number is not given again, by neither side, and it can be restored."""
    registered(tracked, job, "iris")
    registered(tracked, job, "iris")
    user(tracked, job, "DELETE", "model-versions/delete", {"name": "iris", "version": "2"})
    assert asset(tracked, job, "iris", "2")["isArchived"] is True
    assert registered(tracked, job, "iris") == "3"
    user(tracked, job, "DELETE", "registered-models/delete", {"name": "iris"})
    container = tracked.server.ask("GET", f"{job.workspace}/models/iris").body["properties"]
    assert container["isArchived"] is True
    assert asset(tracked, job, "iris", "1")["isArchived"] is True
    assert registered(tracked, job, "iris") == "4"
    assert versions(tracked, job, "iris") == {"4": ""}
    change(tracked, job, "iris", "1", isArchived=False)
    assert set(versions(tracked, job, "iris")) == {"1", "4"}


def test_a_renamed_model_is_the_same_files_under_another_name(tracked: Tracked, job: Job) -> None:
    """The old name is archived."""
    registered(tracked, job, "iris")
    user(tracked, job, "POST", "registered-models/rename", {"name": "iris", "new_name": "flowers"})
    assert asset(tracked, job, "flowers", "1")["modelUri"] == f"{STORE}train/model"
    assert asset(tracked, job, "iris", "1")["isArchived"] is True


def test_a_copied_version_leads_to_the_same_files(tracked: Tracked, job: Job, tmp_path: Path) -> None:
    """What MLflow copies from a model of smalt is where that is."""
    (tmp_path / "MLmodel").write_text(MLMODEL)
    put(tracked, job, "first", "1", tmp_path.as_uri())
    write(tracked, job, "POST", "registered-models/create", {"name": "second"})
    write(tracked, job, "POST", "model-versions/create", {"name": "second", "source": "models:/first/1"})
    assert asset(tracked, job, "second", "1")["modelUri"] == asset(tracked, job, "first", "1")["modelUri"]


def test_what_mlflow_registers_keeps_its_content(tracked: Tracked, job: Job) -> None:
    """It is read-only, and where its file is logged again, the version has the first, to smalt and to MLflow."""
    registered(tracked, job, "kept")
    place = tracked.files(job.workspace, job.name) / "model" / "MLmodel"
    assert not place.stat().st_mode & 0o222
    path = f"{FILES}/ExperimentRun/dcid.{job.name}/model/MLmodel"
    assert tracked.as_job(job, "PUT", path, raw=b"another").status == 200
    assert place.read_bytes() == b"another"
    command = "grep -q 'loader_module: mlflow.sklearn' ${{inputs.m}}/MLmodel"
    source = {"jobInputType": "mlflow_model", "uri": "azureml:kept:1"}
    reader = host_job(command, inputs={"m": source})
    assert tracked.server.ask("PUT", f"{job.workspace}/jobs/reader", reader).status == 201
    assert ended(tracked, job.workspace, "reader") == "Completed"
    version = read(tracked, job, "model-versions/get?name=kept&version=1")["model_version"]
    found = tracked.as_job(job, "GET", f"{FILES}/{version['source'].removeprefix('mlflow-artifacts:/')}/MLmodel")
    assert (found.status, found.body) == (200, MLMODEL.encode())


def test_what_a_running_job_registers_is_protected_when_it_is_over(
    tracked: Tracked, workspace: str, tmp_path: Path
) -> None:
    """Until then the job may log it again, and the version stays what it was."""
    go = tmp_path / "go"
    command = f"printenv MLFLOW_TRACKING_TOKEN; until [ -e {go} ]; do sleep 0.02; done"
    assert tracked.server.ask("PUT", f"{workspace}/jobs/running", host_job(command)).status == 201
    log = tracked.files(workspace, "running") / "user_logs" / "std_log.txt"
    eventually(lambda: log.exists() and log.read_text().endswith("\n"), "the token")
    job = Job(workspace, "running", tracked.said(workspace, "running"))
    path = f"{FILES}/ExperimentRun/dcid.running/model/MLmodel"
    for word in ("one", "two"):
        assert tracked.as_job(job, "PUT", path, raw=word.encode()).status == 200
        registered(tracked, job, "twice")
    place = tracked.files(workspace, "running") / "model"
    assert (place / "MLmodel").stat().st_mode & 0o200
    go.touch()
    assert ended(tracked, workspace, "running") == "Completed"
    eventually(lambda: is_write_protected(place), "the protection")
    assert [asset(tracked, job, "twice", n)["modelUri"].split("/paths/")[1] for n in "12"] == [
        "Versions/models/twice/1/model", "ExperimentRun/dcid.running/model"
    ]  # fmt: skip


def ended(tracked: Tracked, workspace: str, name: str) -> str:
    """The state of a job that is over."""

    def state() -> str:
        status = tracked.server.ask("GET", f"{workspace}/jobs/{name}").body["properties"]["status"]
        return str(status) if status in ("Completed", "Failed", "Canceled") else ""

    return eventually(state, name)


def registered(tracked: Tracked, job: Job, name: str, path: str = "model", **more: Any) -> str:
    """A version of the job's model, registered as MLflow's clients do; its number."""
    tracked.as_job(job, "POST", f"{M}/registered-models/create", {"name": name})
    source = f"mlflow-artifacts:/ExperimentRun/dcid.{job.name}/{path}"
    body = {"name": name, "source": source, "run_id": job.name, **more}
    made = write(tracked, job, "POST", "model-versions/create", body).body["model_version"]
    return str(made["version"])


def write(tracked: Tracked, job: Job, method: str, route: str, body: dict[str, Any]) -> Answer:
    answer = tracked.as_job(job, method, f"{M}/{route}", body)
    assert answer.status == 200, answer.body
    return answer


def user(tracked: Tracked, job: Job, method: str, route: str, body: dict[str, Any]) -> None:
    answer = tracked.as_user(job.workspace, method, f"{M}/{route}", body)
    assert answer.status == 200, answer.body


def read(tracked: Tracked, job: Job, route: str) -> dict[str, Any]:
    answer = tracked.as_job(job, "GET", f"{M}/{route}")
    assert answer.status == 200, answer.body
    found: dict[str, Any] = answer.body
    return found


def versions(tracked: Tracked, job: Job, name: str) -> dict[str, str]:
    """version → its tag `n`, as MLflow shows them."""
    found = read(tracked, job, "model-versions/search").get("model_versions", [])
    return {
        one["version"]: next((tag["value"] for tag in one.get("tags", []) if tag["key"] == "n"), "")
        for one in found
        if one["name"] == name
    }


def asset(tracked: Tracked, job: Job, name: str, version: str) -> dict[str, Any]:
    answer = tracked.server.ask("GET", f"{job.workspace}/models/{name}/versions/{version}")
    assert answer.status == 200, answer.body
    properties: dict[str, Any] = answer.body["properties"]
    return properties


def put(tracked: Tracked, job: Job, name: str, version: str, uri: str, **more: Any) -> None:
    body = {"properties": {"modelUri": uri, "modelType": "mlflow_model", **more}}
    answer = tracked.server.ask("PUT", f"{job.workspace}/models/{name}/versions/{version}", body)
    assert answer.status == 201, answer.body


def change(tracked: Tracked, job: Job, name: str, version: str, **changes: Any) -> None:
    body = {"properties": {**asset(tracked, job, name, version), **changes}}
    answer = tracked.server.ask("PUT", f"{job.workspace}/models/{name}/versions/{version}", body)
    assert answer.status == 200, answer.body
