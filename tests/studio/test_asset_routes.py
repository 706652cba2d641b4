"""What the pages of assets ask: files, users, builds of environments, slots and the disk."""

from __future__ import annotations

from pathlib import Path

import pytest

import yaml
from tests.helpers import Server, begin_long_job, eventually, host_job, running_server
from tests.studio.browsers import signed_in
from tests.studio.pipelines import make_step, run_pipeline

FOLDER = "azureml://datastores/workspaceblobstore/paths/looked"


@pytest.fixture
def place(server: Server, workspace: str) -> str:
    """The path of a data version with a folder, a page and a file; made by a job."""
    command = "mkdir ${{outputs.o}}/sub; echo '<b>' > ${{outputs.o}}/a.html; printf '0123456789' > ${{outputs.o}}/sub/n"
    job = host_job(command, outputs={"o": {"jobOutputType": "uri_folder", "uri": FOLDER}})
    assert server.ask("PUT", f"{workspace}/jobs/writes", job).status == 201
    assert list(server.stream(f"/smalt/v1{workspace}/jobs/writes/stream"))[-1]["status"] == "Completed"
    body = {"properties": {"dataType": "uri_folder", "dataUri": FOLDER}}
    assert server.ask("PUT", f"{workspace}/data/d/versions/1", body).status == 201
    return f"/smalt/v1{workspace}/data/d/versions/1"


def test_the_files_of_a_version_are_listed_and_sent(server: Server, place: str) -> None:
    """Folders first; pages; ranges; what a job wrote is sandboxed."""
    found = server.ask("GET", f"{place}/list").body
    assert found == {
        "value": [{"path": "sub", "size": 0, "is_dir": True}, {"path": "a.html", "size": 4, "is_dir": False}]
    }
    assert server.ask("GET", f"{place}/list?path=sub").body["value"][0]["path"] == "sub/n"
    assert "nextLink" in server.ask("GET", f"{place}/list?$top=1").body
    browser = signed_in(server)
    answer = browser.ask("GET", f"{place}/file?path=sub/n", Range="bytes=2-4")
    assert (answer.status, answer.body) == (206, b"234")
    page = browser.ask("GET", f"{place}/file?path=a.html")
    assert page.headers["content-security-policy"] == "sandbox; default-src 'none'"


@pytest.mark.parametrize(
    ("rest", "status"),
    [
        ("file?path=../n", 403),
        ("list?path=../..", 403),
        ("file?path=none", 404),
        ("list?path=none", 404),
        ("file", 404),
    ],
)
def test_nothing_beside_the_version_is_shown(server: Server, place: str, rest: str, status: int) -> None:
    """Paths that lead out, or nowhere."""
    assert server.ask("GET", f"{place}/{rest}").status == status


def test_one_file_is_a_version_of_its_own(server: Server, workspace: str, place: str, tmp_path: Path) -> None:
    """Listed under its name by an empty path; a version whose content is gone says so."""
    for name, uri in (("f", f"{FOLDER}/sub/n"), ("gone", f"{FOLDER}/gone")):
        body = {"properties": {"dataType": "uri_file", "dataUri": uri}}
        assert server.ask("PUT", f"{workspace}/data/{name}/versions/1", body).status == 201
    found = server.ask("GET", f"/smalt/v1{workspace}/data/f/versions/1/list").body["value"]
    assert found == [{"path": "", "size": 10, "is_dir": False, "name": "n"}]
    assert server.ask("GET", f"/smalt/v1{workspace}/data/f/versions/1/file").status == 200
    gone = server.ask("GET", f"/smalt/v1{workspace}/data/gone/versions/1/list")
    assert gone.status == 404
    assert "removed" in gone.body["error"]["message"]


