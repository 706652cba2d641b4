"""What a job may do with its own workspace: the table of routes, the token's end, and scripts inside of jobs."""

from __future__ import annotations

import re
import sqlite3
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import parse_qs, unquote

import pytest

from smalt.service.api import key_vault, route_tables
from smalt.service.api.auth import job_permissions
from smalt.service.api.studio import links
from smalt.service.api.studio.sign_in import SESSION
from smalt.service.tracking.job_tokens import GRACE
from tests.helpers import WORKSPACE, Answer, Server, eventually, host_job

SENTENCE = "is not good for"


class Token(NamedTuple):
    """A job that is over, whose token is good for a while."""

    workspace: str
    variables: dict[str, str]

    @property
    def secret(self) -> str:
        return self.variables["IDENTITY_HEADER"]


def run(server: Server, workspace: str, name: str, command: str, **more: Any) -> str:
    """The log of a job that completes."""
    answer = server.ask("PUT", f"{workspace}/jobs/{name}", host_job(command, **more))
    assert answer.status == 201, answer.body
    messages = list(server.stream(f"/smalt/v1{workspace}/jobs/{name}/stream"))
    said = "".join(message["text"] for message in messages if message["t"] == "log")
    assert messages[-1]["status"] == "Completed", said
    return said


def token(server: Server, workspace: str, name: str = "asker", **more: Any) -> Token:
    said = run(server, workspace, name, "env", **more)
    return Token(workspace, dict(line.partition("=")[::2] for line in said.splitlines()))


@pytest.fixture
def job(server: Server, workspace: str) -> Token:
    return token(server, workspace)


def routes() -> Iterator[tuple[str, str, str]]:
    """Prefix, method and template of every route but MLflow's and the blobs'."""
    tables = {
        job_permissions.SERVER: route_tables.SERVER_TABLES,
        **route_tables.WORKSPACE_TABLES,
        job_permissions.VAULT: [key_vault.ROUTES],
    }
    for prefix, found in tables.items():
        for table in found:
            for method, template, _ in table:
                yield prefix, method, template


def path(job: Token, prefix: str, template: str) -> str:
    filled = re.sub(r"\{[^}]*\}", "none", template)
    if prefix == job_permissions.SERVER:
        return filled
    if prefix == job_permissions.VAULT:
        return f"/vaults/{job.workspace.rsplit('/', 1)[1]}{filled}"
    return f"{prefix}{job.workspace}{filled}".rstrip("/")


def is_refused(answer: Answer) -> bool:
    return answer.status == 403 and SENTENCE in str(answer.body)


def test_a_job_may_call_what_the_table_names_and_nothing_else(server: Server, job: Token) -> None:
    """Through all routes, each with every method that it has."""
    known = set(routes())
    for prefix, templates in job_permissions.ALLOWED.items():
        for template, methods in templates.items():
            assert {(prefix, method, template) for method in methods} <= known, (prefix, template)
    for prefix, method, template in sorted(known):
        if prefix == job_permissions.SERVER and (links.is_page(template) or (method, template) == ("POST", SESSION)):
            continue  # open to everyone, token or not: tests/studio
        answer = server.ask_tcp(method, path(job, prefix, template), {}, token=job.secret)
        is_allowed = method in job_permissions.ALLOWED[prefix].get(template, ())
        assert is_refused(answer) is not is_allowed or template == "/identity/token", (prefix, method, template)
        assert answer.status < 500, (prefix, method, template, answer.body)


