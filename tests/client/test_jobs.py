"""Jobs are submitted, followed, listed, changed, cancelled and downloaded."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from smalt import MLClient
from smalt.entities import CommandJobLimits
from smalt.exceptions import Conflict, JobException, NotFound, RefusedError, ValidationException
from tests.client.documents import ENVIRONMENT, command, make
from tests.helpers import LONGEST


def followed(client: MLClient, name: str) -> list[dict[str, Any]]:
    events: list[dict[str, Any]] = []
    client.jobs.stream(name, events.append)
    return events


def running(client: MLClient) -> Any:
    """A job that is in the midst of its command."""
    job: Any = client.jobs.create_or_update(command("echo up; sleep 300"))
    events = client.jobs.events(job.name)
    assert any(json.loads(line).get("text") == "up\n" for line in events)
    return job


def log(events: list[dict[str, Any]]) -> str:
    return "".join(event["text"] for event in events if event["t"] == "log" and event["file"].startswith("user_logs"))


def test_a_job_is_submitted_and_followed(client: MLClient) -> None:
    """It gets a name, and its log and its end are seen."""
    job = client.jobs.create_or_update(command("echo hi $A", environment_variables={"A": "there"}))
    assert job.name is not None
    assert job.name.count("_") == 2
    events = followed(client, job.name)
    assert log(events) == "hi there\n"
    assert events[-1] == {"t": "end", "status": "Completed"}
    assert client.jobs.get(job.name).status == "Completed"


def test_a_job_that_fails_raises_when_followed(client: MLClient) -> None:
    """With the reason that the server gives."""
    job: Any = client.jobs.create_or_update(command("exit 3"))
    with pytest.raises(JobException, match=rf"job {job.name} ended as Failed: .*3"):
        client.jobs.stream(job.name)


def test_a_job_that_cannot_run_yet_is_refused(client: MLClient) -> None:
    """In one sentence, though it is recorded for who only looks at lists."""
    job: Any = make(
        "job",
        type="automl",
        task="image_classification",
        primary_metric="accuracy",
        target_column_name="y",
        training_data={"type": "mltable", "path": "azureml:t:1"},
    )
    job.name = "images"
    with pytest.raises(RefusedError, match="cannot run yet"):
        client.jobs.create_or_update(job)
    assert client.jobs.get("images").status == "Failed"


def test_logs_are_printed_by_default(client: MLClient, capsys: pytest.CaptureFixture[str]) -> None:
    """As the service's client does, but nothing else."""
    job: Any = client.jobs.create_or_update(command("echo one; echo two"))
    client.jobs.stream(job.name)
    assert capsys.readouterr().out == "one\ntwo\n"


