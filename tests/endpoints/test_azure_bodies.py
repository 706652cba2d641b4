"""Azure's bodies of requests to MLflow models, and MLflow's."""

from __future__ import annotations

import json
from typing import Any

import pytest

from smalt.inside.serving.azure_bodies import convert_answer, convert_request


@pytest.mark.parametrize(
    ("data", "key"),
    [
        ({"columns": ["a"], "index": [0], "data": [[1]]}, "dataframe_split"),
        ([{"a": 1}, {"a": 2}], "dataframe_records"),
        ([[1.0, 2.0]], "inputs"),
        ({"a": [1, 2]}, "inputs"),
    ],
)
def test_input_data_becomes_what_mlflow_takes(data: Any, key: str) -> None:
    """By the form that the data has; parameters stay beside it, and the answer is to be bare."""
    raw = json.dumps({"input_data": data, "params": {"t": 1}}).encode()
    converted, is_bare = convert_request(raw, "application/json; charset=utf-8")
    assert (json.loads(converted), is_bare) == ({key: data, "params": {"t": 1}}, True)


@pytest.mark.parametrize(
    ("raw", "kind"),
    [(b'{"dataframe_split": {}}', "application/json"), (b"a,b\n1,2\n", "text/csv"), (b"no", "application/json")],
)
def test_what_is_mlflows_own_stays(raw: bytes, kind: str) -> None:
    """Its keys, other types, and what is not JSON, of which MLflow says what is wrong."""
    assert convert_request(raw, kind) == (raw, False)


def test_predictions_are_unwrapped() -> None:
    """As Azure's own scoring script gives them."""
    assert convert_answer(b'{"predictions": [1, 2]}') == b"[1, 2]"
    assert convert_answer(b'{"error_code": "X"}') == b'{"error_code": "X"}'
