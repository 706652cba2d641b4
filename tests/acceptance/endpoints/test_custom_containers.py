"""Online deployments of images with a server of their own, in a real Podman; left out where none runs containers."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from smalt.client import MLClient
from smalt.entities.endpoints.online_deployment import ManagedOnlineDeployment
from smalt.exceptions import DeploymentException
from tests.acceptance.endpoints.online_rig import Asker, ask, create_endpoint, set_traffic
from tests.environments import podman as images
from tests.environments.podman import Podman
from tests.helpers import Server, eventually, running_server

SERVER = """
import http.server, json, os, sys
from pathlib import Path

class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, status, content):
        raw = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(raw)))
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(raw)

    def do_GET(self):
        self.answer(200 if self.path in ("/alive", "/ready") else 404, {"path": self.path})

    def do_POST(self):
        given = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if given.get("exit"):
            os._exit(3)
        model = Path(os.environ["AZUREML_MODEL_DIR"], "weights.txt")
        self.answer(200 if self.path == "/v1/predict" else 404, {
            "path": self.path, "word": os.environ.get("WORD"), "weights": model.read_text(),
            "writable": os.access(model, os.W_OK), "model": str(model), "code": os.listdir("/var/azureml-app/code"),
            "host": os.path.exists(given.get("secret", "/nowhere")), "name": os.uname().nodename,
        })

if os.environ.get("REFUSE"):
    sys.exit("the model is no model")
http.server.ThreadingHTTPServer(("0.0.0.0", 8501), Handler).serve_forever()
"""
BLUE = f"blue-{os.getpid()}"
"""In the names of containers, which all suites on this machine see."""
ROUTES = {
    "liveness_route": {"port": 8501, "path": "/alive"},
    "readiness_route": {"port": 8501, "path": "/ready"},
    "scoring_route": {"port": 8501, "path": "/v1/predict"},
}


@pytest.fixture(scope="module")
def podman(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Podman]:
    started = images.start(tmp_path_factory.mktemp("image"))
    if isinstance(started, str):
        pytest.skip(started)
    yield started
    images.remove(started.image)


@pytest.fixture(scope="module")
def server(podman: Podman) -> Iterator[Server]:
    with running_server(container_command=podman.command, container_arguments=podman.arguments) as server:
        yield server


@pytest.fixture
def client(server: Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[MLClient]:
    """The workspace has the endpoint `e`, which is deleted afterwards."""
    monkeypatch.setenv("SMALT_HOME", str(server.home.root))
    client = MLClient(None, "s", "g", "w", show_progress=False)
    create_endpoint(client)
    yield client
    client.online_endpoints.begin_delete("e").result()
    client.connection.close()


def deploy(client: MLClient, podman: Podman, folder: Path, **more: Any) -> None:
    for path, text in (
        ("docker/Dockerfile", f'FROM {podman.image}\nCOPY server.py /server.py\nCMD ["python3", "/server.py"]\n'),
        ("docker/server.py", SERVER),
        ("model/weights.txt", "7"),
        ("code/score.py", "# an extra of the server in the image"),
    ):
        (folder / path).parent.mkdir(exist_ok=True)
        (folder / path).write_text(text)
    made = ManagedOnlineDeployment.from_dict({
        "name": BLUE,
        "endpoint_name": "e",
        "model": {"path": str(folder / "model" / "weights.txt")},
        "code_configuration": {"code": str(folder / "code"), "scoring_script": "score.py"},
        "environment": {"build": {"path": str(folder / "docker")}, "inference_config": ROUTES},
        "environment_variables": {"WORD": "first"},
        "instance_count": 2,
        "request_settings": {"max_queue_wait_ms": 20_000, "request_timeout_ms": 20_000},
        **more,
    })  # fmt: skip
    client.online_deployments.begin_create_or_update(made).result()


def list_containers(podman: Podman) -> set[str]:
    return {name for name in podman.containers if name.startswith(f"smalt-e-{BLUE}-")}


def test_an_image_serves_by_its_own_routes(server: Server, client: MLClient, podman: Podman, tmp_path: Path) -> None:
    """Its model and code lie where the service puts them, read-only; this machine's files do not; a change loses no
    request, and what ends is started again."""
    deploy(client, podman, tmp_path)
    set_traffic(client, **{BLUE: 100})
    uri, key = str(client.online_endpoints.get("e").scoring_uri), str(client.online_endpoints.get_keys("e").primary_key)
    token = str(server.home.path("token"))
    first = ask(server, uri, {"secret": token}, key=key)
    assert first.status == 200
    said = first.body
    assert (said["path"], said["word"], said["weights"]) == ("/v1/predict", "first", "7")
    assert said["model"].startswith("/var/azureml-app/azureml-models/")
    assert ("score.py" in said["code"], said["writable"], said["host"]) == (True, False, False)
    assert len(list_containers(podman)) == 2
    with Asker(server, uri, key, threads=2) as asker:
        deploy(client, podman, tmp_path, environment_variables={"WORD": "next"}, instance_count=1)
        eventually(lambda: [one for one in asker.answers[-2:] if getattr(one, "body", {}).get("word") == "next"])
    assert [one for one in asker.answers if getattr(one, "status", 0) != 200] == []
    eventually(lambda: len(list_containers(podman)) == 1, "the end of the containers before")
    (container,) = list_containers(podman)
    broken = ask(server, uri, {"exit": 1}, key=key)
    assert (broken.status, broken.body["error"]["code"]) == (502, "BadGateway")
    assert ask(server, uri, {}, key=key).status == 200
    assert list_containers(podman).isdisjoint({container})


def test_an_image_that_does_not_serve_is_told(server: Server, client: MLClient, podman: Podman, tmp_path: Path) -> None:
    """The deployment fails with what the image's program wrote last; no container is left."""
    with pytest.raises(DeploymentException, match="the model is no model"):
        deploy(client, podman, tmp_path, environment_variables={"REFUSE": "1"})
    eventually(lambda: not list_containers(podman), "the end of the containers")
