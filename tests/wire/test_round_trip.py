"""What is written is read back as it was, but for literals, which are text on the wire."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smalt.entities.assets.component import Component
from smalt.entities.assets.data import Data
from smalt.entities.assets.model import Model
from smalt.entities.jobs.inputs import Input, Output
from smalt.entities.jobs.search_space import RandomSamplingAlgorithm
from smalt.entities.schema.documents import read
from smalt.entities.schema.entity import Entity
from smalt.entities.workspaces.credentials import NoneCredentials
from smalt.wire import from_rest, to_rest
from tests.wire.samples import SAMPLES, entity


def sent(made: Entity) -> dict[str, Any]:
    """The body as the other side has it, with what the URL says."""
    body = json.loads(json.dumps(to_rest(made)))
    return {**body, "name": getattr(made, "name", None), "version": getattr(made, "version", None)}


DEFAULTS = {Input: "uri_folder", Output: "uri_folder", Data: "uri_folder", Model: "custom_model"}


def expected(made: Any, in_inputs: bool = False) -> Any:
    """The same with what the wire makes of it: literal inputs are text, default types are said."""
    if isinstance(made, dict):
        for key, value in made.items():
            made[key] = expected(value, in_inputs)
    elif isinstance(made, Component):
        return made
    elif isinstance(made, NoneCredentials):
        return None
    elif isinstance(made, RandomSamplingAlgorithm) and not made.to_dict().keys() - {"type"}:
        return "random"
    elif isinstance(made, Entity):
        for key, value in vars(made).items():
            vars(made)[key] = expected(value, key == "inputs")
        is_bound = "${{" in str(vars(made).get("path"))
        if type(made) in DEFAULTS and vars(made).get("type") is None and not is_bound:
            vars(made)["type"] = DEFAULTS[type(made)]
    elif in_inputs and isinstance(made, (bool, int, float)):
        return str(made)
    return made


@pytest.mark.parametrize("name", SAMPLES)
def test_a_full_document_survives(name: str) -> None:
    """Every key of every kind comes back with its value."""
    kind, _ = SAMPLES[name]
    made = entity(name)
    back = from_rest(sent(made), kind)
    assert back == expected(made)


@pytest.mark.parametrize("name", SAMPLES)
def test_writing_again_gives_the_same(name: str) -> None:
    """Nothing is added or lost by going back and forth."""
    kind, _ = SAMPLES[name]
    body = sent(entity(name))
    again = to_rest(from_rest(body, kind))
    assert json.loads(json.dumps(again)) == {key: body[key] for key in again}


texts = st.text(max_size=8)
literals = texts | st.booleans() | st.integers() | st.floats(allow_nan=False)


@pytest.mark.parametrize("name", SAMPLES)
@settings(max_examples=40)
@given(data=st.data())
def test_any_document_survives(name: str, data: st.DataObject) -> None:
    """Any part of a full document, with any literals, texts, tags and variables."""
    kind, document = SAMPLES[name]
    varied = vary(copy.deepcopy(document), data)
    made, problems = read(varied, kind)
    if made is None or problems:  # it was varied until it held no more
        made, _ = read(document, kind)
    assert made is not None
    back = from_rest(sent(made), kind)
    assert back == expected(made)


def vary(document: dict[str, Any], data: st.DataObject, at: str = "") -> dict[str, Any]:
    for key, value in list(document.items()):
        if not data.draw(st.integers(0, 5)):
            del document[key]
        elif key in ("tags", "environment_variables", "properties"):
            document[key] = data.draw(st.dictionaries(texts, texts, max_size=2))
        elif key in ("description", "display_name"):
            document[key] = data.draw(texts)
        elif isinstance(value, dict):
            vary(value, data, key)
        elif at == "inputs" and isinstance(value, (bool, int, float)):
            document[key] = data.draw(literals)
    return document
