"""The engine's tests run with the hand-over on and off: it makes the engine faster and changes no result."""

from __future__ import annotations

import pytest

from smalt.service.composition import HAND_OVER
from smalt.service.environments.views import host_python
from tests.engine.bench import read_sites_once

_ONE_WAY = {
    "test_metric_reactions": "metrics, which no step that waits can log",
    "test_bindings": "what a plan makes of expressions",
    "test_handed_on": "folders that are used again, which they are with the hand-over on only",
}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run the tests of engines both ways, except those of the hand-over itself, which are marked `handed_over`."""
    if hasattr(metafunc.module, "workbench"):
        is_one_way = metafunc.module.__name__.rpartition(".")[2] in _ONE_WAY
        if is_one_way or metafunc.definition.get_closest_marker("handed_over") is not None:
            ways = ["on"]
        else:
            ways = ["on", "off"]
        metafunc.parametrize("hand_over", ways, indirect=True)


@pytest.fixture(autouse=True)
def hand_over(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Switch the hand-over of the engines that the test makes."""
    monkeypatch.setenv(HAND_OVER, getattr(request, "param", "on"))


@pytest.fixture(autouse=True)
def host_known(monkeypatch: pytest.MonkeyPatch) -> None:
    """The host's Python, which no test of this room changes, is asked once."""
    monkeypatch.setattr(host_python, "_read_sites", read_sites_once)
