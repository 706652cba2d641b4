"""The vault over HTTP, and secrets in jobs."""

from __future__ import annotations

import json
import re
import ssl
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from smalt.service.secrets.encryption import add_key
from smalt.service.tracking.job_tokens import PREFIX
from tests.helpers import Server, eventually, host_job

VALUE = "s3cret value/ö"


def secrets(workspace: str) -> str:
    return f"/smalt/v1{workspace}/secrets"


@pytest.fixture
def holding(server: Server, workspace: str) -> str:
    """A workspace with one secret."""
    assert server.ask("PUT", f"{secrets(workspace)}/db-password", {"value": VALUE}).status == 200
    return workspace


def run(server: Server, workspace: str, name: str, command: str, **more: Any) -> tuple[str, str]:
    answer = server.ask("PUT", f"{workspace}/jobs/{name}", host_job(command, **more))
    assert answer.status == 201, answer.body
    messages = list(server.stream(f"/smalt/v1{workspace}/jobs/{name}/stream"))
    return messages[-1]["status"], "".join(message["text"] for message in messages if message["t"] == "log")


def log_of(server: Server, workspace: str, job: str) -> Path:
    uri = f"azureml://jobs/{job}/outputs/artifacts/paths/user_logs/std_log.txt"
    return Path(server.ask("POST", f"/smalt/v1{workspace}/resolve", {"uri": uri}).body["local"])


def test_a_secret_has_versions(server: Server, holding: str) -> None:
    """The newest is given unless one is named; lists tell no values; disabled ones are refused."""
    place = f"{secrets(holding)}/db-password"
    first = server.ask("GET", place).body
    second = server.ask("PUT", place, {"value": "second", "tags": {"a": "b"}, "contentType": "text"}).body
    assert first["value"] == VALUE
    assert server.ask("GET", place).body["value"] == "second"
    version = first["id"].rpartition("/")[2]
    assert server.ask("GET", f"{place}/{version}").body["value"] == VALUE
    listed = server.ask("GET", secrets(holding)).body["value"]
    assert [(one["id"].rpartition("/secrets/")[2], one["tags"]) for one in listed] == [("db-password", {"a": "b"})]
    both = server.ask("GET", f"{place}/versions").body["value"]
    assert [one["id"] for one in both] == [first["id"], second["id"]]
    assert "second" not in json.dumps([listed, both])
    assert server.ask("PATCH", f"{place}/{version}", {"attributes": {"enabled": False}}).status == 200
    assert server.ask("GET", f"{place}/{version}").status == 403


def test_a_deleted_secret_is_recovered_or_purged(server: Server, holding: str) -> None:
    """Until then its name is taken."""
    place, gone = f"{secrets(holding)}/db-password", f"/smalt/v1{holding}/deletedsecrets/db-password"
    assert server.ask("DELETE", place).body["recoveryId"].endswith("/deletedsecrets/db-password")
    assert server.ask("GET", place).body["error"]["code"] == "SecretNotFound"
    assert server.ask("PUT", place, {"value": "x"}).status == 409
    assert server.ask("POST", f"{gone}/recover", {}).status == 200
    assert server.ask("GET", place).body["value"] == VALUE
    server.ask("DELETE", place)
    assert server.ask("DELETE", gone).status == 204
    assert server.ask("PUT", place, {"value": "anew"}).status == 200


@pytest.mark.parametrize(
    ("name", "body", "says"),
    [
        ("under_score", {"value": "x"}, "use letters, digits and '-'"),
        ("x", {}, '"value" must be a text'),
        ("x", {"value": "x" * 30_000}, "is larger than 25600 bytes"),
        ("x", {"value": "x", "tags": {"a": 1}}, '"tags" must be'),
        ("x", {"value": "x", "attributes": {"exp": "soon"}}, '"exp" must be'),
    ],
)
def test_what_cannot_be_a_secret_is_said(server: Server, workspace: str, name: str, body: Any, says: str) -> None:
    """In one sentence."""
    answer = server.ask("PUT", f"{secrets(workspace)}/{name}", body)
    assert answer.status == 400
    assert says in answer.body["error"]["message"]


def test_a_job_is_handed_what_it_names(server: Server, holding: str) -> None:
    """The value is in its environment, and in no answer, log or file; what is written in two halves is hidden, too."""
    command = (
        'echo "whole: $DB"; printf "half: ${DB:0:9}"; sleep 0.3; echo "${DB:9}"; printf "$DB" | wc -c;'
        ' echo "url: s3cret%20value%2F%C3%B6"; echo plain'
    )
    variables = {"DB": "${{secrets.db-password}}"}
    status, said = run(server, holding, "j", command, environmentVariables=variables)
    assert status == "Completed"
    assert "whole: ***************" in said
    assert "half: ***************\n" in said
    assert "plain" in said
    assert str(len(VALUE.encode())) in said.split()
    assert "s3cret" not in said
    assert server.ask("GET", f"{holding}/jobs/j").body["properties"]["environmentVariables"] == variables
    for file in server.home.root.rglob("*"):
        if file.is_file():
            assert b"s3cret va" not in file.read_bytes(), file


