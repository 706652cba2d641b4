"""YAML texts of the studio's designer: checked, submitted, kept as drafts, opened and saved as files."""

from __future__ import annotations

import asyncio
import json
import os
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path
from typing import Any

import pytest

from smalt.exceptions import Conflict, Unavailable
from smalt.service.api.drafts import draft_files, folder_files, submission
from smalt.service.api.drafts.draft_files import write_draft
from smalt.service.api.drafts.folder_files import write_file
from smalt.service.data.files.durable_files import write_durably
from tests.helpers import LONGEST, Answer, Server, running_server

COMPONENT = """\
$schema: https://azuremlschemas.azureedge.net/latest/commandComponent.schema.json
type: command
name: count
version: 1
inputs:
  words: {type: string, default: hello}
outputs:
  counted: {type: uri_file}
environment: azureml:host@latest
command: echo ${{inputs.words}} > ${{outputs.counted}}
"""
PIPELINE = """\
type: pipeline
jobs:
  first:
    type: command
    component: ./count.yml
    inputs: {words: "one two"}  # why
  second:
    type: command
    inputs:
      counted:
        type: uri_file
        path: ${{parent.jobs.first.outputs.counted}}
    environment: azureml:host@latest
    command: cat ${{inputs.counted}}
"""


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("project")
    (folder / "flows").mkdir()
    (folder / "flows/count.yml").write_text(COMPONENT)
    (folder / "flows/pipeline.yml").write_text(PIPELINE)
    (folder / "notes.txt").write_text("none of its business")
    outside = tmp_path_factory.mktemp("outside")
    (outside / "secret.yml").write_text(COMPONENT)
    os.symlink(outside, folder / "link")
    with running_server(studio_folder=str(folder)) as server:
        yield server


def get_folder(server: Server) -> Path:
    return Path(server.ask("GET", "/smalt/v1/config").body["studio-folder"])


def check(server: Server, workspace: str, text: str, folder: str | None = "flows", **more: Any) -> Any:
    body = {"text": text, "folder": folder, "file": "pipeline.yml", **more}
    answer = server.ask("POST", f"/smalt/v1{workspace}/documents/check", body)
    assert answer.status == 200, answer.body
    return answer.body


def submit(server: Server, workspace: str, act: str, text: str, folder: str | None = "flows", **more: Any) -> Answer:
    body = {"act": act, "text": text, "folder": folder, "file": "pipeline.yml", **more}
    return server.ask("POST", f"/smalt/v1{workspace}/documents/submit", body)


def list_lines(answer: Any) -> list[str]:
    return [f"{one['file']}:{one['line']}:{one['column']}: {one['message']}" for one in answer["problems"]]


def test_a_text_is_checked_as_its_file_is(served: Server, workspace: str, tmp_path: Path) -> None:
    """The sentences, lines and columns are those of `smalt job validate`, also of the files that the text names."""
    broken = PIPELINE.replace("outputs.counted}}", "outputs.countd}}").replace("command: cat", "comand: cat")
    from smalt import yaml
    from smalt.exceptions import ValidationException

    file = get_folder(served) / "flows/broken.yml"
    file.write_text(broken)
    with pytest.raises(ValidationException) as raised:
        yaml.load(str(file), "job", data_must_exist=True)
    file.unlink()
    expected = [(one.line, one.column, one.message) for one in raised.value.problems]
    found = check(served, workspace, broken)["problems"]
    assert [(one["line"], one["column"], one["message"]) for one in found] == expected
    assert len(expected) >= 2
    (get_folder(served) / "flows/bad.yml").write_text(COMPONENT.replace("command:", "comand:"))
    told = list_lines(check(served, workspace, PIPELINE.replace("count.yml", "bad.yml")))
    assert any(line.startswith("bad.yml:10:") for line in told), told


def test_a_check_describes_the_components(served: Server, workspace: str) -> None:
    """Those of files and those that are registered, and why one is not there."""
    spec = {"type": "command", "name": "known", "version": "1", "command": "true"}
    spec |= {"environment": "azureml:host@latest", "inputs": {"n": {"type": "integer", "max": 3}}}
    body = {"properties": {"componentSpec": spec}}
    assert served.ask("PUT", f"{workspace}/components/known/versions/1", body).status == 201
    text = PIPELINE.replace('component: ./count.yml\n    inputs: {words: "one two"}', "component: azureml:known:1")
    text += "  third: {type: command, component: azureml:unknown:1}\n  fourth: {component: ./count.yml}\n"
    found = check(served, workspace, text)["components"]
    assert found["azureml:known:1"]["inputs"]["n"]["max"] in (3, "3")
    assert "unknown" in found["azureml:unknown:1"]["error"]
    assert found["./count.yml"]["outputs"] == {"counted": {"type": "uri_file"}}
    assert found["./count.yml"]["file"] == "flows/count.yml"


