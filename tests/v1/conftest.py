"""Programs written for SDK v1, run by `smalt python` on a server with a real MLflow."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.tracking.conftest import Tracked
from tests.tracking.conftest import mlflow_python as mlflow_python
from tests.tracking.conftest import tracked as tracked
from tests.unedited.conftest import Programs as Programs
from tests.unedited.conftest import programs as programs


@pytest.fixture
def served(tracked: Tracked, tmp_path: Path) -> Programs:
    (tmp_path / "work").mkdir()
    return Programs(tracked.server.home.root, tmp_path / "work")
