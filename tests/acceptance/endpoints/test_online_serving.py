"""Online deployments that really serve: their home installs the inference server, so `-m integration` runs them."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from smalt.client import MLClient
from smalt.client.collections.secrets import SecretOperations
from smalt.exceptions import DeploymentException, SmaltError
from tests.acceptance.endpoints.online_rig import IMAGE, Asker, ask, create_endpoint, make_deployment, set_traffic
from tests.helpers import Server, eventually, running_server

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with running_server() as server:
        yield server


@pytest.fixture
def client(server: Server, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[MLClient]:
    """A workspace with the endpoint `e`, which is deleted afterwards."""
    monkeypatch.setenv("SMALT_HOME", str(server.home.root))
    client = MLClient(None, "s", "g", request.node.name.replace("_", "-")[:60])
    create_endpoint(client)
    yield client
    client.online_endpoints.begin_delete("e").result()
    client.connection.close()


def deploy(client: MLClient, deployment: object) -> None:
    client.online_deployments.begin_create_or_update(deployment).result()  # type: ignore[arg-type]


def find_uri(client: MLClient) -> tuple[str, str]:
    """The scoring URI and the first key."""
    return str(client.online_endpoints.get("e").scoring_uri), str(client.online_endpoints.get_keys("e").primary_key)


def test_a_scoring_script_answers(server: Server, client: MLClient, tmp_path: Path) -> None:
    """By invoke and by HTTP with either key, its model beside it; without a key, or with another's, nobody is heard."""
    (tmp_path / "model" / "inner").mkdir(parents=True)
    (tmp_path / "model" / "inner" / "weights.txt").write_text("7")
    script = (
        "import json, os, pathlib\n"
        "def init():\n    global weight\n"
        "    root = pathlib.Path(os.environ['AZUREML_MODEL_DIR'])\n"
        "    assert root.name == '1', root\n"
        "    assert (root / 'model' / 'inner').is_dir()\n"
        "    weight = int(next(root.rglob('weights.txt')).read_text())\n"
        "def run(raw):\n    return [weight * each for each in json.loads(raw)['data']]\n"
    )
    made = make_deployment(tmp_path, script=script, model={"path": str(tmp_path / "model")})
    deploy(client, made)
    assert "fetching model IDs" not in client.online_deployments.get_logs("blue", "e", 100)
    assert client.online_deployments.get("blue", "e").provisioning_state == "Succeeded"
    (tmp_path / "request.json").write_text('{"data": [1, 2]}')
    given = {"request_file": tmp_path / "request.json"}
    assert client.online_endpoints.invoke("e", **given, deployment_name="blue") == "[7, 14]"
    assert client.online_endpoints.invoke("e", **given, local=True) == "[7, 14]"
    with pytest.raises(SmaltError, match="no deployment 'green'"):
        client.online_endpoints.invoke("e", **given, deployment_name="green")
    set_traffic(client, blue=100)
    uri, key = find_uri(client)
    answered = ask(server, uri, {"data": [3]}, key=key)
    assert (answered.status, answered.body, answered.headers["azureml-model-deployment"]) == (200, [21], "blue")
    second = str(client.online_endpoints.get_keys("e").secondary_key)
    assert ask(server, uri, {"data": [3]}, key=second).status == 200
    create_endpoint(client, "other")
    foreign = str(client.online_endpoints.get_keys("other").primary_key)
    for wrong in (None, foreign, key[:-1], server.home.read_token()):
        refused = ask(server, uri, {"data": [3]}, key=wrong)
        assert (refused.status, refused.body["error"]["code"]) == (401, "Unauthorized")
    assert server.ask_tcp("GET", "/smalt/v1/status", token=key).status == 401
    client.online_endpoints.begin_regenerate_keys("e").wait()
    assert ask(server, uri, {"data": [3]}, key=key).status == 401
    assert "POST /score 200" in client.online_deployments.get_logs("blue", "e", 100)
    client.online_endpoints.begin_delete("other").wait()


