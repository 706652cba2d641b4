"""The official client in a Python of its own, and the report of a program that uses it."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.helpers import Server

PROGRAMS = Path(__file__).parent / "programs"
LONGEST = 300
"""Seconds until a program is given up."""
_HERE = Path("/work/ref/official/bin/python")
_PACKAGES = ("azure-ai-ml==1.35.2", "azure-identity>=1.17,<2", "setuptools<81")


class Outcomes(NamedTuple):
    failures: dict[str, str | None]
    """By function: None, or its traceback."""
    said: str
    """The end of what the program printed."""


@pytest.fixture(scope="session")
def official() -> str:
    """SMALT_TEST_OFFICIAL_PYTHON, or a virtual environment that is made once and kept outside of the repository."""
    named = os.environ.get("SMALT_TEST_OFFICIAL_PYTHON")
    if named:
        return named
    if _HERE.exists():
        return str(_HERE)
    if not os.environ.get("CI"):
        pytest.skip("SMALT_TEST_OFFICIAL_PYTHON names no Python with azure-ai-ml, and this is not CI (set CI=1)")
    return _installed()


@pytest.fixture(scope="session")
def outcomes(server: Server, official: str, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Outcomes]:
    """What became of each function of a program, which is run once."""
    kept: dict[str, Outcomes] = {}

    def of(program: str) -> Outcomes:
        if program not in kept:
            kept[program] = _run(server, official, program, tmp_path_factory.mktemp(program))
        return kept[program]

    return of


def _run(server: Server, python: str, program: str, folder: Path) -> Outcomes:
    report = folder / "report.jsonl"
    environment = {
        **os.environ,
        "SMALT_HOME": str(server.home.root),
        "SMALT_TEST_WORKSPACE": f"official-{program}",
        "AZUREML_RUN_POLLING_INTERVAL_MIN": "0",
        "AZUREML_RUN_POLLING_INTERVAL_MAX": "1",
        "TMPDIR": str(folder),
        "PYTHONWARNINGS": "ignore",
    }
    command = [sys.executable, "-m", "smalt", "exec", "--", python, str(PROGRAMS / f"{program}.py"), str(report)]
    with open(folder / "said.txt", "w") as said:
        subprocess.run(command, env=environment, cwd=folder, stdout=said, stderr=said, timeout=LONGEST)
    lines = report.read_text().splitlines() if report.exists() else []
    failures = {one["name"]: one["failure"] for one in map(json.loads, lines)}
    return Outcomes(failures, (folder / "said.txt").read_text()[-5000:])


def _installed() -> str:
    from uv import find_uv_bin

    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path(tempfile.gettempdir()))
    key = hashlib.sha256(repr((_PACKAGES, sys.version_info[:2])).encode()).hexdigest()[:16]
    folder = cache / f"smalt-official-{key}"
    python, uv = folder / "bin" / "python", find_uv_bin()
    if not (folder / "complete").exists():
        subprocess.run([uv, "venv", "-q", "--clear", "--python", sys.executable, folder], check=True)
        subprocess.run([uv, "pip", "install", "-q", "--python", python, *_PACKAGES], check=True)
        (folder / "complete").touch()
    return str(python)
