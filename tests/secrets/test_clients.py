"""Azure's own packages in a job, as users' scripts use them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.helpers import Server, eventually

pytestmark = pytest.mark.integration

SCRIPT = """
import asyncio, os
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from azure.identity import DefaultAzureCredential
from azure.identity.aio import DefaultAzureCredential as AsyncCredential
from azure.keyvault.secrets import SecretClient
from azure.keyvault.secrets.aio import SecretClient as AsyncClient

url = os.environ["AZURE_KEYVAULT_URL"]
client = SecretClient(vault_url=url, credential=DefaultAzureCredential())
secret = client.get_secret("db-password")
assert secret.value == "the value", secret.value
assert secret.name == "db-password" and secret.properties.tags == {"a": "b"}
assert client.get_secret("db-password", secret.properties.version).value == "the value"
assert [one.name for one in client.list_properties_of_secrets()] == ["db-password"]
assert len(list(client.list_properties_of_secret_versions("db-password"))) == 1
try:
    client.get_secret("none")
except ResourceNotFoundError as error:
    assert "there is no secret 'none'" in str(error)
try:
    client.set_secret("new", "value")
except HttpResponseError as error:
    assert error.status_code == 403
else:
    raise AssertionError("a job may not write")

async def later():
    async with AsyncCredential() as credential, AsyncClient(vault_url=url, credential=credential) as client:
        return (await client.get_secret("db-password")).value

assert asyncio.run(later()) == "the value"
print("all well")
"""


def test_the_key_vault_client_reads_secrets(server: Server, workspace: str, tmp_path: Path) -> None:
    """azure-keyvault-secrets with DefaultAzureCredential, newest releases, installed by the job's own environment."""
    place = f"/smalt/v1{workspace}/secrets/db-password"
    assert server.ask("PUT", place, {"value": "the value", "tags": {"a": "b"}}).status == 200
    packages = ["azure-identity", "azure-keyvault-secrets", "aiohttp"]
    conda = json.dumps({"name": "kv", "dependencies": ["python=3.11", {"pip": packages}]})
    environment = {"properties": {"image": "mcr.microsoft.com/azureml/openmpi4.1.0-ubuntu20.04", "condaFile": conda}}
    assert server.ask("PUT", f"{workspace}/environments/kv/versions/1", environment).status in (200, 201)
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    body = {"jobType": "Command", "command": f"python {script}", "environmentId": "azureml:kv:1"}
    assert server.ask("PUT", f"{workspace}/jobs/reader", {"properties": body}).status == 201
    over = ("Completed", "Failed", "Canceled")
    job = eventually(
        lambda: (found := server.ask("GET", f"{workspace}/jobs/reader").body["properties"])["status"] in over and found,
        "the job's end",
        300,
    )
    log = server.ask("GET", f"/smalt/v1{workspace}/datastores/workspaceartifactstore/files/"
                            "ExperimentRun/dcid.reader/user_logs/std_log.txt").body  # fmt: skip
    assert job["status"] == "Completed", log
    assert b"all well" in log
