from __future__ import annotations

import os
from pathlib import Path

import pytest

from smalt.exceptions import NotFound, RefusedError
from smalt.service.data import DataAccess
from smalt.service.records.workspaces import Workspace

BLOB = "azureml://datastores/workspaceblobstore/paths"


@pytest.fixture
def store(data: DataAccess) -> Path:
    folder = data.datastores.get_folder("default", "workspaceblobstore")
    (folder / "in").mkdir(parents=True)
    (folder / "in" / "a.csv").write_text("1")
    (folder / "in" / "run.sh").write_text("#!/bin/sh\n")
    (folder / "in" / "run.sh").chmod(0o555)
    return folder


@pytest.mark.parametrize("mode", [None, "ro_mount", "rw_mount", "direct", "eval_mount"])
def test_a_mounted_input_is_the_data_itself(
    data: DataAccess, workspace: Workspace, store: Path, tmp_path: Path, mode: str | None
) -> None:
    """Nothing is copied, and nothing is made in the job's folder."""
    own = tmp_path / "job" / "inputs" / "x"
    assert data.prepare_input(data.locate(f"{BLOB}/in", workspace), "uri_folder", mode, own) == store / "in"
    assert not own.exists()
    assert data.is_quick(data.locate(f"{BLOB}/in", workspace), mode)


@pytest.mark.parametrize("mode", ["download", "eval_download"])
def test_a_downloaded_input_is_the_jobs_own(
    data: DataAccess, workspace: Workspace, store: Path, tmp_path: Path, mode: str
) -> None:
    """A job may do with it what it likes; asked for again, the copy is there as it was left."""
    own = tmp_path / "job" / "inputs" / "x"
    assert data.prepare_input(data.locate(f"{BLOB}/in", workspace), "uri_folder", mode, own) == own
    assert sorted(os.listdir(own)) == ["a.csv", "run.sh"]
    assert os.access(own / "run.sh", os.X_OK)
    (own / "a.csv").write_text("mine")
    assert data.prepare_input(data.locate(f"{BLOB}/in", workspace), "uri_folder", mode, own) == own
    assert (own / "a.csv").read_text() == "mine"
    assert (store / "in" / "a.csv").read_text() == "1"
    file = data.prepare_input(data.locate(f"{BLOB}/in/a.csv", workspace), "uri_file", mode, tmp_path / "file")
    assert (file, file.read_text()) == (tmp_path / "file" / "a.csv", "1")
    assert not data.is_quick(data.locate(f"{BLOB}/in", workspace), mode)
    assert data.is_quick(data.locate(f"{BLOB}/in/a.csv", workspace), mode)


def test_a_copy_that_was_cut_off_is_made_anew(
    data: DataAccess, workspace: Workspace, store: Path, tmp_path: Path
) -> None:
    """What a crash left half copied does not reach the job."""
    (tmp_path / "x.partial").mkdir()
    (tmp_path / "x.partial" / "half").touch()
    own = data.prepare_input(data.locate(f"{BLOB}/in", workspace), "uri_folder", "download", tmp_path / "x")
    assert sorted(os.listdir(own)) == ["a.csv", "run.sh"]


def test_an_input_that_is_not_there_is_one_sentence(
    data: DataAccess, workspace: Workspace, store: Path, tmp_path: Path
) -> None:
    """At the step's start a missing or wrong input is named with what is wrong."""
    with pytest.raises(NotFound, match="datastore workspaceblobstore has no 'later'"):
        data.prepare_input(data.locate(f"{BLOB}/later", workspace), "uri_file", None, tmp_path / "x")
    with pytest.raises(RefusedError, match="is a folder, but the input's type is uri_file"):
        data.prepare_input(data.locate(f"{BLOB}/in", workspace), "uri_file", None, tmp_path / "x")


def test_a_direct_input_is_given_as_it_is(data: DataAccess, workspace: Workspace, store: Path, tmp_path: Path) -> None:
    """Spark writes a folder where an output is a file by its type, and the next step reads it by its URI."""
    there = data.prepare_input(data.locate(f"{BLOB}/in", workspace), "uri_file", "direct", tmp_path / "x")
    assert there.is_dir()


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_an_input_that_may_not_be_seen_says_so(data: DataAccess, workspace: Workspace, tmp_path: Path) -> None:
    """A folder without permission is not taken for a missing file."""
    (tmp_path / "closed").mkdir(mode=0)
    assert f"no permission for {tmp_path}/closed" in str(data.check_exists(f"{tmp_path}/closed/a", workspace))


