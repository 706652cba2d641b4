"""What is written is read back as it was, but for literals, which are text on the wire."""

from __future__ import annotations

import json
from typing import Any

import pytest

from smalt.entities.entity import Entity
from smalt.entities.inputs import Output
from smalt.wire import from_rest, to_rest
from tests.wire.samples import SAMPLES, entity


def sent(made: Entity) -> dict[str, Any]:
    """The body as the other side has it, with what the URL says."""
    body = json.loads(json.dumps(to_rest(made)))
    return {**body, "name": getattr(made, "name", None), "version": getattr(made, "version", None)}


def stringified(made: Any) -> Any:
    """The same with what the wire makes of it: literals as text, and the types that outputs have by default."""
    for inputs in (made.inputs, *(node.inputs for node in getattr(made, "jobs", {}).values())):
        for name, value in inputs.items():
            if isinstance(value, (bool, int, float)):
                inputs[name] = str(value)
    for outputs in (made.outputs, *(node.outputs for node in getattr(made, "jobs", {}).values())):
        for value in outputs.values():
            if isinstance(value, Output) and value.type is None:
                value.type = "uri_folder"
    return made


@pytest.mark.parametrize("name", SAMPLES)
def test_a_full_document_survives(name: str) -> None:
    """Every key of every kind comes back with its value."""
    kind, _ = SAMPLES[name]
    made = entity(name)
    back = from_rest(sent(made), kind)
    expected = stringified(made) if kind == "job" and hasattr(made, "inputs") else made
    assert back == expected


@pytest.mark.parametrize("name", SAMPLES)
def test_writing_again_gives_the_same(name: str) -> None:
    """Nothing is added or lost by going back and forth."""
    kind, _ = SAMPLES[name]
    body = sent(entity(name))
    again = to_rest(from_rest(body, kind))
    assert json.loads(json.dumps(again)) == {key: body[key] for key in again}
