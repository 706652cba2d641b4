"""Bodies and folders that nobody sends by mistake: one sentence each, never a 500."""

from __future__ import annotations

import json
import os
from typing import Any

import pytest

from tests.helpers import Server, host_job

JOB = {"jobType": "Command", "command": "true", "environmentId": "azureml:host@latest"}
ODD = (5, "text", "${{parent.inputs.q}}", [1], True, {"a": "text"}, {"a": 5}, {"a": []})
INLINE = {"type": "command", "command": "true", "environment": "azureml:host@latest"}


@pytest.mark.parametrize(
    "key", ["inputs", "outputs", "limits", "resources", "distribution", "environment", "code", "tags", "properties"]
)
def test_other_values_where_mappings_belong_are_no_fault(server: Server, workspace: str, key: str) -> None:
    """In a job, in a job that is there already, in a step, in its inline component, and as the component itself."""
    assert server.ask("PUT", f"{workspace}/jobs/there", {"properties": JOB}).status == 201
    for value in ODD:
        step: dict[str, Any] = {"type": "command", "component": INLINE}
        steps = [{**step, key: value}, {**step, "component": {**INLINE, key: value}}, {**step, "component": value}]
        bodies: list[dict[str, Any]] = [{**JOB, key: value}]
        bodies += [{"jobType": "Pipeline", "jobs": {"a": one}, "settings": {}} for one in steps]
        for number, body in enumerate(bodies):
            for name in ("there", f"new{number}"):
                answer = server.ask("PUT", f"{workspace}/jobs/{name}", {"properties": body})
                assert answer.status < 500, (key, value, body, answer.body)


LOOP = {"type": "do_while", "body": "${{parent.jobs.b}}", "mapping": {}, "limits": {"max_iteration_count": 2}}
BRANCH = {"type": "if_else", "condition": True, "true_block": "${{parent.jobs.b}}"}
COMMAND = {"type": "command", "component": INLINE}
PLACES = [(COMMAND, key) for key in ("limits", "resources", "distribution", "environment_variables", "services")]
PLACES += [(LOOP, "mapping"), (LOOP, "limits")]
PLACES += [(step, key) for step in (COMMAND, LOOP, BRANCH) for key in ("inputs", "outputs")]


@pytest.mark.parametrize(("step", "key"), PLACES, ids=[f"{step['type']}.{key}" for step, key in PLACES])
def test_an_expression_where_a_step_has_a_mapping_is_refused(
    server: Server, workspace: str, step: dict[str, Any], key: str
) -> None:
    """With one sentence that has the place, by PUT and by validate."""
    steps = {"a": {**step, key: "${{parent.inputs.q}}"}, "b": COMMAND}
    body = {"properties": {"jobType": "Pipeline", "settings": {}, "jobs": steps}}
    for method, path in (("PUT", f"{workspace}/jobs/t"), ("POST", f"/smalt/v1{workspace}/jobs/t/validate")):
        answer = server.ask(method, path, body)
        assert answer.status == 400
        words = answer.body["error"]["message"]
        assert words.startswith(f"jobs.a.{key}: '{key}' must be ")
        assert words.endswith(
            "mapping), not '${{parent.inputs.q}}'" if "(" in words else ", not '${{parent.inputs.q}}'"
        )


@pytest.mark.parametrize("number", ["9" * 200_000, "-" + "9" * 200_000, "9" * 4000, "1e" + "9" * 200_000])
def test_numbers_of_very_many_digits_are_refused(server: Server, workspace: str, number: str) -> None:
    """With how many there are, in a sentence for people."""
    body = json.dumps({"properties": {**JOB, "inputs": {"a": {"jobInputType": "literal", "value": "NUMBER"}}}})
    answer = server.ask("PUT", f"{workspace}/jobs/digits", raw=body.replace('"NUMBER"', number).encode())
    assert answer.status == 400
    assert "is too large a number" in answer.body["error"]["message"] or "digits" in answer.body["error"]["message"]
    assert "set_int_max" not in answer.body["error"]["message"]
    assert len(answer.body["error"]["message"]) < 300


@pytest.mark.parametrize("folder", ["/dev", "/proc/self", "/sys/kernel"])
def test_folders_of_the_system_are_not_code(server: Server, workspace: str, folder: str) -> None:
    """Refused at once, before anything of them is read."""
    answer = server.ask("POST", f"/smalt/v1{workspace}/snapshots", {"path": folder, "ignore": True})
    assert (answer.status, answer.body["error"]["code"]) == (403, "Refused")
    assert f"{folder} is a folder of the operating system" in answer.body["error"]["message"]