NOT_FOR_JOBS = {
    "/smalt/v1": {
        ("POST", "/jobs/{name}/debug"), ("POST", "/jobs/{name}/rerun"), ("GET", "/changes"),
        ("GET", "/jobs/{name}/ports"), ("GET", "/jobs/{name}/ports/{direction}/{port}/list"),
        ("GET", "/jobs/{name}/ports/{direction}/{port}/file"),
        ("GET", "/jobs/{name}/disk"), ("POST", "/share"), ("POST", "/import"),
        ("PUT", "/secrets/{name}"), ("PATCH", "/secrets/{name}"), ("DELETE", "/secrets/{name}"),
        ("PATCH", "/secrets/{name}/{version}"), ("GET", "/deletedsecrets"), ("GET", "/deletedsecrets/{name}"),
        ("DELETE", "/deletedsecrets/{name}"), ("POST", "/deletedsecrets/{name}/recover"),
        # What the studio's pages ask for.
        ("GET", "/job-columns"),
        *(("GET", f"/jobs/{{name}}/{part}") for part in (
            "document", "environment", "log-search", "previous", "progress", "snapshot/file", "step-facts",
        )),
        *(("GET", f"/{assets}") for assets in ("components", "data", "environments", "models")),
        *(("GET", f"/{assets}/{{name}}/versions/{{version}}/{part}") for assets, parts in {
            "codes": ("file", "files"), "components": ("users", "yaml"), "data": ("file", "list", "yaml"),
            "environments": ("build", "users", "yaml"), "models": ("file", "list", "mlmodel", "yaml"),
        }.items() for part in parts),
        ("POST", "/documents/check"), ("GET", "/documents/components"), ("GET", "/documents/step-fields"),
        ("POST", "/documents/submit"),
        ("GET", "/drafts"), ("GET", "/drafts/{name}"), ("PUT", "/drafts/{name}"), ("DELETE", "/drafts/{name}"),
        ("GET", "/folder/file"), ("PUT", "/folder/file"), ("GET", "/folder/files"),
    },
    "/history/v1.0": {("PATCH", "/experiments/{experiment}/runs/{name}"), ("PATCH", "/runs/{name}")},
}  # fmt: skip


def test_every_route_of_smalts_own_is_decided() -> None:
    """A route that is added must be allowed to jobs in the table, or stand here."""
    for prefix, refused in NOT_FOR_JOBS.items():
        found = {(method, template) for its, method, template in routes() if its == prefix}
        allowed = {(method, where) for where, methods in job_permissions.ALLOWED[prefix].items() for method in methods}
        assert found - allowed == refused


def test_a_job_validates_what_it_may_submit(server: Server, job: Token) -> None:
    """`smalt job validate` in a job answers as it does outside of it."""
    where = f"/smalt/v1{job.workspace}/jobs/next/validate"
    body = host_job("echo hello")
    inside, outside = server.ask_tcp("POST", where, body, token=job.secret), server.ask("POST", where, body)
    assert (inside.status, inside.body) == (outside.status, outside.body)
    assert inside.status == 200


def test_no_link_holds_a_token(server: Server, job: Token) -> None:
    """A link names its job, whose name alone opens nothing; one of another job does not become its own."""
    sas = link(server, job)
    assert job.secret not in unquote(sas)
    named = parse_qs(sas)["si"][0]
    assert named.endswith(".asker")
    assert server.ask_tcp("GET", f"{job.workspace}/jobs", token=named).status == 401
    run(server, job.workspace, "another", "true")
    forged = sas.replace("asker", "another")
    assert server.ask_tcp("GET", f"{blobs(job)}&{forged}", token=None).status == 401


def test_a_link_is_not_good_for_a_later_job_of_the_same_name(server: Server, job: Token) -> None:
    """The link of a deleted job stays closed when another job takes its name."""
    sas = link(server, job)
    assert server.ask_tcp("GET", f"{blobs(job)}&{sas}", token=None).status == 200
    assert server.ask("DELETE", f"{job.workspace}/jobs/asker").status in (200, 202, 204)
    eventually(lambda: server.ask("GET", f"{job.workspace}/jobs/asker").status == 404, "the end of the job")
    assert server.ask_tcp("GET", f"{blobs(job)}&{sas}", token=None).status == 401
    run(server, job.workspace, "asker", "true")
    assert server.ask_tcp("GET", f"{blobs(job)}&{sas}", token=None).status == 401


