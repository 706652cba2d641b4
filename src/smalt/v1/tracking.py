"""The tracking server of a workspace, as the names that jobs use (`smalt.inside.v1`) reach it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from smalt.inside.v1.client import RunClient
from smalt.inside.v1.context import RunContext
from smalt.inside.v1.writer import RunWriter

if TYPE_CHECKING:
    from smalt.v1.workspace import Workspace


class TrackingContext(RunContext):
    """The context of a program outside of jobs: it has a workspace, and no run of its own."""

    def __init__(self, workspace: Workspace) -> None:
        client = workspace.client
        uri = client.workspaces.get(client.workspace_name).mlflow_tracking_uri
        self.run_id = ""
        self.client = RunClient(str(uri), read_token(workspace))
        self.writer = RunWriter(self.client)
        self.subscription_id = client.subscription_id
        self.resource_group = client.resource_group_name
        self.workspace_name = client.workspace_name
        self.experiment_name = "Default"
        self._workspace = workspace

    @property
    def workspace(self) -> Any:
        return self._workspace

    @property
    def experiment(self) -> Any:
        from smalt.v1.experiment import Experiment

        return Experiment(self._workspace, self.experiment_name)


def list_experiments(client: RunClient) -> Iterator[str]:
    """Yield the names of the experiments that MLflow knows, those of programs without jobs among them."""
    token = None
    while True:
        body = {"max_results": 1000, **({"page_token": token} if token else {})}
        answer = client.send_json("experiments/search", body)
        yield from (str(one["name"]) for one in answer.get("experiments", []))
        token = answer.get("next_page_token")
        if not token:
            return


def read_token(workspace: Workspace) -> str:
    from smalt.machine.home import Home

    connection = workspace.client.connection
    return str(Home.find().read_token() if connection.is_local else connection.server.token)
