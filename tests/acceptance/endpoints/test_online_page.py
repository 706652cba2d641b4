"""The commands of docs/online-endpoints.md, in their order: the home installs the inference server for them."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.helpers import Server, running_server

pytestmark = pytest.mark.integration

PAGE = Path(__file__).parents[3] / "docs" / "online-endpoints.md"


@pytest.fixture
def server() -> Iterator[Server]:
    with running_server() as server:
        yield server


def test_what_the_page_shows_works(server: Server, tmp_path: Path) -> None:
    """Each file as it stands there, each command with exit code 0, and the answer that the page names."""
    text = PAGE.read_text()
    for name, content in re.findall(r"```\w+\n# (\S+)\n(.*?)```", text, re.DOTALL):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "weight.txt").write_text("7")
    (tmp_path / "request.json").write_text('{"data": [1, 2]}')
    commands = re.findall(r"^    smalt (.*)$", text, re.MULTILINE)
    said = {command: run_command(server, tmp_path, command) for command in commands}
    assert said["online-endpoint invoke --name weights --request-file request.json"].strip() == '"[7, 14]"'
    assert len(commands) > 10
    uri = json.loads(said["online-endpoint show --name weights --query scoring_uri"])
    key = json.loads(said["online-endpoint get-credentials --name weights --query primaryKey"])
    answered = subprocess.run(
        ["curl", "-s", "-H", f"Authorization: Bearer {key}", "-H", "Content-Type: application/json", "-d",
         "@request.json", uri],
        cwd=tmp_path, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert json.loads(answered.stdout) == [7, 14]


def run_command(server: Server, folder: Path, command: str) -> str:
    words = [word.strip('"') for word in re.findall(r'"[^"]*"|\S+', command)]
    done = subprocess.run(
        [sys.executable, "-m", "smalt", *words],
        cwd=folder,
        env={**os.environ, "SMALT_HOME": str(server.home.root)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, (command, done.stderr)
    return done.stdout
