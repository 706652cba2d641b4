"""Bodies, paths, queries and headers that are nearly right, and wrong in one or several places."""

from __future__ import annotations

import copy
import json
import random
import re
import sys
from pathlib import Path
from typing import Any
from urllib.parse import quote

from smalt.service.api import key_vault, route_tables
from smalt.wire import to_rest

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))
from tests.api.test_assets import COMPONENT, DATA, ENVIRONMENT, MODEL  # noqa: E402
from tests.api.test_jobs import pipeline  # noqa: E402
from tests.helpers import WORKSPACE, host_job  # noqa: E402
from tests.wire.samples import SAMPLES, entity  # noqa: E402

WS = WORKSPACE.format("fuzz")
NOT_ASKED = {"/smalt/v1/shutdown", "/smalt/v1/rotate-keys", "/smalt/v1/tls"}
"""Routes that end the server or lock this program out."""

_SMALL = {
    "jobs": [host_job("true", tags={"a": "b"}), pipeline("true", "true")],
    "components": [COMPONENT],
    "environments": [ENVIRONMENT],
    "data": [DATA],
    "models": [MODEL],
    "codes": [{"properties": {"codeUri": "azureml://datastores/workspaceblobstore/paths/x"}}],
    "config": [{"fidelity": "nearest", "url-map": {"https://x/": "/mnt"}, "image-map": {"x*": "python:3"}}],
    "prune": [{"older_than": 1, "dry_run": True}],
    "doctor": [{"repair": False, "full": False}],
    "snapshots": [{"path": str(ROOT / "bench"), "ignore": None}, {"manifest": "x"}],
    "assets": [{"items": [{"kind": "data", "name": "d", "version": "1", "body": DATA}]}],
    "resolve": [{"uri": "azureml://datastores/workspaceblobstore/paths/x"}],
    "uploads": [{"target": "LocalUpload/x/y", "files": [["a", 1], ["b/c", 2]]}],
    "finish": [{"target": "LocalUpload/x/y", "files": [["a", 1]], "folders": ["f"], "executable": ["a"]}],
    "fixed": [{"componentSpec": COMPONENT["properties"]["componentSpec"]}],
    "compare": [{"jobs": ["one", "two"], "names": ["one", "two"]}],
    "metrics": [{"jobs": ["one", "two"], "names": ["m"], "points": 10}],
    "share": [{"kind": "data", "name": "d", "version": "1", "registry": "r", "share_with_name": "x"}],
    "import": [{"registry": "r", "kind": "data", "name": "d", "version": "1"}],
    "secrets": [{"value": "x", "tags": {"a": "b"}, "attributes": {"enabled": True, "exp": 1}, "contentType": "t"}],
    "rundata": [{"runId": "one", "selectRunMetadata": True, "runIds": ["one"]}],
    "runs": [{"runId": "one", "tags": {"a": "b"}, "properties": {"c": "d"}, "displayName": "x", "status": "Running"}],
    "batchGetResolvedUris": [{"values": ["azureml://locations/l/workspaces/w/data/d/versions/1"]}],
    "deployments": [{"properties": {"template": {"resources": []}, "parameters": {"a": {"value": 1}}, "mode": "x"}}],
    "invoke": [{"properties": {"inputData": {"a": {"jobInputType": "literal", "value": "1"}}}}],
    "registries": [{"location": "l", "properties": {"folder": "/tmp/nowhere"}, "tags": {}}],
    "token": [{"days": 1, "workspace": "fuzz", "grant_type": "x"}],
}
_KINDS = {
    "job": "jobs", "environment": "environments", "datastore": "datastores", "compute": "computes",
    "schedule": "schedules", "component": "components", "data": "data", "model": "models", "index": "indexes",
    "connection": "connections", "feature_set": "featuresets", "feature_store_entity": "featurestoreEntities",
    "batch_endpoint": "batchEndpoints", "online_endpoint": "onlineEndpoints", "workspace": "workspace",
    "serverless_endpoint": "serverlessEndpoints", "marketplace_subscription": "marketplaceSubscriptions",
    "batch_deployment": "deployments", "online_deployment": "deployments",
}  # fmt: skip

