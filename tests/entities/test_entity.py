"""Entities as Python objects."""

from __future__ import annotations

import copy
import pickle

import pytest

from smalt.entities import CommandJob, Environment, Input, Output, PipelineJob, PipelineJobSettings
from smalt.exceptions import ValidationException


def test_unset_keys_are_none_and_mappings_are_empty() -> None:
    """A fresh entity answers None for values and {} for mappings."""
    job = CommandJob(command="true")
    assert (job.code, job.limits, job.type) == (None, None, "command")
    assert (job.inputs, job.tags, job.environment_variables) == ({}, {}, {})


def test_mappings_of_two_entities_are_apart() -> None:
    """What is put into one entity's mapping is not in another's."""
    one, other = CommandJob(command="true"), CommandJob(command="true")
    one.inputs["x"] = 1
    assert other.inputs == {}


def test_a_wrong_name_in_the_constructor_is_named() -> None:
    """A keyword that is not a key raises a TypeError that suggests the near one."""
    with pytest.raises(TypeError, match="CommandJob has no 'comand'; did you mean 'command'"):
        CommandJob(comand="true")


def test_entities_compare_by_value() -> None:
    """Equal values make equal entities; reading an unset mapping does not change that."""
    one, other = CommandJob(command="true", inputs={"x": Input(path="a")}), CommandJob(command="true")
    assert one != other
    other.inputs["x"] = Input(path="a")
    assert one == other
    assert one.tags == {}
    assert one == other
    assert one != PipelineJob()


def test_from_dict_tells_of_every_problem() -> None:
    """All problems come in one exception."""
    with pytest.raises(ValidationException) as caught:
        CommandJob.from_dict({"comand": "x", "limits": {"timeout": "soon"}, "inputs": {"a": [1]}})
    assert [str(problem) for problem in caught.value.problems] == [
        "limits.timeout: 'timeout' must be a whole number, not 'soon'",
        "inputs.a: 'a' must be a value or a mapping with 'type' and 'path', not a list",
        "comand: unknown key 'comand' in a command job; did you mean 'command'?",
    ]


def test_open_nouns_keep_what_they_do_not_know() -> None:
    """A pipeline's settings keep other keys, in `extra` and when written out."""
    settings = PipelineJobSettings.from_dict({"force_rerun": True, "default_datestore": "x"})
    assert settings.extra == {"default_datestore": "x"}
    assert settings.to_dict() == {"force_rerun": True, "default_datestore": "x"}


def test_outputs_without_a_value_are_outputs() -> None:
    """`outputs: {o: null}` is an output with nothing said."""
    job = CommandJob.from_dict({"command": "true", "outputs": {"o": None}})
    assert job.outputs == {"o": Output()}


def test_entities_can_be_copied_and_pickled() -> None:
    """Copies are equal and apart."""
    job = CommandJob(command="true", environment=Environment(image="python"), inputs={"x": 1})
    for other in (copy.deepcopy(job), pickle.loads(pickle.dumps(job))):
        assert other == job
        other.inputs["x"] = 2
        assert job.inputs["x"] == 1


def test_repr_shows_what_is_set() -> None:
    """The repr names the class and the values that are set."""
    assert repr(Input(type="uri_file", path="a")) == "Input(type='uri_file', path='a')"


def test_entities_may_stand_in_the_data_that_is_read() -> None:
    """Data made in Python may hold entities already."""
    environment = Environment(image="python")
    assert CommandJob.from_dict({"command": "true", "environment": environment}).environment is environment
