from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from smalt.exceptions import Unavailable
from smalt.service.records import job_data, job_removal, jobs, workspaces
from smalt.service.records.database import Database
from smalt.service.records.jobs import Job
from smalt.service.records.workspaces import Workspace
from smalt.service.tracking import run_fields
from smalt.service.tracking.runs import JobRuns

COMMAND = {
    "jobType": "Command",
    "command": "python train.py --lr ${{inputs.lr}}",
    "codeId": "azureml:/subscriptions/s/x/codes/abc123/versions/1",
    "description": "a try",
    "tags": {"team": "blue", "rank": 3},
    "properties": {"azureml.git.commit": "c0ffee", "mine": "no tag"},
    "inputs": {
        "lr": {"jobInputType": "literal", "value": "1e-3"},
        "data": {"jobInputType": "uri_file", "uri": "azureml:iris:1"},
    },
}


class Records:
    """A database with jobs, and what a store was told of them."""

    def __init__(self, path: Path) -> None:
        self.db = Database(path)
        self.workspace: Workspace = workspaces.ensure_workspace(self.db, "s", "g", "w", "me")
        self.sent: list[dict[str, Any]] = []
        self.is_down = False
        self.meanwhile: Any = lambda: None
        self.runs = JobRuns(self.db, self.call)

    async def call(self, workspace: Workspace, method: str, path: str, body: Any = None) -> Any:
        assert (workspace.id, method, path) == (self.workspace.id, "POST", "/smalt/runs")
        await asyncio.sleep(0)
        if self.is_down:
            raise Unavailable("MLflow is down")
        self.meanwhile()
        self.sent.append(body)
        return {"created": []}

    def add(self, name: str, parent: Job | None = None, **more: Any) -> Job:
        new = jobs.NewJob(name=name, type="command", body={**COMMAND, **more}, experiment="trials", node=name)
        return jobs.add_job(self.db, self.workspace.id, new, "me", parent)

    def move(self, job: Job, *statuses: str) -> None:
        with self.db.transaction():
            jobs.set_status(self.db, job, *statuses)
            if job.is_over:
                self.runs.record_end(job)

    def taken(self) -> list[dict[str, Any]]:
        """The runs sent since the last look."""
        sent, self.sent = self.sent, []
        return [run for body in sent for run in body["runs"]]


@pytest.fixture
def records(tmp_path: Path) -> Iterator[Records]:
    made = Records(tmp_path / "smalt.db")
    yield made
    made.db.close()


