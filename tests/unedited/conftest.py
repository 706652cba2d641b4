"""Programs in a folder of the test's own, run by `smalt python` as users run them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.helpers import LONGEST, Server


@dataclass
class Ran:
    code: int
    out: str
    err: str


class Programs:
    def __init__(self, home: Path, folder: Path) -> None:
        self.home, self.folder = home, folder

    def write(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def notebook(self, name: str, *cells: str) -> Path:
        made = [
            {"cell_type": "code", "metadata": {}, "outputs": [], "execution_count": None, "source": cell}
            for cell in cells
        ]
        heading = {"cell_type": "markdown", "metadata": {}, "source": ["# A notebook"]}
        document = {"cells": [heading, *made], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
        return self.write(name, json.dumps(document))

    def cells(self, name: str) -> list[dict[str, Any]]:
        """The code cells of an executed notebook."""
        document = json.loads((self.folder / name).read_text())
        return [cell for cell in document["cells"] if cell["cell_type"] == "code"]

    def smalt(self, *words: str, given: str = "", environment: Mapping[str, str] | None = None) -> Ran:
        own = {**os.environ, "SMALT_HOME": str(self.home), "NO_COLOR": "1", **(environment or {})}
        for name in ("SMALT_URL", "SMALT_TOKEN", "SMALT_DEBUG", "PYTHONUNBUFFERED"):
            own.pop(name, None)
        done = subprocess.run(
            [sys.executable, "-m", "smalt", *words],
            cwd=self.folder, env=own, input=given, capture_output=True, text=True, timeout=LONGEST, check=False,
        )  # fmt: skip
        return Ran(done.returncode, done.stdout, done.stderr)

    def python(self, *words: str, given: str = "", environment: Mapping[str, str] | None = None) -> Ran:
        return self.smalt("python", *words, given=given, environment=environment)


@pytest.fixture
def programs(own_server: Server, tmp_path: Path) -> Programs:
    """With a home that has no server; one that a program starts ends with the test."""
    (tmp_path / "work").mkdir()
    return Programs(own_server.home.root, tmp_path / "work")


@pytest.fixture
def served(server: Server, tmp_path: Path) -> Programs:
    """With the home of the running server."""
    (tmp_path / "work").mkdir()
    return Programs(server.home.root, tmp_path / "work")
