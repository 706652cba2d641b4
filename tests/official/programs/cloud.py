"""A custom cloud: nothing of the client is told but where the cloud describes itself."""

from __future__ import annotations

import os

_BASE = os.environ.pop("AZUREML_DEV_URL_MFE")
os.environ["ARM_CLOUD_METADATA_URL"] = f"{_BASE}/metadata/endpoints?api-version=2019-05-01"
os.environ["REGISTRY_DISCOVERY_ENDPOINT_URL"] = f"{_BASE}/"

import desk  # noqa: E402
from azure.ai.ml import Input, MLClient, command, dsl  # noqa: E402
from azure.ai.ml.entities import CommandComponent, Data, FeatureStore, Workspace  # noqa: E402
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


def it_takes_the_cloud_as_an_argument() -> None:
    """Without any variable, nothing but `cloud=` and what describes it changes in a program."""
    place = {
        "azure_portal": f"{_BASE}/ui/",
        "resource_manager": f"{_BASE}/",
        "active_directory": f"{_BASE}/login/",
        "aml_resource_id": "https://ml.azure.com/",
        "storage_endpoint": "core.windows.net",
        "registry_discovery_endpoint": f"{_BASE}/",
    }
    names = ("my-subscription", "my-group", ml.workspace_name)
    url, before = os.environ.pop("ARM_CLOUD_METADATA_URL"), os.environ.get("AZUREML_CURRENT_CLOUD")
    try:
        told = MLClient(DefaultAzureCredential(), *names, cloud="Told", cloud_metadata=place)
        assert told.workspaces.get(ml.workspace_name).name == ml.workspace_name
        data = Data(name="told", version="1", path=write("told.txt", "1"), type="uri_file")
        assert told.data.create_or_update(data).name == "told"
        sent = told.jobs.create_or_update(command(command="true", environment=HOST))
        told.jobs.stream(sent.name)
        assert sent.name in [one.name for one in told.jobs.list()]
    finally:
        os.environ["ARM_CLOUD_METADATA_URL"] = url
        os.environ.pop("AZUREML_CURRENT_CLOUD") if before is None else os.environ.update(AZUREML_CURRENT_CLOUD=before)


def it_reads_registries() -> None:
    """The prebuilt components of the registry smalt, by list, version and label; one is used in a pipeline."""
    registry = MLClient(DefaultAzureCredential(), registry_name="smalt")
    assert {"split_data", "train_model"} <= {one.name for one in registry.components.list()}
    split = registry.components.get("split_data", label="latest")
    assert (split.version, split.display_name) == ("1", "Split Data")
    assert registry.components.get("split_data", version="1").id == split.id
    table = write("cars.csv", "make,price\naudi,1\n")

    @dsl.pipeline(compute="cpu-cluster")
    def divide(fraction):
        split(dataset=Input(type="uri_file", path=table), fraction=fraction)

    message = refused(lambda: ml.jobs.create_or_update(divide(fraction=1.5)))
    assert "'fraction' must be at most 1" in message, message


def it_changes_no_registries() -> None:
    """One sentence; and one for a registry that is not there."""
    message = refused(lambda: MLClient(DefaultAzureCredential(), registry_name="mine"))
    assert "no registry 'mine'" in message, message
    registry = MLClient(DefaultAzureCredential(), registry_name="smalt")
    part = CommandComponent(name="part", version="1", command="true", environment="azureml://registries/smalt/x")
    message = refused(lambda: registry.components.create_or_update(part))
    assert "can only read registries here" in message, message


desk.report()