async def test_a_run_is_filled_in_from_the_jobs_records(records: Records) -> None:
    """Names, state, times, user, tags, git, snapshot, description and input data; parameters when it is over."""
    job = records.add("train")
    records.move(job, "Queued", "Running")
    row = job_data.DataRow(
        "input", "data", "uri_file", "ro_mount", "azureml://datastores/d/paths/iris.csv", "data/iris/versions/1"
    )
    job_data.put_data(records.db, job, [row])

    await records.runs.ensure_runs(records.workspace, ["train"])
    (run,) = records.taken()
    assert job.started_at is not None
    assert run["start_time"] == int(job.started_at * 1000)
    assert {key: run[key] for key in ("run_id", "experiment", "run_name", "status", "end_time", "user_id")} == {
        "run_id": "train", "experiment": "trials", "run_name": "train", "status": "RUNNING", "end_time": None,
        "user_id": "me",
    }  # fmt: skip
    assert run["params"] == {}
    assert run["tags"] == {
        "mlflow.user": "me", "mlflow.source.type": "JOB", "mlflow.source.name": "train.py",
        "mlflow.rootRunId": "train", "mlflow.note.content": "a try", "mlflow.source.git.commit": "c0ffee",
        "azureml.jobType": "command", "azureml.ContentSnapshotId": "abc123", "azureml.git.commit": "c0ffee",
        "team": "blue", "rank": "3",
    }  # fmt: skip
    (data,) = run["inputs"]
    assert (data["name"], data["context"], data["source_type"], len(data["digest"])) == (
        "iris",
        "data",
        "azureml",
        8,
    )
    assert run["artifact_uri"] == "mlflow-artifacts:/ExperimentRun/dcid.train"
    records.move(job, "Finalizing", "Completed")
    await records.runs.wait_until_settled()
    (end,) = records.taken()
    assert (end["status"], end["params"], end["end_time"]) == ("FINISHED", {"lr": "1e-3"}, int(job.ended_at * 1000))
    assert "tags" not in end
    assert "inputs" not in end


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("NotStarted", "SCHEDULED"), ("Queued", "SCHEDULED"), ("Preparing", "SCHEDULED"), ("Running", "RUNNING"),
        ("Finalizing", "RUNNING"), ("CancelRequested", "RUNNING"), ("Completed", "FINISHED"), ("Failed", "FAILED"),
        ("Canceled", "KILLED"),
    ],
)  # fmt: skip
def test_every_state_has_mlflows_word(records: Records, status: str, expected: str) -> None:
    """A job that waits is scheduled; one that is being ended still runs."""
    job = records.add("train")
    job.status = status
    assert run_fields.get_status(job) == expected


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ("https://example.org/iris.csv", "http"), ("file:///data/iris.csv", "local"), ("/data/iris.csv", "local"),
        ("azureml://datastores/d/paths/iris.csv", "azureml"),
    ],
)  # fmt: skip
def test_input_data_is_a_data_set_of_its_kind(records: Records, uri: str, expected: str) -> None:
    """MLflow's client can open what lies at a URL or on this machine."""
    job = records.add("train")
    job_data.put_data(records.db, job, [job_data.DataRow("input", "data", "uri_file", "ro_mount", uri)])
    asyncio.run(records.runs.ensure_runs(records.workspace, ["train"]))
    (data,) = records.taken()[0]["inputs"]
    assert (data["name"], data["source_type"]) == ("data", expected)
    assert uri in data["source"]


def test_a_step_is_nested_below_its_pipeline(records: Records) -> None:
    """Asking for a step makes the runs above it first, with its parent and root named by tags."""
    top = records.add("p")
    middle = records.add("p-inner", top)
    records.add("p-inner-step", middle)

    async def script() -> None:
        await records.runs.ensure_runs(records.workspace, ["p-inner-step", "no job of ours"])

    asyncio.run(script())
    found = [(run["run_id"], run["tags"].get("mlflow.parentRunId"), run["tags"]["mlflow.rootRunId"])
             for run in records.taken()]  # fmt: skip
    assert found == [("p", None, "p"), ("p-inner", "p", "p"), ("p-inner-step", "p-inner", "p")]


async def test_nothing_is_written_for_a_job_that_nobody_asks_about(records: Records) -> None:
    """Neither at its start nor at its end; nor twice for one that has not changed."""
    quiet, asked = records.add("quiet"), records.add("asked")

    records.move(quiet, "Running")
    records.move(quiet, "Completed")
    await records.runs.ensure_runs(records.workspace, ["asked"])
    await records.runs.ensure_runs(records.workspace, ["asked"])
    assert [run["run_id"] for run in records.taken()] == ["asked"]
    records.move(asked, "Running")
    await records.runs.ensure_runs(records.workspace, ["asked"])
    assert [run["status"] for run in records.taken()] == ["RUNNING"]


def test_an_end_is_not_lost_while_the_run_is_being_made(records: Records) -> None:
    """A job that ends during the call that makes its run is written as ended right after."""
    job = records.add("train")
    records.meanwhile = lambda: records.move(job, "Failed") if not job.is_over else None

    async def script() -> None:
        await records.runs.ensure_runs(records.workspace, ["train"])
        await records.runs.wait_until_settled()

    asyncio.run(script())
    assert [run["status"] for run in records.taken()] == ["SCHEDULED", "FAILED"]


