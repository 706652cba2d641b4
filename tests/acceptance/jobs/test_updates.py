"""An update changes what it is asked to change, or is refused with the name of the field; never neither."""

from __future__ import annotations

from typing import NamedTuple

import pytest

from smalt import MLClient
from smalt.exceptions import SmaltError
from smalt.machine.home import Home
from tests.acceptance.conftest import Desk

JOB = "environment: azureml:host\ntags: {k: '1', l: '2'}\ndescription: old\ncommand: echo ran\n"
DESCRIBED = "description: old\ntags: {k: '1', l: '2'}\n"


class Noun(NamedTuple):
    kind: str
    text: str
    changeable: tuple[str, ...]
    """Edits that are done; each `KEY=VALUE`."""
    fixed: tuple[str, ...]
    """Edits that are refused."""
    where: str = ""
    """Options that tell which one it is, besides its name."""


NOUNS = {
    "data": Noun("data", f"name: a\nversion: '1'\npath: ./d\n{DESCRIBED}", ("stage=Prod",),
                 ("path=./e", "type=uri_file"), "--version 1"),
    "model": Noun("model", f"name: a\nversion: '1'\npath: ./d\n{DESCRIBED}", ("stage=Prod", "flavors.f.a=b"),
                  ("path=./e", "type=mlflow_model"), "--version 1"),
    "environment": Noun("environment", f"name: a\nversion: '1'\nimage: python:3.11\n{DESCRIBED}", (),
                        ("image=python:3.12", "os_type=windows"), "--version 1"),
    "component": Noun("component", f"name: a\nversion: '1'\ntype: command\nenvironment: azureml:host\ncommand: ls\n"
                      f"display_name: A\n{DESCRIBED}", ("display_name=B",), ("command=pwd", "is_deterministic=false"),
                      "--version 1"),
    "datastore": Noun("datastore", f"name: a\ntype: azure_blob\naccount_name: x\ncontainer_name: y\n{DESCRIBED}",
                      ("account_name=z",), ("type=azure_file",)),
    "compute": Noun("compute", f"name: a\ntype: amlcompute\nsize: STANDARD_DS3_v2\n{DESCRIBED}", ("max_instances=5",),
                    ("type=kubernetes",)),
    "online-endpoint": Noun("online-endpoint", f"name: a\nauth_mode: key\n{DESCRIBED}", ("auth_mode=aml_token",), ()),
    "batch-endpoint": Noun("batch-endpoint", f"name: a\n{DESCRIBED}", (), ()),
    "schedule": Noun("schedule", f"name: a\n{DESCRIBED}trigger: {{type: recurrence, frequency: day, interval: 1}}\n"
                     "create_job: ./job.yml\n", ("display_name=B", "trigger.interval=2"), ()),
}  # fmt: skip


@pytest.fixture
def made(desk: Desk, request: pytest.FixtureRequest) -> tuple[Desk, Noun]:
    noun = NOUNS[request.param]
    for folder in ("d", "e"):
        desk.write(f"{folder}/f", folder)
    desk.write("job.yml", "environment: azureml:host\ncommand: ls\n")
    desk.write("noun.yml", noun.text)
    place = f"-w updates-{request.param}"
    ran = desk.smalt(f"{noun.kind} create --file noun.yml {place}")
    assert ran.code == 0, ran.err
    return desk, noun._replace(where=f"--name a {noun.where} {place}")


@pytest.mark.parametrize("made", NOUNS, indirect=True)
def test_what_can_be_changed_is_changed(made: tuple[Desk, Noun]) -> None:
    """The description, tags, and of each noun what its service can change; all removals of these."""
    desk, noun = made
    for edit in ("description=new", "tags.k=3", *noun.changeable):
        key, _, value = edit.partition("=")
        ran = desk.smalt(f"{noun.kind} update {noun.where} --set {edit}")
        assert ran.code == 0, (edit, ran.err)
        assert desk.ask(f"{noun.kind} show {noun.where} --query {key}") == value, edit
    for key in ("tags.k", "description"):
        ran = desk.smalt(f"{noun.kind} update {noun.where} --remove {key}")
        assert ran.code == 0, (key, ran.err)
    shown = desk.smalt(f"{noun.kind} show {noun.where}").json
    assert shown["tags"] == {"l": "2"}
    assert "description" not in shown


@pytest.mark.parametrize("made", NOUNS, indirect=True)
def test_what_cannot_be_changed_is_refused(made: tuple[Desk, Noun]) -> None:
    """Names, versions and ids, and of each noun what makes it what it is; it stays as it was."""
    desk, noun = made
    before = desk.smalt(f"{noun.kind} show {noun.where}").json
    fixed = [*noun.fixed, "name=b", "id=c", "version=2" if "version" in noun.where else "name=c"]
    for edit in fixed:
        ran = desk.smalt(f"{noun.kind} update {noun.where} --set {edit}")
        assert ran.code != 0, edit
        assert edit.partition("=")[0] in ran.err, ran.err
    assert desk.smalt(f"{noun.kind} show {noun.where}").json == before


