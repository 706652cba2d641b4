from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from smalt.machine.home import Home
from smalt.service.compute.containers.images import ContainerImages
from smalt.service.environments import BuiltEnvironment, Environments

from .podman import Podman, remove, start
from .wheels import make_wheel


@dataclass
class Settings:
    fidelity: str = "nearest"
    host_python: str | None = None
    conda_channels: dict[str, str] = field(default_factory=dict)
    container_command: str | None = "none"
    container_arguments: str = ""
    image_map: dict[str, str] = field(default_factory=dict)


@pytest.fixture(scope="session")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Packages: shade 1.0 and 2.0, hue (which needs shade), ink; the same for all tests."""
    folder = tmp_path_factory.mktemp("wheels")
    made = {
        make_wheel(folder, "shade", "1.0"),
        make_wheel(folder, "shade", "2.0"),
        make_wheel(folder, "hue", "1.0", requires=["shade"]),
        make_wheel(folder, "ink", "0.3"),
    }
    yield folder
    assert set(folder.iterdir()) == made, "a test that adds packages does so in own_wheels"


@pytest.fixture
def own_wheels(wheels: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The same packages, to which the test may add others: no other test finds them."""
    folder = tmp_path / "own-wheels"
    shutil.copytree(wheels, folder)
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


@pytest.fixture(scope="session")
def uv_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("uv-cache")


@pytest.fixture(autouse=True)
def _offline(monkeypatch: pytest.MonkeyPatch, wheels: Path, uv_cache: Path) -> None:
    """uv and pip find the wheels of these tests and nothing else."""
    for name in list(os.environ):
        if name.startswith(("PIP_", "UV_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(wheels))
    monkeypatch.setenv("UV_CACHE_DIR", str(uv_cache))


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    made = Home(tmp_path / "home")
    made.create()
    monkeypatch.setenv("SMALT_HOME", str(made.root))
    return made


@pytest.fixture
def settings() -> Settings:
    return Settings()


@pytest.fixture
def environments(home: Home, settings: Settings) -> Environments:
    return Environments(home, settings, ContainerImages(home, settings))


@pytest.fixture
def log() -> list[str]:
    return []


def conda(*packages: str, python: str | None = None, name: str = "colours") -> dict[str, object]:
    """An environment's REST properties: an image and a conda file with these pip packages."""
    first = f"- python={python}\n" if python else ""
    listed = "".join(f"  - {package}\n" for package in packages)
    text = f"name: {name}\nchannels:\n- conda-forge\ndependencies:\n{first}- pip:\n{listed}"
    return {"image": "mcr.microsoft.com/azureml/openmpi4.1.0-ubuntu22.04", "condaFile": text}


def run(realised: BuiltEnvironment, command: str) -> str:
    """What a job that runs `command` in the environment prints; a failure is an error."""
    kept = {
        name: os.environ[name]
        for name in ("HOME", "PIP_CONFIG_FILE", "PIP_NO_INDEX", "PIP_FIND_LINKS", "UV_CACHE_DIR")
        if name in os.environ
    }
    variables = {**kept, **realised.variables, "PATH": f"{realised.bin}:/usr/bin:/bin"}
    done = subprocess.run(["bash", "-ec", command], env=variables, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.strip()


@pytest.fixture(scope="session")
def podman(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Podman]:
    """A Podman that runs containers, with an image of our own; skipped where there is none."""
    started = start(tmp_path_factory.mktemp("image"))
    if isinstance(started, str):
        pytest.skip(started)
    yield started
    remove(started.image)