@pytest.mark.parametrize(
    ("method", "where"),
    [
        ("POST", "/smalt/v1/shutdown"), ("GET", "/smalt/v1/config"), ("PATCH", "/smalt/v1/config"),
        ("POST", "/smalt/v1/prune"), ("POST", "/smalt/v1/token"), ("POST", "/smalt/v1/rotate-keys"),
        ("POST", "/smalt/v1/doctor"), ("GET", "/smalt/v1/status"), ("PATCH", "{}"), ("POST", "{}/listKeys"),
        ("PUT", "{}/datastores/x"), ("DELETE", "{}/datastores/x"), ("PUT", "{}/computes/x"),
        ("DELETE", "{}/jobs/asker"),
        ("PUT", "{}/schedules/x"), ("PUT", "{}/connections/x"), ("POST", "{}/connections/x/listsecrets"),
        ("PUT", "/smalt/v1{}/secrets/x"), ("POST", "/smalt/v1{}/jobs/asker/debug"), ("POST", "/smalt/v1{}/share"),
        ("PATCH", "/history/v1.0{}/runs/asker"),
        ("GET", "/subscriptions/sub/providers/Microsoft.MachineLearningServices/workspaces"),
    ],
)  # fmt: skip
def test_what_no_job_may_do(server: Server, job: Token, method: str, where: str) -> None:
    """Settings, tokens, keys, the server's end, other workspaces, and what acts later: by its own token and by one
    that it got for it."""
    status, given = ask_identity(server, job, "https://management.azure.com")
    assert status == 200
    for secret in (job.secret, given["access_token"]):
        answer = server.ask_tcp(method, where.format(job.workspace), {}, token=secret)
        assert is_refused(answer), answer.body
    assert server.ask("GET", "/smalt/v1/status").status == 200


def ask_identity(server: Server, job: Token, resource: str) -> tuple[int, dict[str, Any]]:
    answer = server.ask_tcp(
        "GET", f"/identity/token?resource={resource}", token=None, headers={"X-IDENTITY-HEADER": job.secret}
    )
    return answer.status, answer.body


def test_another_workspace_is_closed(server: Server, job: Token) -> None:
    """One that exists, and one that does not, which is not made by the question."""
    other, missing = job.workspace + "-other", job.workspace + "-missing"
    assert server.ask("GET", f"{other}/jobs").status == 200
    for where in (other, missing):
        for route in (f"{where}/jobs", f"/smalt/v1{where}/secrets", f"/history/v1.0{where}/runs/x"):
            answer = server.ask_tcp("GET", route, token=job.secret)
            assert answer.status == 403
            assert "good for workspace" in answer.body["error"]["message"]
        account = where.rsplit("/", 1)[1]
        assert server.ask_tcp("GET", f"/vaults/{account}/secrets", token=job.secret).status in (403, 404)
        assert server.ask_tcp("GET", f"/{account}.blob.core.windows.net/?comp=list", token=job.secret).status == 403
    every = WORKSPACE.format("").rsplit("/", 1)[0]
    names = [one["name"] for one in server.ask("GET", every).body["value"]]
    assert other.rsplit("/", 1)[1] in names
    assert missing.rsplit("/", 1)[1] not in names


def test_tokens_are_given_in_the_three_ways_of_azures_clients(server: Server, job: Token) -> None:
    """App Service's (IDENTITY_ENDPOINT), that of Azure ML's computes (MSI_ENDPOINT), on behalf of (OBO_ENDPOINT)."""
    for resource in ("https://management.azure.com", "https://ml.azure.com/", "https://vault.azure.net"):
        status, given = ask_identity(server, job, resource)
        assert status == 200
        assert {"access_token", "expires_on", "resource", "token_type"} <= set(given)
        assert server.ask_tcp("GET", f"{job.workspace}/jobs", token=given["access_token"]).status == 200
    query = f"resource=https://management.azure.com&clientid={job.variables['DEFAULT_IDENTITY_CLIENT_ID']}"
    secret = {"secret": job.variables["MSI_SECRET"]}
    assert server.ask_tcp("GET", f"/identity/token?{query}", token=None, headers=secret).status == 200
    obo = job.variables["OBO_ENDPOINT"].partition("/identity")[2]
    assert server.ask_tcp("GET", f"/identity{obo}&resource=https://management.azure.com", token=None).status == 200
    assert ask_identity(server, job, "https://storage.azure.com")[0] == 403
    forged = "/identity/token?token=smaltjob.1.x.y&resource=https://ml.azure.com"
    assert server.ask_tcp("GET", forged, token=None).status == 401


