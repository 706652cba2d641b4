"""Online deployments of the real inference server, in an environment that a home builds once."""

from __future__ import annotations

import http.client
import json
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from smalt.client import MLClient
from smalt.entities.endpoints.endpoint import OnlineEndpoint
from smalt.entities.endpoints.online_deployment import ManagedOnlineDeployment
from tests.helpers import LONGEST, Server

IMAGE = "mcr.microsoft.com/azureml/openmpi4.1.0-ubuntu22.04"
SERVER = {"dependencies": ["pip", {"pip": ["azureml-inference-server-http"]}]}
WORDS = """import json, os, time

def init():
    global word
    word = os.environ.get("WORD", "none")

def run(raw):
    given = json.loads(raw)
    if given.get("sleep"):
        time.sleep(given["sleep"])
    if given.get("exit"):
        os.kill(os.getppid(), 9)
        os._exit(1)
    if given.get("fail"):
        raise ValueError("not today")
    return {"word": word, "pid": os.getpid(), "given": given}
"""
"""A scoring script that answers with a variable, and does what a request says."""


class Scored(NamedTuple):
    status: int
    body: Any
    headers: Mapping[str, str]


def make_deployment(folder: Path, name: str = "blue", script: str = WORDS, **more: Any) -> ManagedOnlineDeployment:
    """A deployment of endpoint `e` with a scoring script, whose answers say the variable WORD."""
    code = folder / f"code-{name}"
    code.mkdir(exist_ok=True)
    (code / "score.py").write_text(script)
    given = {
        "name": name,
        "endpoint_name": "e",
        "code_configuration": {"code": str(code), "scoring_script": "score.py"},
        "environment": {"name": "server", "version": "1", "conda_file": SERVER, "image": IMAGE},
        "environment_variables": {"WORD": name},
        "instance_count": 1,
        **more,
    }
    return ManagedOnlineDeployment.from_dict(given)


def create_endpoint(client: MLClient, name: str = "e", **more: Any) -> None:
    client.online_endpoints.begin_create_or_update(OnlineEndpoint.from_dict({"name": name, **more})).result()


def set_traffic(client: MLClient, mirror: Mapping[str, int] | None = None, **shares: int) -> None:
    endpoint = client.online_endpoints.get("e")
    endpoint.traffic, endpoint.mirror_traffic = shares, dict(mirror or {})
    client.online_endpoints.begin_create_or_update(endpoint).result()


def ask(
    server: Server, uri: str, body: Any = None, *, key: str | None, raw: bytes | None = None, **headers: str
) -> Scored:
    """Post to a scoring URI, at the port that the server has now."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=LONGEST)
    sent = {"Content-Type": "application/json", **{name.replace("_", "-"): text for name, text in headers.items()}}
    if key is not None:
        sent["Authorization"] = f"Bearer {key}"
    try:
        data = json.dumps(body if body is not None else {}).encode() if raw is None else raw
        connection.request("POST", urlsplit(uri).path, data, sent)
        with connection.getresponse() as response:
            text = response.read()
            is_json = response.headers.get("content-type", "").startswith("application/json")
            found = {name.lower(): value for name, value in response.headers.items()}
            return Scored(response.status, json.loads(text) if text and is_json else text, found)
    finally:
        connection.close()


class Asker:
    """Asks an endpoint without a pause, on threads, until it is told to stop."""

    def __init__(self, server: Server, uri: str, key: str, threads: int = 4) -> None:
        self.answers: list[Scored | OSError] = []
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._run, args=(server, uri, key)) for _ in range(threads)]

    def __enter__(self) -> Asker:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _run(self, server: Server, uri: str, key: str) -> None:
        while not self._over.is_set():
            try:
                self.answers.append(ask(server, uri, {}, key=key))
            except OSError as error:
                self.answers.append(error)
