"""A registered version is for ever, whoever registers, and each who leaves the version out gets one of its own."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from smalt import MLClient
from smalt.entities import CommandComponent, Data, Environment, Model
from smalt.exceptions import Conflict
from tests.acceptance.conftest import Desk

JOB = """
    environment: azureml:host
    environment_variables: {MARK: first}
    command: echo $MARK > ${{outputs.o}}/f
    outputs: {o: {type: uri_folder, name: NAME}}
"""


@pytest.fixture
def client(desk: Desk) -> MLClient:
    return MLClient.from_config(path=desk.folder) if (desk.folder / "config.json").exists() else MLClient()


def content(desk: Desk, name: str, version: str) -> str:
    """What a job reads in the file f of that version."""
    read = """
        command: cat ${{inputs.d}}/f
        environment: azureml:host
        inputs: {d: {type: uri_folder, path: "azureml:NAME"}}
    """
    desk.write("read.yml", read.replace("NAME", f"{name}:{version}"))
    ran = desk.smalt("job create --file read.yml --stream")
    assert ran.code == 0, ran.err
    return next(line for line in ran.lines if line in ("one", "two", "first", "second"))


def test_a_named_output_whose_version_exists_is_refused(desk: Desk) -> None:
    """The first job's content stays, and the second job is refused with the argument's place."""
    desk.write("job.yml", JOB.replace("NAME", "fixed, version: '1'"))
    assert desk.smalt("job create --file job.yml --stream").code == 0
    again = desk.smalt("job create --file job.yml --stream --set environment_variables.MARK=second")
    assert again.code != 0
    assert "'fixed:1' exists already, and a registered version never changes" in again.err
    assert content(desk, "fixed", "1") == "first"


def test_an_exported_job_registers_the_next_version(desk: Desk) -> None:
    """An automatic version is not written down as a fixed one, neither by `job export` nor in a job that was got."""
    desk.write("job.yml", JOB.replace("NAME", "auto"))
    name = desk.ask("job create --file job.yml --query name")
    assert desk.smalt(f"job stream {name}").code == 0
    assert desk.ask(f"job show --name {name} --query outputs.o.version") == "1"
    assert desk.smalt(f"job export {name} --folder moved").code == 0
    assert "version" not in Path(desk.folder, "moved/job.yml").read_text()
    assert desk.smalt("job create --file moved/job.yml --stream --set environment_variables.MARK=second").code == 0
    assert [content(desk, "auto", version) for version in "12"] == ["first", "second"]


def test_a_job_that_was_got_is_submitted_again(desk: Desk, client: MLClient) -> None:
    """The same job under another name registers the next version."""
    desk.write("job.yml", JOB.replace("NAME", "again"))
    name = desk.ask("job create --file job.yml --query name")
    assert desk.smalt(f"job stream {name}").code == 0
    got = client.jobs._connection.get(client.jobs._build_path(name))
    client.jobs._connection.put(client.jobs._build_path("once-more"), {"properties": got["properties"]})
    assert desk.smalt("job stream once-more").code == 0
    assert desk.ask("job show --name once-more --query outputs.o.version") == "2"


@pytest.mark.parametrize("kind", ["data", "models", "components", "environments"])
@pytest.mark.parametrize("same", [False, True])
def test_eight_at_once_without_a_version(desk: Desk, client: MLClient, kind: str, same: bool) -> None:
    """Each gets a version of its own; components and environments that are the same are one."""
    name = f"eight-{kind}-{same}"
    for word in ("same", *(f"w{number}" for number in range(8))):
        desk.write(f"{word}/f", word)

    def make(number: int) -> str:
        word = "same" if same else f"w{number}"
        if kind == "components":
            entity: Any = CommandComponent(name=name, command=f"echo {word}", environment="azureml:host")
        elif kind == "environments":
            entity = Environment(name=name, image=f"some/{word}")
        else:
            folder = desk.folder / word
            noun: Any = Data if kind == "data" else Model
            entity = noun(name=name, path=str(folder), type="uri_folder" if kind == "data" else "custom_model")
        return str(getattr(client, kind).create_or_update(entity).version)

    with ThreadPoolExecutor(8) as pool:
        made = sorted(pool.map(make, range(8)))
    is_once = same and kind in ("components", "environments")
    assert made == (["1"] * 8 if is_once else [str(number) for number in range(1, 9)])


@pytest.mark.parametrize("place", ["workspace", "registry"])
def test_a_version_with_other_content_is_refused(desk: Desk, client: MLClient, place: str) -> None:
    """Content and type of a version stay; what describes it may change."""
    where = ""
    if place == "registry":
        assert desk.smalt(f"config set registry team={desk.folder}/team").code == 0
        (desk.folder / "team").mkdir()
        where = " --registry-name team"
    desk.write("d/f", "one\n")
    desk.write("e/f", "two\n")
    create = f"data create --name kept --version 1 --type uri_folder{where}"
    assert desk.smalt(f"{create} --path d").code == 0
    refused = desk.smalt(f"{create} --path e")
    assert refused.code != 0
    assert "'kept:1' exists already" in refused.err
    assert desk.smalt(f"{create} --path d --description said").code == 0
    assert desk.smalt(f"data show --name kept --version 1 --query description{where}").code == 0
    if place == "workspace":
        assert content(desk, "kept", "1") == "one"


def test_an_environment_without_its_conda_file_is_another(client: MLClient) -> None:
    """What is left out of a version that exists is a change of it, and refused."""
    client.environments.create_or_update(
        Environment(name="e", version="1", image="some", conda_file={"dependencies": ["python"]})
    )
    with pytest.raises(Conflict, match="exists already"):
        client.environments.create_or_update(Environment(name="e", version="1", image="some"))
