from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest

from smalt import Input, Output, automl, command, load_component, load_job, spark, wire
from smalt.data_transfer import FileSystem, copy_data, import_data
from smalt.dsl import pipeline
from smalt.exceptions import UserErrorException
from smalt.parallel import RunFunction, parallel_run_function
from smalt.sweep import BanditPolicy, Choice, LogUniform, Uniform
from tests.dsl.programs import train

DATA = Input(type="uri_folder", path="azureml:d:1")


def sent(job: Any) -> Any:
    return wire.to_rest(job)["properties"]


def test_a_step_that_is_swept_is_the_trial() -> None:
    """Inputs that are given distributions are the space; the step itself is none of the pipeline's."""
    trainer = train()

    @pipeline
    def whole(data: Input) -> Any:
        step = trainer(data=data, lr=Uniform(0.1, 0.9), kind=Choice(["a", "b"]))
        best = step.sweep(primary_metric="loss", goal="minimize", max_total_trials=4)
        best.set_limits(max_concurrent_trials=2)
        best.early_termination = BanditPolicy(slack_factor=0.1, evaluation_interval=2)
        return {"model": best.outputs.model}

    jobs = sent(whole(DATA))["jobs"]
    assert list(jobs) == ["best"]
    assert jobs["best"]["search_space"]["lr"] == {"type": "uniform", "min_value": 0.1, "max_value": 0.9}
    assert jobs["best"]["limits"] == {"max_total_trials": 4, "max_concurrent_trials": 2}
    assert jobs["best"]["outputs"]["model"]["value"] == "${{parent.outputs.model}}"


def test_a_swept_command_is_a_sweep_job() -> None:
    """Its trials read the point of the space that they are given."""
    job = command(command="train --lr ${{inputs.lr}} ${{inputs.d}}", environment="e@latest", compute="cpu",
                  inputs={"lr": 0.1, "d": DATA})  # fmt: skip
    body = sent(job(lr=LogUniform(-3, -1)).sweep(primary_metric="m", goal="maximize", max_total_trials=2))
    assert body["jobType"] == "Sweep"
    assert body["searchSpace"] == {"lr": ["loguniform", [-3, -1]]}
    assert body["trial"]["command"] == "train --lr ${{search_space.lr}} ${{inputs.d}}"
    assert list(body["inputs"]) == ["d"]


def test_a_component_that_is_called_can_be_submitted() -> None:
    """As a job of its command, with its defaults and outputs."""
    body = sent(train()(data=DATA, lr=0.2))
    assert body["jobType"] == "Command"
    assert body["inputs"]["lr"]["value"] == "0.2"
    assert body["inputs"]["epochs"]["value"] == "3"
    assert body["outputs"]["model"] == {"jobOutputType": "custom_model"}


def test_spark_is_a_job_and_a_step() -> None:
    """Sizes are Spark's own settings; a called one has the name that it was given."""
    job = spark(name="s1", code="src", entry={"file": "m.py"}, args="--d ${{inputs.d}}", driver_cores=1,
                executor_instances=2, inputs={"d": Input(type="uri_file", path="f", mode="direct")},
                resources={"instance_type": "x", "runtime_version": "3.4.0"})  # fmt: skip
    body = sent(job)
    assert body["jobType"] == "Spark"
    assert body["conf"] == {"spark.driver.cores": "1", "spark.executor.instances": "2"}

    @pipeline
    def whole() -> None:
        step = job()
        assert step

    step = sent(whole())["jobs"]["s1"]
    assert step["entry"] == {"spark_job_entry_type": "SparkJobPythonEntry", "file": "m.py"}
    assert step["inputs"]["d"]["mode"] == "Direct"


def test_parallel_run_function_makes_parallel_steps() -> None:
    """Each with its task; alone it is not a job."""
    score = parallel_run_function(
        name="score", inputs={"d": Input(type="uri_folder")}, outputs={"o": Output(type="uri_file")},
        input_data="${{inputs.d}}", instance_count=2, mini_batch_size="10kb", mini_batch_error_threshold=1,
        retry_settings={"max_retries": 2, "timeout": 60},
        task=RunFunction(code="src", entry_script="s.py", environment="e@latest", append_row_to="${{outputs.o}}"),
    )  # fmt: skip

    @pipeline
    def whole(data: Input) -> None:
        step = score(d=data)
        step.resources.instance_count = 3

    step = sent(whole(DATA))["jobs"]["score"]
    assert step["mini_batch_size"] == 10240
    assert step["resources"] == {"instance_count": 3}
    assert step["task"]["entry_script"] == "s.py"
    with pytest.raises(UserErrorException, match="only inside a pipeline"):
        sent(score(d=DATA))


