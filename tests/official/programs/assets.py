"""Data, environments, components, models, computes, datastores, workspaces."""

from __future__ import annotations

import desk
from azure.ai.ml import Input, Output, command, load_component
from azure.ai.ml.constants import AssetTypes
from azure.ai.ml.entities import (
    AmlCompute,
    AzureBlobDatastore,
    BuildContext,
    Data,
    Environment,
    Model,
    Workspace,
)
from azure.identity import DefaultAzureCredential
from azure.storage.blob import BlobServiceClient
from desk import HOST, done, folder, ml, refused, streamed, waited, write

CONDA = "name: c\nchannels: [conda-forge]\ndependencies:\n- python=3.11\n- pip\n"


def it_keeps_files_and_folders_as_data() -> None:
    """Created from local paths; versions count up; the latest is found."""
    file = write("data/in.csv", "a,b\n1,2\n")
    first = ml.data.create_or_update(Data(name="file", path=file, type=AssetTypes.URI_FILE, description="d"))
    assert (first.version, first.type, first.description) == ("1", "uri_file", "d")
    write("data/in.csv", "a,b\n3,4\n")
    second = ml.data.create_or_update(Data(name="file", path=file, type=AssetTypes.URI_FILE))
    assert second.version == "2"
    assert ml.data.get("file", label="latest").version == "2"
    assert sorted(one.version for one in ml.data.list("file")) == ["1", "2"]
    assert "file" in [one.name for one in ml.data.list()]
    made = ml.data.create_or_update(Data(name="folder", version="7", path=str(folder / "data"), type="uri_folder"))
    assert (made.name, made.version, made.type) == ("folder", "7", "uri_folder")
    job = command(
        command="cat ${{inputs.a}} ${{inputs.b}}/in.csv ${{inputs.c}}",
        environment=HOST,
        inputs={
            "a": Input(type="uri_file", path="azureml:file:1"),
            "b": Input(type="uri_folder", path="folder@latest"),
            "c": Input(type="uri_file", path=second.path),
        },
    )
    text = streamed(ml.jobs.create_or_update(job).name)
    assert text.count("1,2") == 1, text
    assert text.count("3,4") == 2, text


def it_uploads_the_same_data_once() -> None:
    """What a version, and a job, uploaded is not written again by the next."""
    write("once/a.txt", "once")
    account = "https://" + ml.datastores.get("workspaceblobstore").account_name.removesuffix("/?")
    store = BlobServiceClient(account, credential=DefaultAzureCredential()).get_container_client("azureml-blobstore")

    def written() -> dict[str, object]:
        return {one.name: one.etag for one in store.list_blobs("LocalUpload/") if "/once/" in one.name}

    def sent() -> None:
        ml.data.create_or_update(Data(name="once", path=str(folder / "once"), type="uri_folder"))
        data = Input(type="uri_folder", path=str(folder / "once"))
        ml.jobs.create_or_update(command(command="ls ${{inputs.d}}", environment=HOST, inputs={"d": data}))

    sent()
    before = written()
    assert len(before) == 1, before
    sent()
    assert written() == before


def it_keeps_tables_as_data() -> None:
    """An mltable with its file."""
    write("table/MLTable", "paths:\n  - file: ./in.csv\ntransformations:\n  - read_delimited:\n      delimiter: ','\n")
    write("table/in.csv", "a\n1\n")
    made = ml.data.create_or_update(Data(name="table", version="1", path=str(folder / "table"), type="mltable"))
    assert made.type == "mltable"
    assert ml.data.get("table", "1").path.rstrip("/").endswith("table")


def it_archives_data() -> None:
    """A version, and a whole asset."""
    write("old.txt", "1")
    ml.data.create_or_update(Data(name="old", version="1", path=str(folder / "old.txt"), type="uri_file"))
    ml.data.archive("old", "1")
    assert list(ml.data.list("old")) == []
    ml.data.restore("old", "1")
    assert [one.version for one in ml.data.list("old")] == ["1"]
    ml.data.archive("old")
    assert "old" not in [one.name for one in ml.data.list()]
    ml.data.restore("old")
    assert "old" in [one.name for one in ml.data.list()]


