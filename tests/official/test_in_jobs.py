"""Azure's own packages inside of jobs open the workspace that the job runs in, with nothing said to them."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import Any

import pytest

from tests.helpers import LONGEST, Server, eventually, host_job

OVER = ("Completed", "Failed", "Canceled")
OWN = """
import os
own = [os.environ["AZUREML_ARM_" + name] for name in ("SUBSCRIPTION", "RESOURCEGROUP", "WORKSPACE_NAME")]
"""


class Runner:
    def __init__(self, server: Server, workspace: str, folder: Path) -> None:
        self.server, self.workspace, self._folder = server, workspace, folder

    def __call__(self, python: str, name: str, program: str, **more: Any) -> str:
        """The log of a job that runs the program and completes."""
        file = self._folder / f"{name}.py"
        file.write_text(OWN + textwrap.dedent(program))
        body = host_job(f"{python} {file}", **more)
        assert self.server.ask("PUT", f"{self.workspace}/jobs/{name}", body).status == 201
        eventually(lambda: self.get(f"jobs/{name}")["properties"]["status"] in OVER, name, LONGEST)
        uri = f"azureml://jobs/{name}/outputs/artifacts/paths/user_logs/std_log.txt"
        found = self.server.ask("POST", f"/smalt/v1{self.workspace}/resolve", {"uri": uri}).body
        said = Path(found["local"]).read_text()
        assert self.get(f"jobs/{name}")["properties"]["status"] == "Completed", said
        return said

    def get(self, path: str) -> Any:
        return self.server.ask("GET", f"{self.workspace}/{path}").body


@pytest.fixture
def run(server: Server, workspace: str, tmp_path: Path) -> Runner:
    return Runner(server, workspace, tmp_path)


@pytest.mark.parametrize(
    "credential",
    [
        "DefaultAzureCredential()",
        "ManagedIdentityCredential()",
        'ManagedIdentityCredential(client_id=os.environ["DEFAULT_IDENTITY_CLIENT_ID"])',
        "AzureMLOnBehalfOfCredential()",
    ],
)
def test_a_job_opens_its_workspace(run: Runner, official: str, credential: str) -> None:
    """It lists datastores, registers a folder as a model and a file as data, reads them back, and submits a job."""
    said = run(
        official,
        "opener",
        f"""
        from azure.ai.ml import MLClient, command
        from azure.ai.ml.entities import Data, Model
        from azure.ai.ml.identity import AzureMLOnBehalfOfCredential
        from azure.identity import DefaultAzureCredential, ManagedIdentityCredential

        client = MLClient({credential}, *own)
        print(sorted(one.name for one in client.datastores.list()))
        os.makedirs("folder")
        open("folder/weights.txt", "w").write("weights")
        model = client.models.create_or_update(Model(name="mine", path="folder", type="custom_model"))
        client.data.create_or_update(Data(name="words", version="1", path="folder/weights.txt", type="uri_file"))
        client.models.download("mine", model.version, download_path="down")
        print(open("down/mine/folder/weights.txt").read())
        job = command(command="cat ${{{{inputs.w}}}}", environment="azureml:host@latest", code="folder",
                      inputs={{"w": {{"type": "uri_file", "path": "azureml:words:1"}}}})
        made = client.jobs.create_or_update(job)
        client.jobs.stream(made.name)
        print(str(client.jobs.get(made.name).status).upper())
        """,
    )
    assert "'workspaceblobstore'" in said
    assert "weights\n" in said
    assert "COMPLETED" in said
    mine = run.get("jobs/opener")["systemData"]["createdBy"]
    assert run.get("models/mine/versions/1")["systemData"]["createdBy"] == mine


def test_what_a_job_may_not_do_is_said(run: Runner, official: str) -> None:
    """The sentence comes out of Azure's client."""
    said = run(
        official,
        "refused",
        """
        from azure.ai.ml import MLClient
        from azure.core.exceptions import HttpResponseError
        from azure.identity import DefaultAzureCredential

        for action in (
            lambda: MLClient(DefaultAzureCredential(), *own).workspaces.get_keys(),
            lambda: MLClient(DefaultAzureCredential(), *own[:2], own[2] + "x").datastores.get("workspaceblobstore"),
        ):
            try:
                action()
            except HttpResponseError as error:
                print(error.status_code, error.message)
        """,
    )
    assert "403" in said
    assert "is not good for POST" in said
    assert "good for workspace" in said


