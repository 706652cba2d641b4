"""No body, path or query makes the server fail: never a 500, and always JSON in the ARM shape."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smalt.service.api import key_vault, route_tables
from smalt.service.api.studio.links import is_page
from tests.api.test_assets import COMPONENT, DATA, ENVIRONMENT, MODEL
from tests.api.test_blobs import store
from tests.api.test_jobs import pipeline
from tests.helpers import WORKSPACE, Answer, Server, _UnixConnection, host_job

W = WORKSPACE.format("fuzz")
QUICK = settings(max_examples=60)

texts = st.text(max_size=20) | st.sampled_from(
    [
        "${{inputs.x}}",
        "${{parent.jobs.s0.outputs.o}}",
        "azureml:x:1",
        "azureml:x@latest",
        "azureml://datastores/d/paths/",
        "/",
        "..",
    ]
)
scalars = st.none() | st.booleans() | st.integers() | st.floats() | texts
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3), max_leaves=8
)
COMPUTE = {"properties": {"computeType": "AmlCompute", "properties": {"vmSize": "x"}}}
DATASTORE = {"properties": {"datastoreType": "AzureBlob", "accountName": "a", "containerName": "c"}}
COMMAND = host_job(
    "echo ${{inputs.x}} > ${{outputs.o}}",
    inputs={"x": {"jobInputType": "uri_file", "uri": "azureml://datastores/d/paths/x"}},
    outputs={"o": {"jobOutputType": "uri_folder", "mode": "Upload", "uri": "azureml://datastores/d/paths/y"}},
    limits={"jobLimitsType": "Command", "timeout": "PT1M"},
    resources={"instanceCount": 1, "properties": {}},
    distribution={"distributionType": "PyTorch", "processCountPerInstance": 2},
    environmentVariables={"A": "b"},
    tags={"t": "u"},
)
TARGETS = [
    ("jobs/never", COMMAND),
    ("jobs/never", pipeline("true", "true")),
    ("components/c/versions/1", COMPONENT),
    ("environments/e/versions/1", ENVIRONMENT),
    ("data/d/versions/1", DATA),
    ("models/m/versions/1", MODEL),
    ("computes/c", COMPUTE),
    ("datastores/s", DATASTORE),
    ("codes/c/versions/1", {"properties": {"codeUri": "azureml://datastores/workspaceblobstore/paths/x"}}),
    ("data/d", {"properties": {"isArchived": True}}),
]


@pytest.fixture(scope="module")
def server(module_server: Server) -> Server:
    """A server of this module alone: it keeps the settings, registries and workspaces that are drawn."""
    return module_server


@pytest.mark.parametrize(
    ("path", "body"), TARGETS, ids=[f"{path}-{number}" for number, (path, _) in enumerate(TARGETS)]
)
@given(data=st.data())
@QUICK
def test_a_right_body_with_something_wrong_in_it(server: Server, path: str, body: dict[str, Any], data: Any) -> None:
    """One place of a good body is replaced, or dropped, or gets a neighbour; the job itself never starts."""
    broken = data.draw(mutated(body))
    holds(server.ask("PUT", f"{W}/{path}", raw=json.dumps(spoiled(broken, path)).encode()))


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", f"/smalt/v1{W}/assets"),
        ("POST", f"/smalt/v1{W}/snapshots"),
        ("POST", f"/smalt/v1{W}/resolve"),
        ("POST", "/smalt/v1/prune"),
        ("PATCH", "/smalt/v1/config"),
        ("PATCH", W),
        ("POST", f"/history/v1.0{W}/rundata"),
        ("POST", f"/data/v1.0{W}/dataversion/batchGetResolvedUris"),
        ("PUT", f"{W}/jobs/x"),
        ("PUT", f"{W}/batchEndpoints/made/deployments/x"),
        ("POST", f"{W}/batchEndpoints/made/jobs"),
    ],
)
@given(data=st.data())
@QUICK
def test_any_json_in_our_own_routes(server: Server, method: str, path: str, data: Any) -> None:
    """Objects with the keys that the route knows, holding anything."""
    keys = ["items", "path", "manifest", "ignore", "uri", "older_than", "dry_run", "compute", "url-map", "cpus",
            "idle-minutes", "properties", "location", "tags", "runId", "values", "jobType"]  # fmt: skip
    if "batchEndpoints" in path:
        server.ask("PUT", f"{W}/batchEndpoints/made", {"location": "local", "properties": {"authMode": "aadToken"}})
        inner = ["inputData", "outputData", "dataset", "miniBatchSize", "compute", "properties", "outputDataset",
                 "deploymentConfiguration", "model", "codeConfiguration", "retrySettings", "environmentId"]  # fmt: skip
        body = {"properties": data.draw(st.dictionaries(st.sampled_from(inner), values, max_size=5) | values)}
        holds(server.ask(method, path, raw=json.dumps(body).encode()))
    body = data.draw(st.dictionaries(st.sampled_from(keys) | texts, values, max_size=4) | values)
    if method == "PATCH" and path == "/smalt/v1/config" and isinstance(body, dict):
        body.pop("idle-minutes", None)
    if isinstance(body, dict) and path == "/smalt/v1/prune":
        body["dry_run"] = True
    holds(server.ask(method, path, raw=json.dumps(body).encode()))


BYTES = [b"\xff", b"{", b'{"a":', b"[" * 5000, b'{"a":' * 3000, b"NaN", b"1" * 5000]
BYTES += [b'{"a":1e999}', b'{"a":"\\ud800"}', b'{"a":"\\u0000"}']


@given(raw=st.binary(max_size=60) | st.sampled_from(BYTES))
@QUICK
def test_any_bytes_as_a_body(server: Server, raw: bytes) -> None:
    """What is not a JSON object is 400, wherever it is sent."""
    for path in (f"{W}/jobs/x", f"{W}/data/d/versions/1", W):
        answer = server.ask("PUT", path, raw=raw or b"[]")
        holds(answer)
        assert answer.status == 400 or not raw.strip() or is_object(raw)


def is_object(raw: bytes) -> bool:
    try:
        return isinstance(json.loads(raw), dict)
    except ValueError:
        return False


@given(name=st.text(min_size=1, max_size=30), query=st.text(max_size=20))
@QUICK
def test_any_name_in_a_path(server: Server, name: str, query: str) -> None:
    """Names of everything, and values of every query parameter."""
    from urllib.parse import quote

    one, asked = quote(name, safe="", errors="ignore") or "x", quote(query, safe="", errors="ignore")
    for path in (
        f"{W}/jobs/{one}",
        f"{W}/data/{one}/versions/{one}",
        f"{W}/components/{one}",
        f"{W}/computes/{one}",
        f"{W}/datastores/{one}",
        f"{W}/jobs?$skip={asked}&$top={asked}&tag={asked}&listViewType={asked}",
        f"{W}/codes/x/versions?hash={asked}",
        f"/smalt/v1{W}/datastores/workspaceblobstore/list?path={asked}&recursive=true",
        f"/smalt/v1{W}/datastores/{one}/files/{one}",
        f"/smalt/v1{W}/jobs/{one}/stream",
        f"/history/v1.0{W}/runs/{one}/details",
        f"{WORKSPACE.format(one)}/jobs",
        f"/{one}",
    ):
        holds(server.ask_quoted("GET", path))


def every_route() -> list[tuple[str, str]]:
    """Method and path of all that the server answers, but what would end it or change its settings."""
    tables = [("", table) for table in route_tables.SERVER_TABLES]
    tables += [(f"{prefix}{W}", table) for prefix, inner in route_tables.WORKSPACE_TABLES.items() for table in inner]
    tables.append(("/vaults/{vault}", key_vault.ROUTES))
    found = [(method, prefix + template) for prefix, table in tables for method, template, _ in table]
    return [one for one in found if one[1] not in ("/smalt/v1/shutdown", "/smalt/v1/config", "/smalt/v1/prune")]


SEGMENTS = [
    "x",
    "1",
    "local",
    "workspaceblobstore",
    "..",
    "%2e%2e",
    "a%2Fb",
    "%00",
    "%ff",
    "%C3%BC",
    "a" * 300,
    "azureml:",
]
SEGMENTS += ["-", "%3Cx%3E", "azureml_default", "host", "%20", "never"]
KEYS = ["properties", "tags", "name", "location", "values", "runId", "parameters", "template", "inputData", "items"]


PUBLIC = {"/discovery", "/metadata/endpoints", "/", "/studio", "/studio/x", "/smalt/v1/studio/session"}
"""What Azure's clients ask first, the studio's pages, and its sign-in, which looks at a code or a token itself."""
ENDLESS = f"/smalt/v1{W}/changes"


@pytest.mark.parametrize(
    ("method", "template"),
    [one for one in every_route() if one[1] != ENDLESS and not is_page(one[1])],
    ids=lambda value: value.replace(W, "WS"),
)
@given(data=st.data())
@settings(max_examples=6)
def test_any_json_at_every_route(server: Server, method: str, template: str, data: Any) -> None:
    """Whatever stands for the names in its path."""
    account = store(server, W)._path.split("/")[1].partition(".")[0]
    path = re.sub(r"\{[^}]+\}", lambda _: data.draw(st.sampled_from(SEGMENTS)), template.replace("{vault}", account))
    inner = st.dictionaries(st.sampled_from(KEYS) | texts, values, max_size=3)
    body = data.draw(st.none() | inner | st.fixed_dictionaries({"properties": inner}) | values)
    raw = None if method == "GET" else json.dumps(body).encode()
    holds(
        server._ask(_UnixConnection(str(server.home.socket_path("server"))), method, path, None, raw, {}, quoted=True)
    )


@pytest.mark.parametrize(
    ("wrong", "status"),
    [
        ({"Authorization": "Bearer wrong"}, 401),
        ({"Authorization": ""}, 401),
        ({"Host": "evil.example"}, 403),
        ({"Origin": "https://evil.example"}, 403),
    ],
    ids=["token", "no-token", "host", "origin"],
)
def test_every_route_is_behind_the_gate(server: Server, wrong: dict[str, str], status: int) -> None:
    """Over TCP no route, blobs and MLflow included, takes a wrong token, Host or Origin; some tell what is public."""
    right = {"Authorization": f"Bearer {server.home.read_token()}"}
    account = store(server, WORKSPACE.format("gate"))._path
    blobs = [(method, f"{account}/a") for method in ("GET", "HEAD", "PUT", "DELETE")]
    routes = [*every_route(), *blobs, ("GET", f"{account.rpartition('/')[0]}/"), ("GET", f"/mlflow{W}/version")]
    routes += [("GET", f"/mferp/managementfrontend{W}/batchEndpoints/x/jobs")]
    answered = []
    for method, template in routes:
        path = re.sub(r"\{[^}]+\}", "x", template)
        answer = server.ask_tcp(method, path, token=None, headers={**right, **wrong})
        if answer.status != status:
            answered.append(path)
    assert len(routes) > 150
    assert set(answered) == (PUBLIC if status == 401 else set())


CONTAINERS = [
    "azureml-blobstore",
    "azureml",
    "snapshots",
    "workspacefilestore",
    f"upload-{'0' * 32}",
    "nowhere",
    "%2e%2e",
]
COMPS = ["", "block", "blocklist", "metadata", "properties", "tier", "list", "lease", "copy"]
NAMES = ["", "a", "a/b", "a/", "/", "..", "%2e%2e/x", "%00", "%ff", "a" * 300, "a/" * 600, "0" * 64, f"{'0' * 64}/a"]
BLOB_HEADERS = ["x-ms-range", "range", "content-md5", "x-ms-blob-content-md5", "x-ms-blob-type", "if-none-match"]
BLOB_HEADERS += ["x-ms-meta-a", "x-ms-meta-", "x-ms-version", "x-ms-copy-source", "x-ms-source-range", "if-match"]
BLOB_HEADERS += ["x-ms-range-get-content-md5"]
BLOB_VALUES = [
    "",
    "*",
    "bytes=0-",
    "bytes=5-2",
    "bytes=-1",
    "bytes=99999999999999999999-",
    "BlockBlob",
    "PageBlob",
    "x",
]
BLOB_BODIES = [b"<BlockList><Latest>YQ==</Latest></BlockList>", b"<BlockList/>", b"<!DOCTYPE x>"]


@given(data=st.data())
@settings(max_examples=200)
def test_anything_at_the_blob_routes(server: Server, data: Any) -> None:
    """Every method, container, name, operation, header and body: an error is one of the storage clients' own."""
    pick = lambda options: data.draw(st.sampled_from(options))  # noqa: E731
    container = store(server, WORKSPACE.format("blob-fuzz"), pick(CONTAINERS))
    number = pick(["", "0", "-1", "x", "99999999999"])
    query = f"comp={pick(COMPS)}&restype={pick(['', 'container'])}&blockid={pick(['', 'YQ%3D%3D', '%00'])}"
    query += (
        f"&prefix={pick(NAMES)}&marker={pick(['', 'x', 'YQ=='])}&maxresults={number}&delimiter={pick(['', '/', 'a'])}"
    )
    own = f"https://localhost{container._path}/{pick(NAMES)}"
    headers = data.draw(
        st.dictionaries(st.sampled_from(BLOB_HEADERS), st.sampled_from([*BLOB_VALUES, own]), max_size=3)
    )
    body = data.draw(st.sampled_from(BLOB_BODIES) | st.binary(max_size=40))
    method = pick(["GET", "PUT", "HEAD", "DELETE", "POST", "PATCH"])
    answer = container.ask(method, query=query, body=body, raw=pick(NAMES), **headers)
    assert answer.status < 500, (method, query, answer)
    if answer.status >= 400 and method != "HEAD":
        assert b"<Code>" in answer.body or b'"code"' in answer.body, answer