def test_automl_is_a_job_and_a_step() -> None:
    """Made by a function for each task, and set part by part."""
    job = automl.classification(
        training_data=Input(type="mltable", path="./t"), target_column_name="y",
        primary_metric=automl.ClassificationPrimaryMetrics.ACCURACY, n_cross_validations=5,
    )  # fmt: skip
    job.set_limits(timeout_minutes=60, max_trials=5)
    job.set_training(blocked_training_algorithms=[automl.ClassificationModels.LOGISTIC_REGRESSION])
    body = sent(job)
    assert body["jobType"] == "AutoML"
    assert body["taskDetails"]["primaryMetric"] == "Accuracy"
    assert body["taskDetails"]["limitSettings"]["maxTrials"] == 5

    @pipeline
    def whole(data: Input) -> None:
        detect = automl.image_object_detection(
            training_data=data, target_column_name="l", outputs={"best": Output(type="mlflow_model")}
        )
        detect.extend_search_space([automl.SearchSpace(model_name=Choice(["yolov5"]), learning_rate=Uniform(0, 1))])
        detect.set_sweep(sampling_algorithm="Random", early_termination=BanditPolicy(evaluation_interval=2))
        last = command(command="ls ${{inputs.m}}", environment="e@latest", inputs={"m": Input(type="mlflow_model")})
        show = last(m=detect.outputs.best)
        assert show

    jobs = sent(whole(Input(type="mltable", path="./t")))["jobs"]
    assert list(jobs) == ["detect", "show"]
    assert jobs["show"]["inputs"]["m"]["value"] == "${{parent.jobs.detect.outputs.best}}"
    assert jobs["detect"]["training_data"] == "${{parent.inputs.data}}"


def test_data_is_copied_and_imported_by_steps() -> None:
    """Imports have a source and an output called `sink`."""
    both = copy_data(
        inputs={"a": Input(type="uri_folder")}, outputs={"o": Output(type="uri_folder")},
        data_copy_mode="merge_with_overwrite",
    )  # fmt: skip

    @pipeline
    def whole() -> None:
        fetch = import_data(
            source=FileSystem(connection="azureml:c", path="p"), outputs={"sink": Output(type="uri_folder")}
        )
        merge = both(a=fetch.outputs.sink)
        assert merge

    jobs = sent(whole())["jobs"]
    assert jobs["fetch"]["source"]["connection"] == "azureml:c"
    assert jobs["merge"]["inputs"]["a"]["value"] == "${{parent.jobs.fetch.outputs.sink}}"
    assert jobs["merge"]["task"] == "copy_data"


def test_entities_are_loaded_from_files_and_other_things(tmp_path: Path) -> None:
    """A path, an open file, a mapping; with values put in first, as they are."""
    text = "command: echo ${{inputs.n}}\nenvironment: azureml:host@latest\ninputs: {n: 1}\ncode: .\n"
    path = tmp_path / "job.yml"
    path.write_text(text)
    job = load_job(path, params_override=[{"inputs.n": "2"}, {"display_name": "X"}])
    assert (job.inputs.n, job.display_name, job.code) == ("2", "X", str(tmp_path))
    assert load_job(io.StringIO(text), relative_origin=str(path)).code == str(tmp_path)
    with path.open() as file:
        assert load_job(file).code == str(tmp_path)
    assert load_component({"command": "ls", "environment": "azureml:e:1"}).command == "ls"
    with pytest.raises(UserErrorException, match="is not there"):
        load_job(str(tmp_path / "no.yml"))


def test_a_schedule_makes_the_job_that_a_step_is_alone() -> None:
    """A command, or a call of a component, needs no pipeline around it."""
    from smalt.entities import CronTrigger, JobSchedule

    trigger = CronTrigger(expression="0 0 * * *")
    for step in (command(command="ls", environment="azureml:host@latest"), train()(data=DATA)):
        body = wire.to_rest(JobSchedule(name="s", trigger=trigger, create_job=step))
        assert body["properties"]["action"]["jobDefinition"] == wire.to_rest(step)["properties"]
