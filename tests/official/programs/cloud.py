"""A custom cloud: nothing of the client is told but where the cloud describes itself."""

from __future__ import annotations

import os

_BASE = os.environ.pop("AZUREML_DEV_URL_MFE")
os.environ["ARM_CLOUD_METADATA_URL"] = f"{_BASE}/metadata/endpoints?api-version=2019-05-01"
os.environ["REGISTRY_DISCOVERY_ENDPOINT_URL"] = f"{_BASE}/"

import desk  # noqa: E402
from azure.ai.ml import Input, MLClient, command, dsl  # noqa: E402
from azure.ai.ml.entities import Data, FeatureStore, Workspace  # noqa: E402
from azure.identity import DefaultAzureCredential  # noqa: E402
from desk import HOST, done, folder, ml, refused, streamed, write  # noqa: E402


def it_runs_code_and_reads_data() -> None:
    """Uploads, runs, streams, downloads."""
    write("src/main.py", "import sys; print('got', open(sys.argv[1]).read())")
    write("in.txt", "data")
    data = ml.data.create_or_update(Data(name="d", version="1", path=str(folder / "in.txt"), type="uri_file"))
    job = command(
        code=str(folder / "src"),
        command="python main.py ${{inputs.d}}",
        environment=HOST,
        inputs={"d": Input(type="uri_file", path=data.id)},
    )
    sent = ml.jobs.create_or_update(job)
    assert "got data" in streamed(sent.name)
    ml.jobs.download(sent.name, download_path=folder / "down")
    assert "got data" in (folder / "down/artifacts/user_logs/std_log.txt").read_text()
    assert sent.name in [one.name for one in ml.jobs.list()]


def it_runs_pipelines() -> None:
    """Whose requests carry a second token, for this cloud."""
    step = command(command="echo step", environment=HOST)

    @dsl.pipeline(compute="cpu-cluster")
    def one():
        step()

    done(ml.jobs.create_or_update(one()))


def it_creates_workspaces() -> None:
    """One that is new, and its jobs."""
    made = ml.workspaces.begin_create(Workspace(name="made", location="westus", description="said")).result()
    assert (made.name, made.description) == ("made", "said")
    there = MLClient(DefaultAzureCredential(), "my-subscription", "my-group", "made")
    assert list(there.jobs.list()) == []


def it_creates_feature_stores() -> None:
    """By a deployment, as the client does for what it cannot find as such."""
    made = ml.feature_stores.begin_create(
        FeatureStore(name="features", location="westus"), grant_materialization_permissions=False
    ).result()
    assert made.name == "features"


def it_says_that_there_are_no_registries() -> None:
    """One sentence."""
    message = refused(lambda: MLClient(DefaultAzureCredential(), registry_name="mine"))
    assert "no registry 'mine'" in message, message


desk.report()
