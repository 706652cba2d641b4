"""The official client in a Python of its own, and the report of a program that uses it."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.helpers import Server

PROGRAMS = Path(__file__).parent / "programs"
LONGEST = 900
"""Seconds until a program is given up."""
_HERE = Path("/work/ref/official/bin/python")
NEWEST = "1.35.2"
_BESIDE = ("azure-identity>=1.17,<2", "marshmallow<3.24", "setuptools<81")
"""What a fresh install needs besides: releases before 1.23 do not know marshmallow's later ones."""


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
    return installed(NEWEST)


@pytest.fixture(scope="session")
def outcomes(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, str], Outcomes]:
    """What became of each function of a program, which is run once with each Python."""
    kept: dict[tuple[str, str], Outcomes] = {}

    def of(python: str, program: str) -> Outcomes:
        if (python, program) not in kept:
            kept[python, program] = _run(server, python, program, tmp_path_factory.mktemp(program))
        return kept[python, program]

    return of


def _run(server: Server, python: str, program: str, folder: Path) -> Outcomes:
    report = folder / "report.jsonl"
    environment = {
        **os.environ,
        "SMALT_HOME": str(server.home.root),
        "SMALT_TEST_WORKSPACE": f"official-{folder.parent.name}-{folder.name}",
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


@pytest.fixture(scope="session")
def official_for_jobs() -> str:
    """A Python for jobs: the same with Key Vault's client and azureml-fsspec; SMALT_TEST_OFFICIAL_JOBS_PYTHON names
    another."""
    named = os.environ.get("SMALT_TEST_OFFICIAL_JOBS_PYTHON")
    if named:
        return named
    if not os.environ.get("CI"):
        pytest.skip(
            "SMALT_TEST_OFFICIAL_JOBS_PYTHON names no Python with azureml-fsspec, and this is not CI (set CI=1)"
        )
    return installed(NEWEST, "azureml-fsspec", "azure-keyvault-secrets")


def installed(version: str, *more: str) -> str:
    """The Python of a virtual environment with that azure-ai-ml, and `more` packages."""
    from uv import find_uv_bin

    packages = (f"azure-ai-ml=={version}", *_BESIDE, *more)
    key = hashlib.sha256(repr((packages, sys.version_info[:2])).encode()).hexdigest()[:16]
    folder = Path(os.environ.get("XDG_CACHE_HOME") or tempfile.gettempdir()) / f"smalt-official-{key}"
    python, uv = folder / "bin" / "python", find_uv_bin()
    with _locked(folder):
        if not (folder / "complete").exists():
            subprocess.run([uv, "venv", "-q", "--clear", "--python", sys.executable, folder], check=True)
            subprocess.run([uv, "pip", "install", "-q", "--python", python, *packages], check=True)
            (folder / "complete").touch()
    return str(python)


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Let one worker at a time make a folder that all of them use."""
    with open(f"{folder}.lock", "w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@pytest.fixture(scope="session")
def distribution(official: str) -> Path:
    """SMALT_TEST_OFFICIAL_SOURCE, or the source distribution of that azure-ai-ml, kept outside of the repository."""
    named = os.environ.get("SMALT_TEST_OFFICIAL_SOURCE")
    if named:
        return Path(named)
    if not os.environ.get("CI"):
        pytest.skip("SMALT_TEST_OFFICIAL_SOURCE names no source of azure-ai-ml, and this is not CI (set CI=1)")
    asked = "import importlib.metadata as m; print(m.version('azure-ai-ml'))"
    version = subprocess.run([official, "-c", asked], check=True, capture_output=True, text=True).stdout.strip()
    return _downloaded(version)


def _downloaded(version: str) -> Path:
    from uv import find_uv_bin

    top = Path(os.environ.get("XDG_CACHE_HOME") or tempfile.gettempdir()) / f"smalt-official-source-{version}"
    with _locked(top):
        if not (top / "complete").exists():
            top.mkdir(parents=True, exist_ok=True)
            fetch = [find_uv_bin(), "tool", "run", "pip", "download", "-q", "--no-binary", ":all:", "--no-deps"]
            subprocess.run([*fetch, "-d", str(top), f"azure-ai-ml=={version}"], check=True)
            with tarfile.open(next(top.glob("*.tar.gz"))) as archive:
                archive.extractall(top, filter="data")
            (top / "complete").touch()
    return next(each for each in top.iterdir() if each.is_dir())
