"""Random sequences whose steps log metrics, on a home with MLflow; the others do without it."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.model.driver import Rig
from tests.model.play import SEED, examine
from tests.tracking.conftest import mlflow_python  # noqa: F401  (a fixture)

FEATURES = {"metrics", "compare", "only-newest", "delete", "component"}


@pytest.fixture(scope="module")
def tracked(mlflow_python: str) -> Iterator[Rig]:  # noqa: F811
    """A home on which sequences with metrics are played; nothing of it is left."""
    folder = Path(tempfile.mkdtemp(prefix="smalt-"))
    made = Rig(folder, mlflow_python)
    try:
        yield made
    finally:
        made.close()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.mark.parametrize("number", range(2))
def test_every_metric_is_what_the_oracle_says(tracked: Rig, number: int) -> None:
    """Metrics of steps that ran and that were reused, also after deletions, and what a comparison says of them."""
    report = examine(tracked, SEED, number, always=FEATURES)
    assert report is None, report and report.text
