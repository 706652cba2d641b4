from __future__ import annotations

import contextlib
import re
from importlib.util import find_spec
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smalt.exceptions import NotFound, RefusedError, SmaltError, ValidationException
from smalt.machine.home import Home
from smalt.service.data import DataAccess
from smalt.service.data.datastores.addresses import Address, check_driver
from smalt.service.data.datastores.remote_store import RemoteStore
from smalt.service.data.job_data import access_modes
from smalt.service.records.workspaces import Workspace

from .conftest import Known

BLOB = "azureml://datastores/workspaceblobstore/paths"


def test_a_datastore_path_is_a_path_below_its_folder(data: DataAccess, workspace: Workspace) -> None:
    """It is known where it lies before anything is there, and it may come late."""
    found = data.resolve(f"{BLOB}/a//./b/", workspace)
    assert found.path == data.datastores.get_folder("default", "workspaceblobstore") / "a/b"
    assert (found.datastore, found.relative, found.late, found.exists) == ("workspaceblobstore", "a/b", True, False)


def test_a_path_may_not_climb_out_of_its_datastore(data: DataAccess, workspace: Workspace) -> None:
    """`..` is refused, encoded or not, and a percent sign is a percent sign."""
    with pytest.raises(ValidationException, match=r"leads out of datastore"):
        data.resolve(f"{BLOB}/a/../../b", workspace)
    found = data.resolve(f"{BLOB}/%2e%2e/b", workspace)
    assert found.relative == "%2e%2e/b"


def test_an_asset_leads_to_what_it_was_registered_with(data: DataAccess, known: Known, workspace: Workspace) -> None:
    """By version, by label and by its long id; what it was registered with may be any URI."""
    known.assets = {"titanic:1": "file:///data/titanic.csv", "titanic:latest": f"{BLOB}/LocalUpload/x/titanic.csv"}
    assert data.resolve("azureml:titanic:1", workspace).path == Path("/data/titanic.csv")
    assert data.resolve("azureml:titanic@latest", workspace).relative == "LocalUpload/x/titanic.csv"
    long = "/subscriptions/sub/resourceGroups/rg/workspaces/ws/models/titanic/versions/1"
    assert data.resolve(long, workspace).path == Path("/data/titanic.csv")
    assert (known.asked[-1].kind, known.asked[-1].workspace) == ("models", ("sub", "rg", "ws"))


def test_a_job_output_leads_to_where_it_was_written(data: DataAccess, known: Known, workspace: Workspace) -> None:
    """The path is taken below the output, which may not be left."""
    known.outputs = {("train", "model"): f"{BLOB}/azureml/train/model/"}
    found = data.resolve("azureml://jobs/train/outputs/model/paths/MLmodel", workspace)
    assert found.relative == "azureml/train/model/MLmodel"
    with pytest.raises(ValidationException, match="leads out of the output"):
        data.resolve("azureml://jobs/train/outputs/model/paths/../x", workspace)
    with pytest.raises(NotFound, match="there is no job train with an output 'other'"):
        data.resolve("azureml://jobs/train/outputs/other", workspace)


def test_assets_that_lead_to_each_other_end(data: DataAccess, known: Known, workspace: Workspace) -> None:
    """A circle of references is one sentence."""
    known.assets = {"a:1": "azureml:b:1", "b:1": "azureml:a:1"}
    with pytest.raises(ValidationException, match="without end"):
        data.resolve("azureml:a:1", workspace)


def test_a_uri_may_name_another_workspace(home: Home, known: Known, workspace: Workspace) -> None:
    """The long form goes to the workspace that it names, and says when the home does not have it."""
    other = Workspace(2, "sub", "rg", "other", "other", "{}", "me", 0.0)
    data = DataAccess(
        home,
        {},
        known.output,
        known.asset,
        lookup_workspace=lambda subscription, group, name: other if name == "other" else None,
    )
    uri = "azureml://subscriptions/sub/resourcegroups/rg/workspaces/{}/datastores/workspaceblobstore/paths/a"
    assert data.resolve(uri.format("other"), workspace).path == home.path(
        "workspaces", "other", "datastores", "workspaceblobstore", "a"
    )
    with pytest.raises(NotFound, match="names the workspace gone"):
        data.resolve(uri.format("gone"), workspace)


def test_what_must_be_there_beforehand(data: DataAccess, known: Known, workspace: Workspace, tmp_path: Path) -> None:
    """Local paths and assets are checked; a datastore path may still be made by an earlier step."""
    known.assets = {"lost:1": f"{BLOB}/lost", "here:1": f"file://{tmp_path}"}
    assert data.check_exists(str(tmp_path), workspace) is None
    assert data.check_exists("azureml:here:1", workspace) is None
    assert data.check_exists(f"{BLOB}/later", workspace) is None
    assert data.check_exists(f"{tmp_path}/gone", workspace) == f"{tmp_path}/gone does not exist; check the path"
    assert "datastore workspaceblobstore has no 'lost'" in str(data.check_exists("azureml:lost:1", workspace))
    assert "is not registered" in str(data.check_exists("azureml:none:1", workspace))
    assert "is a folder of the web" in str(data.check_exists("wasbs://c@a.blob.core.windows.net/folder/", workspace))
    assert "is a folder of the web" in str(data.check_exists("https://host/folder", workspace, "uri_folder"))


