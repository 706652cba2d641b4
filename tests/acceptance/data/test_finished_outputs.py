"""The output of a job that is over is an input as it is, and its path is where it lies."""

from __future__ import annotations

import json
from typing import Any

import pytest

from smalt import Input, MLClient, Output, command, dsl
from smalt.exceptions import JobException, UserErrorException
from tests.acceptance.conftest import Desk

STORE = "azureml://datastores/workspaceblobstore/paths"
MAKE: dict[str, Any] = {"command": "echo data > ${{outputs.o}}/x.txt", "environment": "azureml:host"}
USE: dict[str, Any] = {"command": "cat ${{inputs.i}}/x.txt", "environment": "azureml:host"}
PLACES = {"given": f"{STORE}/fixed/${{{{name}}}}/", "own": None}


@pytest.fixture
def client(desk: Desk) -> MLClient:
    return MLClient(None, "sub", "group", "outputs", show_progress=False)


def ended(client: MLClient, job: Any) -> Any:
    made = client.jobs.create_or_update(job)
    client.jobs.stream(made.name, lambda event: None)
    return client.jobs.get(made.name)


def made(client: MLClient, path: str | None, *, in_pipeline: bool) -> Any:
    """A job that is over, with an output `o`."""
    make = command(outputs={"o": Output(type="uri_folder", path=path)}, **MAKE)

    @dsl.pipeline()
    def whole() -> Any:
        return {"o": make().outputs.o}

    return ended(client, whole() if in_pipeline else make)


@pytest.mark.parametrize("in_pipeline", [True, False], ids=["pipeline", "command"])
@pytest.mark.parametrize("path", PLACES.values(), ids=PLACES)
def test_it_is_an_input_as_it_is(client: MLClient, path: str | None, in_pipeline: bool) -> None:
    """Of a step, a pipeline and a command; its path, too, has nothing left to fill in."""
    done = made(client, path, in_pipeline=in_pipeline)
    output = done.outputs["o"]
    assert output.path.startswith(f"{STORE}/{'fixed' if path else 'azureml'}/{done.name}")
    use = command(inputs={"i": Input(type="uri_folder")}, **USE)

    @dsl.pipeline()
    def bound(x: Any) -> None:
        use(i=x)

    @dsl.pipeline()
    def direct() -> None:
        use(i=output)

    for job in (bound(x=output), bound(x=Input(path=output.path)), direct(), command(inputs={"i": output}, **USE)):
        assert ended(client, job).status == "Completed"


@pytest.mark.parametrize("path", PLACES.values(), ids=PLACES)
def test_a_job_that_was_got_writes_to_a_place_of_its_own(client: MLClient, path: str | None) -> None:
    """When it is submitted again under another name; a path that was changed since is the one that counts."""
    done = made(client, path, in_pipeline=False)
    first = done.outputs["o"].path
    done.name = f"{done.name}-again"
    again = ended(client, done)
    assert again.outputs["o"].path == first.replace(done.name.removesuffix("-again"), done.name)
    again.name, again.outputs["o"].path = f"{done.name}-moved", f"{STORE}/other/place/"
    assert ended(client, again).outputs["o"].path == f"{STORE}/other/place/"


def test_an_exported_job_writes_to_a_place_of_its_own(desk: Desk) -> None:
    """It has the path that was given, not the place of the run."""
    outputs = {"given": {"path": PLACES["given"]}, "own": {"type": "uri_folder"}}
    assert (
        desk.job(json.dumps({"command": "true", "environment": "azureml:host", "name": "xp", "outputs": outputs})).code
        == 0
    )
    assert desk.smalt("job export -n xp --folder there").code == 0
    exported = (desk.folder / "there" / "job.yml").read_text()
    assert "azureml/xp" not in exported
    assert "fixed/${{name}}/" in exported


def test_an_output_that_lies_nowhere_yet_is_refused(client: MLClient) -> None:
    """At the program's line, with what to give instead."""
    use = command(inputs={"i": Input(type="uri_folder")}, **USE)
    for output in (Output(type="uri_folder"), Output(path=PLACES["given"])):
        with pytest.raises(
            UserErrorException, match=r"use an output of a finished job, from ml_client.jobs.get\(NAME\)"
        ):
            use(i=output)
    with pytest.raises(JobException):
        ended(client, command(command="false", environment="azureml:host"))