def test_what_a_script_does_wrong_is_told(server: Server, client: MLClient, tmp_path: Path) -> None:
    """An init that raises fails the deployment with its reason; a run that raises is a 424 with the model's status."""
    broken = "def init():\n    raise ValueError('no such weights')\ndef run(raw):\n    return 1\n"
    with pytest.raises(DeploymentException, match=r"ValueError: no such weights \(score.py:2\); 'smalt online-dep"):
        deploy(client, make_deployment(tmp_path, script=broken))
    with pytest.raises(DeploymentException, match=r"score.py has no function run\(\), which the server calls"):
        deploy(client, make_deployment(tmp_path, script="def init():\n    pass\n"))
    assert client.online_deployments.get("blue", "e").provisioning_state == "Failed"
    deploy(client, make_deployment(tmp_path))
    set_traffic(client, blue=100)
    uri, key = find_uri(client)
    failed = ask(server, uri, {"fail": 1}, key=key)
    assert (failed.status, failed.headers["ms-azureml-model-error-statuscode"]) == (424, "500")
    assert "not today" in client.online_deployments.get_logs("blue", "e", 200)
    with pytest.raises(DeploymentException, match="no such weights"):
        deploy(client, make_deployment(tmp_path, script=broken))
    assert ask(server, uri, {}, key=key).body["word"] == "blue"  # the revision before serves on


IDENTITY = """from azure.identity import ManagedIdentityCredential

def init():
    ManagedIdentityCredential().get_token("https://storage.azure.com/.default")

def run(raw):
    return 1
"""


def test_secrets_reach_scripts_and_identities_do_not(server: Server, client: MLClient, tmp_path: Path) -> None:
    """A secret by its reference; a managed identity ends in a sentence that says what to do."""
    variables = {"WORD": "${{secrets.word}}", "OTHER": "${{keyvault:https://v.vault.azure.net/secrets/word}}"}
    with pytest.raises(SmaltError, match="no secret 'word'"):
        deploy(client, make_deployment(tmp_path, environment_variables=variables))
    SecretOperations(client).set("word", "hidden")
    deploy(client, make_deployment(tmp_path, environment_variables=variables))
    set_traffic(client, blue=100)
    uri, key = find_uri(client)
    assert ask(server, uri, {}, key=key).body["word"] == "hidden"
    packages = {"dependencies": ["pip", {"pip": ["azureml-inference-server-http", "azure-identity"]}]}
    environment = {"name": "identity", "version": "1", "conda_file": packages, "image": IMAGE}
    with pytest.raises(DeploymentException, match="have no managed identity here; hand secrets to the scoring script"):
        deploy(client, make_deployment(tmp_path, "green", script=IDENTITY, environment=environment))


def test_traffic_is_split_and_mirrored(server: Server, client: MLClient, tmp_path: Path) -> None:
    """By the shares, by the header, and as copies whose answers nobody gets."""
    deploy(client, make_deployment(tmp_path))
    deploy(client, make_deployment(tmp_path, "green"))
    set_traffic(client, blue=50, green=50)
    uri, key = find_uri(client)
    words = {ask(server, uri, {}, key=key).body["word"] for _ in range(40)}
    assert words == {"blue", "green"}
    named = {ask(server, uri, {}, key=key, azureml_model_deployment="green").body["word"] for _ in range(5)}
    assert named == {"green"}
    assert ask(server, uri, {}, key=key, azureml_model_deployment="red").status == 404

    def count_requests() -> int:
        return client.online_deployments.get_logs("green", "e", 1000).count("POST /score")

    before = count_requests()
    set_traffic(client, blue=100, mirror={"green": 50})
    assert {ask(server, uri, {"mirrored": n}, key=key).body["word"] for n in range(40)} == {"blue"}
    eventually(lambda: count_requests() > before + 5, "the copies")


