"""Deleting a workspace loses nothing that was acknowledged, and takes nothing that other workspaces have."""

from __future__ import annotations

import contextlib
import sqlite3
import threading
from pathlib import Path
from typing import Any

import pytest

from smalt.service.records import assets, deletions, jobs, resources
from smalt.service.records import workspaces as records
from smalt.service.records.database import Database
from tests.api.test_deletion import kill, replace
from tests.helpers import WORKSPACE, Answer, Server, begin_long_job, eventually, host_job

ONE, TWO = WORKSPACE.format("one"), WORKSPACE.format("two")
WAITS = """
import time
open({began!r}, "w").close()
while not os.path.exists({go!r}): time.sleep(0.01)
"""


def run(server: Server, workspace: str, name: str, body: dict[str, Any]) -> None:
    path = f"{workspace}/jobs/{name}"
    assert server.ask("PUT", path, body).status == 201
    ends = ("Completed", "Failed", "Canceled")
    over = eventually(lambda: (got := server.ask("GET", path).body["properties"])["status"] in ends and got)
    assert over["status"] == "Completed", over.get("error")


POINTS = {
    "before it is copied": ("data.job_data.local_imports:import_local", True, False),
    "when it is copied": ("data.job_data.local_imports:import_local", False, True),
}


@pytest.mark.parametrize("when", POINTS)
def test_a_version_is_stored_while_its_workspace_is_deleted(
    own_server: Server, workspace: str, tmp_path: Path, when: str
) -> None:
    """The request is refused in a sentence, and deletes and prunes of other workspaces go on working."""
    began, go = tmp_path / "began", tmp_path / "go"
    (tmp_path / "data").write_text("x\n")
    waits = WAITS.format(began=str(began), go=str(go)).strip().splitlines()
    point, before, after = POINTS[when]
    lines = [*(waits if before else ()), "made = real(*arguments)", *(waits if after else ()), "return made"]
    replace(tmp_path, point, ("\n" + 16 * " ").join(lines))
    own_server.start(environment={"PYTHONPATH": f"{tmp_path}"})
    run(own_server, workspace, "made", host_job("true"))
    assert own_server.ask("PUT", TWO, {}).status == 200
    found: list[Answer] = []
    version = {"properties": {"dataUri": str(tmp_path / "data"), "dataType": "uri_file"}}
    creating = threading.Thread(target=lambda: found.append(own_server.ask("PUT", f"{TWO}/data/d/versions/1", version)))
    creating.start()
    try:
        eventually(began.exists, "the copy")
        assert own_server.ask("DELETE", TWO).status == 200
    finally:
        go.touch()
        creating.join()
    assert found[0].status == 404, found[0].body
    assert "workspace 'two' was deleted meanwhile" in found[0].body["error"]["message"]
    assert own_server.ask("DELETE", f"{workspace}/jobs/made").status == 200
    assert own_server.ask("POST", "/smalt/v1/prune", {}).status == 200
    assert own_server.ask("GET", "/smalt/v1/status?details=true").status == 200
    kill(own_server.processes[-1])
    own_server.start()
    folder = own_server.home.path("workspaces", "two")
    eventually(lambda: not folder.exists(), "the removal of what was copied")


def test_no_row_is_added_to_a_deleted_workspace(own_server: Server) -> None:
    """Jobs, versions, resources: each is refused where the workspace was deleted after it was looked up."""
    own_server.start()
    assert own_server.ask("PUT", TWO, {}).status == 200
    own_server.end()
    db = Database(own_server.home.path("smalt.db"))
    with contextlib.closing(db):
        [two] = [one for one in records.list_workspaces(db) if one.name == "two"]
        deletions.remove_workspace_rows(db, two)
        new = jobs.NewJob(name="j", type="command", body={}, body_hash="x", experiment="e", display_name="j")
        with pytest.raises(records.NotFound):
            jobs.add_job(db, two.id, new, "me")
        with pytest.raises(records.NotFound):
            assets.put_version(db, two.id, "data", "d", "1", {}, "me")
        with pytest.raises(records.NotFound):
            resources.put_resource(db, two.id, "datastores", "d", {}, "me")


def test_rows_that_an_earlier_server_left_are_removed(own_server: Server, workspace: str) -> None:
    """A home in which a version was stored in a deleted workspace deletes and prunes again after a start."""
    own_server.start()
    run(own_server, workspace, "made", host_job("true"))
    assert own_server.ask("PUT", TWO, {}).status == 200
    version = {"properties": {"dataUri": "azureml://datastores/workspaceblobstore/paths/x", "dataType": "uri_folder"}}
    assert own_server.ask("PUT", f"{TWO}/data/d/versions/1", version).status == 201
    own_server.end()
    with contextlib.closing(sqlite3.connect(own_server.home.path("smalt.db"))) as db:
        db.execute("UPDATE workspaces SET key='deleted:'||id WHERE name='two'")
        db.commit()
    own_server.start()
    assert own_server.ask("DELETE", f"{workspace}/jobs/made").status == 200
    assert own_server.ask("POST", "/smalt/v1/prune", {}).status == 200


