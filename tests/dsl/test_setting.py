"""What programs set on jobs and nouns by their methods, with the official parameters."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from smalt import Input, Output, automl, command, load_component, load_job, wire
from smalt.constants import TimeZone
from smalt.dsl import pipeline
from smalt.entities import (
    BatchEndpoint,
    Command,
    CommandComponent,
    CommandJob,
    CronTrigger,
    Environment,
    MarketplaceSubscription,
    ParallelTask,
    RecurrenceTrigger,
    SparkJob,
    SweepJob,
)
from smalt.exceptions import UserErrorException, ValidationException
from smalt.parallel import parallel_run_function
from tests.dsl.programs import train

TABLE = Input(type="mltable", path="azureml:t:1")


def test_an_automl_job_from_a_file_is_of_its_task(tmp_path: Path) -> None:
    """With that task's methods, and equal to the one that a program makes."""
    made = automl.classification(training_data=TABLE, target_column_name="y", primary_metric="accuracy", compute="c")
    made.set_limits(timeout_minutes=5)
    made.set_training(ensemble_model_download_timeout=3)
    made.dump(tmp_path / "job.yml")
    loaded = load_job(tmp_path / "job.yml")
    assert type(loaded) is automl.ClassificationJob
    assert loaded == made
    assert loaded.training.ensemble_model_download_timeout_minutes == 3


def test_names_that_a_method_has_not_are_refused() -> None:
    """By Python itself, in a job and in a step."""
    found: list[Any] = [automl.text_ner(training_data=TABLE, validation_data=TABLE)]

    @pipeline
    def whole() -> None:
        found.append(automl.image_object_detection(training_data=TABLE, target_column_name="label"))

    whole()
    for job in found:
        with pytest.raises(TypeError, match="exit_score"):
            job.set_limits(exit_score=3)
    found[0].set_limits(timeout_minutes=4)
    assert (found[0].limits.max_trials, found[0].limits.timeout_minutes) == (1, 4)


def test_setters_keep_what_is_not_given() -> None:
    """Of sweeps and of parallel steps."""
    sweep = SweepJob.from_dict(
        {
            "trial": {"command": "ls", "environment": "azureml:e:1"},
            "search_space": {"x": {"type": "choice", "values": [1, 2]}},
            "objective": {"goal": "minimize", "primary_metric": "loss"},
            "limits": {"max_total_trials": 2},
        }
    )
    sweep.set_limits(timeout=5)
    sweep.set_objective(goal="maximize")
    sweep.set_resources(instance_count=2)
    assert (sweep.limits.max_total_trials, sweep.limits.timeout) == (2, 5)
    assert (sweep.objective.goal, sweep.objective.primary_metric) == ("maximize", "loss")
    task = ParallelTask(type="run_function", code=".", entry_script="x.py", environment="azureml:e:1")
    step = parallel_run_function(task=task, inputs={"d": TABLE}, input_data="${{inputs.d}}", instance_count=3)
    step.set_resources(shm_size="2g")
    assert (step.resources.instance_count, step.resources.shm_size) == (3, "2g")


def test_nouns_that_are_mappings() -> None:
    """As the official SDK's generated classes are."""
    found = MarketplaceSubscription(name="n", model_id="m")
    found.status = "subscribed"
    assert found.as_dict() == {"name": "n", "model_id": "m", "status": "subscribed"}
    assert found.as_dict(exclude_readonly=True) == {"name": "n", "model_id": "m"}
    assert (found.pop("status"), found.pop("status", None), found.setdefault("name", "x")) == ("subscribed", None, "n")
    other = found.copy()
    other.clear()
    assert (found.name, other.name, list(other)) == ("n", None, [])
    with pytest.raises(KeyError):
        other.popitem()


def test_what_an_environment_needs_to_be_registered() -> None:
    """All of it at once."""
    Environment(name="e", image="i").validate()
    with pytest.raises(ValidationException, match=r"needs 'name'") as error:
        Environment().validate()
    assert "'conda_file'" in str(error.value)


def test_an_endpoint_tells_what_it_dumps(tmp_path: Path) -> None:
    """Without a file too."""
    endpoint = BatchEndpoint(name="e", description="d")
    told = endpoint.dump()
    assert told["description"] == "d"
    assert endpoint.dump(tmp_path / "e.yml") == told
    assert "description: d" in (tmp_path / "e.yml").read_text()