BIG, DEEP_LIST, DEEP_MAP = "@@BIG@@", "@@LIST@@", "@@MAP@@"
"""Texts that stand for what JSON's writer could not write."""
_VALUES: list[Any] = [
    None, True, False, 0, -1, 1, 0.5, 1e308, -1e-308, 2**53, 2**63, -(2**63) - 1, 10**25, "", " ", "x", "\0", "\ud800",
    "é\u202e\u0301", "😀" * 50, "a" * 70_000, "/", "..", "../../etc/passwd", "/dev", "/dev/zero", "/proc/self/mem", "~",
    "file:///dev/zero", "azureml:", "azureml:x", "azureml:x:1", "azureml:x@latest", "azureml:x@", "azureml://", "[::",
    "azureml://datastores//paths/", "azureml://datastores/workspaceblobstore/paths/../..", "http://[", "https://\0",
    "azureml://registries/azureml/environments/x/labels/y", "azureml://jobs/one/outputs/o", "http://127.0.0.1:1/x",
    "${{", "${{inputs.}}", "${{parent.jobs.x.outputs.y}}", "${{inputs.a.b.c}}", "$[[", "$[[${{inputs.x}}", "}}",
    "${{" * 5_000, "$[[" * 5_000, "${{inputs.x}}" * 2_000, "PT1M", "P99999999999Y", "PT", "nan", "inf", "1e999", "0x1",
    "Command", "Pipeline", "AmlCompute", "literal", "uri_folder", "[" * 20_000, "a: [", "{a: *b}", "&a [*a]", "!!x y",
    [], {}, [[]], [{}], [None], ["x"], {"": ""}, {"x": None}, {"properties": {}}, {"type": "command"}, {"name": {}},
    [1] * 20_000, {str(number): number for number in range(3_000)}, BIG, DEEP_LIST, DEEP_MAP,
]  # fmt: skip
_SEGMENTS = [
    "one", "x", "1", "local", "fuzz", "workspaceblobstore", "host", "latest", "azureml", "azureml:", "never", "-", ".",
    "..", "%2e%2e", "a%2Fb", "%00", "%ff", "%C3%BC", "%ED%A0%80", "%F0%9F%98%80", "a" * 300, "a" * 9000, "%3Cx%3E",
    "%20", "%", "%2", "%zz", "9" * 400, "azureml_default", "*", "[", "'", "%22", ";--", "a%0d%0ab", "CON", "%25%32%65",
]  # fmt: skip
_WORDS = ["", "0", "1", "-1", "10", "9" * 30, "true", "null", "x", "one", "All", "ActiveOnly", "a=b", "%00", "%ff",
          "..", "/", "[" * 20_000, "1.5", "%F0%9F%98%80", "name eq 'x'", "((((", "*", "%", "Completed"]  # fmt: skip
_NOT_OBJECTS = [b"", b"\0", b"null", b"[]", b'""', b"NaN", b"\xef\xbb\xbf{}", b"\xff\xfe", b"<a/>"]
_NOT_OBJECTS += [b"[" * 100_000, b'{"a":' * 50_000, b"1" * 200_000]
_QUERIES = sorted(
    {"api-version", "$filter", "$orderBy", "$select", "$skipToken", "orderBy", "properties", "comp", "restype"}
    | {
        name
        for path in (ROOT / "src/smalt/service/api").rglob("*.py")
        for name in re.findall(r'request\.get_(?:query|flag|number)\("([^"]+)"', path.read_text())
    }
)
_HEADERS = {
    "Content-Type": [
        "text/plain",
        "application/xml",
        "application/json; charset=utf-16",
        "x",
        "",
        "multipart/form-data",
    ],
    "Content-Encoding": ["gzip", "br", "x"],
    "Accept": ["*/*", "text/html", "application/xml", "x"],
    "Range": ["bytes=0-", "bytes=5-2", "bytes=-1", "bytes=0-0,2-3", f"bytes={'9' * 400}-", "x", "bytes=", "bytes=-0"],
    "If-Match": ["*", '"x"', "x", "", '"\xff"'],
    "If-None-Match": ["*", '"x"', "W/", ","],
    "If-Modified-Since": ["x", "Mon, 32 Foo 2026 99:99:99 GMT", "Mon, 01 Jan 0001 00:00:00 GMT"],
    "If-Unmodified-Since": ["x", "Mon, 01 Jan 0001 00:00:00 GMT"],
    "User-Agent": ["azure-ai-ml/1.35.2", "azure-ai-ml/1.99999.0", "\xff", "azsdk-python-mgmt"],
    "X-Smalt-Makes-Workspaces": ["1", "x"],
    "Expect": ["100-continue", "x"],
    "x-ms-range": ["bytes=0-", "bytes=9-1", "x"],
    "x-ms-blob-type": ["BlockBlob", "PageBlob", "x"],
    "x-ms-version": ["x", "9999-99-99"],
    "x-ms-copy-source": ["x", "https://localhost/x", "file:///etc/passwd"],
    "Content-MD5": ["x", "YQ=="],
    "Cookie": ["a=" + "b" * 3000],
}


def every_route() -> list[tuple[str, str]]:
    """Return method and path template of all that the server answers, from the app's own tables."""
    tables = [("", table) for table in route_tables.SERVER_TABLES]
    tables += [(f"{prefix}{WS}", table) for prefix, inner in route_tables.WORKSPACE_TABLES.items() for table in inner]
    tables.append(("/vaults/{vault}", key_vault.ROUTES))
    found = [(method, prefix + template) for prefix, table in tables for method, template, _ in table]
    found += [
        (method, "/{account}.blob.core.windows.net/azureml-blobstore/{name}") for method in ("GET", "PUT", "DELETE")
    ]
    found += [(method, f"/mferp/managementfrontend{WS}/jobs/{{name}}") for method in ("GET", "PUT")]
    return [one for one in found if one[1] not in NOT_ASKED and one != ("DELETE", f"{WS}/")]


