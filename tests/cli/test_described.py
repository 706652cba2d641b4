"""Schedules, endpoints, deployments and connections on the command line."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Ran
from tests.helpers import Server


@pytest.fixture
def served(own_server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for files; the home has a server."""
    monkeypatch.chdir(tmp_path)
    own_server.start()
    return tmp_path


def write(path: Path, **document: Any) -> str:
    path.write_text(json.dumps(document))
    return str(path)


def test_what_is_described_is_kept(served: Path, call: Callable[..., Ran]) -> None:
    """Created, listed, changed and deleted, with the flags of `az ml`; what would act is refused."""

    def told(*words: str) -> Any:
        done = call(*words)
        assert done.code == 0, done.err
        return json.loads(done.out) if done.out.strip() else None

    job = {"type": "command", "command": "true", "environment": "azureml:host@latest"}
    file = write(served / "s.yml", name="s", trigger={"type": "cron", "expression": "1 1 * * *"}, create_job=job)
    assert told("schedule", "create", "--file", file)["is_enabled"] is True
    assert told("schedule", "disable", "-n", "s")["is_enabled"] is False
    assert told("schedule", "list") == []
    assert [one["name"] for one in told("schedule", "list", "--include-disabled")] == ["s"]
    assert told("schedule", "update", "-n", "s", "--set", "display_name=S")["display_name"] == "S"

    told("online-endpoint", "create", "-f", write(served / "e.yml", name="one", auth_mode="key"))
    deployment = write(served / "d.yml", name="blue", endpoint_name="other", model="azureml:m:1", instance_count=2)
    refused = call("online-deployment", "create", "-f", deployment, "-e", "one", "--all-traffic")
    assert (refused.code, "there is no model 'm:1'" in refused.err) == (2, True)
    refused = call("online-endpoint", "update", "-n", "one", "--traffic", "blue=90 green=10")
    assert (refused.code, "names 'blue', which is no deployment" in refused.err) == (2, True)

    told("batch-endpoint", "create", "-f", write(served / "b.yml", name="b"))
    (served / "score").mkdir()
    (served / "score" / "score.py").write_text("def run(mini_batch): ...")
    code = {"code": "score", "scoring_script": "score.py"}
    batch = write(
        served / "bd.yml", name="d", endpoint_name="b", compute="azureml:cpu", code_configuration=code,
        environment="azureml:host",
    )  # fmt: skip
    told("batch-deployment", "create", "-f", batch, "--set-default")
    assert told("batch-endpoint", "show", "-n", "b")["defaults"] == {"deployment_name": "d"}
    assert told("batch-endpoint", "list-jobs", "-n", "b") == []

    pat = {"type": "pat", "pat": "hidden"}
    told(
        "connection", "create", "-f", write(served / "c.yml", name="c", type="git", target="https://x", credentials=pat)
    )
    assert told("connection", "show", "-n", "c")["credentials"] == {"type": "pat"}
    for noun, name in (("connection", "c"), ("schedule", "s"), ("batch-endpoint", "b"), ("online-endpoint", "one")):
        told(noun, "delete", "-n", name, "--yes")
        gone = call(noun, "show", "-n", name)
        assert (gone.code, f"'{name}'" in gone.err) == (1, True)


def test_endpoints_need_no_file(served: Path, call: Callable[..., Ran]) -> None:
    """A name is enough; --local is accepted; a connection's password need not stand in its file."""
    assert (
        json.loads(call("online-endpoint", "create", "-n", "named", "--auth-mode", "aml_token", "--local").out)[
            "auth_mode"
        ]
        == "aml_token"
    )
    assert json.loads(call("online-endpoint", "show", "--local", "-n", "named").out)["name"] == "named"
    assert json.loads(call("batch-endpoint", "create", "--name", "batch").out)["name"] == "batch"
    assert "say which file" in call("online-endpoint", "create").err
    assert "say which file" in call("batch-deployment", "create", "-n", "d", "-e", "batch").err
    token = json.loads(call("online-endpoint", "get-credentials", "-n", "named").out)
    assert (token["tokenType"], len(token["accessToken"]) > 20) == ("Bearer", True)
    (served / "r.json").write_text("{}")
    assert "sends its requests to no deployment" in call("online-endpoint", "invoke", "-n", "named", "-r", "r.json").err
    refused = call("batch-endpoint", "invoke", "-n", "batch")
    assert "no default deployment" in refused.err
    assert "no batch deployment" in call("batch-deployment", "list-jobs", "-n", "d", "-e", "batch").err
    assert "no online deployment" in call("online-deployment", "get-logs", "-n", "d", "-e", "named", "--local").err
    file = write(served / "c.yml", name="repo", type="git", target="https://git", credentials={"type": "pat"})
    assert call("connection", "create", "-f", file, "--credentials", "pat=hidden").code == 0
    assert json.loads(call("connection", "show", "-n", "repo").out)["credentials"]["type"] == "pat"
