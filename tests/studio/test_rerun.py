"""Running a job again, as the page of a job does."""

from __future__ import annotations

import contextlib
import sqlite3
from typing import Any

from tests.helpers import Server, host_job
from tests.studio.pipelines import make_step, run_pipeline


def read_log(server: Server, workspace: str, job: str) -> str:
    messages = server.stream(f"/smalt/v1{workspace}/jobs/{job}/stream")
    return "".join(each["text"] for each in messages if each["t"] == "log" and each["file"].startswith("user_logs"))


def rerun(server: Server, workspace: str, job: str, **body: Any) -> tuple[int, Any]:
    answer = server.ask("POST", f"/smalt/v1{workspace}/jobs/{job}/rerun", body)
    return answer.status, answer.body.get("name") or answer.body["error"]["message"]


def test_a_job_runs_again_with_other_inputs(server: Server, workspace: str) -> None:
    """The rest is as it was submitted: command, experiment, display name; the earlier job stays as it was."""
    inputs = {key: {"jobInputType": "literal", "value": value} for key, value in (("n", "1"), ("m", "2"))}
    job = host_job("echo ${{inputs.n}} ${{inputs.m}}", inputs=inputs, experimentName="e", displayName="shown")
    assert server.ask("PUT", f"{workspace}/jobs/a", job).status == 201
    assert read_log(server, workspace, "a") == "1 2\n"
    assert rerun(server, workspace, "a", name="b", inputs={"n": "7"}) == (201, "b")
    assert read_log(server, workspace, "b") == "7 2\n"
    again = server.ask("GET", f"{workspace}/jobs/b").body["properties"]
    assert (again["experimentName"], again["displayName"], again["status"]) == ("e", "shown", "Completed")
    assert server.ask("GET", f"{workspace}/jobs/a").body["properties"]["inputs"]["n"]["value"] == "1"


def test_what_cannot_run_again_says_why(server: Server, workspace: str) -> None:
    """An unknown input, a name that is taken, a step of a pipeline, and a body that is none."""
    inputs = {"rate": {"jobInputType": "literal", "value": "1"}}
    assert server.ask("PUT", f"{workspace}/jobs/a", host_job("true ${{inputs.rate}}", inputs=inputs)).status == 201
    assert rerun(server, workspace, "a", name="b", inputs={"raet": "2"}) == (
        400, "the job has no input 'raet'; did you mean 'rate'?",
    )  # fmt: skip
    assert rerun(server, workspace, "a", name="a")[0] == 409
    assert rerun(server, workspace, "a", name="x y")[0] == 400
    assert rerun(server, workspace, "a", name=3)[0] == 400
    assert rerun(server, workspace, "none", name="b")[0] == 404
    assert run_pipeline(server, workspace, "p", {"s": make_step("true")}) == "Completed"
    status, sentence = rerun(server, workspace, "p-s", name="b")
    assert (status, "run job 'p' again" in sentence) == (403, True)


def test_the_page_of_a_job_is_not_that_of_its_copy(server: Server, workspace: str) -> None:
    """An answer that is submitted under another name has its own page; no address of the server is stored."""
    assert server.ask("PUT", f"{workspace}/jobs/first", host_job("true")).status == 201
    answer = server.ask("GET", f"{workspace}/jobs/first").body
    made = server.ask("PUT", f"{workspace}/jobs/second", {"properties": answer["properties"]})
    assert made.body["properties"]["services"]["Studio"]["endpoint"].endswith("/jobs/second")
    with contextlib.closing(sqlite3.connect(server.home.path("smalt.db"))) as db:
        bodies = db.execute(
            "SELECT b.body FROM job_bodies b JOIN jobs j ON j.id=b.job_id WHERE j.name IN ('first', 'second')"
        ).fetchall()
    assert bodies
    assert not any("/studio/" in body for (body,) in bodies)