def test_numbers_that_json_does_not_have_are_described_as_text(served: Server, workspace: str) -> None:
    """A bound or default of infinity makes no answer fail."""
    component = COMPONENT.replace("{type: string, default: hello}", "{type: number, default: .nan, max: .inf}")
    (get_folder(served) / "flows/infinite.yml").write_text(component)
    text = PIPELINE.replace("count.yml", "infinite.yml")
    assert check(served, workspace, text)["components"]["./infinite.yml"]["inputs"]["words"]["max"] == "inf"
    listed = served.ask("GET", f"/smalt/v1{workspace}/documents/components?folder=flows").body["value"]
    assert next(one for one in listed if one["file"] == "flows/infinite.yml")["inputs"]["words"]["default"] == "nan"
    (get_folder(served) / "flows/infinite.yml").unlink()


def test_a_text_without_a_folder_reads_no_file(served: Server, workspace: str) -> None:
    """It says so where it names one; a text that names none is right."""
    told = list_lines(check(served, workspace, PIPELINE, folder=None))
    assert any("is in no folder" in line for line in told), told
    alone = "type: command\ncommand: echo alone\nenvironment: azureml:host@latest\n"
    assert check(served, workspace, alone, folder=None)["problems"] == []


@pytest.mark.parametrize("path", ["/etc/passwd", "../../outside.yml", "~/x.yml", "../link/secret.yml"])
def test_a_text_reads_nothing_outside_of_the_folder(served: Server, workspace: str, path: str) -> None:
    """Absolute paths, ..., the home and links are refused with the same sentence, whether or not a file is there."""
    text = PIPELINE.replace("./count.yml", path)
    answer = check(served, workspace, text)
    assert any("is outside of" in line for line in list_lines(answer)), list_lines(answer)
    assert "is outside of" in answer["components"][path]["error"]
    assert submit(served, workspace, "job", text, name="escapes").status == 400


def test_no_file_is_read_for_pip_outside_of_the_folder(served: Server, workspace: str) -> None:
    """A requirements file that an environment includes is held to the folder, too."""
    text = PIPELINE.replace(
        "azureml:host@latest", "{image: x, conda_file: {dependencies: [python=3.11, pip: ['-r /etc/passwd']]}}"
    )
    (get_folder(served) / "flows/conda.yml").write_text("dependencies: [python=3.11, {pip: ['-r /etc/passwd']}]\n")
    by_file = PIPELINE.replace("environment: azureml:host@latest", "environment: {image: x, conda_file: ./conda.yml}")
    for one in (text, by_file):
        told = list_lines(check(served, workspace, one))
        assert not any("root:" in line for line in told)
    assert any("is outside of" in line for line in list_lines(check(served, workspace, by_file)))


def test_a_text_is_submitted_and_runs(served: Server, workspace: str) -> None:
    """Its paths begin in its folder; the answer names the job; the same name again is the same job."""
    answer = submit(served, workspace, "job", PIPELINE, name="drawn")
    assert (answer.status, answer.body) == (200, {"name": "drawn"})
    messages = list(served.stream(f"/smalt/v1{workspace}/jobs/drawn/stream"))
    assert messages[-1]["status"] == "Completed"
    assert any("one two" in each["text"] for each in messages if each["t"] == "log")
    assert submit(served, workspace, "job", PIPELINE, name="drawn").body == {"name": "drawn"}


def test_a_job_without_a_folder_has_a_lasting_experiment(served: Server, workspace: str) -> None:
    """Elsewhere it is called like the folder; this one's is made for the request. One that is written stays."""
    text = "type: pipeline\njobs: {a: {command: 'true', environment: azureml:host, compute: azureml:local}}\n"
    for more, experiment in (("", "Default"), ("experiment_name: own\n", "own")):
        answer = submit(served, workspace, "job", text + more, folder=None, name=f"drawn-in-{experiment}")
        assert answer.status == 200, answer.body
        job = served.ask("GET", f"{workspace}/jobs/{answer.body['name']}").body["properties"]
        assert job["experimentName"] == experiment


