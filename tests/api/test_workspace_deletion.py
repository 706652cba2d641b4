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
from tests.helpers import WORKSPACE, Answer, Server, eventually, host_job

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


@pytest.mark.parametrize("when", ["while it is copied", "when it is copied"])
def test_a_version_is_stored_while_its_workspace_is_deleted(
    own_server: Server, workspace: str, tmp_path: Path, when: str
) -> None:
    """The request is refused in a sentence, and deletes and prunes of other workspaces go on working."""
    began, go = tmp_path / "began", tmp_path / "go"
    (tmp_path / "data").write_text("x\n")
    waits = WAITS.format(began=str(began), go=str(go)).strip().splitlines()
    lines = ["made = real(*arguments)", *waits] if when == "when it is copied" else [*waits, "made = real(*arguments)"]
    replace(tmp_path, "data.importing:put_in_place", ("\n" + 16 * " ").join([*lines, "return made"]))
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
        [two] = [one for one in records.every(db) if one.name == "two"]
        deletions.forget_workspace(db, two)
        new = jobs.New(name="j", type="command", body={}, body_hash="x", experiment="e", display_name="j")
        with pytest.raises(records.NotFound):
            jobs.add(db, two.id, new, "me")
        with pytest.raises(records.NotFound):
            assets.put(db, two.id, "data", "d", "1", {}, "me")
        with pytest.raises(records.NotFound):
            resources.put(db, two.id, "datastores", "d", {}, "me")


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