def test_defaults_are_those_of_the_service(client: MLClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The display name is the name, the experiment that of the current folder."""
    folder = tmp_path / "my experiment"
    folder.mkdir()
    monkeypatch.chdir(folder)
    job = client.jobs.create_or_update(command("true"))
    assert (job.display_name, job.experiment_name) == (job.name, "myexperiment")


def test_the_same_name_again(client: MLClient) -> None:
    """With the same content it is the same job, with another one it is refused."""
    first = client.jobs.create_or_update(command("echo 1", name="given"))
    assert client.jobs.create_or_update(command("echo 1", name="given")).id == first.id
    with pytest.raises(Conflict):
        client.jobs.create_or_update(command("echo 2", name="given"))


def test_one_object_is_submitted_many_times(client: MLClient) -> None:
    """Each time it is another job; the object itself does not change."""
    job = command("true")
    names = {client.jobs.create_or_update(job, tags={"a": "b"}).name for _ in range(2)}
    assert len(names) == 2
    assert (job.name, job.tags) == (None, {})


def test_a_job_made_in_python_is_validated_before_it_is_sent(client: MLClient) -> None:
    """All problems at once, and nothing is submitted."""
    job = command("echo")
    job.limits = CommandJobLimits(timeout="soon")
    job.compute = 3
    with pytest.raises(ValidationException) as caught:
        client.jobs.create_or_update(job)
    assert len(caught.value.problems) == 2
    result = client.jobs.validate(job)
    assert not result.passed
    assert set(result.error_messages) == {"limits.timeout", "compute"}
    assert client.jobs.validate(command("echo")).passed
    assert list(client.jobs.list()) == []


def test_jobs_are_listed_newest_first(client: MLClient) -> None:
    """Without those that are archived; the children of a pipeline by its name."""
    names = [client.jobs.create_or_update(command("true", name=f"j{number}")).name for number in range(3)]
    assert [job.name for job in client.jobs.list()] == names[::-1]
    assert [job.name for job in client.jobs.list(max_results=1)] == ["j2"]
    client.jobs.archive("j1")
    assert [job.name for job in client.jobs.list()] == ["j2", "j0"]
    assert [job.name for job in client.jobs.list(list_view_type="ArchivedOnly")] == ["j1"]
    client.jobs.restore("j1")
    assert len(list(client.jobs.list())) == 3


def test_children_are_listed(client: MLClient) -> None:
    """With the names of their steps, their states and their parent."""
    steps = {name: {"command": f"echo {name}", "environment": ENVIRONMENT} for name in "ab"}
    job = client.jobs.create_or_update(make("job", type="pipeline", jobs=steps))
    followed(client, str(job.name))
    children = list(client.jobs.list(parent_job_name=str(job.name)))
    assert {child.display_name for child in children} == {"a", "b"}
    assert {(child.status, child.parent_job_name) for child in children} == {("Completed", job.name)}


def test_references_are_shown_by_name(client: MLClient) -> None:
    """Not by the ids that they have on the wire."""
    job = client.jobs.create_or_update(command("true", compute="azureml:cpu-cluster"))
    shown: Any = client.jobs.get(str(job.name))
    assert shown.compute == "azureml:cpu-cluster"
    assert shown.environment == ENVIRONMENT


def test_a_job_from_the_server_is_changed_there(client: MLClient) -> None:
    """Its display name, description and tags; what it runs stays."""
    created = client.jobs.create_or_update(command("true"))
    job: Any = client.jobs.get(str(created.name))
    job.display_name, job.description, job.tags = "new", "what it is", {"a": "b"}
    changed: Any = client.jobs.create_or_update(job)
    assert (changed.display_name, changed.description, changed.tags) == ("new", "what it is", {"a": "b"})
    assert changed.command == "true"


def test_a_job_is_cancelled(client: MLClient) -> None:
    """The poller waits for its end."""
    job = running(client)
    client.jobs.begin_cancel(str(job.name)).result(timeout=LONGEST)
    assert client.jobs.get(str(job.name)).status == "Canceled"


def test_a_job_that_is_not_there(client: MLClient) -> None:
    """Says so, with its name."""
    with pytest.raises(NotFound, match="nobody"):
        client.jobs.get("nobody")
    with pytest.raises(NotFound, match="nobody"):
        client.jobs.stream("nobody")


def test_artifacts_are_downloaded(client: MLClient, tmp_path: Path) -> None:
    """The job's own files and logs, in az's layout."""
    job = client.jobs.create_or_update(command("echo hi; echo x > outputs/x.txt"))
    followed(client, str(job.name))
    client.jobs.download(str(job.name), download_path=tmp_path)
    assert (tmp_path / "artifacts/outputs/x.txt").read_text() == "x\n"
    assert (tmp_path / "artifacts/user_logs/std_log.txt").read_text() == "hi\n"
    assert not (tmp_path / "named-outputs").exists()


def test_outputs_are_downloaded_by_name(client: MLClient, tmp_path: Path) -> None:
    """Folders and files; `all` brings them and the artifacts."""
    outputs = {"folder": None, "file": {"type": "uri_file"}}
    text = "echo f > ${{outputs.folder}}/f.txt; echo g > ${{outputs.file}}"
    job = client.jobs.create_or_update(command(text, outputs=outputs))
    followed(client, str(job.name))
    client.jobs.download(str(job.name), download_path=tmp_path / "one", output_name="folder")
    assert (tmp_path / "one/named-outputs/folder/f.txt").read_text() == "f\n"
    client.jobs.download(str(job.name), download_path=tmp_path / "all", all=True)
    found = [path for path in (tmp_path / "all/named-outputs/file").iterdir() if path.is_file()]
    assert [path.read_text() for path in found] == ["g\n"]
    assert (tmp_path / "all/artifacts").is_dir()


def test_an_output_that_is_not_there_is_named(client: MLClient, tmp_path: Path) -> None:
    """With those that are."""
    job = client.jobs.create_or_update(command("true", outputs={"model": None}))
    followed(client, str(job.name))
    with pytest.raises(NotFound, match="no output 'modle'; its outputs are model"):
        client.jobs.download(str(job.name), download_path=tmp_path, output_name="modle")


def test_a_running_job_is_not_downloaded(client: MLClient, tmp_path: Path) -> None:
    """It has to be over."""
    job = running(client)
    with pytest.raises(JobException, match="after it has ended"):
        client.jobs.download(str(job.name), download_path=tmp_path)
    client.jobs.begin_cancel(str(job.name)).wait(LONGEST)


def test_a_job_is_submitted_without_being_read_again(client: MLClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who only follows it needs its name; what the server has made of a large pipeline takes long to read."""
    monkeypatch.setattr(type(client.jobs), "_parse_entity", None)
    name = client.jobs.submit_job(command("echo 1"))
    assert client.connection.get(client.jobs._build_path(name))["name"] == name
    invalid = command("echo")
    invalid.compute = 3  # type: ignore[assignment]
    with pytest.raises(ValidationException, match="compute"):
        client.jobs.submit_job(invalid)