async def test_an_end_that_could_not_be_written_is_written_by_the_next_server(records: Records) -> None:
    """The store was down; after a restart what differs is written, and only that."""
    first, second = records.add("first"), records.add("second")

    await records.runs.ensure_runs(records.workspace, ["first", "second"])
    records.taken()
    records.is_down = True
    records.move(first, "Canceled")
    await records.runs.wait_until_settled()
    records.is_down = False
    assert records.taken() == []
    await JobRuns(records.db, records.call).write_missed_ends()
    assert [(run["run_id"], run["status"]) for run in records.taken()] == [("first", "KILLED")]
    await JobRuns(records.db, records.call).write_missed_ends()
    assert records.taken() == []
    records.runs = JobRuns(records.db, records.call)
    records.move(second, "Completed")
    await records.runs.wait_until_settled()
    assert [(run["run_id"], run["status"]) for run in records.taken()] == [("second", "FINISHED")]


async def test_before_a_search_all_jobs_are_there_in_few_calls(records: Records) -> None:
    """Those of an experiment, or all; later only what is new or has changed."""
    for number in range(450):
        job = records.add(f"j{number}")
    other = jobs.NewJob(name="other", type="command", body=COMMAND, experiment="elsewhere")
    jobs.add_job(records.db, records.workspace.id, other, "me")

    await records.runs.ensure_all_runs(records.workspace, "trials")
    assert [len(body["runs"]) for body in records.sent] == [200, 200, 50]
    records.taken()
    await records.runs.ensure_all_runs(records.workspace)
    assert [run["run_id"] for run in records.taken()] == ["other"]
    records.move(job, "Running")
    records.add("new")
    await records.runs.ensure_all_runs(records.workspace)
    assert [run["run_id"] for run in records.taken()] == ["j449", "new"]


async def test_a_renamed_job_is_written_whole_and_a_deleted_one_removed(records: Records) -> None:
    """Tags again, though its state has not changed; and its run goes before another of that name comes."""
    job = records.add("train")

    records.runs.record_description(job)
    await records.runs.ensure_runs(records.workspace, ["train"])
    records.taken()
    changed = {**COMMAND, "tags": {"team": "red"}}
    jobs.update_description(records.db, job, changed, display_name="better", is_archived=False)
    records.runs.record_description(job)
    await records.runs.wait_until_settled()
    (run,) = records.taken()
    assert (run["run_name"], run["tags"]["team"]) == ("better", "red")
    records.runs.record_removal(records.workspace, [job])
    job_removal.remove_tree(records.db, job)
    records.add("train")
    await records.runs.ensure_runs(records.workspace, ["train"])
    assert records.sent[0] == {"runs": [], "gone": ["train"]}
    (again,) = records.taken()
    assert again["tags"]["team"] == "blue"
    await records.runs.wait_until_settled()
    assert records.taken() == []


async def test_the_run_of_a_deleted_job_goes_over_a_kill(records: Records) -> None:
    """Before a new job of the name has one, also where the server that deleted the job could not remove it."""
    job = records.add("train")

    await records.runs.ensure_runs(records.workspace, ["train"])
    records.is_down = True
    with records.db.transaction():
        records.runs.record_removal(records.workspace, [job])
        job_removal.remove_tree(records.db, job)
    await records.runs.wait_until_settled()
    records.is_down = False
    records.taken()
    records.runs = JobRuns(records.db, records.call)
    await records.runs.write_missed_ends()
    assert records.sent == [{"runs": [], "gone": ["train"]}]
    records.add("train")
    records.runs = JobRuns(records.db, records.call)
    await records.runs.ensure_runs(records.workspace, ["train"])
    assert [body.get("gone") for body in records.sent] == [["train"], None]


async def test_the_run_of_a_job_that_could_not_be_deleted_stays(records: Records) -> None:
    """Nothing is removed for a transaction that the disk refused."""
    job = records.add("train")

    def delete_in_vain() -> None:
        with records.db.transaction():
            records.runs.record_removal(records.workspace, [job])
            raise Unavailable("the disk is full")

    await records.runs.ensure_runs(records.workspace, ["train"])
    records.taken()
    with pytest.raises(Unavailable, match="full"):
        delete_in_vain()
    await records.runs.wait_until_settled()
    assert records.sent == []
