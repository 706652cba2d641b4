"""Outputs that become assets: of the type that they have, and under a name that an asset may have."""

from __future__ import annotations

import pytest

from smalt import MLClient, command
from tests.acceptance.conftest import Desk

WRONG = [
    (
        "uri_file", "mkdir -p {o} && echo 1 > {o}/x",
        "it is a folder, but its type is uri_file; make its type uri_folder, or write a file",
    ),
    (
        "uri_folder", "rm -rf {o} && echo 1 > {o}",
        "it is a file, but its type is uri_folder; make its type uri_file, or write a folder",
    ),
    (
        "mltable", "rm -rf {o} && echo 1 > {o}",
        "it is a file, but its type is mltable; make its type uri_file, or write a folder",
    ),
    (
        "mltable", "echo 1 > {o}/x",
        "its type is mltable, but the folder has no file MLTable; make its type uri_folder, or write that file",
    ),
    (
        "mlflow_model", "echo 1 > {o}/x",
        "its type is mlflow_model, but the folder has no file MLmodel; make its type custom_model, or write that file",
    ),
    (
        "triton_model", "rm -rf {o} && echo 1 > {o}",
        "it is a file, but its type is triton_model; make its type custom_model, or write a folder",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("type", "writing", "words"), WRONG)
@pytest.mark.parametrize("is_step", [True, False])
def test_an_output_that_is_not_of_its_type_is_not_registered(
    desk: Desk, type: str, writing: str, words: str, is_step: bool
) -> None:
    """The job fails at its end and says which output of which step it is; no version is registered."""
    name = f"wrong-{type}-{is_step}"
    lines = [
        f"command: {writing.format(o='${{outputs.o}}')}",
        "environment: azureml:host",
        f"outputs: {{o: {{type: {type}, name: {name}}}}}",
    ]
    text = "type: pipeline\njobs:\n  a:\n    " + "\n    ".join(lines) if is_step else "\n".join(lines)
    ran = desk.job(f"{text}\n")
    assert ran.code != 0
    called = "step 'a'" if is_step else "job '"
    assert f"output 'o' of {called}" in ran.out + ran.err
    assert f"was not registered as '{name}': {words}" in ran.out + ran.err
    kind = "model" if type.endswith("_model") else "data"
    assert desk.smalt(f"{kind} show -n {name} --label latest").code == 1


@pytest.mark.parametrize("name", ["bad name!", "-x", "a/b", "x" * 256])
def test_a_name_that_no_asset_may_have_is_refused_at_its_line(desk: Desk, name: str) -> None:
    """Of an output of a job, of a step, of a pipeline and of a component."""
    job = f"command: echo hi\nenvironment: azureml:host\noutputs:\n  o:\n    name: '{name}'\n"
    step = "\n".join(f"    {line}" for line in job.splitlines())
    promoted = job.replace("command: echo hi\nenvironment: azureml:host\n", "")
    steps = "type: pipeline\njobs:\n  a:\n    command: echo hi\n    environment: azureml:host\n"
    for text, line in ((job, 5), (f"type: pipeline\njobs:\n  a:\n{step}\n", 8), (f"{steps}{promoted}", 8)):
        desk.write("job.yml", text)
        ran = desk.smalt("job validate -f job.yml")
        assert ran.code == 2
        assert f"job.yml:{line}:" in ran.err
        assert f"'{name[:100]}' cannot be the name of an asset" in ran.err


def test_an_output_in_a_datastore_that_is_not_there_is_refused_at_submission(desk: Desk) -> None:
    """`validate` says so too, for a job and for a step: no earlier step runs for nothing."""
    path = "outputs: {o: {type: uri_folder, path: azureml://datastores/nostore/paths/x}}"
    desk.write("job.yml", f"command: echo hi\nenvironment: azureml:host\n{path}\n")
    desk.write("pipe.yml", f"jobs:\n  a: {{command: echo hi, environment: azureml:host, {path}}}\n")
    for line in ("job validate -f job.yml", "job validate -f pipe.yml", "job create -f pipe.yml"):
        ran = desk.smalt(line)
        assert ran.code != 0
        assert "datastore nostore is not registered" in ran.err


def test_a_promoted_version_that_exists_is_told_before_the_steps_run(desk: Desk) -> None:
    """It may be the one of a step that is reused, so that the job is taken; its log begins with what would happen."""
    file = desk.write("m.txt", "m")
    assert desk.smalt(f"model create -n taken --version 7 --path {file}").code == 0
    text = """
        type: pipeline
        outputs: {m: {type: custom_model, name: taken, version: "8"}}
        jobs:
          a:
            command: echo m > ${{outputs.m}}/m && echo OF
            environment: azureml:host
            outputs: {m: "${{parent.outputs.m}}"}
        """
    words = "outputs.m: model 'taken:8' exists already"
    ran = desk.job(text.replace("OF", "one"))
    assert ran.code == 0
    assert words not in ran.out + ran.err
    ran = desk.job(text.replace("OF", "other"))
    assert ran.code != 0
    assert f"{words}, and a registered version never changes" in ran.out + ran.err
    assert "unless its step is reused, the job fails at its end" in ran.out + ran.err


def test_unknown_arguments_of_create_or_update_are_told(desk: Desk) -> None:
    """One that is nearly an argument is refused, another one is warned of at the program's line."""
    client = MLClient()
    with pytest.raises(TypeError, match="has no argument 'experimnt_name'; did you mean 'experiment_name'"):
        client.jobs.create_or_update(command(command="echo hi", environment="azureml:host"), experimnt_name="x")
    with pytest.warns(UserWarning, match="has no argument 'bogus', so it has no effect") as told:
        client.create_or_update(command(command="echo hi", environment="azureml:host"), bogus=3)
    assert told[0].filename.endswith("test_output_types.py")