def test_what_a_job_is_told(server: Server, workspace: str) -> None:
    """The variables that Azure's clients and smalt read; literals as AZUREML_PARAMETER_*; a job's own win."""
    told = token(
        server, workspace, inputs={"lr": {"jobInputType": "literal", "value": "0.5"}},
        identity={"identityType": "UserIdentity"},
        environmentVariables={"MSI_SECRET": "mine", "REQUESTS_CA_BUNDLE": "theirs"},
    ).variables  # fmt: skip
    assert told["AZUREML_PARAMETER_lr"] == "0.5"
    assert told["AZUREML_OBO_ENABLED"] == "True"
    assert told["MSI_SECRET"] == "mine"
    assert told["REQUESTS_CA_BUNDLE"] == "theirs"
    assert told["AZUREML_DEV_URL_MFE"].startswith("https://127.0.0.1:")
    assert told["SMALT_URL"] == told["IDENTITY_ENDPOINT"].removesuffix("/identity/token")
    plain = token(server, workspace, "elsewhere", environmentVariables={"SMALT_HOME": "/tmp/other"}).variables
    assert "AZUREML_OBO_ENABLED" not in plain
    assert "SMALT_URL" not in plain
    assert "SMALT_TOKEN" not in plain


def test_no_proxy_has_no_ipv6_address_that_the_job_does_not_name(own_server: Server, workspace: str) -> None:
    """The library of azureml-fsspec panics on them, in brackets or not."""
    inherited = {"NO_PROXY": "a.example,::1,[::1],10.0.0.1:80", "no_proxy": "::1"}
    own_server.start(environment=inherited)
    told = token(own_server, workspace).variables
    assert told["NO_PROXY"] == "a.example,10.0.0.1:80,127.0.0.1,localhost"
    assert told["no_proxy"] == "127.0.0.1,localhost"
    own = token(own_server, workspace, "own", environmentVariables={"NO_PROXY": "::1"}).variables
    assert own["NO_PROXY"] == "::1,127.0.0.1,localhost"


def test_credentials_of_remote_datastores_are_not_told_to_jobs(server: Server, job: Token) -> None:
    """A link to a container of the workspace's own is, which opens it until the job has been over for an hour."""
    store = {
        "datastoreType": "AzureBlob", "accountName": "a", "containerName": "c",
        "credentials": {"credentialsType": "AccountKey", "secrets": {"secretsType": "AccountKey", "key": "a2V5"}},
    }  # fmt: skip
    assert server.ask("PUT", f"{job.workspace}/datastores/far", {"properties": store}).status == 201
    answer = server.ask_tcp("POST", f"{job.workspace}/datastores/far/listSecrets", token=job.secret)
    assert answer.status == 403
    assert "a2V5" not in str(answer.body)
    assert "not told to jobs" in answer.body["error"]["message"]
    sas = link(server, job)
    assert server.ask_tcp("GET", f"{blobs(job)}&{sas}", token=None).status == 200
    without = re.sub(r"si=[^&]*&", "", sas)
    assert without != sas
    assert server.ask_tcp("GET", f"{blobs(job)}&{without}", token=None).status in (401, 403)


def blobs(job: Token) -> str:
    """The list of a container of the job's workspace."""
    return f"/{job.workspace.rsplit('/', 1)[1]}.blob.core.windows.net/azureml-blobstore?restype=container&comp=list"


def link(server: Server, job: Token) -> str:
    answer = server.ask_tcp("POST", f"{job.workspace}/datastores/workspaceblobstore/listSecrets", token=job.secret)
    return str(answer.body["sasToken"])


