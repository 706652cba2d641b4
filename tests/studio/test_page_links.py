"""The addresses of the pages of assets, experiments and endpoints, as smalt's clients and the REST API have them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from smalt import MLClient
from smalt.entities import BatchEndpoint, CommandComponent, Data, Environment, Model, OnlineEndpoint
from smalt.v1.experiment import Experiment
from smalt.v1.workspace import Workspace as WorkspaceOfV1
from tests.helpers import WORKSPACE, Server

STORE = "azureml://datastores/workspaceblobstore/paths"
CRON = {"triggerType": "Cron", "expression": "0 3 * * *", "timeZone": "UTC"}
ACTION = {"jobType": "Command", "command": "true", "environmentId": "azureml:host@latest"}


@pytest.fixture
def client(server: Server) -> Iterator[MLClient]:
    made = MLClient(home=server.home, workspace_name="pages", resource_group_name="group", subscription_id="sub")
    yield made
    made.connection.close()


@pytest.fixture
def base(server: Server, client: MLClient) -> str:
    """The address of the workspace's pages."""
    client.workspaces.get("pages")
    known = server.ask("GET", "/smalt/v1/workspaces").body["value"]
    folder = next(one["folder"] for one in known if one["name"] == "pages")
    return f"http://127.0.0.1:{server.port}/studio/{folder}"


def test_every_asset_and_endpoint_has_its_page(client: MLClient, base: str) -> None:
    """`studio_url` of what was created, fetched and listed; nothing of it is written into YAML."""
    command = CommandComponent(name="c", version="1", command="true", environment="azureml:host@latest")
    made = {
        "data/d-e/2": client.data.create_or_update(
            Data(name="d-e", version="2", path=f"{STORE}/d/", type="uri_folder")
        ),
        "models/m/1": client.models.create_or_update(Model(name="m", version="1", path=f"{STORE}/m")),
        "components/c/1": client.components.create_or_update(command),
        "environments/e/1": client.environments.create_or_update(
            Environment(name="e", version="1", image="python:3.11")
        ),
        "endpoints/batch/b": client.batch_endpoints.begin_create_or_update(BatchEndpoint(name="b")).result(),
        "endpoints/online/o": client.online_endpoints.begin_create_or_update(OnlineEndpoint(name="o")).result(),
        "datastores/workspaceblobstore": client.datastores.get("workspaceblobstore"),
        "computes/local": client.compute.get("local"),
    }
    assert {path: one.studio_url for path, one in made.items()} == {path: f"{base}/{path}" for path in made}
    assert client.data.get("d-e", "2").studio_url == f"{base}/data/d-e/2"
    assert [one.studio_url for one in client.online_endpoints.list()] == [f"{base}/endpoints/online/o"]
    assert client.workspaces.get("pages").studio_url == f"{base}/jobs"
    assert "studio" not in str(made["data/d-e/2"])
    assert Data(name="x", path="y").studio_url is None


def test_the_rest_api_names_pages(server: Server, client: MLClient, base: str) -> None:
    """Beside `properties`; of a deployment that of its endpoint; of what has no page, nothing."""
    workspace = WORKSPACE.format("pages")
    action = {"actionType": "CreateJob", "jobDefinition": ACTION}
    body = {"properties": {"trigger": CRON, "action": action}}
    assert server.ask("PUT", f"{workspace}/schedules/s", body).body["studioUrl"] == f"{base}/schedules/s"
    code = server.ask("PUT", f"{workspace}/connections/k", {"properties": {"category": "PythonFeed", "target": "t"}})
    assert (code.status, "studioUrl" in code.body) == (200, False)
    data = {"properties": {"dataType": "uri_file", "dataUri": f"{STORE}/x"}}
    answer = server.ask("PUT", f"{workspace}/data/x/versions/1", data)
    assert answer.body["studioUrl"] == f"{base}/data/x/1"
    sent = {**answer.body, "properties": {**answer.body["properties"], "description": "again"}}
    assert server.ask("PUT", f"{workspace}/data/x/versions/1", sent).status == 200  # as clients send back what they got


def test_an_experiment_of_v1_is_the_table_of_jobs(client: MLClient, base: str) -> None:
    """Filtered by its name."""
    experiment = Experiment(WorkspaceOfV1.from_client(client), "nightly_fits")
    assert experiment.get_portal_url() == f"{base}/jobs?experiment=nightly_fits"