def test_fsspec_lists_reads_and_writes(run: Runner, official_for_jobs: str, tmp_path: Path) -> None:
    """azureml-fsspec: datastores and data assets of the job's workspace, by long and by short URIs; what it does not
    find is not found, and what is there is not overwritten unasked."""
    file = tmp_path / "one.txt"
    file.write_text("of the asset")
    uri = {"dataType": "uri_file", "dataUri": file.as_uri()}
    assert run.server.ask("PUT", f"{run.workspace}/data/one/versions/1", {"properties": uri}).status in (200, 201)
    said = run(
        official_for_jobs,
        "files",
        """
        import importlib.metadata

        import fsspec
        from azureml.fsspec import AzureMachineLearningFileSystem as Files

        long = "azureml://subscriptions/%s/resourcegroups/%s/workspaces/%s/datastores/workspaceblobstore" % tuple(own)
        os.makedirs("up/sub")
        for name in ("a.csv", "sub/b c.csv"):
            open("up/" + name, "w").write(name)
        files = Files(long + "/paths/")
        files.put("up", "x", recursive=True)
        assert files.ls("x") == ["x/a.csv", "x/sub"], files.ls("x")
        assert files.glob("x/**.csv") == ["x/a.csv", "x/sub/b c.csv"], files.glob("x/**.csv")
        assert files.exists("x/a.csv") and not files.exists("x/none")
        with files.open("x/sub/b c.csv") as file:
            assert file.read() == b"sub/b c.csv"
        assert fsspec.open(long + "/paths/x/a.csv").open().read() == b"a.csv"
        knows_short = int(importlib.metadata.version("azureml-fsspec").split(".")[1]) >= 4
        if knows_short:
            assert Files("azureml://datastores/workspaceblobstore/paths/x").ls() == ["x/a.csv", "x/sub"]
            assert Files("azureml:one:1").open("one.txt").read() == b"of the asset"
        files.download("x", "down", recursive=True)
        assert open("down/sub/b c.csv").read() == "sub/b c.csv"
        open("up/a.csv", "w").write("changed")
        try:
            files.upload("up", "x", recursive=True)
        except Exception as error:
            print(error)
        assert files.open("x/a.csv").read() == b"a.csv"
        files.upload("up", "x", recursive=True, overwrite="MERGE_WITH_OVERWRITE")
        assert files.open("x/a.csv").read() == b"changed"
        """,
    )
    assert "is there already" in said


def test_fsspecs_own_library_starts(run: Runner, official_for_jobs: str) -> None:
    """It takes the job's NO_PROXY; a workspace elsewhere is refused by its own error, not by a panic."""
    said = run(
        official_for_jobs,
        "elsewhere",
        """
        from azureml.fsspec import AzureMachineLearningFileSystem as Files

        try:
            Files("azureml://subscriptions/a/resourcegroups/b/workspaces/c/datastores/d/paths/e").ls()
        except BaseException as error:
            print(type(error).__name__, error)
        """,
    )
    assert "Panic" not in said, said


def test_key_vaults_client_reads(run: Runner, official_for_jobs: str) -> None:
    """In a home that had no secret when it started, and with the credential that the rest of the program uses."""
    place = f"/smalt/v1{run.workspace}/secrets/db-password"
    assert run.server.ask("PUT", place, {"value": "the value"}).status == 200
    said = run(
        official_for_jobs,
        "vault",
        """
        from azure.ai.ml import MLClient
        from azure.core.exceptions import HttpResponseError
        from azure.identity import DefaultAzureCredential
        from azure.keyvault.secrets import SecretClient

        credential = DefaultAzureCredential()
        vault = SecretClient(os.environ["AZURE_KEYVAULT_URL"], credential)
        print(len(list(MLClient(credential, *own).datastores.list())), len(vault.get_secret("db-password").value))
        try:
            vault.set_secret("new", "x")
        except HttpResponseError as error:
            print(error.status_code)
        """,
    )
    assert "4 9" in said
    assert "403" in said
