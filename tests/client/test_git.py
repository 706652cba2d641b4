"""What a git checkout says of itself is read from its files."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from smalt.client.transfers import git_checkout
from smalt.client.transfers.git_checkout import read_properties
from tests.helpers import LONGEST

COMMIT = "mlflow.source.git.commit"
BRANCH = "mlflow.source.git.branch"
URL = "mlflow.source.git.repoURL"


def git(folder: Path, *words: str) -> str:
    environment = {
        **{f"GIT_{who}_{what}": "x" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
        **{"HOME": str(folder), "PATH": "/usr/bin:/bin:/usr/local/bin"},
    }
    done = subprocess.run(["git", *words], cwd=folder, env=environment, capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(git_checkout, "_PATIENCE", LONGEST)  # on a busy machine git may need more than a second
    git(tmp_path, "init", "-b", "main")
    git(tmp_path, "commit", "--allow-empty", "-m", "one")
    git(tmp_path, "remote", "add", "origin", "https://user:secret@host/repo.git")
    (tmp_path / "deep" / "er").mkdir(parents=True)
    return tmp_path


def test_commit_branch_and_repository_are_read(checkout: Path) -> None:
    """From any folder in it; without the password in the URL."""
    found = read_properties(str(checkout / "deep" / "er"), {})
    assert found[COMMIT] == found["azureml.git.commit"] == git(checkout, "rev-parse", "HEAD")
    assert found[BRANCH] == found["azureml.git.branch"] == "main"
    assert found[URL] == found["azureml.git.repository_uri"] == "https://host/repo.git"


def test_packed_references_are_read(checkout: Path) -> None:
    """As they are after a clone."""
    commit = git(checkout, "rev-parse", "HEAD")
    git(checkout, "pack-refs", "--all")
    assert read_properties(str(checkout), {})[COMMIT] == commit


def test_a_commit_without_a_branch(checkout: Path) -> None:
    """As build systems check out."""
    commit = git(checkout, "rev-parse", "HEAD")
    git(checkout, "checkout", "--detach")
    found = read_properties(str(checkout), {})
    assert found[COMMIT] == commit
    assert BRANCH not in found


def test_a_linked_worktree(checkout: Path, tmp_path: Path) -> None:
    """Has its own branch and the repository of the first."""
    git(checkout, "worktree", "add", "-b", "side", str(tmp_path / "side"))
    found = read_properties(str(tmp_path / "side"), {})
    assert (found[BRANCH], found[URL]) == ("side", "https://host/repo.git")
    assert found[COMMIT] == git(checkout, "rev-parse", "side")


def test_the_remote_of_the_branch_is_meant(checkout: Path) -> None:
    """Where it has one of its own."""
    git(checkout, "remote", "add", "other", "git@host:other.git")
    git(checkout, "config", "branch.main.remote", "other")
    assert read_properties(str(checkout), {})[URL] == "git@host:other.git"


def test_variables_of_a_build_system_come_first(checkout: Path) -> None:
    """It may have no checkout at all."""
    variables = {"AZUREML_GIT_BRANCH": "release", "AZUREML_GIT_BUILD_ID": "7"}
    found = read_properties(str(checkout), variables)
    assert (found[BRANCH], found["azureml.git.build_id"]) == ("release", "7")


def test_outside_a_checkout_there_is_nothing(tmp_path: Path) -> None:
    """Nor in one that is damaged."""
    assert read_properties(str(tmp_path), {}) == {}
    (tmp_path / ".git").mkdir()
    assert read_properties(str(tmp_path), {}) == {}


def test_whether_it_is_dirty(checkout: Path) -> None:
    """Something that is not committed below the folder makes it so; where git is not there, nothing is said."""
    assert read_properties(str(checkout), {})["azureml.git.dirty"] == "False"
    (checkout / "deep" / "new").write_text("")
    assert read_properties(str(checkout), {})["azureml.git.dirty"] == "True"
    assert read_properties(str(checkout / "deep" / "er"), {})["azureml.git.dirty"] == "False"


def test_a_changed_file_beside_the_code_is_dirty_too(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    """So is code that is one file; files of no checkout say nothing, and names are no patterns."""
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "job.yml"
    elsewhere.write_text("")
    pipeline, code = checkout / "pipeline[1].yml", checkout / "deep" / "er" / "main.py"
    for file in (pipeline, checkout / "pipeline1.yml", code):
        file.write_text("one")
    git(checkout, "add", ".")
    git(checkout, "commit", "-m", "two")

    def is_dirty(folder: Path, *sources: Path) -> str:
        return read_properties(str(folder), {}, map(str, sources))["azureml.git.dirty"]

    (checkout / "pipeline1.yml").write_text("two")
    assert is_dirty(code.parent, pipeline, elsewhere) == is_dirty(code, pipeline) == "False"
    pipeline.write_text("two")
    assert is_dirty(code.parent, elsewhere, pipeline) == "True"
    assert is_dirty(code.parent, code) == "False"
    code.write_text("two")
    assert is_dirty(code) == is_dirty(checkout / "deep") == "True"


def test_without_git(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The rest is told all the same."""
    monkeypatch.setenv("PATH", "/nowhere")
    assert "azureml.git.dirty" not in read_properties(str(checkout), {})
    assert BRANCH in read_properties(str(checkout), {})