def test_a_new_revision_loses_no_request(server: Server, client: MLClient, tmp_path: Path) -> None:
    """While clients ask without a pause, each request is answered by the one revision or the other."""
    given = {"instance_count": 2, "request_settings": {"max_queue_wait_ms": 20_000, "request_timeout_ms": 20_000}}
    deploy(client, make_deployment(tmp_path, **given))
    set_traffic(client, blue=100)
    uri, key = find_uri(client)
    with Asker(server, uri, key) as asker:
        deploy(client, make_deployment(tmp_path, environment_variables={"WORD": "next"}, **given))
        eventually(lambda: [one for one in asker.answers[-4:] if getattr(one, "body", {}).get("word") == "next"])
        deploy(
            client, make_deployment(tmp_path, environment_variables={"WORD": "next"}, **{**given, "instance_count": 1})
        )
    assert [one for one in asker.answers if getattr(one, "status", 0) != 200] == []


def test_processes_outlive_a_killed_server(server: Server, client: MLClient, tmp_path: Path) -> None:
    """The launcher starts a server again, which finds them; the same processes answer."""
    deploy(client, make_deployment(tmp_path))
    set_traffic(client, blue=100)
    uri, key = find_uri(client)
    pid = ask(server, uri, {}, key=key).body["pid"]
    server.kill()
    eventually(server.find_server, "the server that the launcher starts")
    assert ask(server, uri, {}, key=key).body["pid"] == pid
    launcher = int(next(one for one in _list_launchers(server)))
    os.kill(launcher, signal.SIGKILL)
    assert ask(server, uri, {}, key=key).body["pid"] == pid


def test_a_process_that_dies_is_started_again(server: Server, client: MLClient, tmp_path: Path) -> None:
    """The request that killed it is told so, and the next one is answered."""
    deploy(client, make_deployment(tmp_path))
    set_traffic(client, blue=100)
    uri, key = find_uri(client)
    pid = ask(server, uri, {}, key=key).body["pid"]
    broken = ask(server, uri, {"exit": 1}, key=key)
    assert (broken.status, broken.body["error"]["code"]) == (502, "BadGateway")
    assert ask(server, uri, {}, key=key).body["pid"] != pid
    logs = client.online_deployments.get_logs("blue", "e", 100)
    assert logs.count("Log of process ") == 2
    assert ", which has ended:" in logs


def test_requests_have_limits(server: Server, client: MLClient, tmp_path: Path) -> None:
    """Of time, of number and of size; what is over a limit is refused, and nothing else suffers."""
    limits = {"request_timeout_ms": 1000, "max_queue_wait_ms": 100}
    deploy(client, make_deployment(tmp_path, request_settings=limits))
    set_traffic(client, blue=100)
    uri, key = find_uri(client)
    slow = ask(server, uri, {"sleep": 30}, key=key)
    assert (slow.status, slow.body["error"]["code"]) == (408, "RequestTimeout")
    eventually(lambda: ask(server, uri, {}, key=key).status == 200, "an answer after one that hung")
    large = ask(server, uri, raw=b" " * (65 * 1024 * 1024), key=key)
    assert (large.status, large.body["error"]["code"]) == (413, "BodyTooLarge")
    with Asker(server, uri, key, threads=1):
        statuses = set()
        eventually(lambda: statuses.add(ask(server, uri, {"sleep": 0.5}, key=key).status) or 200 in statuses)


def test_what_is_idle_is_stopped(server: Server, client: MLClient, tmp_path: Path) -> None:
    """With the setting, processes end when nobody asks, and start with the next request."""
    deploy(client, make_deployment(tmp_path))
    set_traffic(client, blue=100)
    uri, key = find_uri(client)
    pid = ask(server, uri, {}, key=key).body["pid"]
    assert server.ask("PATCH", "/smalt/v1/config", {"online-idle-minutes": 0.001}).status == 200
    eventually(lambda: not os.path.exists(f"/proc/{pid}"), "the end of the process")
    assert server.ask("PATCH", "/smalt/v1/config", {"online-idle-minutes": None}).status == 200
    assert ask(server, uri, {}, key=key).body["word"] == "blue"


def _list_launchers(server: Server) -> list[str]:
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):  # it has ended meanwhile
            words = (process / "cmdline").read_bytes()
            if b"smalt/launcher/__main__.py" in words and str(server.home.root).encode() in words:
                found.append(process.name)
    return found
