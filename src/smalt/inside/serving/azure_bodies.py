"""Bodies of requests to MLflow models: Azure's `input_data` to what MLflow's scoring app takes, and the answer back."""

from __future__ import annotations

import json
from typing import Any, Dict, Optional, Tuple  # noqa: UP035  (Python 3.8)

AZURE_KEY = "input_data"
SCORE, INVOCATIONS, HEALTH = "/score", "/invocations", "/ping"


def convert_request(raw: bytes, content_type: str) -> Tuple[bytes, bool]:  # noqa: UP006
    """Return the body for MLflow, and whether the answer is to be bare, as Azure's own is."""
    if content_type.partition(";")[0].strip().lower() not in ("application/json", ""):
        return raw, False
    try:
        given = json.loads(raw)
    except ValueError:
        return raw, False  # MLflow says what is wrong with it
    if not isinstance(given, dict) or AZURE_KEY not in given:
        return raw, False
    data = given.pop(AZURE_KEY)
    return json.dumps({**given, _choose_key(data): data}).encode(), True


def _choose_key(data: Any) -> str:
    """Return MLflow's word for the form that the data has: a table by columns, a list of rows, or tensors."""
    if isinstance(data, dict) and "data" in data and set(data) <= {"columns", "index", "data"}:
        return "dataframe_split"
    if isinstance(data, list) and data and all(isinstance(row, dict) for row in data):
        return "dataframe_records"
    return "inputs"


def convert_answer(raw: bytes) -> bytes:
    """Return the predictions of MLflow's answer without what MLflow puts around them."""
    try:
        given = json.loads(raw)
    except ValueError:
        return raw
    return json.dumps(given["predictions"]).encode() if isinstance(given, dict) and "predictions" in given else raw


def describe_api(signature: Optional[Any]) -> Dict[str, Any]:  # noqa: UP006, UP045
    """Return an OpenAPI 3 description of the scoring route, with the columns that the model's signature names."""
    columns = signature.input_names() if signature is not None and not signature.is_tensor_spec() else []
    split = {
        "type": "object",
        "properties": {
            "columns": {"type": "array", "items": {"type": "string"}, "example": [str(name) for name in columns]},
            "index": {"type": "array", "items": {"type": "integer"}},
            "data": {"type": "array", "items": {"type": "array", "items": {}}},
        },
    }
    body = {"type": "object", "properties": {AZURE_KEY: split if columns else {}}, "required": [AZURE_KEY]}
    answer = {"200": {"description": "The predictions.", "content": {"application/json": {"schema": {}}}}}
    operation = {
        "operationId": "RunMLService",
        "requestBody": {"content": {"application/json": {"schema": body}}},
        "responses": answer,
    }
    return {
        "openapi": "3.0.3",
        "info": {"title": "ML service", "version": "1.0"},
        "paths": {SCORE: {"post": operation}},
    }
