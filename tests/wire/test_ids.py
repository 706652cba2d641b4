"""Ids are made and taken apart in one place."""

from __future__ import annotations

import pytest

from smalt.wire.encoding.ids import (
    build_asset_id,
    build_resource_id,
    build_url_path,
    build_workspace_id,
    get_short_name,
    parse_id,
)

WS = build_workspace_id("s", "g", "w")


def test_an_asset_id_is_the_services_path() -> None:
    """The casing is exactly that which Azure's client parses."""
    assert build_asset_id(WS, "environments", "e", 1) == (
        "/subscriptions/s/resourceGroups/g/providers/Microsoft.MachineLearningServices/workspaces/w"
        "/environments/e/versions/1"
    )


@pytest.mark.parametrize(
    ("identifier", "kind", "name", "version"),
    [
        (WS, "", "", None),
        (build_resource_id(WS, "computes", "c"), "computes", "c", None),
        (build_asset_id(WS, "data", "d", "2"), "data", "d", "2"),
        (f"azureml:{build_asset_id(WS, 'codes', 'x', '1')}", "codes", "x", "1"),
        (build_asset_id(WS, "data", "d", "2").lower(), "data", "d", "2"),
        (f"{WS}/batchEndpoints/e/deployments/d", "batchEndpoints/e/deployments", "d", None),
    ],
)
def test_an_id_is_taken_apart(identifier: str, kind: str, name: str, version: str | None) -> None:
    """With or without its prefix, in any casing."""
    parsed = parse_id(identifier)
    assert parsed is not None
    assert (parsed.kind, parsed.name, parsed.version) == (kind, name, version)
    assert parsed.workspace_id.lower() == WS.lower()


@pytest.mark.parametrize(
    "text", ["", "azureml:n:1", "azureml:n@latest", "/subscriptions/s", f"{WS}/jobs", "/a/b/c/d/e/f/g/h"]
)
def test_what_is_no_id_is_none(text: str) -> None:
    """References and other paths are not taken for ids."""
    assert parse_id(text) is None


def test_a_short_name_is_what_people_write() -> None:
    """`name:version`, `name@label` or `name`; anything else as it is."""
    assert get_short_name(build_asset_id(WS, "data", "d", "2")) == "d:2"
    assert get_short_name(f"{WS}/data/d/labels/latest") == "d@latest"
    assert get_short_name(build_resource_id(WS, "computes", "c")) == "c"
    assert get_short_name("azureml:d:2") == "azureml:d:2"


def test_a_path_may_stand_in_a_request_line() -> None:
    """What would break the line or begin a query is escaped."""
    assert build_url_path("/a b/ü?x#y\n") == "/a%20b/%C3%BC%3Fx%23y%0A"
