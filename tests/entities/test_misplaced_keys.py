"""A key that stands one level too high or too low is told its place."""

from __future__ import annotations

from typing import Any

import pytest

from smalt.entities.jobs.command import CommandJob
from smalt.entities.jobs.pipeline import PipelineJob
from smalt.entities.jobs.sweep import SweepJob
from smalt.entities.schema.entity import Entity
from smalt.entities.schema.reader import Reader

STEP = {"type": "command", "command": "x", "environment": "azureml:host"}
SWEEP = {
    "type": "sweep", "trial": {"command": "x", "environment": "azureml:host"}, "sampling_algorithm": "random",
    "objective": {"goal": "minimize", "primary_metric": "x"}, "search_space": {"a": {"type": "choice", "values": [1]}},
    "limits": {"max_total_trials": 2},
}  # fmt: skip


def read(noun: type[Entity], data: dict[str, Any]) -> list[str]:
    reader = Reader()
    noun._read_document(data, reader)
    return [str(problem) for problem in reader.problems]


@pytest.mark.parametrize(
    ("key", "place"),
    [
        ("timeout", "limits.timeout"), ("instance_count", "resources.instance_count"),
        ("instanceCount", "resources.instance_count"), ("shm_size", "resources.shm_size"),
        ("process_count_per_instance", "distribution.process_count_per_instance"),
        ("conda_file", "environment.conda_file"), ("job_tier", "queue_settings.job_tier"),
        ("enviroment_variables", "environment_variables"),
    ],
)  # fmt: skip
def test_a_key_of_a_command_is_found_one_level_lower(key: str, place: str) -> None:
    assert read(CommandJob, {**STEP, key: 1}) == [
        f"{key}: unknown key '{key}' in a command job; did you mean '{place}'?"
    ]


def test_a_step_is_told_as_a_job_is() -> None:
    assert read(PipelineJob, {"type": "pipeline", "jobs": {"a": {**STEP, "timeout": 3}}}) == [
        "jobs.a.timeout: unknown key 'timeout' in a command job; did you mean 'limits.timeout'?"
    ]


def test_settings_of_a_pipeline_are_found_below_settings() -> None:
    assert read(PipelineJob, {"type": "pipeline", "jobs": {"a": STEP}, "default_compute": "x"}) == [
        "default_compute: unknown key 'default_compute' in a pipeline job; did you mean 'settings.default_compute'?"
    ]


@pytest.mark.parametrize("key", ["command", "code", "version", "mini_batch_size"])
def test_a_key_of_a_component_is_no_setting_of_a_pipeline(key: str) -> None:
    """Nor is one that many nouns have: a hint that leads nowhere is worse than none."""
    found = read(PipelineJob, {"type": "pipeline", "jobs": {"a": STEP}, key: "x"})
    assert found == [f"{key}: unknown key '{key}' in a pipeline job"]


def test_a_required_noun_is_not_missed_where_its_key_stands_too_high() -> None:
    """One sentence tells of one mistake."""
    sweep = {key: value for key, value in SWEEP.items() if key != "limits"}
    assert read(SweepJob, {**sweep, "max_total_trials": 2}) == [
        "max_total_trials: unknown key 'max_total_trials' in a sweep job; did you mean 'limits.max_total_trials'?"
    ]


LOW: list[tuple[type[Entity], dict[str, Any], str, str, str]] = [
    (CommandJob, STEP, "resources", "compute", "; 'compute' is a key of a command job, one level higher"),
    (CommandJob, STEP, "resources", "timeout", "; did you mean 'limits.timeout' of a command job?"),
    (CommandJob, STEP, "resources", "instancecount", "; did you mean 'instance_count'?"),
    (SweepJob, SWEEP, "trial", "inputs", "; 'inputs' is a key of a sweep job, one level higher"),
    (CommandJob, STEP, "limits", "x", "; it may have timeout"),
]


@pytest.mark.parametrize(("noun", "data", "outer", "key", "hint"), LOW)
def test_a_key_that_stands_too_low_is_told_where_it_belongs(
    noun: type[Entity], data: dict[str, Any], outer: str, key: str, hint: str
) -> None:
    (problem,) = read(noun, {**data, outer: {**data.get(outer, {}), key: {}}})
    assert problem.startswith(f"{outer}.{key}: unknown key '{key}' in ")
    assert problem.endswith(hint)


def test_keys_of_an_input_are_not_those_of_its_job() -> None:
    """An input is not the value of a key of the job."""
    (problem,) = read(CommandJob, {**STEP, "inputs": {"a": {"compute": "x", "path": "p"}}})
    assert "higher" not in problem
