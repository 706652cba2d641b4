"""What a job says has the effect that docs/fields.md tells of, or a line that says that it has none."""

from __future__ import annotations

import json
from typing import Any

import pytest

from smalt.entities import (
    CommandComponent,
    CommandJob,
    Input,
    JobResourceConfiguration,
    Output,
    PipelineComponent,
    PipelineJob,
)
from smalt.entities.jobs.command import CommandNode
from smalt.entities.jobs.pipeline import PipelineNode
from smalt.entities.schema import effects as effect
from smalt.entities.schema.entity import Entity
from tests.acceptance.conftest import Desk

HOST = {"environment": "azureml:host"}
RESOURCES = {"locations": ["here"], "max_instance_count": 3, "properties": {"a": {"b": "c"}}}
DATA = {"type": "uri_file", "path": "data.txt", "path_on_compute": "/x"}
IDLE: dict[str, Any] = {
    "identity": {"type": "user_identity"},
    "services": {"lab": {"type": "jupyter_lab"}},
    "queue_settings": {"job_tier": "spot"},
}
SAMPLES: dict[type[Entity], dict[str, str]] = {
    CommandJob: {
        "services": "services (lab) are not started on this machine",
        "queue_settings": "queue_settings has no effect on this machine",
    },
    PipelineJob: {
        "identity": "identity has no effect on this machine",
        "services": "services (lab) are not started on this machine",
    },
    CommandNode: {
        "experiment_name": "experiment_name has no effect on this machine (steps",
        "services": "services (lab) are not started on this machine (step",
        "queue_settings": "queue_settings has no effect on this machine (steps",
    },
    PipelineNode: {"experiment_name": "", "identity": ""},
    CommandComponent: {"queue_settings": "queue_settings has no effect on this machine (steps"},
    PipelineComponent: {},
    JobResourceConfiguration: {
        "max_instance_count": "resources.max_instance_count has no effect on this machine",
        "locations": "resources.locations has no effect on this machine",
        "properties": "resources.properties has no effect on this machine",
    },
    Input: {"path_on_compute": "inputs.d.path_on_compute has no effect on this machine"},
    Output: {"early_available": "outputs.o.early_available has no effect on this machine"},
}
"""By noun, each field without an effect and how its line begins; those of a step that is a pipeline are as a step's."""


@pytest.mark.parametrize("noun", SAMPLES, ids=lambda noun: noun.__name__)
def test_the_samples_are_all_that_there_are(noun: type[Entity]) -> None:
    """Every field of what runs that has no effect is one whose line the tests below look for."""
    assert set(SAMPLES[noun]) == {name for name in noun._fields if noun._find_effect(name) == effect.NONE}


def lines(*nouns: type[Entity]) -> list[str]:
    return [line for noun in nouns for line in SAMPLES[noun].values()]


def test_a_command_job_tells_what_it_says_in_vain(desk: Desk) -> None:
    """Each field without an effect has a line in the stream, in `job validate` and in what `job show` answers."""
    desk.write("data.txt", "x")
    job = {
        **HOST, **IDLE, "command": "echo on", "name": "vain", "resources": {**RESOURCES, "instance_count": 4},
        "inputs": {"d": DATA}, "outputs": {"o": {"type": "uri_folder", "early_available": True}},
    }  # fmt: skip
    ran = desk.job(json.dumps(job))
    assert ran.code == 0, ran.err
    expected = lines(CommandJob, JobResourceConfiguration, Input, Output)
    expected.append("resources.instance_count: 4 has no effect without 'distribution': the command runs once")
    assert [line for line in expected if line not in ran.err] == []
    checked = desk.smalt("job validate --file job.yml")
    assert [line for line in expected if line not in checked.json["warnings"]] == []
    kept = desk.smalt("job show vain").json["properties"]["smalt.no_effect"]
    assert [line for line in expected if line not in kept] == []


def test_a_pipeline_tells_what_its_steps_say_in_vain(desk: Desk) -> None:
    """So has each of a pipeline, of its steps, their components and nested pipelines: one line, with the steps."""
    desk.write("data.txt", "x")
    component = {**HOST, "type": "command", "command": "echo c", "queue_settings": {"job_tier": "spot"}}
    step = {
        **HOST, **IDLE, "command": "echo s ${{inputs.d}}", "experiment_name": "e", "resources": RESOURCES,
        "inputs": {"d": DATA}, "outputs": {"o": {"type": "uri_folder", "early_available": True}},
    }  # fmt: skip
    nested = {
        "type": "pipeline",
        "jobs": {"deep": {**HOST, "command": "echo d", "queue_settings": {"job_tier": "spot"}}},
    }
    job = {
        "type": "pipeline", "name": "vainly", **{key: IDLE[key] for key in ("identity", "services")},
        "inputs": {"unread": 1}, "settings": {"blue": "sky"},
        "jobs": {
            "s": step, "c": {"component": component},
            "n": {"component": nested, "identity": IDLE["identity"], "experiment_name": "e"},
        },
    }  # fmt: skip
    ran = desk.job(json.dumps(job))
    assert ran.code == 0, ran.err
    expected = lines(PipelineJob, CommandNode, CommandComponent, PipelineNode, JobResourceConfiguration, Input, Output)
    expected += ["settings.blue has no effect on this machine", "the input 'unread' is read by no step of the pipeline"]
    assert [line for line in expected if line not in ran.err] == []
    assert "queue_settings has no effect on this machine (steps s, c, n.deep)" in ran.err