def test_a_component_is_not_submitted_as_a_job(served: Server, workspace: str) -> None:
    """The error says what can be done with it instead."""
    schema = "https://azuremlschemas.azureedge.net/latest/pipelineComponent.schema.json"
    text = f"$schema: {schema}\nname: parts\n{PIPELINE}"
    refused = submit(served, workspace, "job", text, name="parts")
    assert refused.status == 400
    assert "this is a component, and only a job is submitted" in refused.body["error"]["message"]


def test_the_server_checks_what_no_file_tells(served: Server, workspace: str) -> None:
    """A component that is not registered is a problem of the deep check and of a submission, at its line."""
    text = PIPELINE.replace('component: ./count.yml\n    inputs: {words: "one two"}', "component: azureml:unknown:1")
    assert check(served, workspace, text)["problems"] == []
    answer = submit(served, workspace, "check", text)
    assert answer.status == 200
    assert any("unknown" in line and line.startswith("pipeline.yml:5") for line in list_lines(answer.body)), answer.body
    refused = submit(served, workspace, "job", text, name="none")
    assert (refused.status, "unknown" in refused.body["error"]["message"]) == (400, True)
    assert submit(served, workspace, "check", PIPELINE).body["problems"] == []
    assert submit(served, workspace, "dance", PIPELINE).status == 400


SETTINGS = """\
type: pipeline
display_name: counted
inputs:
  words: three words here
  times: 3
settings: {default_compute: cpu-cluster}
jobs:
  first:
    type: command
    component: ./count.yml
    inputs: {words: "${{parent.inputs.words}}"}
"""


def test_a_component_without_a_chosen_version_becomes_the_next_one(served: Server, workspace: str) -> None:
    """The version in the text is of the file that it was made from, such as an earlier version's."""
    text = """type: pipeline
name: again
version: 1
inputs: {n: {type: integer, default: 1}}
jobs: {a: {type: command, component: ./count.yml}}
"""
    first = submit(served, workspace, "component", text, name="again", version="1")
    assert first.body == {"name": "again", "version": "1"}, first.body
    changed = submit(served, workspace, "component", text.replace("default: 1", "default: 2"), name="again")
    assert changed.body == {"name": "again", "version": "2"}, changed.body


def test_a_text_becomes_a_component_a_schedule_and_an_endpoint(served: Server, workspace: str) -> None:
    """Each is what the command line makes of the file; a job's literals become defaults of the component."""
    made = submit(served, workspace, "component", SETTINGS, name="counted")
    assert (made.status, made.body) == (200, {"name": "counted", "version": "1"}), made.body
    spec = served.ask("GET", f"{workspace}/components/counted/versions/1").body["properties"]["componentSpec"]
    assert spec["type"] == "pipeline"
    assert {name: port["type"] for name, port in spec["inputs"].items()} == {"words": "string", "times": "integer"}
    assert str(spec["inputs"]["times"]["default"]) == "3"
    again = submit(served, workspace, "component", SETTINGS, name="counted")
    assert again.body == {"name": "counted", "version": "1"}, "what is the same is not registered again"
    trigger = {"type": "cron", "expression": "0 3 * * *", "time_zone": "UTC"}
    planned = submit(served, workspace, "schedule", SETTINGS, name="nightly", trigger=trigger)
    assert (planned.status, planned.body) == (200, {"name": "nightly"}), planned.body
    stored = served.ask("GET", f"{workspace}/schedules/nightly").body["properties"]
    assert stored["trigger"]["expression"] == "0 3 * * *"
    wrong = submit(served, workspace, "schedule", SETTINGS, name="bad", trigger={"type": "cron", "expression": "x"})
    assert (wrong.status, "expression" in wrong.body["error"]["message"]) == (400, True)
    given = {"component_name": "counted", "endpoint": "counter", "deployment": "one"}
    published = submit(served, workspace, "endpoint", SETTINGS, **given)
    assert published.status == 200, published.body
    assert published.body == {"name": "counter", "deployment": "one", "component": "azureml:counted:1"}
    endpoint = served.ask("GET", f"{workspace}/batchEndpoints/counter").body["properties"]
    assert endpoint["defaults"]["deploymentName"] == "one"
    listed = served.ask("GET", f"/smalt/v1{workspace}/documents/components").body["value"]
    files = served.ask("GET", f"/smalt/v1{workspace}/documents/components?folder=").body["value"]
    assert next(one["component"] for one in files if one["file"] == "flows/count.yml") == "./flows/count.yml"
    assert not any((one["file"] or "").startswith("link") for one in files)
    assert served.ask("GET", f"/smalt/v1{workspace}/documents/components?folder=link").status == 403
    own = next(one for one in listed if one["name"] == "counted")
    assert (own["component"], own["registry"], own["title"]) == ("azureml:counted:1", None, "counted")
    assert all(one["inputs"] is not None or one["outputs"] is not None for one in listed if one["registry"] == "smalt")


