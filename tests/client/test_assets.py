"""What is local is made remote before a job is sent, each content once."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from smalt import MLClient, wire
from smalt.client.transfers.downloads import download_code
from smalt.client.transfers.local_assets import LocalAssets
from smalt.exceptions import RefusedError, ValidationException
from smalt.wire.encoding.ids import parse_id
from smalt.yaml import load
from tests.client.documents import ENVIRONMENT, command, make

STEP = {"command": "cat ${{inputs.x}} > ${{outputs.o}}", "environment": ENVIRONMENT}


def body(client: MLClient, job: Any) -> Any:
    assets = LocalAssets(client)
    properties = wire.to_rest(job, assets)["properties"]
    assets.send()
    return properties


def test_references_become_ids(client: MLClient) -> None:
    """Names with a version; those with a label, registries and URIs are the server's to look up."""
    inputs = {
        "a": {"type": "uri_file", "path": "azureml:d:1"},
        "b": {"type": "mlflow_model", "path": "azureml:m:2"},
        "c": {"type": "uri_file", "path": "azureml:d@latest"},
        "d": {"type": "uri_file", "path": "azureml://datastores/x/paths/y"},
        "e": {"type": "uri_file", "path": "https://host/file"},
    }
    sent = body(client, command("echo", compute="azureml:cpu", inputs=inputs))
    ws = client.workspace_id
    assert sent["computeId"] == f"{ws}/computes/cpu"
    assert [sent["inputs"][name]["uri"] for name in "abcde"] == [
        f"{ws}/data/d/versions/1",
        f"{ws}/models/m/versions/2",
        "azureml:d@latest",
        "azureml://datastores/x/paths/y",
        "https://host/file",
    ]


@pytest.mark.parametrize("compute", ["serverless", "azureml:serverless"])
def test_serverless_is_no_compute_of_the_workspace(client: MLClient, compute: str) -> None:
    """It has no id."""
    assert body(client, command("echo", compute=compute))["computeId"] == "serverless"


def test_a_default_that_is_local_data_becomes_its_uri(client: MLClient, tmp_path: Path) -> None:
    """Relative to the component's file."""
    (tmp_path / "data.csv").write_text("1")
    path = tmp_path / "component.yml"
    path.write_text(
        "name: c\ntype: command\ncommand: cat ${{inputs.x}}\nenvironment: azureml:host\n"
        "inputs:\n  x: {type: uri_file, default: data.csv}\n"
    )
    sent = wire.to_rest(load(path, "component"), LocalAssets(client))["properties"]
    assert sent["componentSpec"]["inputs"]["x"]["default"] == f"file://{tmp_path}/data.csv"


def test_environments_in_place_are_of_one_job_alone(client: MLClient, tmp_path: Path) -> None:
    """Two jobs may say the same name and version of different ones, as with the service."""
    for image in ("python:3.10", "python:3.11"):
        path = tmp_path / "job.yml"
        path.write_text(f"command: echo\nenvironment: {{name: own, version: 1, image: '{image}'}}\n")
        parsed = parse_id(body(client, load(path, "job"))["environmentId"])
        assert parsed is not None
        assert parsed.name != "own"


def test_a_flow_has_an_environment_of_its_own_kind(client: MLClient, tmp_path: Path) -> None:
    """It is not an environment of the workspace, and is sent as it is."""
    (tmp_path / "flow.dag.yaml").write_text("environment:\n  python_requirements_txt: r.txt\nnodes: []\n")
    (tmp_path / "pipe.yml").write_text(
        "type: pipeline\njobs:\n  a:\n    type: parallel\n    component: ./flow.dag.yaml\n    inputs: {text: x}\n"
    )
    assert body(client, load(tmp_path / "pipe.yml", "job"))["jobs"]["a"]["componentId"]


def test_local_code_becomes_a_snapshot(client: MLClient, tmp_path: Path) -> None:
    """Named by its content, so that the same code has the same id; what is ignored is not in it."""
    (tmp_path / "main.py").write_text("print(1)")
    (tmp_path / ".amlignore").write_text("*.tmp\n")
    first = body(client, command("python main.py", code=str(tmp_path)))["codeId"]
    parsed = parse_id(first)
    assert parsed is not None
    assert (parsed.kind, parsed.version) == ("codes", "1")
    (tmp_path / "x.tmp").write_text("ignored")
    assert body(client, command("python main.py", code=str(tmp_path)))["codeId"] == first
    (tmp_path / "main.py").write_text("print(2)")
    assert body(client, command("python main.py", code=str(tmp_path)))["codeId"] != first
    assert client.code.create_or_update(tmp_path) != first


