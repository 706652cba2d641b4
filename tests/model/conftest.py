from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.model.driver import Rig


@pytest.fixture(scope="module")
def rig() -> Iterator[Rig]:
    """A home on which sequences are played; nothing of it is left."""
    folder = Path(tempfile.mkdtemp(prefix="smalt-"))  # short, as the names of sockets must be
    made = Rig(folder)
    try:
        yield made
    finally:
        made.close()
        shutil.rmtree(folder, ignore_errors=True)
