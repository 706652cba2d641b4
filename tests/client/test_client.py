"""MLClient: which workspace, which server."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest

from smalt import MLClient
from smalt.exceptions import ValidationException
from smalt.machine.home import Home

NAMES = {"subscription_id": "sub", "resource_group": "group", "workspace_name": "name"}


def test_defaults_need_nothing(home: Home) -> None:
    """Not even a credential; what Azure's client is given besides is taken."""
    client = MLClient(home=home, enable_telemetry=False)
    assert (client.subscription_id, client.resource_group_name, client.workspace_name) == (
        "00000000-0000-0000-0000-000000000000",
        "smalt",
        "default",
    )


def test_the_homes_defaults_come_before(home: Home) -> None:
    """And what is given comes before them."""
    home.create()
    home.write("config.json", json.dumps({"defaults": {"workspace": "w", "group": "g"}}))
    client = MLClient(home=home, resource_group_name="mine")
    assert (client.resource_group_name, client.workspace_name) == ("mine", "w")


@pytest.mark.parametrize("place", ["config.json", ".azureml/config.json", "../config.json"])
def test_a_workspace_from_a_file(tmp_path: Path, home: Home, place: str) -> None:
    """In the folder, in its `.azureml`, or above it."""
    folder = tmp_path / "project"
    (folder / ".azureml").mkdir(parents=True)
    (folder / place).resolve().write_text(json.dumps(NAMES))
    client = MLClient.from_config(path=folder, home=home)
    assert (client.subscription_id, client.resource_group_name, client.workspace_name) == ("sub", "group", "name")


def test_a_file_that_says_nothing_is_refused(tmp_path: Path) -> None:
    """Naming what it needs."""
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(ValidationException, match="workspace_name"):
        MLClient.from_config(path=tmp_path)
    with pytest.raises(ValidationException, match=r"no other\.json"):
        MLClient.from_config(path=tmp_path, file_name="other.json")


@pytest.mark.parametrize(
    ("near", "far"),
    [("config.json", "../.azureml/config.json"), ("project.json", "../config.json"), ("x", "../.azureml/project.json")],
)
def test_a_configuration_folder_comes_first(tmp_path: Path, home: Home, near: str, far: str) -> None:
    """Though it is further up: `.azureml`, `aml_config`, then the folder itself, each all the way; then other names."""
    folder = tmp_path / "project"
    (tmp_path / ".azureml").mkdir()
    folder.mkdir()
    (folder / near).write_text(json.dumps({**NAMES, "workspace_name": "near"}))
    (folder / far).resolve().write_text(json.dumps({**NAMES, "workspace_name": "far"}))
    assert MLClient.from_config(path=folder, home=home).workspace_name == "far"


def test_a_scope_is_a_configuration_too(tmp_path: Path, home: Home) -> None:
    """As the first SDK wrote it."""
    scope = "/subscriptions/s/resourceGroups/g/providers/Microsoft.MachineLearningServices/workspaces/w"
    (tmp_path / "config.json").write_text(json.dumps({"Scope": scope}))
    client = MLClient.from_config(path=tmp_path / "config.json", home=home)
    assert (client.subscription_id, client.resource_group_name, client.workspace_name) == ("s", "g", "w")


def test_without_a_configuration_it_is_the_default_workspace(
    tmp_path: Path, home: Home, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """In one line on stderr."""
    monkeypatch.setattr(
        "smalt.client.scope.config_file._LEVELS", 2
    )  # what lies above the temporary folder is not the test's
    folder = tmp_path / "a" / "b"
    folder.mkdir(parents=True)
    assert MLClient.from_config(credential=object(), path=folder, home=home).workspace_name == "default"
    assert capsys.readouterr().err.splitlines() == [
        f"smalt: there is no config.json in {folder} or above it; this is workspace 'default', smalt's default"
    ]


def test_a_credential_is_not_called(home: Home) -> None:
    """Nor any keyword of the official client."""

    class Credential:
        def get_token(self, *scopes: str, **_: object) -> None:
            raise AssertionError("called")

    client = MLClient(Credential(), "<SUBSCRIPTION_ID>", "<RESOURCE_GROUP>", "<AML_WORKSPACE_NAME>", cloud="x")
    assert client.workspace_name == "<AML_WORKSPACE_NAME>"
    assert MLClient(Credential(), "s", "g", None, "azureml", home=home).registry_name == "azureml"
    with pytest.raises(ValidationException, match="give one"):
        MLClient(Credential(), "s", "g", "w", registry_name="azureml")


def test_threads_have_connections_of_their_own(client: MLClient) -> None:
    """So that a client may be used from many."""
    pids: list[int] = []

    def ask() -> None:
        pids.extend(client.connection.get("/smalt/v1/status")["pid"] for _ in range(5))
        client.connection.close()

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(pids) == 20
    assert len(set(pids)) == 1
