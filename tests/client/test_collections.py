"""Assets, datastores, computes and workspaces are kept and found again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from smalt import MLClient, load_component
from smalt.exceptions import Conflict, NotFound, ValidationException
from tests.client.documents import ENVIRONMENT, command, make

PIP = {"dependencies": ["python=3.11", {"pip": ["six"]}]}


def environment(**more: Any) -> Any:
    return make("environment", **{"name": "e", "image": "python:3.11", "conda_file": PIP, **more})


def component(text: str, **more: Any) -> Any:
    return make("component", **{"type": "command", "name": "c", "command": text, "environment": ENVIRONMENT, **more})


def test_an_asset_is_registered_and_found(client: MLClient) -> None:
    """By its version, and as the latest."""
    made: Any = client.environments.create_or_update(environment(version="3", tags={"a": "b"}))
    assert (made.name, made.version, made.tags) == ("e", "3", {"a": "b"})
    for found in (client.environments.get("e", "3"), client.environments.get("e", label="latest")):
        assert found.conda_file == PIP
        assert found.id == made.id


def test_an_asset_without_a_version_gets_the_next(client: MLClient) -> None:
    """One that is the same as the latest is that one."""
    assert client.components.create_or_update(component("echo 1")).version == "1"
    assert client.components.create_or_update(component("echo 1")).version == "1"
    assert client.components.create_or_update(component("echo 2")).version == "2"
    assert client.environments.create_or_update(environment()).version == "1"
    assert client.environments.create_or_update(environment()).version == "1"
    assert client.environments.create_or_update(environment(image="python:3.12")).version == "2"


def test_a_version_does_not_change(client: MLClient) -> None:
    """Other content needs another version."""
    client.components.create_or_update(component("echo 1", version="7"))
    with pytest.raises(Conflict, match="another version"):
        client.components.create_or_update(component("echo 2", version="7"))


def test_assets_are_listed(client: MLClient) -> None:
    """All with their latest versions, or the versions of one; archived ones only when asked for."""
    for text in ("1", "2"):
        client.components.create_or_update(component(f"echo {text}"))
    (listed,) = client.components.list()
    assert (listed.name, listed.latest_version, listed.version) == ("c", "2", None)
    assert {each.version for each in client.components.list("c")} == {"1", "2"}
    client.components.archive("c", "1")
    assert [each.version for each in client.components.list("c")] == ["2"]
    client.components.archive("c")
    assert list(client.components.list()) == []
    assert [each.name for each in client.components.list(list_view_type="All")] == ["c"]
    client.components.restore("c")
    assert len(list(client.components.list())) == 1


def test_what_is_not_there_is_named(client: MLClient) -> None:
    """With its kind."""
    with pytest.raises(NotFound, match="component 'nothing'"):
        client.components.get("nothing")
    client.components.create_or_update(component("x"))
    with pytest.raises(NotFound, match="c@blue"):
        client.components.get("c", label="blue")
    with pytest.raises(ValidationException, match="give one"):
        client.components.get("c", version="1", label="latest")


def test_an_asset_needs_a_name(client: MLClient) -> None:
    """To be registered."""
    with pytest.raises(ValidationException, match="name"):
        client.components.create_or_update(component("x", name=None))


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_local_data_is_kept_as_it_is_now(client: MLClient, tmp_path: Path, kind: str) -> None:
    """An asset does not change with the files that it was made of; the same content is there once."""
    source = tmp_path / "data"
    file = source if kind == "file" else source / "x.txt"
    file.parent.mkdir(exist_ok=True)
    file.write_text("before")
    made: Any = client.data.create_or_update(make("data", name="d", type=f"uri_{kind}", path=str(source)))
    assert made.version == "1"
    assert made.path.startswith("azureml://datastores/workspaceblobstore/paths/LocalUpload/")
    again: Any = client.data.create_or_update(make("data", name="other", type=f"uri_{kind}", path=str(source)))
    assert again.path == made.path
    file.write_text("after")
    place = client.connection.post(f"/smalt/v1{client.workspace_id}/resolve", {"uri": made.path})
    kept = Path(place["local"])
    assert (kept if kind == "file" else kept / "x.txt").read_text() == "before"


def test_a_model_is_downloaded(client: MLClient, tmp_path: Path) -> None:
    """Into a folder of its name."""
    (tmp_path / "m").mkdir()
    (tmp_path / "m" / "weights").write_text("1")
    client.models.create_or_update(make("model", name="mine", path=str(tmp_path / "m")))
    client.models.download("mine", "1", download_path=tmp_path / "here")
    assert (tmp_path / "here/mine/weights").read_text() == "1"
    assert client.models.get("mine").version == "1"


def test_datastores_are_there_from_the_beginning(client: MLClient) -> None:
    """One of them is the default; others can be added and forgotten."""
    assert client.datastores.get_default().name == "workspaceblobstore"
    given = {"type": "azure_blob", "name": "more", "account_name": "a", "container_name": "c"}
    client.datastores.create_or_update(make("datastore", **given))
    assert client.datastores.get("more").container_name == "c"
    assert "more" in {each.name for each in client.datastores.list()}
    client.datastores.delete("more")
    with pytest.raises(NotFound):
        client.datastores.get("more")


def test_files_are_uploaded_and_listed(client: MLClient, tmp_path: Path) -> None:
    """A folder's content below the target, a file as the target or into it."""
    folder = tmp_path / "up"
    (folder / "sub").mkdir(parents=True)
    (folder / "b.txt").write_text("b")
    (folder / "sub" / "a.txt").write_text("aa")
    sent = client.datastores.upload("workspaceblobstore", folder, "to")
    assert sent == {"uri": "azureml://datastores/workspaceblobstore/paths/to", "files": 2}
    client.datastores.upload("workspaceblobstore", folder / "b.txt", "to/")
    client.datastores.upload("workspaceblobstore", folder / "b.txt", "to/c.txt")
    found = list(client.datastores.ls("workspaceblobstore", "to", recursive=True))
    assert [(each["path"], each["size"]) for each in found if not each["is_dir"]] == [
        ("to/b.txt", 1),
        ("to/c.txt", 1),
        ("to/sub/a.txt", 2),
    ]
    assert [each["path"] for each in client.datastores.ls("workspaceblobstore", "to")] == [
        "to/b.txt",
        "to/c.txt",
        "to/sub",
    ]