def test_files_are_listed_read_and_saved(served: Server, workspace: str) -> None:
    """Only YAML files and folders are shown; bytes stay as they are; what changed meanwhile is not overwritten."""
    own, folder = f"/smalt/v1{workspace}/folder", get_folder(served)
    top = served.ask("GET", f"{own}/files").body
    assert [one["path"] for one in top["value"]] == ["flows", "link"]
    assert "flows/pipeline.yml" in [one["path"] for one in served.ask("GET", f"{own}/files?path=flows").body["value"]]
    odd = b"\xef\xbb\xbfa: 1\r\nb:\t2  \r\nc: [ ]"
    (folder / "odd.yml").write_bytes(odd)
    (folder / "odd.yml").chmod(0o640)
    read = served.ask("GET", f"{own}/file?path=odd.yml")
    etag = read.headers["etag"]
    assert put_file(served, f"{own}/file?path=odd.yml", odd + b"\n", {"If-Match": etag}).status == 200
    assert (folder / "odd.yml").read_bytes() == odd + b"\n"
    assert (folder / "odd.yml").stat().st_mode & 0o777 == 0o640
    late = put_file(served, f"{own}/file?path=odd.yml", odd, {"If-Match": etag})
    assert (late.status, "was changed" in late.body["error"]["message"]) == (409, True)
    again = put_file(served, f"{own}/file?path=odd.yml", odd + b"\n", {"If-Match": etag})
    assert (again.status, again.body["etag"]) == (200, served.ask("GET", f"{own}/file?path=odd.yml").headers["etag"])
    assert put_file(served, f"{own}/file?path=odd.yml", odd, {"If-None-Match": "*"}).status == 409
    assert put_file(served, f"{own}/file?path=flows/new.yml", odd, {"If-None-Match": "*"}).status == 200
    assert put_file(served, f"{own}/file?path=flows/new.yml", odd, {"If-None-Match": "*"}).status == 200, "sent again"
    assert sorted(os.listdir(folder / "flows")) == sorted(set(os.listdir(folder / "flows")) | {"new.yml"})
    assert not [name for name in os.listdir(folder) if name.startswith(".")]


@pytest.mark.parametrize("path", ["../x.yml", "/etc/x.yml", "link/secret.yml", "notes.txt", "flows/../../x.yml", ""])
def test_files_outside_of_the_folder_are_out_of_reach(served: Server, workspace: str, path: str) -> None:
    """Neither read nor written, by '..', from the root, or through a link; nor files that are no YAML."""
    own = f"/smalt/v1{workspace}/folder/file?path={path}"
    assert served.ask("GET", own).status == 403
    assert put_file(served, own, b"a: 1\n", {}).status == 403


@pytest.mark.parametrize("path", ["x" * 300 + ".yml", "x/" * 2500 + "x.yml"])
def test_a_path_that_no_disk_can_hold_is_refused(served: Server, workspace: str, path: str) -> None:
    """With a sentence; it is no fault of the server."""
    own = f"/smalt/v1{workspace}/folder"
    answers = [
        served.ask("GET", f"{own}/file?path={path}"),
        served.ask("GET", f"{own}/files?path={path}"),
        put_file(served, f"{own}/file?path={path}", b"a: 1\n", {}),
    ]
    assert [answer.status for answer in answers] == [403] * 3
    assert all("is too long" in answer.body["error"]["message"] for answer in answers)


def test_a_folder_is_not_overwritten_by_a_file(served: Server, workspace: str) -> None:
    """The name is what is wrong, not the disk."""
    (get_folder(served) / "flows/folder.yml").mkdir()
    answer = put_file(served, f"/smalt/v1{workspace}/folder/file?path=flows/folder.yml", b"a: 1\n", {})
    assert (answer.status, "folder.yml is a folder" in answer.body["error"]["message"]) == (403, True)