def it_does_not_change_what_a_version_is() -> None:
    """The client's own words for a path that changed."""
    write("one.txt", "1")
    write("two.txt", "2")
    ml.data.create_or_update(Data(name="fixed", version="1", path=str(folder / "one.txt"), type="uri_file"))
    changed = Data(name="fixed", version="1", path=str(folder / "two.txt"), type="uri_file")
    message = refused(lambda: ml.data.create_or_update(changed))
    assert "already" in message, message


def it_keeps_environments() -> None:
    """From an image, from conda, with versions that count up."""
    image = ml.environments.create_or_update(Environment(name="image", image="python:3.11-slim", version="1"))
    assert (image.version, image.image) == ("1", "python:3.11-slim")
    conda = Environment(name="conda", image="python:3.11-slim", conda_file=write("conda.yml", CONDA))
    made = ml.environments.create_or_update(conda)
    assert made.conda_file["dependencies"] == ["python=3.11", "pip"]
    assert ml.environments.get("conda", label="latest").version == made.version
    assert {"image", "conda"} <= {one.name for one in ml.environments.list()}
    other = Environment(name="conda", image="python:3.12-slim", conda_file=str(folder / "conda.yml"))
    assert ml.environments.create_or_update(other).version == "2"
    assert sorted(one.version for one in ml.environments.list("conda")) == ["1", "2"]


def it_keeps_build_contexts() -> None:
    """Created, listed, got; the context is there as blobs."""
    write("ctx/Dockerfile", "FROM python:3.11-slim\n")
    build = Environment(name="built", version="1", build=BuildContext(path=str(folder / "ctx")))
    made = ml.environments.create_or_update(build)
    assert made.build.dockerfile_path == "Dockerfile"
    found = ml.environments.get("built", "1")
    assert "LocalUpload" in found.build.path, found.build.path
    assert found.build.path == made.build.path
    again = ml.environments.create_or_update(
        Environment(name="built", version="1", build=BuildContext(path=str(folder / "ctx")))
    )
    assert again.build.path == made.build.path
    assert "built" in [one.name for one in ml.environments.list()]


def it_finds_environments_that_nobody_created() -> None:
    """`host`, and a curated name."""
    assert ml.environments.get("host", label="latest").version == "1"
    assert [one.version for one in ml.environments.list("host")] == ["1"]
    assert ml.environments.get("AzureML-sklearn-1.5", label="latest").name == "AzureML-sklearn-1.5"
    assert list(ml.environments.list("sklearn-1.5"))


def it_keeps_components() -> None:
    """Created, got in every way, listed, archived, and their code downloaded."""
    write("comp/main.py", "print('component')\n")
    write(
        "comp.yml",
        """
name: comp
display_name: Comp
type: command
inputs: {n: {type: integer, default: 3, min: 1}}
outputs: {o: {type: uri_folder}}
code: ./comp
environment: azureml:host@latest
command: python main.py ${{inputs.n}} > ${{outputs.o}}/o.txt
""",
    )
    made = ml.components.create_or_update(load_component(folder / "comp.yml"))
    assert made.version
    found = ml.components.get("comp")
    assert (found.version, found.display_name, str(found.inputs["n"]["default"])) == (made.version, "Comp", "3")
    assert ml.components.get("comp", made.version).command == found.command
    assert "comp" in [one.name for one in ml.components.list()]
    assert [one.version for one in ml.components.list("comp")] == [made.version]
    ml.components.archive("comp", made.version)
    assert list(ml.components.list("comp")) == []
    ml.components.restore("comp", made.version)


def it_downloads_components() -> None:
    """YAML, code and environment in a folder."""
    version = ml.components.get("comp").version
    ml.components.download("comp", version=version, download_path=folder / "comp-down")
    found = sorted(path.name for path in (folder / "comp-down").rglob("*") if path.is_file())
    assert "main.py" in found, found
    text = next((folder / "comp-down").rglob("main.py")).read_text()
    assert text == "print('component')\n"