def test_a_running_jobs_log_is_masked_however_it_is_read(server: Server, holding: str) -> None:
    """As a file of the datastore and as a blob, while on the disk it still is as it was written."""
    command = 'echo "whole: $DB"; sleep 600 & wait'
    variables = {"DB": "${{secrets.db-password}}"}
    server.ask("PUT", f"{holding}/jobs/long", host_job(command, environmentVariables=variables))
    log = eventually(lambda: (path := log_of(server, holding, "long")).is_file() and path.read_bytes() and path)
    name = f"ExperimentRun/dcid.long/{log.parent.name}/{log.name}"
    file = server.ask("GET", f"/smalt/v1{holding}/datastores/workspaceartifactstore/files/{name}").body
    assert file == b"whole: ***************\n"
    account = log.parts[log.parts.index("workspaces") + 1]
    blob = server.ask_tcp("GET", f"/{account}.blob.core.windows.net/azureml/{name}").body
    assert blob == file
    assert server.ask("POST", f"{holding}/jobs/long/cancel", {}).status in (200, 202)
    eventually(lambda: b"s3cret" not in log.read_bytes(), "the masking on the disk")


def test_a_step_of_a_pipeline_names_secrets(server: Server, holding: str) -> None:
    """Beside the pipeline's own inputs; one that is not there is told where it is named."""
    step = {
        "type": "command", "command": 'echo "$A" | wc -c', "environment": "azureml:host@latest",
        "environment_variables": {"A": "${{parent.inputs.who}}:${{secrets.db-password}}"},
    }  # fmt: skip
    body = {"properties": {"jobType": "Pipeline", "inputs": {"who": {"jobInputType": "literal", "value": "me"}},
                           "jobs": {"s": step}}}  # fmt: skip
    assert server.ask("PUT", f"{holding}/jobs/p", body).status == 201
    messages = list(server.stream(f"/smalt/v1{holding}/jobs/p/stream"))
    assert messages[-1]["status"] == "Completed"
    assert "19" in "".join(message["text"] for message in messages if message["t"] == "log").split()
    step["environment_variables"] = {"A": "${{secrets.gone}}"}
    answer = server.ask("PUT", f"{holding}/jobs/q", body)
    assert answer.status == 400
    assert "jobs.s.environment_variables.A: there is no secret 'gone'" in answer.body["error"]["message"]


def told(server: Server, workspace: str, job: str) -> dict[str, str]:
    """What a job is told of the vault."""
    status, said = run(server, workspace, job, "env | grep -E 'IDENTITY|KEYVAULT|SSL_CERT|MLFLOW_TRACKING_TOKEN'")
    assert status == "Completed", said
    return dict(line.partition("=")[::2] for line in said.splitlines())


def token(server: Server, variables: dict[str, str], resource: str) -> tuple[int, dict[str, Any]]:
    answer = server.ask_tcp(
        "GET", f"/identity/token?resource={resource}", token=None,
        headers={"X-IDENTITY-HEADER": variables["IDENTITY_HEADER"]},
    )  # fmt: skip
    return answer.status, answer.body


def over_tls(variables: dict[str, str], path: str, bearer: str | None, method: str = "GET") -> tuple[int, Any, str]:
    """An answer of the vault, over TLS that is checked."""
    request = urllib.request.Request(variables["AZURE_KEYVAULT_URL"] + path, method=method)
    if bearer:
        request.add_header("Authorization", f"Bearer {bearer}")
    trust = ssl.create_default_context(cafile=variables["SSL_CERT_FILE"])
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=trust))
    try:
        with opener.open(request) as answer:
            return answer.status, json.load(answer), ""
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error), error.headers.get("WWW-Authenticate", "")


def test_a_job_reads_its_workspaces_vault(server: Server, holding: str, workspace: str) -> None:
    """By the token that it is given there: a challenge, the token, the secret. It writes none and opens no other
    vault."""
    variables = told(server, holding, "asker")
    status, _, challenge = over_tls(variables, "/secrets/db-password/", None)
    resource = re.search(r'resource="(https://0\.0\.1:\d+)"', challenge)
    assert status == 401
    assert resource, challenge
    status, answer = token(server, variables, resource[1])
    assert status == 200
    bearer = answer["access_token"]
    assert over_tls(variables, "/secrets/db-password/?api-version=7.5", bearer)[1]["value"] == VALUE
    assert over_tls(variables, "/secrets/db-password", bearer, "DELETE")[0] == 403
    assert over_tls(variables, "/deletedsecrets", bearer)[0] == 403
    assert server.ask_tcp("GET", f"{secrets(holding)}/db-password", token=bearer).body["value"] == VALUE
    assert server.ask_tcp("PUT", f"{secrets(holding)}/new", {"value": "x"}, token=bearer).status == 403
    other = holding + "-other"
    assert server.ask("PUT", f"{secrets(other)}/theirs", {"value": "theirs"}).status == 200
    theirs = {**variables, "AZURE_KEYVAULT_URL": told(server, other, "other")["AZURE_KEYVAULT_URL"]}
    assert over_tls(theirs, "/secrets/theirs", bearer)[0] == 404
    assert variables["IDENTITY_HEADER"].startswith(PREFIX)


