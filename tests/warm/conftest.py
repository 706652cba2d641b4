from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.launcher.rig import Rig
from tests.warm.rig import WarmRig


@pytest.fixture(scope="module")
def warm_rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WarmRig]:
    """A launcher, and the Python of these tests as the jobs' own."""
    made = Rig(tmp_path_factory.mktemp("warm"))
    made.launch()
    yield WarmRig(made, made.connect(), find_python())
    left = made.close()
    assert not left, f"processes left behind: {left}"


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    """A home of a test's own; whatever is left running in it is ended, and is a failure."""
    made = Rig(tmp_path)
    yield made
    left = made.close()
    assert not left, f"processes left behind: {left}"


def find_python() -> str:
    """Return a Python that has no packages, so that nothing but the standard library is imported.

    SMALT_TEST_PLAIN_PYTHON names one of another version.
    """
    if named := os.environ.get("SMALT_TEST_PLAIN_PYTHON"):
        return named
    base = Path(getattr(sys, "_base_executable", sys.executable))
    return str(base) if base.exists() else str(shutil.which("python3"))