def test_drafts_are_kept_with_the_workspace(served: Server, workspace: str) -> None:
    """Kept, listed, changed by who saw them last, and deleted."""
    own = f"/smalt/v1{workspace}/drafts"
    assert served.ask("GET", own).body == {"value": [], "unreadable": []}
    text = "type: pipeline\r\n# é\r\njobs: {}"
    assert (
        served.ask("PUT", f"{own}/My draft (1)", {"text": text, "folder": "flows", "positions": {"a": [1, 2]}}).status
        == 201
    )
    draft = served.ask("GET", f"{own}/My draft (1)").body
    assert (draft["text"], draft["folder"], draft["positions"]) == (text, "flows", {"a": [1, 2]})
    assert [one["name"] for one in served.ask("GET", own).body["value"]] == ["My draft (1)"]
    for name in ("..", ".x", "a%2Fb", "x" * 101):
        assert served.ask("PUT", f"{own}/{name}", {"text": ""}).status in (400, 404)
    assert served.ask("PUT", f"{own}/y", {"text": 3}).status == 400
    assert served.ask("DELETE", f"{own}/My draft (1)").status == 204
    assert served.ask("DELETE", f"{own}/My draft (1)").status == 404
    assert served.ask("GET", f"{own}/My draft (1)").status == 404


def test_a_draft_that_another_tab_changed_is_not_overwritten(served: Server, workspace: str) -> None:
    """Neither its text nor the places of its nodes; the same request sent again is answered as before."""
    path = f"/smalt/v1{workspace}/drafts/tabs"

    def put(headers: dict[str, str], **change: Any) -> Answer:
        body = {"text": PIPELINE, "folder": None, "positions": {"a": [0, 0]}, **change}
        return served.ask_tcp("PUT", path, body, headers=headers)

    first = put({"If-None-Match": "*"})
    assert (first.status, put({"If-None-Match": "*"}).body) == (201, first.body)
    opened = {"If-Match": served.ask("GET", path).body["etag"]}
    assert opened["If-Match"] == first.body["etag"]
    for change in ({"positions": {"a": [1, 1]}}, {"folder": "flows"}, {"text": PIPELINE + "# new\n"}):
        assert put({}).status == 200
        saved = put(opened, **change)
        assert (saved.status, put(opened, **change).body) == (200, saved.body)
        assert put(opened, positions={"a": [2, 2]}).status == 409
        assert put({"If-None-Match": "*"}).status == 409
        now = served.ask("GET", path).body
        assert now["etag"] == saved.body["etag"] != first.body["etag"]
        assert {key: now[key] for key in change} == change
    assert put({}, text="\ud800").status == 400
    assert served.ask("DELETE", path).status == 204


