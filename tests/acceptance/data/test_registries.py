"""Folder registries: what is shared there is plain files, and is used from there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from smalt import MLClient, yaml
from smalt.entities import Data, Model
from tests.acceptance.conftest import Desk

COMPONENT = """
    type: command
    name: part
    version: 1
    command: cat ${{inputs.d}}/a.csv said.txt > ${{outputs.o}}/both
    inputs: {d: {type: uri_folder}}
    outputs: {o: {type: uri_folder}}
    code: ./src
    environment: azureml:host
    """


@pytest.fixture
def team(desk: Desk) -> Iterator[Path]:
    """The folder of a registry of this name, with nothing in it."""
    folder = desk.folder / "team"
    ran = desk.smalt(f"registry create --name team --folder {folder}")
    assert ran.code == 0, ran.err
    desk.write("in/a.csv", "a\n")
    desk.write("src/said.txt", "code\n")
    yield folder
    assert desk.smalt("registry delete --name team --yes").code == 0
    assert folder.is_dir()


def test_shared_assets_are_plain_files(desk: Desk, team: Path) -> None:
    """YAML that loads as an equal asset, with the content beside it; a name and version may be given."""
    assert desk.smalt("data create --name d --version 3 --path in --description old").code == 0
    assert desk.smalt("data share --name d --version 3 --registry-name team").code == 0
    shared = "data share -n d -v 3 --registry-name team --share-with-name e --share-with-version 1.0"
    assert desk.ask(f"{shared} --query id") == "azureml://registries/team/data/e/versions/1.0"
    assert (team / "data/d/3/in/a.csv").read_text() == "a\n"
    read = yaml.load(team / "data/e/1.0/data.yml", "data")
    assert (read.name, read.version, read.type, read.description) == ("e", "1.0", "uri_folder", "old")
    assert set(desk.ask("data list --registry-name team --query [].name").split()) == {"d", "e"}
    assert str(team) not in (team / "data/d/3/data.yml").read_text()


def test_what_is_shared_stays_as_it_is(desk: Desk, team: Path) -> None:
    """The same content again is fine, another description is taken over, another content is one sentence."""
    assert desk.smalt("data create --name d --path in --type uri_folder --registry-name team --version 1").code == 0
    again = "data create --name d --path in --type uri_folder --registry-name team --version 1"
    assert desk.smalt(f"{again} --description new").code == 0
    assert desk.ask("data show -n d -v 1 --registry-name team --query description") == "new"
    desk.write("in/a.csv", "b\n")
    refused = desk.smalt(again)
    assert (refused.code, len(refused.err.splitlines())) == (1, 1)
    assert "create another version" in refused.err
    assert (team / "data/d/1/in/a.csv").read_text() == "a\n"
    assert [path.name for path in (team / "data/d").iterdir()] == ["1"], "nothing is left over"


def test_versions_and_archiving(desk: Desk, team: Path) -> None:
    """10 is newer than 9; what is archived is in no list, and an empty file in the registry says so."""
    for version in ("9", "10"):
        assert desk.smalt(f"model create --name m --path in --registry-name team --version {version}").code == 0
    assert desk.ask("model show -n m --label latest --registry-name team --query version") == "10"
    assert desk.smalt("model archive -n m -v 10 --registry-name team").code == 0
    assert (team / "models/m/10/.archived").read_bytes() == b""
    assert desk.ask("model show -n m --label latest --registry-name team --query version") == "9"
    assert desk.ask("model create --name m --path in --registry-name team --query version") == "11"
    assert desk.smalt("model archive -n m --registry-name team").code == 0
    assert desk.smalt("model list --registry-name team").json == []
    assert desk.smalt("model list -n m --registry-name team").json == []
    hidden = desk.smalt("model show -n m --label latest --registry-name team")
    assert "as model 'm' is archived; restore it with 'smalt model restore --name m --registry-name team'" in hidden.err
    assert desk.ask("model show -n m -v 9 --registry-name team --query version") == "9"
    assert "a new version would be hidden" in desk.smalt("model create --name m --path in --registry-name team").err
    assert "restored alone" in desk.smalt("model restore -n m -v 10 --registry-name team").err
    assert desk.smalt("model restore -n m --registry-name team").code == 0
    missing = desk.smalt("model show -n m -v 12 --registry-name team")
    assert "there is no model 'm:12' in registry 'team'; its versions are 11, 10, 9" in missing.err


def test_jobs_use_what_is_there(desk: Desk, team: Path) -> None:
    """A component with its code, an environment and data of a registry, by version and by label."""
    desk.write("part.yml", COMPONENT)
    desk.write("env.yml", "name: e\nversion: 1\nconda_file: {dependencies: [python>=3.9]}\nimage: some/image\n")
    assert desk.smalt("component create --file part.yml --registry-name team").code == 0
    assert desk.smalt("environment create --file env.yml --registry-name team").code == 0
    assert desk.smalt("data create --name d --path in --registry-name team").code == 0
    desk.write(
        "job.yml",
        """
        type: pipeline
        jobs:
          one:
            component: azureml://registries/team/components/part/versions/1
            inputs: {d: {type: uri_folder, path: azureml://registries/team/data/d/labels/latest}}
          two:
            command: cat ${{inputs.i}}/both
            environment: azureml://registries/team/environments/e/versions/1
            inputs: {i: "${{parent.jobs.one.outputs.o}}"}
        """,
    )
    ran = desk.smalt("job create --file job.yml --stream")
    assert ran.code == 0, ran.err
    assert [line for line in ran.lines if line.startswith("two | ")][-2:] == ["two | a", "two | code"], ran.out


def test_what_is_missing_is_said_at_submission(desk: Desk, team: Path) -> None:
    """In one sentence, and no job begins."""
    desk.write(
        "job.yml", "type: command\ncommand: 'true'\nenvironment: azureml://registries/team/environments/x/versions/1\n"
    )
    ran = desk.smalt("job create --file job.yml")
    assert ran.code in (1, 2)
    assert "there is no environment 'x:1' in registry 'team'" in ran.err


def test_from_workspace_to_workspace(desk: Desk, team: Path) -> None:
    """The content comes along, and is the same component there; a registry's asset is imported alike."""
    desk.write("part.yml", COMPONENT)
    assert desk.smalt("component create --file part.yml").code == 0
    assert desk.smalt("workspace create --name beside -g smalt").code == 0
    assert desk.smalt("component export-to -n part -v 1 --to-workspace beside").code == 0
    assert desk.ask("component show -n part -v 1 -w beside --query name") == "part"
    assert desk.smalt("component export-to -n part -v 1 --to-workspace beside").code == 0, "the same again"
    assert desk.smalt("data create -n d --path in --registry-name team").code == 0
    assert desk.ask("data import-from -n d -v 1 --registry-name team --as-name mine --query version") == "1"
    path = desk.ask("data show -n mine -v 1 --query path")
    assert path.startswith("azureml://datastores/workspaceblobstore/paths/LocalUpload/")
    neither = desk.smalt("data import-from -n d -v 1")
    assert "name the source: give either workspace_name or registry_name" in neither.err


def test_by_the_sdk(desk: Desk, team: Path) -> None:
    """A client of the registry creates, lists and gets; share gives what is there."""
    registry = MLClient(registry_name="team")
    made = registry.models.create_or_update(Model(name="m", path=str(desk.folder / "in"), type="custom_model"))
    assert (made.version, made.id) == ("1", "azureml://registries/team/models/m/versions/1")
    assert [one.name for one in registry.models.list()] == ["m"]
    client = MLClient()
    data = client.data.create_or_update(Data(name="shared", version="1", path=str(desk.folder / "in")))
    shared = client.data.share("shared", "1", share_with_name="s", share_with_version="2", registry_name="team")
    assert shared.id == "azureml://registries/team/data/s/versions/2"
    assert data.version == "1"
    registry.models.download("m", version="1", download_path=desk.folder / "got")
    assert (desk.folder / "got/m/a.csv").read_text() == "a\n"


def test_a_shared_pipeline_brings_its_parts(desk: Desk, team: Path) -> None:
    """A component that it names lies below it, so that the pipeline runs where only the registry is."""
    desk.write("part.yml", COMPONENT)
    desk.write(
        "whole.yml",
        """
        type: pipeline
        name: whole
        version: 1
        inputs: {d: {type: uri_folder}}
        jobs:
          one: {component: ./part.yml, inputs: {d: "${{parent.inputs.d}}"}}
        """,
    )
    assert desk.smalt("component create --file whole.yml").code == 0
    assert desk.smalt("component share -n whole -v 1 --registry-name team").code == 0
    assert list(team.rglob("said.txt")), [*team.rglob("*")]
    desk.write(
        "job.yml",
        """
        type: pipeline
        jobs:
          all:
            type: pipeline
            component: azureml://registries/team/components/whole/versions/1
            inputs: {d: {type: uri_folder, path: ./in}}
        """,
    )
    ran = desk.smalt("job create --file job.yml --stream -w elsewhere")
    assert ran.code == 0, ran.err + ran.out
