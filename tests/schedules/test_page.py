"""docs/schedules.md: its files are created by the command line, and the job of the first one prints what it should."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import yaml
from smalt.service.schedules.missed import GRACE, MOST_MADE_UP, POLICIES
from tests.helpers import LONGEST, Server

PAGE = (Path(__file__).parents[2] / "docs/schedules.md").read_text()


def test_the_files_of_the_page(own_server: Server, tmp_path: Path) -> None:
    files = re.findall(r"^`(\w+\.yml)`:\n\n```yaml\n(.*?)```", PAGE, re.S | re.M)
    for name, text in files:
        (tmp_path / name).write_text(text)

    def smalt(*words: str) -> Any:
        command = [sys.executable, "-c", "from smalt.cli import main; main()", *words]
        environment = {**os.environ, "SMALT_HOME": str(own_server.home.root)}
        done = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=LONGEST)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout) if done.stdout.startswith("{") else done.stdout

    assert [name for name, _ in files] == ["job.yml", "nightly.yml", "weekly.yml", "arrivals.yml"]
    for name in ("nightly.yml", "weekly.yml", "arrivals.yml"):
        assert len(smalt("schedule", "create", "--file", name)["next_times"]) == 5
    job = smalt("schedule", "trigger", "nightly")["job_name"]
    assert "report of 20" in smalt("job", "stream", job)
    shown = smalt("schedule", "show", "nightly")
    example = next(
        each for text in re.findall(r"```yaml\n(.*?)```", PAGE, re.S) if "last_ticks" in (each := yaml.safe_load(text))
    )
    assert shown["last_ticks"][0].keys() == example["last_ticks"][0].keys()
    assert smalt("schedule", "disable", "nightly")["is_enabled"] is False


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="there is no systemd")
def test_the_unit_of_the_page(tmp_path: Path) -> None:
    """Systemd finds nothing to say about it; its program is that of this Python."""
    [text] = re.findall(r"smalt\.service`:\n\n```ini\n(.*?)```", PAGE, re.S)
    there = tmp_path / ".venv" / "bin"
    there.mkdir(parents=True)
    (there / "smalt").symlink_to(Path(sys.executable).parent / "smalt")
    unit = tmp_path / "smalt.service"
    unit.write_text(text.replace("%h", str(tmp_path)))
    environment = {**os.environ, "XDG_RUNTIME_DIR": str(tmp_path)}
    command = ["systemd-analyze", "--user", "verify", str(unit)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=LONGEST)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_policies_of_the_page() -> None:
    assert re.findall(r"^\| `(skip|once|all)`", PAGE, re.M) == list(POLICIES)
    assert GRACE == 60, "late by up to a minute"
    assert MOST_MADE_UP == 100, "the last hundred"