def test_users_of_components_and_environments(server: Server, workspace: str) -> None:
    """Pipelines once for all of their steps; components that name an environment; no user of another version."""
    environment = {"properties": {"image": "python:3.11", "condaFile": "dependencies:\n- python=3.11\n"}}
    for version in ("1", "11"):
        assert server.ask("PUT", f"{workspace}/environments/e/versions/{version}", environment).status == 201
    spec = {"type": "command", "name": "c", "version": "1", "command": "true", "environment": "azureml:e:1"}
    assert (
        server.ask("PUT", f"{workspace}/components/c/versions/1", {"properties": {"componentSpec": spec}}).status == 201
    )
    host = {**spec, "name": "h", "environment": "azureml:host@latest"}
    assert (
        server.ask("PUT", f"{workspace}/components/h/versions/1", {"properties": {"componentSpec": host}}).status == 201
    )
    step = {**make_step("true"), "component": None, "componentId": f"{workspace}/components/h/versions/1"}
    del step["component"]
    assert run_pipeline(server, workspace, "p", {"a": step, "b": step}) == "Completed"
    users = server.ask("GET", f"/smalt/v1{workspace}/components/h/versions/1/users").body
    assert [(one["name"], one["status"]) for one in users["jobs"]] == [("p", "Completed")]
    assert (users["searched"], users["more"]) == (3, False)
    users = server.ask("GET", f"/smalt/v1{workspace}/environments/e/versions/1/users").body
    assert (users["jobs"], users["assets"]) == ([], [{"kind": "components", "name": "c", "version": "1"}])
    assert server.ask("GET", f"/smalt/v1{workspace}/environments/e/versions/11/users").body["assets"] == []


def test_what_is_installed_for_an_environment(server: Server, workspace: str) -> None:
    """Nothing is built by asking; the host's packages are those of the machine's Python."""
    environment = {
        "properties": {"image": "python:3.11", "condaFile": "dependencies:\n- python=3.11\n- pip: [zzz==1]\n"}
    }
    assert server.ask("PUT", f"{workspace}/environments/e/versions/1", environment).status == 201
    assert server.ask("GET", f"/smalt/v1{workspace}/environments/e/versions/1/build").body == {"state": "not built"}
    found = server.ask("GET", f"/smalt/v1{workspace}/environments/host/versions/1/build").body
    assert found["state"] == "built"
    assert any(one.startswith("pytest==") for one in found["packages"])


def test_slots_and_their_holders(server: Server, workspace: str) -> None:
    """A job that runs holds a slot, until it has ended."""
    begin_long_job(server, workspace, "holds")
    found = server.ask("GET", "/smalt/v1/slots").body["computes"][0]
    holder = next(one for one in found["holders"] if one["job"] == "holds")
    assert (holder["status"], holder["cpus"], holder["root"]) == ("Running", 1, "holds")
    assert found["cpus"] >= 1
    assert found["held"] == len(found["holders"])
    assert server.ask("POST", f"{workspace}/jobs/holds/cancel").status == 202
    eventually(lambda: not server.ask("GET", "/smalt/v1/slots").body["computes"][0]["held"])


def test_the_disk_is_counted_beside_the_requests() -> None:
    """The first answer has no count yet, or one; it comes by itself, and is not made again at once."""
    with running_server() as server:
        first = server.ask("GET", "/smalt/v1/disk/last").body
        assert first["items"] is None or first["counted"]
        found = eventually(lambda: (answer := server.ask("GET", "/smalt/v1/disk/last").body)["counted"] and answer)
        assert any(item["kind"] == "smalt.db" and item["bytes"] for item in found["items"])
        assert found["disk"]["free"] > 0
        again = server.ask("GET", "/smalt/v1/disk/last?refresh=true").body
        assert (again["counted"], again["counting"]) == (found["counted"], False)


def test_a_version_as_yaml(server: Server, workspace: str, place: str) -> None:
    """As the command line shows it, and can create it from again."""
    spec = {"type": "command", "name": "c", "version": "1", "command": "true", "environment": "azureml:host@latest"}
    body = {"properties": {"componentSpec": {**spec, "inputs": {"rate": {"type": "number", "default": 0.5}}}}}
    assert server.ask("PUT", f"{workspace}/components/c/versions/1", body).status == 201
    browser = signed_in(server)
    for path in (f"{place}/yaml", f"/smalt/v1{workspace}/components/c/versions/1/yaml"):
        answer = browser.ask("GET", path)
        assert answer.status == 200, answer.body
        found = yaml.safe_load(answer.body)
        kind = path.split("/")[-5]
        assert found["name"] == {"data": "d", "components": "c"}[kind]
        assert str(found["version"]) == "1"
        assert "id" not in found
    assert found["inputs"]["rate"]["default"] == 0.5
    assert browser.ask("GET", f"/smalt/v1{workspace}/components/c/versions/9/yaml").status == 404


MLMODEL = """\
flavors:
  python_function: {loader_module: mlflow.sklearn, python_version: 3.11.7}
  sklearn: {sklearn_version: 1.5.2}
mlflow_version: 2.20.0
run_id: abc
signature:
  inputs: '[{"type": "double", "name": "rooms", "required": true}]'
  outputs: '[{"type": "tensor", "tensor-spec": {"dtype": "float64", "shape": [-1]}}]'
  params: null
"""