def test_settings_of_spark_beyond_those_with_names() -> None:
    """`conf` has both."""
    conf = {"spark.driver.cores": 1, "spark.jars.packages": "p"}
    job = SparkJob.from_dict({"code": ".", "entry": {"file": "a.py"}, "conf": conf})
    assert job.filter_conf_fields() == {"spark.jars.packages": "p"}


def test_the_component_of_a_step_that_is_built_in_place() -> None:
    """It can be registered, called and looked at; the step itself stays as it is."""
    step = command(
        name="prep",
        command="cp ${{inputs.data}} ${{outputs.out}}",
        environment="azureml:e:1",
        inputs={"data": Input(type="uri_file")},
        outputs={"out": Output(type="uri_folder")},
    )
    component = step.component
    assert (component.name, component.command, list(component.outputs)) == ("prep", step.command, ["out"])
    assert component is step.component
    assert "component" not in step.to_dict()
    assert isinstance(component(data=TABLE), Command)


def test_a_flow_is_called_with_what_it_maps(tmp_path: Path) -> None:
    """Its inputs are declared, and take columns of the data as text; it is a parallel step."""
    (tmp_path / "flow.dag.yaml").write_text(
        "$schema: https://azuremlschemas.azureedge.net/promptflow/latest/Flow.schema.json\n"
        "inputs: {text: {type: string}}\noutputs: {output: {type: string, reference: x}}\nnodes: []\n"
    )
    flow = load_component(tmp_path / "flow.dag.yaml")

    @pipeline
    def whole(data: Input) -> None:
        asked = flow(data=data, text="${data.text}")
        asked.environment_variables = {"KEY": "x"}
        asked.inputs.text = "${data.other}"

    step = wire.to_rest(whole(TABLE))["properties"]["jobs"]["asked"]
    assert step["type"] == "parallel"
    assert step["inputs"]["text"]["value"] == "${data.other}"


def test_a_schedule_begins_at_a_datetime() -> None:
    """As the official SDK writes it; text stays as it is."""
    cron = CronTrigger(expression="0 9 * * *", start_time=datetime(2027, 1, 2, 3), time_zone=TimeZone.UTC)
    cron.end_time = datetime(2027, 2, 1)
    assert cron.to_dict()["start_time"] == "2027-01-02 03:00:00"
    assert cron.to_dict()["end_time"] == "2027-02-01 00:00:00"
    assert RecurrenceTrigger(frequency="day", interval=1, start_time="2027-01-02").start_time == "2027-01-02"


def test_plain_data_is_taken_where_a_noun_is_made() -> None:
    """As where it is set afterwards: a mapping becomes the noun that belongs there; one that cannot is told."""
    job = CommandJob(
        command="ls ${{inputs.d}}",
        environment={"image": "i"},
        inputs={"d": {"type": "uri_file", "path": "azureml:d:1"}},
        outputs={"o": {"type": "uri_folder"}},
        limits={"timeout": 3},
    )
    body = wire.to_rest(job)["properties"]
    assert body["inputs"]["d"] == {"jobInputType": "uri_file", "uri": "azureml:d:1"}
    assert job.limits.timeout == 3
    component = CommandComponent(
        name="c", command="ls ${{inputs.x}}", inputs={"x": {"type": "integer"}}, environment="azureml:e:1"
    )
    assert component(x=3).inputs == {"x": 3}
    with pytest.raises(UserErrorException, match=r"test_setting.py:\d+: limits.timeout: 'timeout' must be"):
        CommandJob(command="ls", limits={"timeout": "soon"})


def test_a_program_keeps_its_own_input() -> None:
    """What a step changes of it is the step's."""
    data = Input(type="uri_folder", path="azureml:d:1")

    @pipeline
    def whole(given: Input) -> None:
        first = train()(data=data)
        first.inputs.data.mode = "download"
        train()(data=given)

    job = whole(data)
    job.inputs["given"].mode = "direct"
    assert data.mode is None
    assert job.jobs["first"].inputs["data"].mode == "download"
