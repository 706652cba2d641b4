"""The spool as a backend of the engine's, and the end of its processes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from smalt.service.compute import backends

from . import spool


@pytest.fixture
def spool_backend(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Engines of the test have the spool, of which nothing runs on after the test."""
    monkeypatch.setattr(backends, "MAKERS", [*backends.MAKERS, spool.make_spool_backend])
    yield
    spool.end_processes()