def test_what_an_mlflow_model_says_of_itself(server: Server, workspace: str, tmp_path: Path) -> None:
    """Flavours and signature; a model without the file, or with a broken one, is a sentence."""
    for name, content in (("good", MLMODEL), ("broken", "a: [")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "MLmodel").write_text(content)
    (tmp_path / "plain").mkdir()
    for name in ("good", "broken", "plain"):
        body = {"properties": {"modelType": "custom_model", "modelUri": str(tmp_path / name)}}
        assert server.ask("PUT", f"{workspace}/models/{name}/versions/1", body).status == 201
    found = server.ask("GET", f"/smalt/v1{workspace}/models/good/versions/1/mlmodel").body
    assert list(found["flavors"]) == ["python_function", "sklearn"]
    assert found["signature"]["inputs"] == [{"type": "double", "name": "rooms", "required": True}]
    assert (found["signature"]["params"], found["mlflow_version"], found["run"]) == (None, "2.20.0", "abc")
    for name, status in (("broken", 403), ("plain", 404)):
        answer = server.ask("GET", f"/smalt/v1{workspace}/models/{name}/versions/1/mlmodel")
        assert (answer.status, "MLmodel" in answer.body["error"]["message"]) == (status, True)


@pytest.mark.parametrize(
    "flavors",
    [
        "&a {again: *a}",
        "{" + ", ".join(f"l{k}: &l{k} [{', '.join([f'*l{k - 1}'] * 9) if k else 1}]" for k in range(9)) + "}",
        "!!python/object:os.system {}",
    ],
    ids=["recursive", "growing", "object"],
)
def test_a_hostile_mlmodel_is_refused(server: Server, workspace: str, tmp_path: Path, flavors: str) -> None:
    """A job may have written anything there; the server neither fails nor fills its memory."""
    (tmp_path / "MLmodel").write_text(f"flavors: {flavors}\n")
    body = {"properties": {"modelType": "custom_model", "modelUri": str(tmp_path)}}
    assert server.ask("PUT", f"{workspace}/models/hostile/versions/1", body).status == 201
    answer = server.ask("GET", f"/smalt/v1{workspace}/models/hostile/versions/1/mlmodel")
    assert (answer.status, "MLmodel cannot be read" in answer.body["error"]["message"]) == (403, True)


def test_an_mlmodel_may_have_values_that_json_does_not_have(server: Server, workspace: str, tmp_path: Path) -> None:
    """Dates, numbers that are not finite, and keys that are no text are sent as text."""
    (tmp_path / "MLmodel").write_text("flavors: {x: {2020-01-01: .nan}}\nsignature: {inputs: '[NaN]'}\n")
    body = {"properties": {"modelType": "custom_model", "modelUri": str(tmp_path)}}
    assert server.ask("PUT", f"{workspace}/models/odd/versions/1", body).status == 201
    found = server.ask("GET", f"/smalt/v1{workspace}/models/odd/versions/1/mlmodel").body
    assert (found["flavors"], found["signature"]["inputs"]) == ({"x": {"2020-01-01": "nan"}}, ["nan"])


def test_the_files_of_a_code(server: Server, workspace: str) -> None:
    """Listed as in a job's snapshot, and sent one by one; a code or file that is not there is a sentence."""
    place = f"/smalt/v1{workspace}/datastores/workspaceblobstore/files/scorer/score.py"
    assert server.ask("PUT", workspace, {"properties": {}}).status in (200, 201)
    assert server.ask("PUT", place, raw=b"print(1)\n").status == 200
    body = {"properties": {"codeUri": "azureml://datastores/workspaceblobstore/paths/scorer/"}}
    assert server.ask("PUT", f"{workspace}/codes/scorer/versions/1", body).status == 201
    code = f"/smalt/v1{workspace}/codes/scorer/versions/1"
    found = server.ask("GET", f"{code}/files").body
    assert ([(one["path"], one["size"]) for one in found["files"]], found["bytes"]) == ([("score.py", 9)], 9)
    assert signed_in(server).ask("GET", f"{code}/file?path=score.py").body == b"print(1)\n"
    for path in (f"{code}/file?path=none.py", f"{code}/file?path=../x", code.replace("scorer", "none") + "/files"):
        assert server.ask("GET", path).status == 404