def test_edits_beside_a_file_are_refused(desk: Desk) -> None:
    """--add and --remove would have no effect where the whole comes from a file."""
    desk.write("c.yml", "name: a\ntype: local_path\n")
    ran = desk.smalt("datastore update --name a --file c.yml --remove description")
    assert ran.code != 0
    assert "--add and --remove cannot be combined with --file; use --set" in ran.err


def test_what_people_see_of_a_job_can_be_changed(desk: Desk) -> None:
    """Its tags can be removed and replaced, its texts set and removed, properties added."""
    assert desk.log(JOB, "--name seen") == ["ran"]
    for edit, query, value in (
        ("--remove tags.k", "tags", {"l": "2"}),
        ("""--set tags='{"only":"1"}'""", "tags", {"only": "1"}),
        ("--set tags.more=2", "tags", {"only": "1", "more": "2"}),
        ("--set display_name=shown", "display_name", "shown"),
        ("--set description=new", "description", "new"),
        ("--remove description", "description", None),
        ("--set properties.mine=x", "properties.mine", "x"),
        ("--remove properties.mine", "properties.mine", None),
    ):
        ran = desk.smalt(f"job update --name seen {edit}")
        assert ran.code == 0, (edit, ran.err)
        shown = desk.smalt("job show --name seen").json
        for key in query.split("."):
            shown = shown.get(key)
        assert shown == value, edit


@pytest.mark.parametrize(
    "edit",
    [
        "--set experiment_name=moved",
        "--set command=x",
        "--set inputs.x=1",
        "--set environment_variables.A=1",
        "--set compute=other",
        "--set resources.instance_count=2",
        "--remove display_name",
        "--set status=Failed",
        "--set name=other",
        "--set id=other",
        "--set type=pipeline",
        "--set foo=1",
        "--remove tags.none",
        "--set properties.StartTimeUtc=never",
    ],
)
def test_what_a_job_ran_cannot_be_changed(desk: Desk, edit: str) -> None:
    """The refusal names the field, and the job stays as it was."""
    if desk.smalt("job show --name ran").code:
        assert desk.log(JOB, "--name ran") == ["ran"]
    before = desk.smalt("job show --name ran").json
    ran = desk.smalt(f"job update --name ran {edit}")
    assert ran.code != 0
    assert edit.split()[1].partition("=")[0].partition(".")[0] in ran.err
    assert desk.smalt("job show --name ran").json == before


def test_programs_change_jobs_that_they_got(desk: Desk) -> None:
    """`create_or_update` of a job that was got does the change or names the field; under another name it is new."""
    assert desk.log(JOB, "--name got") == ["ran"]
    client = MLClient(home=Home(desk.server.home.root))
    job = client.jobs.get("got")
    job.tags = {"only": "1"}
    job.display_name = "shown"
    changed = client.jobs.create_or_update(job)
    assert (changed.tags, changed.display_name) == ({"only": "1"}, "shown")
    for field, value in (("command", "x"), ("experiment_name", "moved"), ("compute", "other")):
        job = client.jobs.get("got")
        setattr(job, field, value)
        with pytest.raises(SmaltError, match=f"'{field}' of job 'got' cannot be changed"):
            client.jobs.create_or_update(job)
    with pytest.raises(SmaltError, match="'experiment_name' of job 'got' cannot be changed"):
        client.jobs.create_or_update(client.jobs.get("got"), experiment_name="moved")
    job = client.jobs.get("got")
    job.name, job.command = "got-again", "echo again"
    client.jobs.create_or_update(job)
    client.jobs.stream("got-again")
    assert client.jobs.get("got-again").command == "echo again"
    client.connection.close()


def test_a_job_that_went_on_meanwhile_can_be_changed(desk: Desk) -> None:
    """What the service told of it since, such as its end and its outputs' versions, is not a change of the user's."""
    desk.write(
        "job.yml", JOB.replace("echo ran", "until [ -e go ]; do sleep 0.05; done") + "outputs: {o: {name: later}}\n"
    )
    gate = desk.folder / "go"
    desk.smalt(f"job create --file job.yml --name later --set 'command=until [ -e {gate} ]; do sleep 0.05; done'")
    client = MLClient(home=Home(desk.server.home.root))
    job = client.jobs.get("later")
    gate.touch()
    client.jobs.stream("later")
    job.tags["new"] = "3"
    assert client.jobs.create_or_update(job).tags == {"k": "1", "l": "2", "new": "3"}
    client.connection.close()


def test_clients_that_patch_a_run_are_told_what_cannot_be_changed(desk: Desk) -> None:
    """The REST API refuses what it would not do."""
    assert desk.log(JOB, "--name patched") == ["ran"]
    client = MLClient(home=Home(desk.server.home.root))
    path = f"/history/v1.0{client.workspace_id}/runs/patched"
    with pytest.raises(SmaltError, match="'experimentName' of a run cannot be changed"):
        client.connection.patch(path, {"experimentName": "moved"})
    client.connection.patch(path, {"runId": "patched", "hidden": False, "status": None})
    client.connection.close()
