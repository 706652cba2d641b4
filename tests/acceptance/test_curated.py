"""Curated environments, as jobs, programs and the command line find them."""

from __future__ import annotations

import pytest

from smalt import MLClient
from tests.acceptance.conftest import Desk

ASKED = [
    "azureml:AzureML-minimal-ubuntu18.04-py37-cpu-inference:44",
    "azureml:AzureML-Minimal@latest",
    "azureml:AzureML-Minimal",
    "azureml://registries/azureml/environments/minimal-ubuntu20.04-py39-cpu-inference/versions/12",
    "azureml://registries/azureml/environments/minimal-ubuntu20.04-py39-cpu-inference/labels/latest",
    "azureml://registries/azureml/environments/minimal",
]


@pytest.mark.parametrize("text", ASKED)
def test_a_job_takes_every_way_to_name_one(desk: Desk, text: str) -> None:
    """With and without version, by label, of the registry; what is only the nearest is said in the log."""
    ran = desk.job(f"type: command\ncommand: echo hi\nenvironment: {text}\n")
    assert (ran.code, ran.out) == (0, "hi\n"), ran.err
    is_exact = text.lower().partition("@")[0].endswith(("minimal", "minimal@latest"))
    assert ("is not in the catalogue; 'minimal', the nearest to it, is used" in ran.err) is not is_exact


def test_what_jobs_may_name_is_got_shown_and_listed(desk: Desk) -> None:
    """The workspace's own first; a version that is asked for is the one that is answered."""
    desk.write("env.yml", "name: zz-own\nimage: python:3.10\n")
    assert desk.smalt("environment create -f env.yml").code == 0
    client = MLClient()
    assert client.environments.get("AzureML-sklearn-1.5", label="latest").version == "1"
    asked = client.environments.get("AzureML-sklearn-1.0-ubuntu20.04-py38-cpu", version="44")
    assert (asked.name, asked.version) == ("AzureML-sklearn-1.0-ubuntu20.04-py38-cpu", "44")
    names = [str(one.name) for one in client.environments.list()]
    assert names[:2] == ["zz-own", "host"]
    for name in (
        "AzureML-sklearn-1.5",
        "AzureML-sklearn-1.0-ubuntu20.04-py38-cpu",
        "AzureML-acpt-pytorch-2.2-cuda12.1",
    ):
        assert name in names
        assert desk.ask(f"environment show --name {name} --label latest --query name") == name
        assert [one.version for one in client.environments.list(name=name)] == ["1"]
    assert "AzureML-sklearn-1.5" not in [one["name"] for one in desk.smalt("environment list --archived-only").json]
    assert desk.smalt("environment show --name AzureML-nosuch --label latest").code == 1
