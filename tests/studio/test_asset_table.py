"""The tables of assets: what is searched, sorted and paged by the server."""

from __future__ import annotations

from typing import Any

import pytest

from tests.helpers import Server

STORE = "azureml://datastores/workspaceblobstore/paths"


def put_data(server: Server, workspace: str, name: str, version: str = "1", **more: Any) -> None:
    properties = {"dataType": "uri_folder", "dataUri": f"{STORE}/{name}/{version}/", **more}
    answer = server.ask("PUT", f"{workspace}/data/{name}/versions/{version}", {"properties": properties})
    assert answer.status == 201, answer.body


def list_names(server: Server, workspace: str, kind: str, query: str = "") -> tuple[int, list[str]]:
    answer = server.ask("GET", f"/smalt/v1{workspace}/{kind}?{query}")
    assert answer.status == 200, answer.body
    return answer.body["total"], [row["name"] for row in answer.body["assets"]]


def test_assets_are_found_by_words_and_values(server: Server, workspace: str) -> None:
    """All words in name, description or tags; types and owners; pages with the whole number."""
    put_data(server, workspace, "iris")
    put_data(server, workspace, "taxi", description="trips of 50% of the city")
    put_data(server, workspace, "Iris_2", tags={"team": "flowers"})
    put_data(server, workspace, "table", dataType="mltable")
    expected = {
        "": ["table", "Iris_2", "taxi", "iris"],
        "search=IRIS": ["Iris_2", "iris"],
        "search=iris flowers": ["Iris_2"],
        "search=0%25": ["taxi"],
        "search=_": ["Iris_2"],
        "type=mltable": ["table"],
        "type=mltable&type=uri_file": ["table"],
        "owner=nobody": [],
        "sort=name": ["iris", "Iris_2", "table", "taxi"],
        "sort=-name&limit=2&skip=1": ["table", "Iris_2"],
    }
    assert {query: list_names(server, workspace, "data", query)[1] for query in expected} == expected
    assert list_names(server, workspace, "data", "limit=1")[0] == 4
    assert server.ask("GET", f"/smalt/v1{workspace}/data").body["types"] == {"uri_folder": 3, "mltable": 1}


def test_a_row_is_of_the_newest_version_that_is_not_archived(server: Server, workspace: str) -> None:
    """An asset whose versions are all archived is archived; one without versions of its own is listed, too."""
    for version in ("1", "2"):
        put_data(server, workspace, "d", version, description=f"version {version}")
    rows = server.ask("GET", f"/smalt/v1{workspace}/data").body["assets"]
    assert [(row["version"], row["versions"], row["description"]) for row in rows] == [("2", 2, "version 2")]
    for version, left in (("2", ["d"]), ("1", [])):
        body = server.ask("GET", f"{workspace}/data/d/versions/{version}").body
        body["properties"]["isArchived"] = True
        assert server.ask("PUT", f"{workspace}/data/d/versions/{version}", body).status == 200
        assert list_names(server, workspace, "data")[1] == left
    assert list_names(server, workspace, "data", "view=archived")[1] == ["d"]
    put_data(server, workspace, "e")
    assert server.ask("PUT", f"{workspace}/data/e", {"properties": {"isArchived": True}}).status == 200
    assert list_names(server, workspace, "data", "view=archived&sort=name")[1] == ["d", "e"]
    assert list_names(server, workspace, "data", "view=all")[0] == 2


def test_environments_have_the_built_in_ones_behind_them(server: Server, workspace: str) -> None:
    """Pages go from the workspace's own to the built-in ones; an own one of the same name hides that."""
    total, names = list_names(server, workspace, "environments", "search=host")
    assert "host" in names
    assert total == len(names)
    body = {"properties": {"image": "python:3.11", "condaFile": "dependencies:\n- python=3.11\n"}}
    for name in ("host-like", "AzureML-sklearn-1.5"):
        assert server.ask("PUT", f"{workspace}/environments/{name}/versions/1", body).status == 201
    whole = list_names(server, workspace, "environments", "limit=1000")
    paged = [list_names(server, workspace, "environments", f"limit=2&skip={skip}")[1] for skip in range(0, 6, 2)]
    assert [name for page in paged for name in page] == whole[1][:6]
    assert whole[0] == len(whole[1])
    assert [name.lower() for name in whole[1]].count("azureml-sklearn-1.5") == 1
    assert list_names(server, workspace, "environments", "type=conda")[1] == ["AzureML-sklearn-1.5", "host-like"]
    found = list_names(server, workspace, "environments", "type=built-in&limit=1")
    assert found[1] == ["host"]


def test_components_and_models_have_their_types(server: Server, workspace: str) -> None:
    """A component's is that of its specification."""
    spec = {"type": "command", "name": "c", "version": "1", "command": "echo", "environment": "azureml:host@latest"}
    body = {"properties": {"componentSpec": {**spec, "description": "says something"}}}
    assert server.ask("PUT", f"{workspace}/components/c/versions/1", body).status == 201
    row = server.ask("GET", f"/smalt/v1{workspace}/components?search=something").body["assets"][0]
    assert (row["type"], row["description"]) == ("command", "says something")
    model = {"properties": {"modelType": "mlflow_model", "modelUri": f"{STORE}/m"}}
    assert server.ask("PUT", f"{workspace}/models/m/versions/1", model).status == 201
    assert server.ask("GET", f"/smalt/v1{workspace}/models").body["types"] == {"mlflow_model": 1}


@pytest.mark.parametrize("query", ["sort=colour", "view=hidden", "skip=-1", "limit=many", "search=" + "a" * 501])
def test_what_a_query_cannot_mean_is_refused(server: Server, workspace: str, query: str) -> None:
    """With what it may be."""
    put_data(server, workspace, "d")
    answer = server.ask("GET", f"/smalt/v1{workspace}/data?{query}")
    assert (answer.status, answer.body["error"]["code"]) == (400, "ValidationError")
