from __future__ import annotations

from pathlib import Path

import pytest

from smalt.machine.home import Home
from smalt.service.data import AssetReference, DataAccess, Snapshots
from smalt.service.records.workspaces import Workspace


class Known:
    """What the engine would look up for the room: assets, outputs, datastores and settings, as plain tables."""

    def __init__(self) -> None:
        self.settings: dict[str, object] = {}
        self.assets: dict[str, str] = {}
        self.outputs: dict[tuple[str, str], str] = {}
        self.asked: list[AssetReference] = []

    def output(self, workspace: Workspace, job: str, output: str) -> str | None:
        return self.outputs.get((job, output))

    def asset(self, workspace: Workspace, reference: AssetReference) -> str | None:
        self.asked.append(reference)
        return self.assets.get(f"{reference.name}:{reference.version or reference.label}")


@pytest.fixture
def home(tmp_path: Path) -> Home:
    made = Home(tmp_path / "home")
    made.create()
    return made


@pytest.fixture
def workspace() -> Workspace:
    return Workspace(1, "sub", "rg", "ws", "default", "{}", "me", 0.0)


@pytest.fixture
def known() -> Known:
    return Known()


@pytest.fixture
def data(home: Home, known: Known) -> DataAccess:
    return DataAccess(home, known.settings, known.output, known.asset)


@pytest.fixture
def snapshots(tmp_path: Path) -> Snapshots:
    return Snapshots(tmp_path / "store")


@pytest.fixture
def code(tmp_path: Path) -> Path:
    """A folder to take snapshots of."""
    folder = tmp_path / "code"
    folder.mkdir()
    return folder