@pytest.mark.parametrize("type", ["uri_folder", "mltable", "mlflow_model", "custom_model", None])
@pytest.mark.parametrize("mode", [None, "rw_mount", "direct", "upload"])
def test_a_folder_output_is_there_and_empty(
    data: DataAccess, workspace: Workspace, tmp_path: Path, type: str | None, mode: str | None
) -> None:
    """MLflow wants an empty folder, `cd` wants one at all; when the job is done it is in the datastore."""
    own = tmp_path / "job" / "outputs" / "x"
    path = data.prepare_output(data.locate(f"{BLOB}/out/", workspace), type, mode, own)
    assert os.listdir(path) == []
    assert (path == own) == (mode == "upload")
    (path / "model").mkdir()
    (path / "model" / "MLmodel").write_text("m")
    data.finish_output(f"{BLOB}/out/", workspace, type, mode, own)
    target = data.resolve(f"{BLOB}/out", workspace).path
    assert target is not None
    assert (target / "model" / "MLmodel").read_text() == "m"


@pytest.mark.parametrize("mode", [None, "rw_mount", "upload"])
def test_a_file_output_is_not_there_but_its_folder_is(
    data: DataAccess, workspace: Workspace, tmp_path: Path, mode: str | None
) -> None:
    """`echo > ${{outputs.x}}` works, and so does a program that makes a folder there."""
    own = tmp_path / "job" / "outputs" / "x"
    path = data.prepare_output(data.locate(f"{BLOB}/deep/er/hello.txt", workspace), "uri_file", mode, own)
    assert path.name == "hello.txt"
    assert path.parent.is_dir()
    assert not path.exists()
    path.write_text("world")
    for _ in range(2):
        data.finish_output(f"{BLOB}/deep/er/hello.txt", workspace, "uri_file", mode, own)
    target = data.resolve(f"{BLOB}/deep/er/hello.txt", workspace).path
    assert target is not None
    assert target.read_text() == "world"


def test_an_upload_joins_what_is_there(data: DataAccess, workspace: Workspace, store: Path, tmp_path: Path) -> None:
    """Files of the same name are replaced, others stay; cut off half way and done again it ends the same."""
    own = tmp_path / "x"
    path = data.prepare_output(data.locate(f"{BLOB}/in", workspace), "uri_folder", "upload", own)
    (path / "a.csv").write_text("new")
    (path / "b").mkdir()
    (path / "b" / "c").write_text("c")
    data.finish_output(f"{BLOB}/in", workspace, "uri_folder", "upload", own)
    data.finish_output(f"{BLOB}/in", workspace, "uri_folder", "upload", own)
    assert sorted(os.listdir(store / "in")) == ["a.csv", "b", "run.sh"]
    assert (store / "in" / "a.csv").read_text() == "new"
    assert not own.exists()


def test_an_output_to_the_web_is_refused(data: DataAccess, workspace: Workspace, tmp_path: Path) -> None:
    """What cannot be written is said before the command runs."""
    with pytest.raises(RefusedError, match="cannot be written"):
        data.prepare_output(data.locate("https://host/out", workspace), "uri_folder", None, tmp_path / "x")


def test_moving_into_place(data: DataAccess, tmp_path: Path) -> None:
    """A folder moves and merges; an absent one is fine."""
    (tmp_path / "outputs").mkdir()
    (tmp_path / "outputs" / "model.pkl").write_text("m")
    data.move_into(tmp_path / "outputs", tmp_path / "artifacts" / "outputs")
    data.move_into(tmp_path / "outputs", tmp_path / "artifacts" / "outputs")
    assert (tmp_path / "artifacts" / "outputs" / "model.pkl").read_text() == "m"


def test_an_asset_is_kept_as_it_was(data: DataAccess, workspace: Workspace, code: Path) -> None:
    """A registered folder or file is copied once, read-only, less what its ignore file names."""
    (code / ".amlignore").write_text("skip\n")
    (code / "skip").write_text("s")
    (code / "data.csv").write_text("1")
    uri = data.import_local(str(code), workspace)
    kept = data.resolve(uri, workspace).path
    assert kept is not None
    assert uri == data.import_local(str(code), workspace)
    assert uri.startswith(f"{BLOB}/LocalUpload/")
    assert sorted(os.listdir(kept)) == [".amlignore", "data.csv"]
    assert kept.name == code.name
    assert (kept / "data.csv").stat().st_mode & 0o222 == 0
    (code / "data.csv").write_text("2")
    assert data.import_local(str(code), workspace) != uri
    assert (kept / "data.csv").read_text() == "1"
    file = data.resolve(data.import_local(str(code / "data.csv"), workspace), workspace).path
    assert file is not None
    assert (file.name, file.read_text()) == ("data.csv", "2")
    with pytest.raises(NotFound, match="does not exist; check the path of the asset"):
        data.import_local(str(code / "gone"), workspace)


@pytest.mark.parametrize("path", ["/", "above", "store"])
def test_the_store_is_not_copied_into_itself(data: DataAccess, workspace: Workspace, store: Path, path: str) -> None:
    """Nor is a folder that contains it, such as the whole disk: refused before anything is read."""
    whole = {"/": "/", "above": str(store.parent.parent), "store": str(store)}[path]
    with pytest.raises(RefusedError, match="contains the store"):
        data.import_local(whole, workspace)
