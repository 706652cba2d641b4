"""Clients of other releases ask for the same in other words: api-versions, casing, sizes of pages."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.api.test_assets import COMPONENT, DATA, ENVIRONMENT, MODEL
from tests.helpers import WORKSPACE, Server

W = WORKSPACE.format("tolerant")
JOB = {"jobType": "Command", "command": "true", "environmentId": "azureml:host@latest"}
SCHEDULE = {
    "properties": {
        "trigger": {"triggerType": "Cron", "expression": "1 1 * * *"},
        "action": {"actionType": "CreateJob", "jobDefinition": JOB},
    }
}
IMAGES = {
    "properties": {
        "jobType": "AutoML",
        "taskDetails": {
            "taskType": "ImageClassification",
            "primaryMetric": "accuracy",
            "targetColumnName": "y",
            "trainingData": {"jobInputType": "mltable", "uri": "azureml:t:1"},
        },
    }
}
"""It is over at once, so that its answer does not change."""
BODIES: dict[str, Any] = {
    "data/{}/versions/1": DATA,
    "components/{}/versions/1": COMPONENT,
    "environments/{}/versions/1": ENVIRONMENT,
    "models/{}/versions/1": MODEL,
    "computes/{}": {"location": "local", "properties": {"computeType": "AmlCompute", "properties": {"vmSize": "x"}}},
    "datastores/{}": {"properties": {"datastoreType": "AzureBlob", "accountName": "a", "containerName": "c"}},
    "schedules/{}": SCHEDULE,
    "batchEndpoints/{}": {"location": "local", "properties": {"authMode": "aadToken"}},
    "onlineEndpoints/{}": {"location": "local", "properties": {"authMode": "key"}},
    "jobs/{}": IMAGES,
}
MANY = 7
_SETTINGS = settings(max_examples=15)


@pytest.fixture
def filled(server: Server) -> Server:
    """A workspace with some of everything; filled once for all tests here."""
    if server.ask("GET", f"{W}/jobs/n0").status == 404:
        for number in reversed(range(MANY)):
            for path, body in BODIES.items():
                answer = server.ask("PUT", f"{W}/{path.format(f'n{number}')}", body)
                assert answer.status in (200, 201), (path, answer)
    return server


def cased(draw: Any, text: str) -> str:
    """The text, letters in any case."""
    return "".join(draw(st.sampled_from((one.lower(), one.upper()))) for one in text)


@given(version=st.text(max_size=12) | st.sampled_from(["2019-05-01", "2099-01-01-preview", "v1.0", "1.5.0"]))
@_SETTINGS
def test_no_api_version_changes_an_answer(filled: Server, version: str) -> None:
    """Any text, for every collection."""
    asked = urlencode({"api-version": version}, errors="replace")
    for path in BODIES:
        plain = filled.ask("GET", f"{W}/{path.format('n1')}")
        assert plain.status == 200
        assert filled.ask("GET", f"{W}/{path.format('n1')}?{asked}").body == plain.body


@given(data=st.data(), path=st.sampled_from(list(BODIES)))
@_SETTINGS
def test_fixed_words_of_a_path_compare_without_case(filled: Server, data: Any, path: str) -> None:
    """As in the service; the answer, and the ids in it, keep the casing that clients take apart."""
    plain = filled.ask("GET", f"{W}/{path.format('n1')}").body
    spelt = "/".join(one if one == "{}" else cased(data.draw, one) for one in f"{W}/{path}".split("/"))
    assert filled.ask("GET", spelt.format("n1")).body == plain
    assert f"/{path.partition('/')[0]}/" in plain["id"]


@pytest.mark.parametrize("path", [path.partition("/")[0] for path in BODIES])
@given(size=st.integers(1, MANY + 3), word=st.sampled_from(["$top", "count"]))
@_SETTINGS
def test_pages_of_any_size_make_up_the_list(filled: Server, path: str, size: int, word: str) -> None:
    """Each item once, in the same order, and no page but the last says that it is the last."""
    whole = [one["name"] for one in filled.ask("GET", f"{W}/{path}").body["value"]]
    assert len(whole) >= MANY
    found: list[str] = []
    url: str | None = f"{W}/{path}?{urlencode({word: size})}"
    while url is not None:
        page = filled.ask("GET", url).body
        assert 1 <= len(page["value"]) <= size
        found += [one["name"] for one in page["value"]]
        link = page.get("nextLink")
        url = link and link[link.index("/subscriptions/") :]
    assert found == whole
