from __future__ import annotations

import pytest

from smalt import Input, command
from smalt.entities import CommandJob
from smalt.entities.steps.standalone_jobs import to_job
from smalt.exceptions import ValidationException


def test_command_makes_a_command_job() -> None:
    """command() puts each argument where the YAML has it."""
    job = command(
        command="echo ${{inputs.x}}", environment="azureml:host", inputs={"x": Input(type="uri_file", path="./f")},
        instance_count=2, timeout=60,
    )  # fmt: skip
    assert job.resources is not None
    assert job.resources.instance_count == 2
    assert job.to_dict()["limits"] == {"timeout": 60}
    assert isinstance(to_job(job), CommandJob)


def test_command_refuses_what_a_job_cannot_be() -> None:
    """What is wrong is told at the call."""
    with pytest.raises(ValidationException, match="whom"):
        command(command="echo ${{inputs.whom}}", environment="azureml:host")
