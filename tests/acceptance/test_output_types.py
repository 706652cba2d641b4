"""Outputs that become assets: of the type that they have, and under a name that an asset may have."""

from __future__ import annotations

import pytest

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
]  # fmt: skip


@pytest.mark.parametrize(("type", "command", "words"), WRONG)
@pytest.mark.parametrize("is_step", [True, False])
def test_an_output_that_is_not_of_its_type_is_not_registered(
    desk: Desk, type: str, command: str, words: str, is_step: bool
) -> None:
    """The job fails at its end and says which output of which step it is; no version is registered."""
    name = f"wrong-{type}-{is_step}"
    lines = [
        f"command: {command.format(o='${{outputs.o}}')}",
        "environment: azureml:host",
        f"outputs: {{o: {{type: {type}, name: {name}}}}}",
    ]
    text = "type: pipeline\njobs:\n  a:\n    " + "\n    ".join(lines) if is_step else "\n".join(lines)
    ran = desk.job(f"{text}\n")
    assert ran.code != 0
    called = "step 'a'" if is_step else "job '"
    assert f"output 'o' of {called}" in ran.out + ran.err
    assert f"was not registered as '{name}': {words}" in ran.out + ran.err
    assert desk.smalt(f"data show -n {name} --label latest").code == 1


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
