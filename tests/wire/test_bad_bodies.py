"""Whatever a body holds, the answer is an entity or a ValidationException."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smalt.entities.schema.entity import Entity
from smalt.exceptions import ValidationException
from smalt.wire import from_rest, to_rest
from tests.wire.samples import SAMPLES, entity

KEYS = [
    *("jobType", "jobs", "inputs", "outputs", "uri", "value", "mode", "jobInputType", "job_input_type", "type", "tags"),
    *("componentId", "component", "componentSpec", "environmentId", "condaFile", "image", "settings", "limits"),
    *("timeout", "resources", "distribution", "distributionType", "identity", "services", "searchSpace", "trial"),
    *("samplingAlgorithm", "earlyTermination", "taskDetails", "taskType", "entry", "conf", "properties", "items"),
    *("credentials", "credentialsType", "secrets", "flavors", "name", "id", "command", "default", "nodes", "task"),
]
WORDS = [
    *("Command", "Pipeline", "literal", "uri_folder", "PyTorch", "command", "pipeline", "sweep", "parallel", "automl"),
    *("${{parent.inputs.x}}", "PT1M", "AmlCompute", "AzureBlob", "Sas", "1", "a: [", "- x", "Classification", "PT"),
]
numbers = st.integers(-5, 5) | st.floats(-2, 2)
scalars = st.none() | st.booleans() | numbers | st.sampled_from(WORDS) | st.text(max_size=3)
keys = st.sampled_from(KEYS) | st.text(max_size=2)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=4),
    max_leaves=8,
)
KINDS = sorted({kind for kind, _ in SAMPLES.values()})


@pytest.mark.parametrize("name", SAMPLES)
@settings(max_examples=60)
@given(data=st.data())
def test_a_damaged_body_is_read_or_refused(name: str, data: st.DataObject) -> None:
    """Whatever stands in the place of a part of a sound body; and what was read can be written."""
    kind, _ = SAMPLES[name]
    body = {"name": "n", "version": "1", **json.loads(json.dumps(to_rest(entity(name))))}
    for _ in range(data.draw(st.integers(1, 3))):
        damage(body, data)
    read = read_or_refused(body, kind)
    if read is not None:
        json.dumps(to_rest(read))


@settings(max_examples=100)
@given(body=st.dictionaries(keys, values, max_size=4), kind=st.sampled_from(KINDS))
def test_any_object_is_read_or_refused(body: dict[str, Any], kind: str) -> None:
    """A body need not look like one at all."""
    read_or_refused(body, kind)


def read_or_refused(body: Any, kind: str) -> Entity | None:
    try:
        return from_rest(body, kind)
    except ValidationException as error:
        problems = error.problems
    assert problems
    return None


def damage(body: Any, data: st.DataObject) -> None:
    """Put something else in a random place, or add it there."""
    here = body["properties"]
    while True:
        places = list(here) if isinstance(here, dict) else list(range(len(here)))
        place = data.draw(st.sampled_from(places)) if places else None
        deeper = here[place] if place is not None else None
        if isinstance(deeper, (dict, list)) and deeper and data.draw(st.integers(0, 3)):
            here = deeper
            continue
        if isinstance(here, dict) and (place is None or not data.draw(st.integers(0, 3))):
            here[data.draw(keys)] = copy.deepcopy(data.draw(values))
        elif place is not None:
            here[place] = copy.deepcopy(data.draw(values))
        return