def test_loops_of_links_are_listed_once(server: Server, workspace: str) -> None:
    """A link to the folder itself, to its parent, to itself, and a pipe: left out, or not there."""
    server.ask("PUT", f"{workspace}/jobs/j", host_job("true"))
    name = workspace.rpartition("/")[2]
    folder = server.home.path("workspaces", name, "datastores", "workspaceblobstore", "loop")
    (folder / "deep").mkdir(parents=True)
    (folder / "deep" / "up").symlink_to(folder)
    (folder / "me").symlink_to(folder)
    (folder / "self").symlink_to("self")
    os.mkfifo(folder / "pipe")
    (folder / "a").write_text("x")
    listed = f"/smalt/v1{workspace}/datastores/workspaceblobstore/list"
    answer = server.ask("GET", f"{listed}?path=loop&recursive=true")
    assert [one["path"] for one in answer.body["value"] if not one["is_dir"]] == ["loop/a"]
    for path in ("loop/me", "loop/deep/up", "loop/self", "loop/pipe"):
        assert server.ask("GET", f"{listed}?path={path}&recursive=true").status in (200, 403, 404)
        assert server.ask("GET", listed.replace("/list", f"/files/{path}")).status in (403, 404)


@pytest.mark.parametrize("value", ODD, ids=repr)
def test_another_job_of_a_name_with_odd_properties_is_refused(server: Server, workspace: str, value: Any) -> None:
    """With a sentence, by PUT and by validate, of each type of job."""
    assert server.ask("PUT", f"{workspace}/jobs/there", {"properties": JOB}).status == 201
    pipeline = {"jobType": "Pipeline", "jobs": {"a": {"type": "command", "component": INLINE}}, "settings": {}}
    for body in ({**JOB, "command": "false"}, pipeline, {"jobType": "Command", "command": "x"}, {"jobType": "Odd"}):
        sent = {"properties": {**body, "properties": value}}
        for method, path in (
            ("PUT", f"{workspace}/jobs/there"),
            ("POST", f"/smalt/v1{workspace}/jobs/there/validate"),
        ):
            answer = server.ask(method, path, sent)
            assert 400 <= answer.status < 500, (sent, answer.body)


@pytest.mark.parametrize("half", [b"\xed\xa0\x80", b"\xed\xb0\x80", b"\\ud800"])
def test_half_a_character_is_refused(server: Server, workspace: str, half: bytes) -> None:
    """As bytes and as an escape, whatever takes the body."""
    for method, path in (
        ("POST", f"/smalt/v1{workspace}/metrics"),
        ("POST", f"/smalt/v1{workspace}/compare"),
        ("PUT", f"{workspace}/jobs/half"),
    ):
        answer = server.ask(
            method, path, raw=b'{"jobs": ["' + half + b'"], "properties": {"command": "' + half + b'"}}'
        )
        assert (answer.status, answer.body["error"]["message"]) == (400, "the body is not Unicode text (UTF-8)")


@pytest.mark.parametrize("kind", ["jobs/{}", "data/{}/versions/1", "models/{}/versions/1", "data/d/versions/{}"])
@pytest.mark.parametrize("slash", ["%2F", "%2f"])
def test_a_name_with_a_slash_is_told_so(server: Server, workspace: str, kind: str, slash: str) -> None:
    """Azure's client sends the slash of a name encoded."""
    answer = server.ask("PUT", f"{workspace}/{kind.format(f'a{slash}b')}", {"properties": JOB})
    sentence = "'a/b' cannot be a name, as it contains '/'; use '-' or '_' in its place"
    assert (answer.status, answer.body["error"]["message"]) == (400, sentence)
    assert server.ask("GET", f"{workspace}/nothing/here").status == 404


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "jobs/a%2Fb"), ("DELETE", "jobs/a%2Fb"), ("GET", "data/a%2Fb/versions/1"), ("PUT", "nothing/a%2Fb")],
)
def test_what_a_name_with_a_slash_does_not_find_is_not_there(
    server: Server, workspace: str, method: str, path: str
) -> None:
    """Only one that would be stored is refused for its slash."""
    answer = server.ask(method, f"{workspace}/{path}", {"properties": JOB} if method == "PUT" else None)
    assert (answer.status, answer.body["error"]["message"].startswith("there is nothing at ")) == (404, True)