def test_local_inputs_are_used_in_place(client: MLClient, tmp_path: Path) -> None:
    """The server reads the same files, so nothing is copied; special characters survive."""
    path = tmp_path / "a file%20.txt"
    path.write_text("content\n")
    job = command("cat '${{inputs.x}}'", inputs={"x": {"type": "uri_file", "path": str(path)}})
    assert body(client, job)["inputs"]["x"]["uri"] == f"file://{tmp_path}/a%20file%2520.txt"
    created = client.jobs.create_or_update(job)
    events: list[dict[str, Any]] = []
    client.jobs.stream(str(created.name), events.append)
    assert any(event.get("text") == "content\n" for event in events)


@pytest.mark.parametrize("key", ["code", "inputs"])
def test_a_local_path_that_is_not_there_is_told_before_anything_is_sent(client: MLClient, key: str) -> None:
    """With the path."""
    gone = {"code": "/nowhere/code", "inputs": {"x": {"type": "uri_file", "path": "/nowhere/code"}}}
    with pytest.raises(ValidationException, match="/nowhere/code"):
        client.jobs.create_or_update(command("echo", **{key: gone[key]}))


def test_an_inline_environment_becomes_an_anonymous_one(client: MLClient) -> None:
    """Named by its content; the same one twice is the same."""
    given = {"image": "python:3.11", "conda_file": {"dependencies": ["python=3.11", {"pip": ["six"]}]}}
    first = body(client, command("echo", environment=dict(given)))["environmentId"]
    parsed = parse_id(first)
    assert parsed is not None
    assert (parsed.kind, parsed.name) == ("environments", "CliV2AnonymousEnvironment")
    assert body(client, command("echo", environment=dict(given)))["environmentId"] == first
    kept: Any = client.environments.get(parsed.name, parsed.version)
    assert kept.conda_file == given["conda_file"]
    assert kept.extra["isAnonymous"] is True


def test_inline_steps_become_anonymous_components(client: MLClient) -> None:
    """Equal ones are one; the step keeps its values, the component declares them with their types."""
    steps = {
        "a": {**STEP, "inputs": {"x": "${{parent.inputs.data}}"}, "outputs": {"o": {"type": "uri_file"}}},
        "b": {**STEP, "inputs": {"x": "${{parent.jobs.a.outputs.o}}"}, "outputs": {"o": "${{parent.outputs.end}}"}},
        "c": {"command": "echo ${{inputs.n}}", "environment": ENVIRONMENT, "inputs": {"n": 3}},
        "d": {"command": "echo ${{inputs.n}}", "environment": ENVIRONMENT, "inputs": {"n": 4}},
    }
    inputs = {"data": {"type": "uri_file", "path": "https://host/x"}}
    job = make("job", type="pipeline", inputs=inputs, outputs={"end": {"type": "uri_file"}}, jobs=steps)
    sent = body(client, job)["jobs"]
    assert sent["a"]["componentId"] == sent["b"]["componentId"] != sent["c"]["componentId"]
    assert sent["c"]["componentId"] == sent["d"]["componentId"]
    assert sent["d"]["inputs"] == {"n": {"job_input_type": "literal", "value": "4"}}
    assert "command" not in sent["c"]
    parsed = parse_id(sent["a"]["componentId"])
    assert parsed is not None
    made: Any = client.components.get(parsed.name, parsed.version)
    assert (made.command, made.inputs["x"].type, made.outputs["o"].type) == (STEP["command"], "uri_file", "uri_file")


def test_components_in_place_become_anonymous_components(client: MLClient, tmp_path: Path) -> None:
    """With their code; a pipeline component after the components in it."""
    (tmp_path / "x.sh").write_text("echo hi")
    inner = {"type": "command", "command": "sh x.sh", "environment": ENVIRONMENT, "code": str(tmp_path)}
    outer = {"type": "pipeline", "jobs": {"i": {"component": inner}}}
    steps = {"one": {"type": "pipeline", "component": outer}, "two": {"component": dict(inner)}}
    sent = body(client, make("job", type="pipeline", jobs=steps))["jobs"]
    nested = parse_id(sent["one"]["componentId"])
    assert nested is not None
    made: Any = client.components.get(nested.name, nested.version)
    assert made.jobs["i"].component == sent["two"]["componentId"]