def test_what_jobs_of_a_deleted_workspace_wrote_over_stays_known(server: Server, tmp_path: Path) -> None:
    """A job's output that one of another workspace wrote over is still refused when that workspace is deleted."""
    for workspace, name in ((ONE, "first"), (TWO, "over")):
        output = {"o": {"jobOutputType": "uri_folder", "uri": f"{tmp_path}/shared"}}
        run(server, workspace, name, host_job(f"echo {name} > ${{{{outputs.o}}}}/f", outputs=output))
    reads = {"d": {"jobInputType": "uri_folder", "uri": "azureml://jobs/first/outputs/o"}}
    for said in ("job over wrote over", "job over, which has been deleted, wrote over"):
        refused = server.ask("PUT", f"{ONE}/jobs/reads", host_job("cat ${{inputs.d}}/f", inputs=reads))
        assert refused.status == 400, refused.body
        assert said in refused.body["error"]["message"]
        assert server.ask("DELETE", TWO).status in (200, 404)


def scoped(workspace: str, path: str) -> str:
    names = workspace.split("/")
    return f"azureml://subscriptions/{names[2]}/resourcegroups/{names[4]}/workspaces/{names[-1]}/{path}"


SHARED = {
    "a path": (
        "datastores/workspaceblobstore/paths/azureml/made/o",
        "data 'held:1' of workspace '{two}' has something",
    ),
    "its datastore": ("datastores/alias/paths/x", "data 'held:1' of workspace '{two}' has something"),
    "a reader": ("datastores/workspaceblobstore/paths/azureml/made/o", "job 'reader' of workspace '{two}' is Running"),
    "a reader of an asset": ("data/own/versions/1", "job 'reader' of workspace '{two}' is Running"),
    "an output": ("datastores/workspaceblobstore/paths/guest", "job 'guest' of workspace '{two}' wrote an output"),
}


@pytest.mark.parametrize("how", SHARED)
def test_what_another_workspace_has_of_it_keeps_a_workspace(
    server: Server, workspace: str, tmp_path: Path, how: str
) -> None:
    """A version, an output or a running reader of another workspace is named in the refusal, and keeps what it has."""
    one, two = workspace, f"{workspace}-2"
    name = one.rpartition("/")[2]
    path, said = SHARED[how]
    output = {"o": {"jobOutputType": "uri_folder"}}
    run(server, one, "made", host_job("echo first > ${{outputs.o}}/f", outputs=output))
    run(server, one, "own", host_job("true"))
    (tmp_path / "x").mkdir()
    store = {"properties": {"datastoreType": "LocalPath", "path": str(tmp_path)}}
    assert server.ask("PUT", f"{one}/datastores/alias", store).status in (200, 201)
    own = {"properties": {"dataUri": "azureml://jobs/made/outputs/o", "dataType": "uri_folder"}}
    assert server.ask("PUT", f"{one}/data/own/versions/1", own).status in (200, 201)
    uri = scoped(one, path)
    if "reader" in how:
        waits = f"touch {tmp_path}/began; until [ -e {tmp_path}/go ]; do sleep 0.02; done; cat ${{{{inputs.d}}}}/f"
        reader = host_job(waits, inputs={"d": {"jobInputType": "uri_folder", "uri": uri}})
        assert server.ask("PUT", f"{two}/jobs/reader", reader).status == 201
        eventually((tmp_path / "began").exists, "the reader")
    elif how == "an output":
        run(server, two, "guest", host_job("echo guest > ${{outputs.o}}/f", outputs={"o": {**output["o"], "uri": uri}}))
    else:
        held = {"properties": {"dataUri": uri, "dataType": "uri_folder"}}
        assert server.ask("PUT", f"{two}/data/held/versions/1", held).status in (200, 201)
    try:
        refused = server.ask("DELETE", one)
        assert refused.status == 409, refused.body
        assert said.format(two=f"{name}-2") in refused.body["error"]["message"]
        assert (
            server.home.path("workspaces", name, "datastores/workspaceblobstore/azureml/made/o/f")
        ).read_text() == "first\n"
    finally:
        (tmp_path / "go").touch()
    if "reader" in how:
        eventually(lambda: server.ask("GET", f"{two}/jobs/reader").body["properties"]["status"] == "Completed")
    else:
        assert server.ask("DELETE", two).status == 200
    assert server.ask("DELETE", one).status == 200
    assert not server.home.path("workspaces", name).exists()


def test_a_job_that_starts_while_home_is_pruned_keeps_its_folder(
    own_server: Server, workspace: str, tmp_path: Path
) -> None:
    """Its folder is made after the request was sent, and before anything is removed."""
    began, go = tmp_path / "began", tmp_path / "go"
    waits = WAITS.format(began=str(began), go=str(go)).strip().splitlines()
    replace(
        tmp_path,
        "engine.deletion.place_references:_read_table_uris",
        ("\n" + 16 * " ").join([*waits, "return real(*arguments)"]),
    )
    own_server.start(environment={"PYTHONPATH": f"{tmp_path}"})
    version = {"properties": {"dataUri": "azureml://datastores/workspaceblobstore/paths/x", "dataType": "uri_folder"}}
    assert own_server.ask("PUT", f"{workspace}/data/d/versions/1", version).status == 201
    run(own_server, workspace, "over", host_job("true"))
    found: list[Answer] = []
    pruning = threading.Thread(target=lambda: found.append(own_server.ask("POST", "/smalt/v1/prune", {})))
    pruning.start()
    try:
        eventually(began.exists, "the look at what is held")
        begin_long_job(own_server, workspace, "long")
    finally:
        go.touch()
        pruning.join()
    folder = own_server.home.path("workspaces", workspace.rpartition("/")[2], "jobs")
    assert found[0].status == 200, found[0].body
    assert [path.name for path in folder.iterdir()] == ["long"]
    own_server.ask("POST", f"{workspace}/jobs/long/cancel")