def test_all_that_a_job_was_given_ends_an_hour_after_it(own_server: Server, workspace: str) -> None:
    """Its token, the tokens that it got for it, and its links to containers."""
    process = own_server.start()
    job = token(own_server, workspace)
    given, sas = ask_identity(own_server, job, "https://ml.azure.com")[1]["access_token"], link(own_server, job)

    def answers() -> list[int]:
        calls = [own_server.ask_tcp("GET", f"{workspace}/jobs", token=one) for one in (job.secret, given)]
        listed = own_server.ask_tcp("GET", f"{blobs(job)}&{sas}", token=None)
        return [one.status for one in (*calls, listed)] + [ask_identity(own_server, job, "https://ml.azure.com")[0]]

    assert answers() == [200, 200, 200, 200]
    process.kill()
    process.wait()
    with sqlite3.connect(own_server.home.path("smalt.db")) as db:
        db.execute("UPDATE jobs SET ended_at=?", (time.time() - GRACE - 1,))
    db.close()
    own_server.start()
    assert answers() == [401, 401, 401, 401]


def test_the_setting_turns_it_off(own_server: Server, workspace: str) -> None:
    """At once: jobs are told nothing, and a token that one had opens MLflow's API only."""
    own_server.start()
    job = token(own_server, workspace)
    given = ask_identity(own_server, job, "https://ml.azure.com")[1]["access_token"]
    own_server.ask("PATCH", "/smalt/v1/config", {"job-identity": "off"})
    for secret in (job.secret, given):
        answer = own_server.ask_tcp("GET", f"{workspace}/jobs", token=secret)
        assert answer.status == 403
        assert "'job-identity' is off" in answer.body["error"]["message"]
    assert ask_identity(own_server, job, "https://ml.azure.com")[0] == 401
    told = token(own_server, workspace, "later").variables
    assert not {"IDENTITY_ENDPOINT", "OBO_ENDPOINT", "SMALT_TOKEN", "AZUREML_DEV_URL_MFE"} & set(told)
    assert "MLFLOW_TRACKING_TOKEN" in told


SCRIPT = """
import json, os, urllib.request

def ask(method, path, body=None):
    asked = urllib.request.Request(os.environ["IDENTITY_ENDPOINT"] + "?resource=https://management.azure.com",
                                   headers={"X-IDENTITY-HEADER": os.environ["IDENTITY_HEADER"]})
    token = json.load(urllib.request.urlopen(asked))["access_token"]
    workspace = "/subscriptions/%s/resourceGroups/%s/providers/Microsoft.MachineLearningServices/workspaces/%s" % tuple(
        os.environ["AZUREML_ARM_" + name] for name in ("SUBSCRIPTION", "RESOURCEGROUP", "WORKSPACE_NAME"))
    request = urllib.request.Request(os.environ["AZUREML_DEV_URL_MFE"] + workspace + path, method=method,
                                     data=None if body is None else json.dumps(body).encode(),
                                     headers={"Authorization": "Bearer " + token})
    return json.load(urllib.request.urlopen(request))
"""


def script(folder: Path, text: str) -> str:
    file = folder / "script.py"
    file.write_text(SCRIPT + textwrap.dedent(text))
    return f"{sys.executable} {file}"


def test_a_job_reads_registers_and_submits(server: Server, workspace: str, tmp_path: Path) -> None:
    """Over TLS that its own variables say whom to trust for; what it makes belongs to who submitted it."""
    child = host_job("echo child; echo $AZUREML_RUN_ID")
    command = script(
        tmp_path,
        f"""
        print(sorted(one["name"] for one in ask("GET", "/datastores")["value"]))
        uri = "azureml://datastores/workspaceblobstore/paths/x/"
        ask("PUT", "/data/made/versions/1", {{"properties": {{"dataType": "uri_folder", "dataUri": uri}}}})
        ask("PUT", "/jobs/child", {child!r})
        """,
    )
    said = run(server, workspace, "parent", command)
    assert "'workspaceblobstore'" in said
    mine = server.ask("GET", f"{workspace}/jobs/parent").body["systemData"]["createdBy"]
    for made in ("data/made/versions/1", "jobs/child"):
        assert server.ask("GET", f"{workspace}/{made}").body["systemData"]["createdBy"] == mine
    eventually(lambda: status(server, workspace, "child") == "Completed", "the child's end")