def valid_bodies() -> dict[str, list[Any]]:
    """Return right bodies by the last literal segment of the paths that take them."""
    found: dict[str, list[Any]] = {key: list(bodies) for key, bodies in _SMALL.items()}
    for name, (kind, _) in SAMPLES.items():
        found.setdefault(_KINDS[kind], []).append(json.loads(json.dumps(to_rest(entity(name)))))
    return found


class Hostile:
    """Makes requests; what it makes follows from its seed alone."""

    def __init__(self, seed: int | str, account: str) -> None:
        self.chance = random.Random(seed)
        self._account = account
        self._bodies = valid_bodies()
        self._every = [body for bodies in self._bodies.values() for body in bodies]

    def path(self, template: str) -> str:
        """Return the template with something in the place of each name, and a query."""
        path = re.sub(r"\{[^}]+\}", lambda found: self._segment(found[0]), template)
        if self.chance.random() < 0.05:
            path = path.replace("fuzz", self.chance.choice(_SEGMENTS), 1)
        if self.chance.random() < 0.4:
            names = self.chance.sample(_QUERIES, self.chance.randint(1, 3))
            query = "&".join(f"{quote(name, safe='$')}={self._word()}" for name in names)
            path += f"?{query}"
        return path

    def headers(self) -> dict[str, str]:
        names = self.chance.sample(sorted(_HEADERS), self.chance.choice([0, 0, 0, 1, 1, 2, 4]))
        return {name: self.chance.choice(_HEADERS[name]) for name in names}

    def body(self, template: str) -> bytes:
        """Return bytes made from a right body of the route: damaged, and then written down wrongly at times."""
        words = [word for word in template.split("/") if word and not word.startswith("{")]
        bodies = next((self._bodies[word] for word in reversed(words) if word in self._bodies), self._every)
        if self.chance.random() < 0.05:
            bodies = self._every
        body = copy.deepcopy(self.chance.choice(bodies))
        for _ in range(self.chance.choice([0, 1, 1, 1, 2, 3])):
            body = self._damaged(body)
        return self._spoiled(self._written(body))

    def _segment(self, named: str) -> str:
        if named in ("{account}", "{vault}") and self.chance.random() < 0.8:
            return self._account
        return self.chance.choice(_SEGMENTS[:9] if self.chance.random() < 0.6 else _SEGMENTS)

    def _word(self) -> str:
        return quote(self.chance.choice(_WORDS), safe="%")

    def _damaged(self, body: Any) -> Any:
        """Return it with one place changed, dropped, doubled or spelt otherwise."""
        if isinstance(body, dict) and body and self.chance.random() < 0.85:
            key = self.chance.choice(list(body))
            kind = self.chance.random()
            if kind < 0.08:
                return {name: value for name, value in body.items() if name != key}
            if kind < 0.16:
                return {**body, self._misspelt(key): body[key]}
            if kind < 0.2:
                return {**body, str(self.chance.choice(["", "\0", "x", "a" * 5000, "$ref", "é"])): self._value()}
            return {**body, key: self._damaged(body[key])}
        if isinstance(body, list) and body and self.chance.random() < 0.8:
            index = self.chance.randrange(len(body))
            return [*body[:index], self._damaged(body[index]), *body[index + 1 :]]
        return self._value()

    def _value(self) -> Any:
        if self.chance.random() < 0.1:
            return copy.deepcopy(self.chance.choice(self._every))
        return self.chance.choice(_VALUES)

    def _misspelt(self, key: str) -> str:
        snake = re.sub(r"([A-Z])", lambda found: "_" + found[1].lower(), key)
        camel = re.sub(r"_(\w)", lambda found: found[1].upper(), key)
        return self.chance.choice([snake, camel, key.upper(), key[:-1], key + "s", key + " ", key.title()])

    def _written(self, body: Any) -> bytes:
        text = json.dumps(body, ensure_ascii=self.chance.random() < 0.7)
        digits = self.chance.choice([200_000, 5_000, 999])
        depth = self.chance.choice([100, 950, 5_000, 100_000])
        text = text.replace(f'"{BIG}"', self.chance.choice(["", "-"]) + "9" * digits)
        text = text.replace(f'"{DEEP_LIST}"', "[" * depth + "]" * depth)
        text = text.replace(f'"{DEEP_MAP}"', '{"a":' * depth + "1" + "}" * depth)
        if self.chance.random() < 0.05:  # a key twice
            text = re.sub(r'"(\w+)": ', lambda found: f'"{found[1]}": 1, {found[0]}', text, count=1)
        return text.encode("utf-8", "surrogatepass")

    def _spoiled(self, raw: bytes) -> bytes:
        kind = self.chance.random()
        if kind < 0.03:
            return raw[: self.chance.randrange(len(raw) + 1)]
        if kind < 0.05 and raw:
            at = self.chance.randrange(len(raw))
            return raw[:at] + self.chance.randbytes(self.chance.randint(1, 4)) + raw[at + 1 :]
        if kind < 0.07:
            return self.chance.choice([*_NOT_OBJECTS, self.chance.randbytes(2000)])
        if kind < 0.08:
            return raw.decode("utf-8", "replace").encode("utf-16")
        return raw
