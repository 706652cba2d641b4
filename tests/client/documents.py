"""Jobs and assets for tests, from plain data."""

from __future__ import annotations

from typing import Any

from smalt.entities.schema.documents import read

ENVIRONMENT = "azureml:host"


def make(kind: str, **data: Any) -> Any:
    made, problems = read(data, kind)
    assert made is not None, problems
    assert not problems
    return made


def command(text: str, **more: Any) -> Any:
    return make("job", **{"type": "command", "command": text, "environment": ENVIRONMENT, **more})