def test_scripts_of_sdk_v1_read_secrets(server: Server, holding: str, tmp_path: Path) -> None:
    """`run.get_secret` and the workspace's key vault, without azureml-core."""
    script = tmp_path / "v1.py"
    script.write_text(
        "from azureml.core import Keyvault, Run\n"
        "run = Run.get_context()\n"
        "vault = run.experiment.workspace.get_default_keyvault()\n"
        "assert isinstance(vault, Keyvault)\n"
        "assert run.get_secret(name='db-password') == vault.get_secret('db-password') == 's3cret value/ö'\n"
        "assert run.get_secrets(['db-password']) == {'db-password': 's3cret value/ö'}\n"
        "assert vault.list_secrets() == [{'name': 'db-password'}]\n"
        "try:\n    run.get_secret('none')\n"
        "except Exception as error:\n    print(error)\n"
    )
    status, said = run(server, holding, "v1", f"python {script}")
    assert status == "Completed", said
    assert "there is no secret 'none'" in said


def test_a_token_for_elsewhere_is_not_given(server: Server, holding: str) -> None:
    """An error in App Service's words, after which DefaultAzureCredential goes on to the next way to log in."""
    variables = told(server, holding, "asker")
    status, answer = token(server, variables, "https://storage.azure.com")
    assert status == 403
    assert "their workspace and its vault only" in answer["message"]
    assert "access_token" not in answer
    forged = {"IDENTITY_HEADER": variables["IDENTITY_HEADER"][:-1] + "0"}
    if forged["IDENTITY_HEADER"] != variables["IDENTITY_HEADER"]:
        assert token(server, forged, "https://vault.azure.net")[0] == 401


def test_it_can_be_turned_off(own_server: Server, workspace: str) -> None:
    """`job-identity off`: jobs are told nothing, and a token that they had is good for nothing."""
    own_server.start()
    own_server.ask("PUT", f"{secrets(workspace)}/a", {"value": "value"})
    variables = told(own_server, workspace, "on")
    assert "AZURE_KEYVAULT_URL" in variables
    own_server.ask("PATCH", "/smalt/v1/config", {"job-identity": "off"})
    assert "IDENTITY_ENDPOINT" not in told(own_server, workspace, "off")
    assert token(own_server, variables, "https://vault.azure.net")[0] == 401


def test_keys_are_changed(own_server: Server, workspace: str) -> None:
    """All is encrypted anew by keys that nobody had before; a change that was cut off half way is finished by the next,
    and until then all can be read."""
    process = own_server.start()
    store = {
        "datastoreType": "AzureBlob", "accountName": "a", "containerName": "c",
        "credentials": {"credentialsType": "AccountKey", "secrets": {"secretsType": "AccountKey", "key": "a2V5"}},
    }  # fmt: skip
    connection = {"category": "Git", "target": "t", "authType": "PAT", "credentials": {"pat": "a pat"}}
    place = f"{secrets(workspace)}/db-password"
    assert own_server.ask("PUT", place, {"value": VALUE}).status == 200
    assert own_server.ask("PUT", f"{workspace}/datastores/far", {"properties": store}).status == 201
    assert own_server.ask("PUT", f"{workspace}/connections/git", {"properties": connection}).status in (200, 201)

    def check() -> None:
        assert own_server.ask("GET", place).body["value"] == VALUE
        assert own_server.ask("POST", f"{workspace}/datastores/far/listSecrets").body["key"] == "a2V5"
        found = own_server.ask("POST", f"{workspace}/connections/git/listsecrets").body["properties"]
        assert found["credentials"]["pat"] == "a pat"

    files = [own_server.home.path(f"{name}.key") for name in ("secrets", "datastores", "connections")]
    before = [file.read_text() for file in files]
    add_key(own_server.home, "secrets")  # and then a crash
    check()
    assert own_server.ask("POST", "/smalt/v1/rotate-keys", {}).body == {"encrypted": 3}
    check()
    after = [file.read_text() for file in files]
    assert all(len(new) == len(old) and new != old for new, old in zip(after, before, strict=True))
    assert [file.stat().st_mode & 0o777 for file in files] == [0o600] * 3
    process.kill()
    process.wait()
    own_server.start()
    check()
    files[0].write_text(before[0])
    answer = own_server.ask("GET", place)
    assert answer.status == 507
    assert "secrets.key is not the key that encrypted them; put that file back" in answer.body["error"]["message"]
