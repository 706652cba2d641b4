from __future__ import annotations

from tests.helpers import WORKSPACE, Server


def test_any_workspace_exists_as_soon_as_it_is_named(server: Server, workspace: str) -> None:
    """Nothing has to be created first; its id has the service's casing."""
    found = server.ask("GET", workspace).body
    assert found["id"] == workspace
    assert found["properties"]["discoveryUrl"] == f"http://127.0.0.1:{server.port}/discovery"


def test_names_compare_without_case(server: Server, workspace: str) -> None:
    """Subscription, resource group, workspace and the path's own words in any casing are the same workspace."""
    server.ask("PUT", f"{workspace}/computes/c", {"properties": {"computeType": "AmlCompute"}})
    other = workspace.replace("resourceGroups", "resourcegroups").replace("/sub/", "/SUB/").replace("ws-", "WS-")
    found = server.ask("GET", f"{other}/computes/c").body
    assert found["id"] == f"{workspace}/computes/c"


def test_a_name_that_could_be_a_path_is_refused(server: Server) -> None:
    """400 with a sentence."""
    for name in ("..", "%2e%2e", "a%0ab", "x" * 300):
        assert server.ask("GET", WORKSPACE.format(name)).status in (400, 404)


def test_a_workspace_can_be_described(server: Server, workspace: str) -> None:
    """PUT and PATCH keep location, tags and properties; another GET shows them."""
    server.ask("PUT", workspace, {"location": "here", "tags": {"a": "b"}, "properties": {"friendlyName": "F"}})
    server.ask("PATCH", workspace, {"properties": {"description": "d"}})
    found = server.ask("GET", workspace).body
    assert (found["location"], found["tags"]) == ("here", {"a": "b"})
    assert found["properties"]["friendlyName"] == "F"
    assert found["properties"]["description"] == "d"


def test_workspaces_are_listed_by_subscription_and_group(server: Server, workspace: str) -> None:
    """Those of others are not among them."""
    server.ask("GET", workspace)
    provider = "providers/Microsoft.MachineLearningServices/workspaces"
    for path in (f"/subscriptions/SUB/{provider}", f"/subscriptions/sub/resourceGroups/GROUP/{provider}"):
        assert workspace in [one["id"] for one in server.ask("GET", path).body["value"]]
    assert server.ask("GET", f"/subscriptions/other/{provider}").body == {"value": []}


def test_api_versions_do_not_matter(server: Server, workspace: str) -> None:
    """Any api-version, or none, is the same route."""
    for query in ("", "?api-version=2024-10-01-preview", "?api-version=1.5.0"):
        assert server.ask("GET", f"{workspace}{query}").status == 200


def test_what_is_not_there_is_an_arm_404_and_a_wrong_method_a_405(server: Server, workspace: str) -> None:
    """Never an empty or plain-text answer."""
    for path in ("/nowhere", f"{workspace}/nothing", f"{workspace}/jobs/none", "/smalt/v1/none", "//"):
        answer = server.ask("GET", path)
        assert answer.status == 404
        assert set(answer.body["error"]) >= {"code", "message"}
    answer = server.ask("DELETE", f"{workspace}/jobs")
    assert answer.status == 405
    assert answer.headers["allow"] == "GET"
    assert answer.body["error"]["code"] == "MethodNotAllowed"


def test_the_local_compute_is_always_there(server: Server, workspace: str) -> None:
    """It is listed first and cannot be changed or deleted; the usual names are there while jobs may name any."""

    def listed() -> list[str]:
        return [one["name"] for one in server.ask("GET", f"{workspace}/computes").body["value"]]

    assert listed() == ["local", "cpu-cluster", "gpu-cluster"]
    assert server.ask("GET", f"{workspace}/computes/CPU-cluster").body["name"] == "cpu-cluster"
    server.ask("PUT", f"{workspace}/computes/cpu-cluster", {"properties": {"computeType": "AmlCompute"}})
    assert listed() == ["local", "gpu-cluster", "cpu-cluster"]
    server.ask("DELETE", f"{workspace}/computes/cpu-cluster")
    server.ask("PATCH", "/smalt/v1/config", {"compute": "strict"})
    try:
        assert listed() == ["local"]
        assert server.ask("GET", f"{workspace}/computes/cpu-cluster").status == 404
    finally:
        server.ask("PATCH", "/smalt/v1/config", {"compute": None})
    assert server.ask("PUT", f"{workspace}/computes/local", {"properties": {}}).status == 403
    assert server.ask("DELETE", f"{workspace}/computes/Local").status == 403


def test_computes_are_kept_as_described(server: Server, workspace: str) -> None:
    """Created, shown, started, deleted."""
    url = f"{workspace}/computes/cpu-cluster"
    body = {
        "location": "local",
        "properties": {"computeType": "AmlCompute", "properties": {"vmSize": "STANDARD_DS3_V2", "osType": "Linux"}},
    }
    assert server.ask("PUT", url, body).status == 201
    assert server.ask("GET", url).body["properties"]["properties"]["vmSize"] == "STANDARD_DS3_V2"
    assert server.ask("POST", f"{url}/start").status == 202
    assert server.ask("DELETE", f"{url}?underlyingResourceAction=Delete").status == 200
    assert server.ask("DELETE", url).status == 204


