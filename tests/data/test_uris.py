from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smalt.exceptions import SmaltError, ValidationException
from smalt.service.data.uris.locations import AssetReference
from smalt.service.data.uris.uri_forms import DatastorePath, JobOutput, LocalFilePath, RemoteUrl, parse_uri

SCOPE = ("s", "g", "w")
ARM = "/subscriptions/s/resourceGroups/g/providers/Microsoft.MachineLearningServices/workspaces/w"


@pytest.mark.parametrize(
    ("uri", "parsed"),
    [
        ("/data/in.csv", LocalFilePath("/data/in.csv")),
        ("file:///data/a%20b.csv", LocalFilePath("/data/a b.csv")),
        ("file://localhost/data", LocalFilePath("/data")),
        ("https://host/a?sig=x", RemoteUrl("https://host/a?sig=x")),
        ("wasbs://c@acc.blob.core.windows.net/p/a.csv", RemoteUrl("https://acc.blob.core.windows.net/c/p/a.csv")),
        ("wasb://acc.blob.core.windows.net/c/p/", RemoteUrl("https://acc.blob.core.windows.net/c/p/")),
        ("abfss://fs@acc.dfs.core.windows.net/a", RemoteUrl("https://acc.blob.core.windows.net/fs/a")),
        ("azureml://datastores/d/paths/a/b", DatastorePath("d", "a/b", None)),
        ("azureml://datastores/d/paths/", DatastorePath("d", "", None)),
        ("azureml://datastores/d", DatastorePath("d", "", None)),
        (f"azureml:/{ARM}/datastores/d/paths/a", DatastorePath("d", "a", SCOPE)),
        (f"azureml:{ARM}/datastores/d/paths/a", DatastorePath("d", "a", SCOPE)),
        (
            "azureml://subscriptions/s/resourcegroups/g/workspaces/w/datastores/d/paths/a",
            DatastorePath("d", "a", SCOPE),
        ),
        ("azureml://jobs/j/outputs/o/paths/a/b", JobOutput("j", "o", "a/b", None)),
        (
            "azureml://jobs/j/outputs/artifacts/paths/outputs/model/",
            JobOutput("j", "artifacts", "outputs/model/", None),
        ),
        ("azureml://jobs/j/outputs/o", JobOutput("j", "o", "", None)),
        ("runs:/j/model", JobOutput("j", "artifacts", "model", None)),
        ("models:/n/3", AssetReference("models:/n/3", "n", "3", kind="models")),
        ("models:/n/1.0", AssetReference("models:/n/1.0", "n", "1.0", kind="models")),
        ("models:/n@best", AssetReference("models:/n@best", "n", None, "best", "models")),
        ("models:/n/latest", AssetReference("models:/n/latest", "n", None, "latest", "models")),
        ("models:/n/production", AssetReference("models:/n/production", "n", kind="models", stage="Production")),
        ("mlflow-artifacts:/ExperimentRun/a", DatastorePath("workspaceartifactstore", "ExperimentRun/a", None)),
        ("azureml:n:3", AssetReference("azureml:n:3", "n", "3")),
        ("azureml:n@latest", AssetReference("azureml:n@latest", "n", None, "latest")),
        ("azureml:n", AssetReference("azureml:n", "n")),
        (
            f"{ARM}/data/n/versions/3",
            AssetReference(f"{ARM}/data/n/versions/3", "n", "3", kind="data", workspace=SCOPE),
        ),
        (
            f"azureml:{ARM}/models/n/labels/latest",
            AssetReference(f"azureml:/{ARM}/models/n/labels/latest", "n", None, "latest", "models", workspace=SCOPE),
        ),
        (
            "azureml://registries/r/models/n/versions/1",
            AssetReference("azureml://registries/r/models/n/versions/1", "n", "1", kind="models", registry="r"),
        ),
        (
            "azureml://locations/l/workspaces/w/data/n/versions/1",
            AssetReference("azureml://locations/l/workspaces/w/data/n/versions/1", "n", "1", kind="data"),
        ),
    ],
)
def test_every_form_is_known(uri: str, parsed: object) -> None:
    """Each form of a URI of the service is taken apart as the service means it."""
    assert parse_uri(uri) == parsed


@pytest.mark.parametrize(
    ("uri", "says"),
    [
        ("data/in.csv", "neither an absolute path nor a URI"),
        ("", "neither an absolute path nor a URI"),
        ("hdfs://host/a", "url-map"),
        ("s3:///a", "names no bucket"),
        ("adl://acc.azuredatalakestore.net/a", "url-map"),
        ("file://host/a", "three slashes"),
        ("file:///a%00b", "not an absolute path"),
        ("azureml://nonsense", "not a URI that smalt knows"),
        ("azureml:a:b:c", "not an asset reference"),
        ("wasbs://container/path", "names no storage account"),
    ],
)
def test_what_is_no_uri_is_one_sentence(uri: str, says: str) -> None:
    """Anything else is refused in one line that says what to write."""
    with pytest.raises(ValidationException, match=says) as refused:
        parse_uri(uri)
    assert "\n" not in str(refused.value)


@given(
    st.text(max_size=40) | st.text(max_size=30).map("azureml://".__add__) | st.text(max_size=20).map("wasbs://".__add__)
)
def test_any_text_is_parsed_or_refused(text: str) -> None:
    """No text at all makes the parser fail otherwise."""
    with contextlib.suppress(SmaltError):
        parse_uri(text)