def test_additional_includes_are_in_the_code(client: MLClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Under their own names, beside what the code folder has; a program names them from its current folder."""
    code, more = tmp_path / "code", tmp_path / "more"
    for folder in (code, more):
        folder.mkdir()
        (folder / "f.txt").write_text(folder.name)
    (tmp_path / "one.txt").write_text("one")
    component = {
        "type": "command",
        "command": "cat f.txt more/f.txt one.txt",
        "environment": ENVIRONMENT,
        "code": str(code),
        "additional_includes": ["more", "one.txt"],
    }
    monkeypatch.chdir(tmp_path)
    job = client.jobs.create_or_update(make("job", type="pipeline", jobs={"s": {"component": component}}))
    events: list[dict[str, Any]] = []
    client.jobs.stream(str(job.name), events.append)
    assert "codemoreone" in "".join(event.get("text", "") for event in events)


def test_additional_includes_of_a_registered_component(client: MLClient, tmp_path: Path) -> None:
    """They come along, without a code folder too; `x.zip` is the folder x; a name that is taken is told."""
    for folder in ("code", "more"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "f.txt").write_text(folder)
    given = {"name": "included", "command": "cat more/f.txt; python -m zipfile -l more.zip", "environment": ENVIRONMENT}
    includes = [str(tmp_path / "more"), str(tmp_path / "more.zip")]
    for extra in ({}, {"code": str(tmp_path / "code")}):
        component = make("component", type="command", additional_includes=includes, **given, **extra)
        made: Any = client.components.create_or_update(component)
        spec = client.connection.get(f"{client.workspace_id}/components/included/versions/{made.version}")
        assert "additional_includes" not in spec["properties"]["componentSpec"]
        files = {entry.name for entry in _restored(client, str(made.code), tmp_path / f"got{made.version}")}
        assert files == {"more", "more.zip", *(["f.txt"] if extra else [])}
    taken = make("component", type="command", additional_includes=[str(tmp_path / "code" / "f.txt")], **given, **extra)
    with pytest.raises(RefusedError, match=r"has 'f\.txt' already"):
        client.components.create_or_update(taken)


def _restored(client: MLClient, code: str, folder: Path) -> list[Path]:
    download_code(client, code, str(folder))
    return list(folder.iterdir())


def test_a_submission_is_two_requests_and_a_look(client: MLClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """All assets in one, the job in another, however many steps there are; before, whether a job has that name."""
    asked: list[str] = []
    connection = client.connection
    original = connection.request

    def watched(method: str, path: str, *rest: Any, **more: Any) -> Any:
        asked.append(f"{method} {path.removeprefix('/smalt/v1').removeprefix(client.workspace_id)}")
        return original(method, path, *rest, **more)

    monkeypatch.setattr(connection, "request", watched)
    environment = {"image": "python:3.11"}
    steps = {f"s{number}": {"command": f"echo {number}", "environment": dict(environment)} for number in range(20)}
    client.jobs.create_or_update(make("job", type="pipeline", name="many", jobs=steps))
    assert asked == ["GET /jobs/many", "POST /assets", "PUT /jobs/many"]


def test_code_of_a_checkout_is_noted(client: MLClient, tmp_path: Path) -> None:
    """Commit, branch and repository become properties of the job; the user's own come first."""
    git = tmp_path / ".git"
    (git / "refs/heads").mkdir(parents=True)
    (git / "HEAD").write_text("ref: refs/heads/work\n")
    (git / "refs/heads/work").write_text("c0ffee\n")
    (tmp_path / "main.py").write_text("")
    job: Any = client.jobs.create_or_update(
        command("true", code=str(tmp_path), properties={"azureml.git.branch": "mine"})
    )
    kept = json.loads(json.dumps(job.properties))
    assert kept["mlflow.source.git.commit"] == "c0ffee"
    assert kept["azureml.git.branch"] == "mine"