def test_an_unknown_compute_is_not_found(server: Server, workspace: str) -> None:
    """Unless Azure's client asks, which does before it submits a job, and `compute` is `any`."""
    url = f"{workspace}/computes/big-machine"
    azure = {"User-Agent": "azure-ai-ml/1.35.2 azsdk-python-mgmt"}
    server.ask("PUT", f"{workspace}/computes/big-machines", {"properties": {"computeType": "AmlCompute"}})
    answer = server.ask("GET", url)
    assert answer.status == 404
    assert "did you mean 'big-machines'?; jobs that name it run on this machine" in answer.body["error"]["message"]
    assert server.ask("POST", f"{url}/start").status == 404
    assert server.ask_tcp("GET", url, headers=azure).body["name"] == "big-machine"
    server.ask("PATCH", "/smalt/v1/config", {"compute": "strict"})
    try:
        assert server.ask("GET", url).status == 404
        assert server.ask_tcp("GET", url, headers=azure).status == 404
    finally:
        server.ask("PATCH", "/smalt/v1/config", {"compute": None})


def test_every_workspace_has_four_datastores(server: Server, workspace: str) -> None:
    """workspaceblobstore is the default."""
    found = server.ask("GET", f"{workspace}/datastores?count=30&orderByAsc=false").body["value"]
    assert [one["name"] for one in found][:2] == ["workspaceblobstore", "workspaceartifactstore"]
    assert len(found) == 4
    default = server.ask("GET", f"{workspace}/datastores?isDefault=true").body["value"]
    assert [one["name"] for one in default] == ["workspaceblobstore"]


def test_secrets_of_a_datastore_are_not_echoed_or_kept(server: Server, workspace: str) -> None:
    """Neither the answer, nor another GET, nor the database has the key."""
    body = {
        "properties": {
            "datastoreType": "AzureBlob",
            "accountName": "a",
            "containerName": "c",
            "credentials": {
                "credentialsType": "AccountKey",
                "secrets": {"secretsType": "AccountKey", "key": "c2VjcmV0LWtleQ=="},
            },
        }
    }
    url = f"{workspace}/datastores/mine"
    for answer in (server.ask("PUT", f"{url}?skipValidation=true", body), server.ask("GET", url)):
        assert "c2VjcmV0" not in str(answer.body)
    for name in ("smalt.db", "smalt.db-wal"):
        assert b"c2VjcmV0" not in server.home.path(name).read_bytes()
    assert server.ask("POST", f"{url}/listSecrets", {"expirableSecret": True}).status == 200
    assert server.ask("DELETE", url).status == 200
    assert server.ask("DELETE", f"{workspace}/datastores/workspaceblobstore").status == 403


def test_files_of_a_datastore_are_put_listed_and_read(server: Server, workspace: str) -> None:
    """Listings are in lexicographic order; a range is given alone; names may have spaces and Unicode."""
    url = f"/smalt/v1{workspace}/datastores/workspaceblobstore"
    for name in ("b/2.txt", "b/10.txt", "a.txt", "ü x.txt"):
        assert server.ask("PUT", f"{url}/files/{name}", raw=name.encode()).body["size"] == len(name.encode())
    listed = server.ask("GET", f"{url}/list?recursive=true").body["value"]
    assert [one["path"] for one in listed] == ["a.txt", "b/10.txt", "b/2.txt", "ü x.txt"]
    top = server.ask("GET", f"{url}/list").body["value"]
    assert [(one["path"], one["is_dir"]) for one in top] == [("a.txt", False), ("b", True), ("ü x.txt", False)]
    assert server.ask("GET", f"{url}/files/b/2.txt").body == b"b/2.txt"
    part = server.ask_tcp("GET", f"{url}/files/a.txt", headers={"Range": "bytes=2-3"})
    assert (part.status, part.body) == (206, b"tx")
    assert server.ask("GET", f"{url}/files/none").status == 404
    long = server.ask("PUT", f"{url}/files/{'a' * 300}", raw=b"")
    below = server.ask("PUT", f"{url}/files/a.txt/b", raw=b"")
    assert (below.status, "as it is a file" in below.body["error"]["message"]) == (403, True)
    assert (long.status, "is too long for a file" in long.body["error"]["message"]) == (403, True)


def test_long_listings_come_in_pages(server: Server, workspace: str) -> None:
    """nextLink leads on, in order and without repetition."""
    url = f"/smalt/v1{workspace}/datastores/workspaceblobstore"
    for number in range(7):
        server.ask("PUT", f"{url}/files/f{number}", raw=b"")
    page = server.ask("GET", f"{url}/list?$top=3").body
    seen = page["value"]
    while "nextLink" in page:
        page = server.ask("GET", page["nextLink"].partition(str(server.port))[2]).body
        seen += page["value"]
    assert [one["path"] for one in seen] == [f"f{number}" for number in range(7)]