def test_computes_are_kept(client: MLClient) -> None:
    """They are names for this machine."""
    given = {"type": "amlcompute", "name": "cluster", "size": "S", "min_instances": 0, "max_instances": 3}
    made = client.compute.begin_create_or_update(make("compute", **given)).result()
    assert (made.name, made.size, made.max_instances) == ("cluster", "S", 3)
    assert {each.name for each in client.compute.list()} >= {"local", "cluster"}
    client.compute.begin_stop("cluster").wait()
    client.compute.begin_delete("cluster").wait()
    assert "cluster" not in {each.name for each in client.compute.list()}


def test_workspaces_are_there_when_they_are_named(client: MLClient) -> None:
    """And can be described."""
    name = client.workspace_name
    assert client.workspaces.get().name == name
    assert client.workspaces.get().resource_group == client.resource_group_name
    assert f"workspace_name={name}" in repr(client)
    client.workspaces.begin_create(make("workspace", name=name, display_name="Mine", tags={"a": "b"})).result()
    kept = client.workspaces.get(name)
    assert (kept.display_name, kept.tags) == ("Mine", {"a": "b"})
    assert name in {each.name for each in client.workspaces.list()}


def test_anything_is_created_by_its_kind(client: MLClient) -> None:
    """`ml_client.create_or_update` finds the collection."""
    assert client.create_or_update(component("echo")).name == "c"
    given = {"type": "amlcompute", "name": "k", "size": "S"}
    assert client.create_or_update(make("compute", **given)).name == "k"
    with pytest.raises(TypeError):
        client.create_or_update(object())  # type: ignore[arg-type]


def test_a_component_is_downloaded(client: MLClient, tmp_path: Path) -> None:
    """Its specification and its code, which load as the component that it was."""
    (tmp_path / "src" / "sub").mkdir(parents=True)
    (tmp_path / "src" / "sub" / "a.py").write_text("print(1)")
    client.components.create_or_update(component("python sub/a.py", code=str(tmp_path / "src")))
    client.components.download("c", tmp_path / "here")
    assert (tmp_path / "here/c/code/sub/a.py").read_text() == "print(1)"
    loaded = load_component(tmp_path / "here/c/component_spec.yaml")
    assert (loaded.name, loaded.version, loaded.command) == ("c", "1", "python sub/a.py")
    assert client.components.create_or_update(loaded).code == client.components.get("c").code


def test_sizes_are_listed(client: MLClient) -> None:
    """The one of this machine is among them, as the cloud's by name."""
    sizes = {each.name.lower(): each for each in client.compute.list_sizes()}
    assert sizes["standard_nc24rs_v3"].gpus == 4
    assert sizes[client.compute.get("local").size.lower()].v_cp_us >= 1
    assert list(client.compute.list_sizes(compute_type="Kubernetes")) == []


def test_a_job_is_described_anew(client: MLClient) -> None:
    """`update` changes what it is given and leaves the rest."""
    made = client.jobs.create_or_update(command("true", tags={"a": "b"}), description="d")
    changed = client.jobs.update(made.name, display_name="D", properties={"p": "q"})
    assert (changed.display_name, changed.description, changed.tags, changed.properties["p"]) == (
        "D",
        "d",
        {"a": "b"},
        "q",
    )