def test_steps_that_write_one_file_are_told(desk: Desk) -> None:
    """Also by `validate`; not of a folder, which both may add to, nor of the two blocks of a condition."""
    step = {**HOST, "command": "echo > ${{outputs.o}}", "outputs": {"o": {"type": "uri_file", "path": "./one.txt"}}}
    folder = {**HOST, "command": "echo", "outputs": {"o": {"type": "uri_folder", "path": "./folder"}}}
    job = {"type": "pipeline", "jobs": {"a": step, "b": step, "c": folder, "d": folder}}
    warning = "a.outputs.o and b.outputs.o have one path, "
    ran = desk.job(json.dumps(job))
    assert (ran.code, ran.err.count(warning), ran.err.count(" have one path")) == (0, 1, 1)
    assert "one.txt: the step that ends last replaces what the other wrote" in ran.err
    assert warning in desk.smalt("job validate -f job.yml").err
    decide = {
        "type": "if_else",
        "condition": True,
        "true_block": "${{parent.jobs.a}}",
        "false_block": "${{parent.jobs.b}}",
    }
    desk.write("job.yml", json.dumps({**job, "jobs": {**job["jobs"], "decide": decide}}))
    assert " have one path" not in desk.smalt("job validate -f job.yml").err


def test_a_job_that_says_nothing_in_vain_is_told_nothing(desk: Desk) -> None:
    """What has an effect has no line, nor have the values that Azure's client sends by itself."""
    job = {
        **HOST, "command": "echo on", "description": "d", "tags": {"a": "b"}, "experiment_name": "e",
        "compute": "local", "limits": {"timeout": 60},
        "resources": {"instance_count": 1, "shm_size": "2g", "instance_type": "x"},
    }  # fmt: skip
    ran = desk.job(json.dumps({**job, "name": "not-in-vain"}))
    assert "no effect" not in ran.err
    assert "smalt.no_effect" not in desk.smalt("job show not-in-vain").json["properties"]


def test_settings_of_containers_act_only_there(desk: Desk) -> None:
    """`shm_size` and `docker_args` of a job in no container have a line."""
    job = {**HOST, "command": "echo on", "resources": {"shm_size": "3g", "docker_args": "--init"}}
    ran = desk.job(json.dumps(job))
    for key in ("shm_size", "docker_args"):
        assert f"resources.{key} has no effect on this machine: this environment is not a container" in ran.err


SEEN = "echo mark=$MARK; echo $AZUREML_EXPERIMENT_NAME $AZUREML_RUN_ID $AZUREML_NODE_COUNT; ls"
ACTED: dict[str, tuple[dict[str, Any], str]] = {
    "command": ({"command": "echo another"}, "another"),
    "environment_variables": ({"environment_variables": {"MARK": "x"}}, "mark=x"),
    "experiment_name": ({"experiment_name": "acted"}, "acted "),
    "name": ({"name": "acted-name"}, " acted-name "),
    "resources": ({"resources": {"instance_count": 2}}, " 2\n"),
    "code": ({"code": "src"}, "inside.txt"),
    "inputs": ({"inputs": {"d": {"type": "uri_file", "path": "data.txt"}}, "command": "cat ${{inputs.d}}"}, "of data"),
    "distribution": (
        {"distribution": {"type": "pytorch", "process_count_per_instance": 2}, "command": "echo $WORLD_SIZE"},
        "2\n",
    ),
    "outputs": ({"outputs": {"o": {"type": "uri_folder"}}, "command": "cd ${{outputs.o}} && echo in-o"}, "in-o"),
}


@pytest.mark.parametrize("field", ACTED)
@pytest.mark.parametrize("is_step", [False, True], ids=["job", "step"])
def test_what_is_acted_on_changes_what_runs(desk: Desk, field: str, is_step: bool) -> None:
    """A change of the field is seen in the log of a job and of a step."""
    desk.write("src/inside.txt", "")
    desk.write("data.txt", "of data\n")
    change, seen = ACTED[field]
    plain = {**HOST, "command": SEEN}
    before, after = plain, {**plain, **change}
    if is_step and field in ("name", "experiment_name"):
        pytest.skip("a step has its own name, and the pipeline's experiment")
    if is_step:
        before, after = ({"type": "pipeline", "jobs": {"s": step}} for step in (before, after))
    assert seen not in desk.job(json.dumps(before)).out
    ran = desk.job(json.dumps(after))
    assert seen in ran.out, ran.err