def test_a_job_that_a_job_submitted_outlives_its_cancel(server: Server, workspace: str, tmp_path: Path) -> None:
    """It is a job of its own, as in the service."""
    command = script(tmp_path, f"ask('PUT', '/jobs/child', {host_job('sleep 600')!r})\nimport time\ntime.sleep(600)\n")
    assert server.ask("PUT", f"{workspace}/jobs/parent", host_job(command)).status == 201
    eventually(lambda: status(server, workspace, "child") == "Running", "the child")
    server.ask("POST", f"{workspace}/jobs/parent/cancel")
    eventually(lambda: status(server, workspace, "parent") == "Canceled", "the parent's end")
    assert status(server, workspace, "child") == "Running"
    server.ask("POST", f"{workspace}/jobs/child/cancel")
    eventually(lambda: status(server, workspace, "child") == "Canceled", "the child's end")


def status(server: Server, workspace: str, name: str) -> str | None:
    found: str | None = server.ask("GET", f"{workspace}/jobs/{name}").body.get("properties", {}).get("status")
    return found


def test_a_job_finds_the_server_that_follows(own_server: Server, workspace: str, tmp_path: Path) -> None:
    """A job that runs while the server is killed calls the next one, over TLS, at the same port."""
    own_server.start()
    flag = tmp_path / "go"
    command = script(
        tmp_path,
        f"""
        import time
        print("here", flush=True)
        while not os.path.exists({str(flag)!r}):
            time.sleep(0.01)
        print(len(ask("GET", "/jobs")["value"]), "job")
        """,
    )
    assert own_server.ask("PUT", f"{workspace}/jobs/j", host_job(command)).status == 201
    eventually(lambda: own_server.ask("GET", f"{workspace}/jobs/j").body["properties"]["status"] == "Running")
    own_server.kill()
    own_server.start_again()
    flag.touch()
    messages = list(own_server.stream(f"/smalt/v1{workspace}/jobs/j/stream"))
    said = "".join(message["text"] for message in messages if message["t"] == "log")
    assert messages[-1]["status"] == "Completed", said
    assert "1 job" in said


SMALT = """
import sys
from pathlib import Path
from smalt import Input, MLClient, command
from smalt.entities import Data

client = MLClient()
Path("folder").mkdir()
Path("folder/a.txt").write_text("from inside")
Path("src").mkdir()
Path("src/show.py").write_text("import sys; print(open(sys.argv[1] + '/a.txt').read())")
client.data.create_or_update(Data(name="made", version="1", path="folder", type="uri_folder"))
job = command(command=sys.executable + " show.py ${{inputs.d}}", code="src", environment="azureml:host",
              inputs={"d": Input(type="uri_folder", path="azureml:made:1")})
made = client.jobs.create_or_update(job)
client.jobs.stream(made.name)
print(client.jobs.get(made.name).status)
client.jobs.download(made.name, download_path="down", all=True)
"""


def test_smalts_own_package_in_a_job(server: Server, workspace: str, tmp_path: Path) -> None:
    """It registers a folder, submits a job with code, streams it and fetches what it left; all of it uploads."""
    file = tmp_path / "inside.py"
    file.write_text(SMALT)
    said = run(server, workspace, "inside", f"{sys.executable} {file}")
    assert "from inside" in said
    assert said.rstrip().endswith("Completed")
    refused = run(server, workspace, "settings", f"{sys.executable} -m smalt config set cpus 1 2>&1 || true")
    assert SENTENCE in refused


def test_a_deleted_jobs_token_is_void(server: Server, workspace: str) -> None:
    """At once, not an hour later."""
    job = token(server, workspace)
    assert server.ask_tcp("GET", f"{workspace}/jobs", token=job.secret).status == 200
    assert server.ask("DELETE", f"{workspace}/jobs/asker").status in (200, 202, 204)
    eventually(lambda: server.ask_tcp("GET", f"{workspace}/jobs", token=job.secret).status == 401, "the token's end")
