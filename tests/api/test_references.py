"""What a registered version names is fixed when it is registered."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.helpers import Server, eventually

Json = dict[str, Any]


def component(spec: Json) -> Json:
    return {"properties": {"isAnonymous": False, "componentSpec": {"type": "command", "command": "echo", **spec}}}


def leaf(version: str) -> Json:
    return component({"command": f"echo leaf {version}", "environment": "azureml:host"})


def put(server: Server, url: str, body: Json) -> Json:
    answer = server.ask("PUT", url, body)
    assert answer.status in (200, 201), answer.body
    found: Json = answer.body["properties"]
    return found


def log(server: Server, workspace: str, name: str, component: str, node: str) -> str:
    """What the step `node` of a pipeline that runs the component says."""
    body = {"jobType": "Pipeline", "jobs": {"m": {"type": "pipeline", "componentId": component}}}
    assert server.ask("PUT", f"{workspace}/jobs/{name}", {"properties": body}).status == 201
    events = list(server.stream(f"/smalt/v1{workspace}/jobs/{name}/stream"))
    assert events[-1]["status"] == "Completed", events
    return "".join(event["text"] for event in events if event.get("name") == f"{name}-m-{node}" and "text" in event)


@pytest.mark.parametrize("reference", ["azureml:leaf@latest", "azureml:leaf", "leaf"])
def test_a_component_runs_tomorrow_what_it_names_today(server: Server, workspace: str, reference: str) -> None:
    """A pipeline component that names its step's component by label keeps it, and shows which version that is."""
    put(server, f"{workspace}/components/leaf/versions/2", leaf("2"))
    steps = {"s": {"type": "command", "componentId": reference}}
    middle = component({"type": "pipeline", "command": None, "jobs": steps})
    url = f"{workspace}/components/middle/versions/1"
    shown = put(server, url, middle)
    assert shown["componentSpec"]["jobs"]["s"]["componentId"] == f"{workspace}/components/leaf/versions/2"
    put(server, f"{workspace}/components/leaf/versions/3", leaf("3"))
    assert log(server, workspace, "j", url, "s") == "leaf 2\n"
    assert put(server, url, middle)["componentSpec"] == shown["componentSpec"]
    other = component({"type": "pipeline", "command": None, "jobs": {"s": {**steps["s"], "componentId": "leaf:3"}}})
    assert server.ask("PUT", url, other).status in (400, 409)


def test_a_step_in_place_is_fixed_with_its_component(server: Server, workspace: str) -> None:
    """What is written in place in a registered pipeline keeps its environment; for other jobs it stays as written."""
    for version in ("1", "2"):
        put(server, f"{workspace}/environments/env/versions/{version}", {"properties": {"image": "python:3.11"}})
        if version == "2":
            break
        inline = component({"environment": "azureml:env@latest", "command": "echo in place"})
        inline["properties"]["isAnonymous"] = True
        in_place = f"{workspace}/components/azureml_anonymous/versions/abc"
        kept = put(server, in_place, inline)
        assert kept["componentSpec"]["environment"] == "azureml:env@latest"
        steps = {"s": {"type": "command", "componentId": in_place}}
        shown = put(
            server,
            f"{workspace}/components/p/versions/1",
            component({"type": "pipeline", "command": None, "jobs": steps}),
        )
    fixed = shown["componentSpec"]["jobs"]["s"]["componentId"]
    assert fixed != in_place
    spec = server.ask("GET", fixed).body["properties"]["componentSpec"]
    assert spec["environment"] == f"{workspace}/environments/env/versions/1"