@pytest.mark.parametrize("kind", ["file", "draft"])
@pytest.mark.parametrize("is_new", [True, False])
def test_of_two_that_save_at_once_one_is_refused(
    kind: str, is_new: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second compares only when the first has written, by whichever path it names the file."""
    module, write = (folder_files, write_file) if kind == "file" else (draft_files, write_draft)
    old, one, two = (json.dumps({"text": text}).encode() for text in ("old", "one", "two"))
    file = tmp_path / "f"
    (tmp_path / "link").symlink_to(tmp_path)
    etag = None
    if not is_new:
        file.write_bytes(old)
        kept = {"folder": None, "positions": {}, "text": "old"}
        etag = folder_files.make_etag(old if kind == "file" else json.dumps(kept).encode())
    is_writing, may_write = threading.Event(), threading.Event()

    def write_slowly(*arguments: Any) -> None:
        if not is_writing.is_set():
            is_writing.set()
            may_write.wait(LONGEST)
        write_durably(*arguments)

    monkeypatch.setattr(module, "write_durably", write_slowly)
    with ThreadPoolExecutor() as pool:
        first = pool.submit(write, file, one, etag, is_new)
        assert is_writing.wait(LONGEST)
        second = pool.submit(write, tmp_path / "link" / "f", two, etag, is_new)
        wait([second], timeout=0.5)
        may_write.set()
        assert first.exception() is None
        assert isinstance(second.exception(), Conflict)
    assert file.read_bytes() == one


@pytest.mark.parametrize("content", [b"{", b"[]", b'{"text": 7}', b'{"text": "\\ud800"}', b"\xff"])
def test_a_damaged_draft_leaves_the_others_in_the_list(served: Server, workspace: str, content: bytes) -> None:
    """It is named with what to do about it; it can be written over and deleted."""
    path = f"/smalt/v1{workspace}/drafts"
    draft = {"text": PIPELINE, "folder": None, "positions": {}}
    assert served.ask("PUT", f"{path}/sound", draft).status == 201
    assert served.ask("PUT", f"{path}/broken", draft).status == 201
    (file,) = served.home.path("workspaces").glob("*/drafts/broken.json")
    file.write_bytes(content)
    listed = served.ask("GET", path).body
    assert [one["name"] for one in listed["value"]] == ["sound"]
    assert listed["unreadable"] == [f"the draft 'broken' cannot be read; delete it, or correct its file {file}"]
    assert served.ask("GET", f"{path}/broken").body["error"]["message"] == listed["unreadable"][0]
    assert served.ask("PUT", f"{path}/broken", draft).status == 200
    assert served.ask("GET", f"{path}/broken").body["text"] == PIPELINE
    file.write_bytes(content)
    assert served.ask("DELETE", f"{path}/broken").status == 204
    assert served.ask("DELETE", f"{path}/sound").status == 204


def test_a_check_registers_nothing(served: Server, workspace: str) -> None:
    """A component of a registry is described from there; only a job brings it into the workspace."""
    text = PIPELINE.replace("./count.yml", "azureml://registries/smalt/components/split_data/versions/1")
    (described,) = check(served, workspace, text)["components"].values()
    assert "dataset" in described["inputs"]
    assert served.ask("GET", f"{workspace}/components").body["value"] == []


def test_few_programs_submit_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many requests come, each starts a program only when one of the few before it has ended."""
    (tmp_path / "slow.py").write_text(
        "import os, time\nname = f'running-{os.getpid()}'\nopen(name, 'w').close()\ntime.sleep(0.3)\n"
        "print(sum(one.startswith('running-') for one in os.listdir()))\nos.remove(name)\n"
    )
    monkeypatch.setattr(submission, "_PROGRAM", "slow")

    async def submit_many() -> list[Any]:
        limit = asyncio.Semaphore(2)
        return await asyncio.gather(*(submission.run_program({}, tmp_path, "home", limit) for _ in range(6)))

    assert max(asyncio.run(submit_many())) <= 2


def test_a_submission_does_not_wait_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(submission, "_TURN", 0.01)

    async def submit() -> None:
        await submission.run_program({}, tmp_path, "home", asyncio.Semaphore(0))

    with pytest.raises(Unavailable, match="the server is busy with other documents"):
        asyncio.run(submit())


def test_without_the_setting_no_file_is_reached(server: Server, workspace: str) -> None:
    """The sentence says how to set it."""
    for path in ("files", "file?path=x.yml"):
        answer = server.ask("GET", f"/smalt/v1{workspace}/folder/{path}")
        assert (answer.status, "smalt config set studio-folder" in answer.body["error"]["message"]) == (403, True)
    body = {"text": "type: pipeline", "folder": ""}
    assert server.ask("POST", f"/smalt/v1{workspace}/documents/check", body).status == 403


def put_file(server: Server, path: str, content: bytes, headers: dict[str, str]) -> Answer:
    import http.client

    sent = {"Authorization": f"Bearer {server.home.read_token()}", **headers}
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=LONGEST)
    return server._ask(connection, "PUT", path, None, content, sent)


def test_the_keys_of_steps_are_described_for_forms(served: Server, workspace: str) -> None:
    """The forms have the kinds, choices and bounds that the reader of YAML has."""
    fields = served.ask("GET", f"/smalt/v1{workspace}/documents/step-fields").body["value"]
    limits = fields["sweep"]["limits"]["fields"]
    assert (limits["max_total_trials"]["kind"], limits["max_total_trials"]["min"]) == ("integer", 1)
    assert fields["sweep"]["search_space"]["item"]["variants"]["uniform"]["min_value"]["required"] is True
    assert fields["parallel"]["logging_level"]["choices"] == ["DEBUG", "INFO", "WARNING"]
    assert {key for key, one in fields["do_while"].items() if one.get("required")} == {"body", "mapping", "limits"}
    assert (fields["if_else"]["condition"]["kind"], fields["command"]["command"]["kind"]) == ("any", "text")
    assert "fields" not in fields["command"]["component"], "a component has a form of its own"
