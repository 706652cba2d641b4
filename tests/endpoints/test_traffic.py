"""Which deployment a request goes to, and which shares of traffic can be."""

from __future__ import annotations

import random
from typing import Any

import pytest

from smalt.exceptions import ValidationException
from smalt.service.endpoints.online.routes import EndpointRoute, check_traffic, split_path

BOTH = {"blue": "blue", "green": "Green"}


def make_route(**properties: Any) -> EndpointRoute:
    return EndpointRoute.from_content(None, "e", {"properties": properties})  # type: ignore[arg-type]


def test_requests_are_split_by_their_shares() -> None:
    """A deployment without a share gets none; with no traffic at all nobody does."""
    random.seed(7)
    route = make_route(traffic={"blue": 90, "green": 10, "red": 0})
    chosen = [route.choose_deployment() for _ in range(2000)]
    assert 140 < chosen.count("green") < 260
    assert set(chosen) == {"blue", "green"}
    assert make_route().choose_deployment() is None
    mirrored = [make_route(mirrorTraffic={"green": 25}).choose_mirror() for _ in range(2000)]
    assert 400 < mirrored.count("green") < 600


@pytest.mark.parametrize(
    ("traffic", "mirror", "said"),
    [
        ({"blue": 60}, {}, "add up to 60"),
        ({"red": 100}, {}, r"traffic names 'red', which is no deployment of the endpoint \(blue, Green\)"),
        ({"blue": 100}, {"green": 60}, "at most 50 percent"),
        ({"blue": 100}, {"blue": 10}, "'blue' cannot have traffic and mirror_traffic at once"),
        ({}, {"green": 10, "blue": 10}, "one deployment only"),
    ],
)
def test_shares_that_cannot_be_are_refused(traffic: dict[str, int], mirror: dict[str, int], said: str) -> None:
    """Before they are stored, with what to do."""
    with pytest.raises(ValidationException, match=said):
        check_traffic(traffic, mirror, BOTH)


def test_shares_that_can_be_are_taken() -> None:
    """All of it, none of it, names in any case, and a mirror beside the live one."""
    check_traffic({}, {}, {})
    check_traffic({"Blue": 40, "GREEN": 60}, {}, BOTH)
    check_traffic({"blue": 100, "gone": 0}, {"green": 50}, BOTH)


def test_paths_of_requests_are_split() -> None:
    """Into workspace, endpoint and the rest; other paths are not theirs."""
    assert split_path("/online/ws/e/v2/models/m") == ("ws", "e", "/v2/models/m")
    assert split_path("/online/ws/e") == ("ws", "e", "")
    assert split_path("/onlines/ws/e") is None
