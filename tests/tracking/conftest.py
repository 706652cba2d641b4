"""A real server with a real MLflow, and jobs whose tokens are tried on it."""

from __future__ import annotations

import asyncio
import hashlib
import http.client
import json
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from smalt.exceptions import Unavailable
from smalt.machine.home import Home
from smalt.service.tracking import mlflow_environment
from tests.helpers import LONGEST, PROGRAM, WORKSPACE, Answer, Server, eventually, host_job, running_server

M = "/api/2.0/mlflow"
FILES = "/api/2.0/mlflow-artifacts/artifacts"


class Job(NamedTuple):
    """A job that is over, and speaks to MLflow still: its token is good for a while."""

    workspace: str
    name: str
    token: str


class Tracked:
    """MLflow's API of one server, as its clients reach it."""

    def __init__(self, server: Server) -> None:
        self.server = server

    def job(self, workspace: str, name: str, **more: Any) -> Job:
        """A job that has told its token."""
        path = f"{workspace}/jobs/{name}"
        assert self.server.ask("PUT", path, host_job("printenv MLFLOW_TRACKING_TOKEN", **more)).status == 201
        eventually(lambda: self.server.ask("GET", path).body["properties"]["status"] == "Completed", name)
        return Job(workspace, name, self.said(workspace, name))

    def said(self, workspace: str, name: str) -> str:
        """What the job wrote on standard output."""
        return Path(self.files(workspace, name), "user_logs", "std_log.txt").read_text().strip()

    def files(self, workspace: str, run: str) -> Path:
        """Where a run's files lie."""
        folder = self.server.home.path("workspaces", workspace.rsplit("/", 1)[1], "datastores")
        return folder / "workspaceartifactstore" / "ExperimentRun" / f"dcid.{run}"

    def as_user(self, workspace: str, method: str, path: str, body: Any = None, **more: Any) -> Answer:
        return self.send(workspace, self.server.home.read_token() or "", method, path, body, **more)

    def as_job(self, job: Job, method: str, path: str, body: Any = None, **more: Any) -> Answer:
        return self.send(job.workspace, job.token, method, path, body, **more)

    def send(
        self,
        workspace: str,
        token: str,
        method: str,
        path: str,
        body: Any = None,
        *,
        raw: bytes | None = None,
        headers: dict[str, str] | None = None,
    ) -> Answer:
        """`path` goes out as it is."""
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=2 * LONGEST)
        content = raw if raw is not None else None if body is None else json.dumps(body).encode()
        sent = {"Authorization": f"Bearer {token}", "Content-Type": "application/json", **PROGRAM, **(headers or {})}
        try:
            connection.request(method, f"/mlflow/v1.0{workspace}{path}", content, sent)
            with connection.getresponse() as response:
                text = response.read()
                is_json = response.headers.get("content-type", "").startswith("application/json")
                found = {name.lower(): value for name, value in response.headers.items()}
                return Answer(response.status, json.loads(text) if is_json and text else text, found)
        finally:
            connection.close()

    def run(self, workspace: str, id: str) -> dict[str, Any]:
        """What MLflow has of a run."""
        found: dict[str, Any] = self.as_user(workspace, "GET", f"{M}/runs/get?run_id={id}").body["run"]
        return found

    def tags(self, workspace: str, id: str) -> dict[str, str]:
        return {tag["key"]: tag["value"] for tag in self.run(workspace, id)["data"].get("tags", [])}


@pytest.fixture(scope="session")
def mlflow_python() -> str:
    """A Python that can run MLflow's server."""
    try:
        return build_mlflow()
    except Unavailable as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(f"{error} (for these tests: in SMALT_TEST_MLFLOW_PYTHON)")


def build_mlflow() -> str:
    """Return SMALT_TEST_MLFLOW_PYTHON, or smalt's own tool from the package index.

    It is built once on this machine, in a home beside those of tests, and has its bytecode then. That homes build
    their own is tested in test_mlflow_environment.py.
    """
    if named := os.environ.get("SMALT_TEST_MLFLOW_PYTHON"):
        return named
    asked = hashlib.sha256(f"{mlflow_environment._REQUIREMENTS.read_text()} {sys.version}".encode()).hexdigest()[:16]
    home = Home(Path(tempfile.gettempdir()) / f"smalt-mlflow-{asked}-{os.getuid()}")
    return asyncio.run(mlflow_environment.MlflowEnvironment(home).get_python(lambda line: None))


@pytest.fixture(scope="session")
def tracked(mlflow_python: str) -> Iterator[Tracked]:
    """One running server with MLflow, for all tests that take a workspace of their own."""
    with running_server(mlflow_python=mlflow_python) as server:
        yield Tracked(server)


@pytest.fixture
def other_workspace() -> str:
    return WORKSPACE.format(f"other-{os.urandom(6).hex()}")