def test_a_registered_datastore_may_be_any_folder(
    home: Home, known: Known, tmp_path: Path, workspace: Workspace
) -> None:
    """One that maps to a folder leads there, one that does not has its own, an unknown one is said."""
    given = {"datastoreType": "LocalPath", "path": str(tmp_path / "mine")}
    registered = {"mine": given, "own": {"datastoreType": "AzureBlob", "accountName": "smalt", "containerName": "c"}}

    def lookup(folder: str, name: str | None) -> dict[str, dict[str, str]]:
        return {each: properties for each, properties in registered.items() if name in (None, each)}

    data = DataAccess(home, {}, known.output, known.asset, lookup_datastore=lookup)
    assert data.resolve("azureml://datastores/mine/paths/a", workspace).path == tmp_path / "mine" / "a"
    own = data.resolve("azureml://datastores/own/paths/a", workspace).path
    assert own == home.path("workspaces", "default", "datastores", "own", "a")
    with pytest.raises(NotFound, match="datastore gone is not registered"):
        data.resolve("azureml://datastores/gone/paths/a", workspace)
    with pytest.raises(ValidationException, match="is not the name of a datastore"):
        data.resolve("azureml://datastores/../paths/a", workspace)


texts = st.text(max_size=30) | st.sampled_from(
    ["/x" * 3000, "/" + "y" * 300, "\ud800", "/a\0b", "file:///%ff", "http://["]
)
prefixes = st.sampled_from(["", "/", "azureml://", "file://", "https://", "wasbs://", f"{BLOB}/", "azureml:"])


@given(prefixes, texts)
def test_any_text_is_resolved_or_refused(data: DataAccess, workspace: Workspace, prefix: str, text: str) -> None:
    """No text makes the room fail otherwise, and what it resolves can be looked at."""
    with contextlib.suppress(SmaltError):
        location = data.resolve(prefix + text, workspace)
        assert location.exists or access_modes.explain_missing(location)
    if not prefix.startswith(("https", "wasbs")):
        data.check_exists(prefix + text, workspace)


def test_a_container_made_here_is_a_folder_only_for_its_account(home: Home, known: Known, workspace: Workspace) -> None:
    """A cloud's container of the same name stays the cloud's: nothing that is meant for it is written to a folder."""
    folder = home.path("workspaces", "default", "containers", "data")
    folder.mkdir(parents=True)
    noted = {"smalt.account": "Theirs"}
    made = {"datastoreType": "LocalPath", "path": str(folder), "properties": noted}
    accounts = {"own": "default", "none": "", "ours": "smalt", "same": "theirs", "prod": "companyprod"}
    blob = {"datastoreType": "AzureBlob", "containerName": "data"}
    registered: dict[str, dict[str, object]] = {
        "data": made,
        **{name: {**blob, "accountName": account} for name, account in accounts.items()},
        "lake": {"datastoreType": "AzureDataLakeGen2", "filesystem": "data", "accountName": "theirs"},
    }

    def lookup(folder: str, name: str | None) -> dict[str, dict[str, object]]:
        return {each: properties for each, properties in registered.items() if name in (None, each)}

    data = DataAccess(home, {}, known.output, known.asset, lookup_datastore=lookup)
    for name in ("data", "own", "none", "ours", "same", "lake"):
        assert data.datastores.get_root("default", name) == folder, name
    with contextlib.suppress(RefusedError):  # where the cloud's driver is not installed
        assert isinstance(data.datastores.get_root("default", "prod"), RemoteStore)
    noted.clear()
    with contextlib.suppress(RefusedError):
        assert isinstance(data.datastores.get_root("default", "same"), RemoteStore)


@pytest.mark.parametrize(("kind", "module"), [("azure", "adlfs"), ("s3", "s3fs"), ("gs", "gcsfs")])
def test_a_store_without_its_driver_says_which_prefix_to_map(kind: str, module: str) -> None:
    """A datastore by its own name, which the URL map takes; another store by its URL."""
    if find_spec(module) is not None:
        pytest.skip(f"{module} is installed")
    address = Address(kind, "c", "a", "https://a.blob.core.windows.net" if kind == "azure" else None)
    with pytest.raises(RefusedError, match="url-map azureml://datastores/lake/paths=FOLDER`"):
        check_driver(address, "datastore lake")
    with pytest.raises(RefusedError, match=f"url-map {re.escape(str(address))}=FOLDER`"):
        check_driver(address, str(address))
