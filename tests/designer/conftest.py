"""A real server for each module, and a folder in which a test's program lies and runs."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

import smalt.inside
from smalt import MLClient
from tests.helpers import LONGEST, Server, running_server

INSIDE = Path(smalt.inside.__file__).parent

TITANIC = "wasbs://demo@dprepdata.blob.core.windows.net/Titanic.csv"


class Folder:
    """A program and what lies beside it."""

    def __init__(self, path: Path, server: Server) -> None:
        self.path = path
        self.variables = {**os.environ, "SMALT_HOME": str(server.home.root), "PYTHONPATH": str(path)}

    def write(self, name: str, text: str) -> Path:
        file = self.path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(textwrap.dedent(text))
        return file

    def run(self, name: str) -> str:
        """What a program prints that ends well."""
        done = subprocess.run(
            [sys.executable, name],
            cwd=self.path, env=self.variables, capture_output=True, text=True, timeout=LONGEST,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout


@pytest.fixture(scope="module")
def module_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Its URL map has the seed's Titanic.csv."""
    data = tmp_path_factory.mktemp("titanic") / "Titanic.csv"
    data.write_text("PassengerId,Survived\n1,0\n2,1\n")
    with running_server(url_map={TITANIC: str(data)}) as server:
        yield server


@pytest.fixture
def folder(module_server: Server, tmp_path: Path) -> Folder:
    made = Folder(tmp_path / "work", module_server)
    made.path.mkdir()
    return made


@pytest.fixture
def client(module_server: Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> MLClient:
    """Of a workspace; the test's own folder is the current one, and importable from."""
    monkeypatch.setenv("SMALT_HOME", str(module_server.home.root))
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    return MLClient(None, "s", "g", "w")
