"""A shell that stands in a folder that was deleted."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.helpers import LONGEST


def ran(folder: Path, line: str) -> subprocess.CompletedProcess[str]:
    """Run a command line of smalt in a folder that it deletes first."""
    folder.mkdir()
    script = f"cd {folder} && rmdir {folder} && {sys.executable} -m smalt {line}"
    return subprocess.run(["bash", "-c", script], capture_output=True, text=True, timeout=LONGEST, check=False)


def test_commands_work_in_a_deleted_folder(tmp_path: Path) -> None:
    """What names no file of the current folder needs none."""
    file = tmp_path / "job.yml"
    file.write_text("type: command\ncommand: echo here\nenvironment: azureml:host\n")
    done = ran(tmp_path / "one", f"job create --file {file} --name j --stream")
    assert done.returncode == 0, done.stderr
    assert "here" in done.stdout
    assert ran(tmp_path / "two", "job show j --query experiment_name -o tsv").stdout == "Default\n"


def test_a_relative_path_in_a_deleted_folder_is_refused_with_the_reason(tmp_path: Path) -> None:
    """The sentence says that the folder is gone."""
    done = ran(tmp_path / "one", "job create --file job.yml")
    assert done.returncode == 1
    assert done.stderr == "error: the current folder was deleted; go to another (cd) or name the file absolutely\n"
