"""Conda packages from a channel of this test's own, by the real rattler."""

from __future__ import annotations

import asyncio
import json
import signal
from pathlib import Path

import pytest

from smalt.machine.home import Home
from smalt.service.environments import EnvironmentFailed, Environments
from tests.helpers import LONGEST

from . import channel
from .conftest import Settings, run
from .test_processes import process

PAINT = f"#!/bin/sh\ncat {channel.PLACEHOLDER}/share/paint\n".encode()


@pytest.fixture(scope="module")
def colours(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Python, pip, paint 1.0 and 2.0 (a program, which needs oil), oil."""
    folder = tmp_path_factory.mktemp("channel")
    channel.add_python(folder)
    for version in ("1.0", "2.0"):
        files = {"bin/paint": PAINT, "share/paint": f"paint {version}\n".encode()}
        channel.add(folder, "paint", version, files, depends=["oil"])
    channel.add(folder, "oil", "0.1", {"share/oil": b"oil"})
    return folder


@pytest.fixture(scope="module")
def tools(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where rattler is installed, once for all these tests."""
    return tmp_path_factory.mktemp("tools")


@pytest.fixture
def home(home: Home, tools: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """rattler is the one package here that comes from an index."""
    home.path("tools").symlink_to(tools)
    monkeypatch.delenv("PIP_NO_INDEX")
    monkeypatch.setenv("PIP_CONFIG_FILE", "")
    return home


def file(colours: Path, *packages: str, pip: str = "", more: str = "") -> dict[str, object]:
    listed = "".join(f"- {package}\n" for package in packages) + (f"- pip:\n  - {pip}\n" if pip else "")
    return {"condaFile": f"name: mixed\n{more}channels:\n- {colours}\ndependencies:\n{listed}"}


def test_what_only_conda_has_is_installed(
    home: Home, environments: Environments, colours: Path, log: list[str]
) -> None:
    """Programs and Python from the channel, pip's list on top, a lock beside; a job's view leaves it alone."""
    asset = file(colours, "paint=1", "python", pip="shade==1.0", more="prefix: /nowhere\n")
    realised = asyncio.run(environments.get_or_build(asset, log.append))
    own = realised.clone(home.path("view"))
    assert run(own, "PATH=$PATH:$CONDA_PREFIX/bin; paint; shade").startswith("paint 1.0\n1.0 ")
    prefix = home.path("environments", realised.declared_hash, "venv")
    assert run(own, "python -c 'import sys; print(sys.base_prefix)'") == str(prefix)
    assert own.variables["PATH"].startswith(f"{prefix}/bin:")
    lock = (prefix.parent / "conda-lock.txt").read_text().splitlines()
    assert "@EXPLICIT" in lock
    assert any(line.startswith(f"file://{colours}/{channel.SUBDIR}/paint-1.0-0.tar.bz2#") for line in lock)
    record = json.loads((prefix.parent / "record.json").read_text())
    assert {"conda:oil==0.1=0", "conda:paint==1.0=0", "shade==1.0"} <= set(record["packages"])
    assert run(own, "pip install -q --no-index --find-links $PIP_FIND_LINKS ink; ink").startswith("0.3 ")
    assert not list(prefix.glob("lib/python*/site-packages/ink"))
    assert environments.find_built(asset) == realised


def test_channels_have_the_settings_place(
    environments: Environments, settings: Settings, colours: Path, log: list[str]
) -> None:
    """A file that names conda-forge is solved with what stands for it here; another build has another pin."""
    settings.conda_channels = {"conda-forge": str(colours)}
    asset = {"condaFile": "name: mixed\nchannels: [conda-forge, nodefaults]\ndependencies: [paint]\n"}
    realised = asyncio.run(environments.get_or_build(asset, log.append))
    assert f"channels: {colours.as_uri()}" in log
    assert run(realised, "$CONDA_PREFIX/bin/paint") == "paint 2.0"


@pytest.mark.parametrize(
    ("packages", "sentence"),
    [
        (["paint=3"], r"environment 'mixed' could not be made of conda packages: Cannot solve .*paint"),
        (["no-such-thing"], r"No candidates were found for no-such-thing"),
    ],
)
def test_what_cannot_be_solved_is_told(
    environments: Environments, home: Home, colours: Path, log: list[str], packages: list[str], sentence: str
) -> None:
    """In one sentence; nothing is left."""
    with pytest.raises(EnvironmentFailed, match=sentence):
        asyncio.run(environments.get_or_build(file(colours, *packages), log.append))
    assert environments.list_stored() == []
    assert not [path for path in home.path("environments").iterdir() if not path.name.startswith(".")]


def test_a_channel_that_is_not_there(environments: Environments, log: list[str]) -> None:
    """Its address is in the sentence."""
    asset = {"condaFile": "channels: ['http://127.0.0.1:9/none']\ndependencies: [paint]\n"}
    with pytest.raises(EnvironmentFailed, match=r"127\.0\.0\.1:9"):
        asyncio.run(environments.get_or_build(asset, log.append))


def test_a_kill_while_packages_are_installed(
    environments: Environments, home: Home, colours: Path, log: list[str]
) -> None:
    """What rattler goes on writing is not used: the next build waits for its end, and begins anew in the same place."""
    asset = file(colours, "paint=1", "python")
    dying = process(home, "Resolved", asset)
    said, _ = dying.communicate("go\n", timeout=LONGEST)
    assert dying.returncode == -signal.SIGKILL, said
    assert (environments.find_built(asset), environments.list_stored()) == (None, [])
    realised = asyncio.run(environments.get_or_build(asset, log.append))
    assert run(realised, "$CONDA_PREFIX/bin/paint; python -c 'import json'") == "paint 1.0"
    assert asyncio.run(environments.find_problems(True, 0.0)) == [], log


def test_half_a_prefix_is_swept(environments: Environments, home: Home) -> None:
    """What a server that was killed has left counts as not built, and goes at the next start."""
    half = home.path("environments", "0123456789abcdef0123456789abcdef", "venv", "bin")
    half.mkdir(parents=True)
    (half / "python").touch()
    assert environments.list_stored() == []
    environments.remove_left_over()
    assert not half.parents[1].exists()