def test_data_of_a_component_is_fixed(server: Server, workspace: str) -> None:
    """Both what a step reads and the default of a declared input."""
    data = {"properties": {"dataType": "uri_folder", "dataUri": "azureml://datastores/workspaceblobstore/paths/d/"}}
    put(server, f"{workspace}/data/d/versions/1", data)
    put(server, f"{workspace}/components/leaf/versions/1", leaf("1"))
    given = {"job_input_type": "uri_folder", "uri": "azureml:d@latest"}
    spec = {
        "type": "pipeline", "command": None, "inputs": {"x": {"type": "uri_folder", "default": "azureml:d@latest"}},
        "jobs": {"s": {"type": "command", "componentId": "azureml:leaf:1", "inputs": {"i": given}}},
    }  # fmt: skip
    shown = put(server, f"{workspace}/components/p/versions/1", component(spec))["componentSpec"]
    fixed = f"{workspace}/data/d/versions/1"
    assert shown["inputs"]["x"]["default"] == fixed
    assert shown["jobs"]["s"]["inputs"]["i"]["uri"] == fixed


def test_data_that_names_data_is_fixed(server: Server, workspace: str) -> None:
    """A version whose path is another asset by label stays with the version of that asset."""
    data = {"properties": {"dataType": "uri_folder", "dataUri": "azureml://datastores/workspaceblobstore/paths/d/"}}
    put(server, f"{workspace}/data/d/versions/1", data)
    body = {"properties": {"dataType": "uri_folder", "dataUri": "azureml:d@latest"}}
    shown = put(server, f"{workspace}/data/e/versions/1", body)
    assert shown["dataUri"] == f"{workspace}/data/d/versions/1"
    put(server, f"{workspace}/data/d/versions/2", data)
    assert put(server, f"{workspace}/data/e/versions/1", body)["dataUri"] == shown["dataUri"]


def test_a_component_that_names_nothing_is_refused(server: Server, workspace: str) -> None:
    """All labels that mean nothing are told at once, and nothing is registered."""
    steps = {
        "s": {"type": "command", "componentId": "azureml:nosuch@latest"},
        "t": {"type": "command", "componentId": "azureml:neither", "environment": "azureml:nowhere@latest"},
    }
    body = component({"type": "pipeline", "command": None, "jobs": steps})
    answer = server.ask("PUT", f"{workspace}/components/p/versions/1", body)
    assert answer.status == 400
    for name in ("'nosuch@latest'", "'neither@latest'", "'nowhere@latest'"):
        assert name in str(answer.body)
    assert server.ask("GET", f"{workspace}/components/p/versions/1").status == 404


def test_a_curated_environment_stays_the_curated_one(server: Server, workspace: str) -> None:
    """An environment that is registered later under a curated name is not what the component runs in."""
    url = f"{workspace}/components/c/versions/1"
    shown = put(server, url, component({"environment": "azureml:sklearn-1.5@latest"}))["componentSpec"]
    assert shown["environment"] == "azureml://registries/azureml/environments/sklearn-1.5/versions/1"


def test_a_job_sent_again_after_its_label_moved_is_another_job(server: Server, workspace: str, tmp_path: Path) -> None:
    """Sent again before, and as it is answered, it is the same job; as it was sent it would read another version."""
    (tmp_path / "f.txt").touch()
    data = {"properties": {"dataType": "uri_folder", "dataUri": str(tmp_path)}}
    put(server, f"{workspace}/data/d/versions/1", data)
    inputs = {"d": {"jobInputType": "uri_folder", "uri": "azureml:d@latest"}}
    body = {"jobType": "Command", "command": "true", "environmentId": "azureml:host", "inputs": inputs}
    url = f"{workspace}/jobs/again"
    assert server.ask("PUT", url, {"properties": body}).status == 201
    assert server.ask("PUT", url, {"properties": body}).status == 200
    put(server, f"{workspace}/data/d/versions/2", data)
    told = server.ask("GET", url).body
    assert told["properties"]["inputs"]["d"]["uri"] == f"{workspace}/data/d/versions/1"
    for again in (body, {**body, "description": "said"}):
        answer = server.ask("PUT", url, {"properties": again})
        assert answer.status == 409
        assert "azureml:d@latest was d:1 when it was submitted, and is d:2 now" in answer.body["error"]["message"]
    for again in (told["properties"], {**told["properties"], "description": "said"}):
        answer = server.ask("PUT", url, {"properties": again})
        assert answer.status == 200, answer.body
        assert answer.body["properties"]["inputs"]["d"]["uri"] == f"{workspace}/data/d/versions/1"
    inputs = {"d": {"jobInputType": "uri_folder", "uri": f"{workspace}/data/d/versions/2"}}
    assert server.ask("PUT", url, {"properties": {**body, "inputs": inputs}}).status == 409
    eventually(lambda: server.ask("GET", url).body["properties"]["status"] == "Completed", "its end")