def holds(answer: Answer) -> None:
    assert answer.status < 500, answer
    if answer.status >= 400:
        error = answer.body["error"]
        assert isinstance(error["code"], str)
        assert isinstance(error["message"], str)
        assert "Traceback" not in error["message"]


@st.composite
def mutated(draw: Any, body: Any) -> Any:
    """`body` with one thing changed somewhere in it."""
    if isinstance(body, dict) and body and draw(st.integers(0, 4)):
        key = draw(st.sampled_from(sorted(body)))
        kind = draw(st.integers(0, 9))
        if kind == 0:
            return {name: value for name, value in body.items() if name != key}
        if kind == 1:
            return {**body, draw(texts): draw(values)}
        return {**body, key: draw(mutated(body[key]))}
    return draw(values)


def spoiled(body: Any, path: str) -> Any:
    """A job that would run is sent with an input that is not there, so that none ever starts."""
    properties = body.get("properties") if isinstance(body, dict) else None
    if path.startswith("jobs/") and isinstance(properties, dict):
        inputs = properties.get("inputs") or {}
        if isinstance(inputs, dict):
            inputs = {**inputs, "gone": {"jobInputType": "uri_file", "uri": "file:///smalt/gone"}}
        return {**body, "properties": {**properties, "inputs": inputs}}
    return body