def it_keeps_models() -> None:
    """A folder and a file; they come back by download."""
    write("mdl/MLmodel", "flavors: {}\n")
    write("mdl/weights.bin", "w" * 1000)
    made = ml.models.create_or_update(Model(name="folder", version="1", path=str(folder / "mdl"), type="custom_model"))
    assert (made.name, made.version, made.type) == ("folder", "1", "custom_model")
    ml.models.download("folder", "1", download_path=folder / "m-down")
    assert next((folder / "m-down").rglob("weights.bin")).read_text() == "w" * 1000
    file = ml.models.create_or_update(Model(name="file", path=str(folder / "mdl/weights.bin"), type="custom_model"))
    assert file.version == "1"
    ml.models.download("file", "1", download_path=folder / "f-down")
    assert next((folder / "f-down").rglob("weights.bin")).stat().st_size == 1000
    assert {"folder", "file"} <= {one.name for one in ml.models.list()}
    assert ml.models.get("file", label="latest").version == "1"
    ml.models.archive("file", "1")
    assert list(ml.models.list("file")) == []
    ml.models.restore("file", "1")


def it_registers_models_from_jobs() -> None:
    """By the path of a job's output; the model has its bytes."""
    job = command(
        command="echo weights > ${{outputs.m}}/w.txt",
        environment=HOST,
        outputs={"m": Output(type="custom_model")},
    )
    over = done(ml.jobs.create_or_update(job))
    path = f"azureml://jobs/{over.name}/outputs/m/paths/"
    made = ml.models.create_or_update(Model(name="trained", path=path, type="custom_model"))
    assert made.version == "1"
    ml.models.download("trained", "1", download_path=folder / "t-down")
    assert next((folder / "t-down").rglob("w.txt")).read_text() == "weights\n"


def it_keeps_computes() -> None:
    """Created, got, listed, started and stopped, deleted; none of it takes half a minute."""
    cluster = AmlCompute(name="cpu", size="STANDARD_DS3_V2", min_instances=0, max_instances=2)
    made = waited(ml.compute.begin_create_or_update(cluster))
    assert (made.name, made.provisioning_state) == ("cpu", "Succeeded")
    assert ml.compute.get("cpu").max_instances == 2
    assert "cpu" in [one.name for one in ml.compute.list()]
    waited(ml.compute.begin_delete("cpu"))
    assert "cpu" not in [one.name for one in ml.compute.list()]


def it_switches_compute_instances() -> None:
    """start, stop and restart answer 202."""
    from azure.ai.ml.entities import ComputeInstance

    waited(ml.compute.begin_create_or_update(ComputeInstance(name="ci-one", size="STANDARD_DS3_V2")))
    for switch in (ml.compute.begin_stop, ml.compute.begin_start, ml.compute.begin_restart):
        waited(switch("ci-one"))


def it_keeps_datastores() -> None:
    """The workspace's own, the default, and one that is created."""
    assert ml.datastores.get_default().name == "workspaceblobstore"
    assert {"workspaceblobstore", "workspaceartifactstore"} <= {one.name for one in ml.datastores.list()}
    ml.datastores.create_or_update(
        AzureBlobDatastore(name="mine", account_name="account", container_name="box", description="mine")
    )
    found = ml.datastores.get("mine")
    assert (found.account_name, found.container_name, found.description) == ("account", "box", "mine")
    ml.datastores.get("workspaceblobstore", include_secrets=True)
    ml.datastores.delete("mine")
    assert "mine" not in [one.name for one in ml.datastores.list()]


def it_knows_workspaces() -> None:
    """Any that is named is there; `begin_create` finds it."""
    own = ml.workspaces.get(ml.workspace_name)
    assert own.name == ml.workspace_name
    assert own.name in [one.name for one in ml.workspaces.list()]
    made = waited(ml.workspaces.begin_create(Workspace(name="another", location="westus", description="d")))
    assert made.name == "another"
    assert "another" in [one.name for one in ml.workspaces.list()]


desk.report()