def test_what_another_workspace_has_is_not_taken_for_ones_own(server: Server, workspace: str) -> None:
    """Of an ids workspace come environments and code; its components, and workspaces unknown here, are refused."""
    other = f"{workspace}-other"
    assert server.ask("PUT", other, {"location": "local"}).status in (200, 201)
    for where, version in ((workspace, "own"), (other, "other")):
        put(server, f"{where}/components/leaf/versions/1", leaf(version))
        catalogued = {"properties": {"image": "python:3.11", "description": version}}
        put(server, f"{where}/environments/env/versions/1", catalogued)

    def refusal(name: str, steps: Json) -> str:
        answer = server.ask(
            "PUT", f"{workspace}/jobs/{name}", {"properties": {"jobType": "Pipeline", "jobs": {"s": steps}}}
        )
        assert answer.status in (400, 404), answer.body
        return str(answer.body["error"]["message"])

    foreign = {"type": "command", "componentId": f"{other}/components/leaf/versions/1"}
    assert "share it through a registry" in refusal("foreign", foreign)
    unknown = {"type": "command", "componentId": f"{workspace}-none/components/leaf/versions/1"}
    assert "which this home does not have" in refusal("unknown", unknown)
    lost = {"jobType": "Command", "command": "true", "environmentId": f"{workspace}-none/environments/env/versions/1"}
    answer = server.ask("PUT", f"{workspace}/jobs/lost", {"properties": lost})
    assert answer.status in (400, 404)
    assert "which this home does not have" in str(answer.body)


@pytest.mark.parametrize(
    "uri",
    [
        "azureml://jobs/nosuch/outputs/o",
        "azureml://jobs/made/outputs/typo/paths/",
        "azureml:nosuch:1",
        "azureml:d:2",
        "azureml:nosuch@latest",
        "runs:/nosuch/x",
        "models:/nosuch/1",
    ],
)
def test_data_that_names_what_is_not_there_is_refused(server: Server, workspace: str, uri: str) -> None:
    """Else it would be what somebody calls so one day; no version is used up by it."""
    body = {"jobType": "Command", "command": "true", "environmentId": "azureml:host@latest"}
    put(server, f"{workspace}/jobs/made", {"properties": {**body, "outputs": {"o": {"jobOutputType": "uri_folder"}}}})
    list(server.stream(f"/smalt/v1{workspace}/jobs/made/stream"))
    made = {"properties": {"dataType": "uri_folder", "dataUri": "azureml://jobs/made/outputs/o"}}
    put(server, f"{workspace}/data/d/versions/1", made)
    refused = server.ask(
        "PUT", f"{workspace}/data/other/versions/1", {"properties": {"dataType": "uri_folder", "dataUri": uri}}
    )
    assert 400 <= refused.status < 500, refused.body
    assert server.ask("GET", f"{workspace}/data/other/versions/1").status == 404


@pytest.mark.parametrize("reference", ["azureml:nosuch:1", "azureml:leaf:2", "azureml:nosuch@latest"])
def test_a_component_of_steps_that_are_not_there_is_refused(server: Server, workspace: str, reference: str) -> None:
    """A pipeline component names components that are registered, by version as by label."""
    put(server, f"{workspace}/components/leaf/versions/1", leaf("1"))
    steps = {"s": {"type": "command", "componentId": reference}}
    middle = component({"type": "pipeline", "command": None, "jobs": steps})
    refused = server.ask("PUT", f"{workspace}/components/middle/versions/1", middle)
    assert 400 <= refused.status < 500, refused.body
    assert server.ask("GET", f"{workspace}/components/middle/versions/1").status == 404
