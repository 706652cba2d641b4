from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.launcher.rig import Client, Rig


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    """A home; whatever a test leaves running in it is ended, and is a failure."""
    made = Rig(tmp_path)
    yield made
    left = made.close()
    assert not left, f"processes left behind: {left}"


@pytest.fixture
def client(rig: Rig) -> Client:
    """A connection to a launcher that was just started."""
    rig.launch()
    return rig.connect()
