"""Jobs and components of kinds that smalt keeps and does not run yet: AutoML of images, data."""

from __future__ import annotations

import desk
from azure.ai.ml import Input, automl, dsl, load_component
from azure.ai.ml.entities import Job
from desk import folder, ml, refused, streamed, write

COMPONENTS = {
    "parallel": """
inputs: {d: {type: uri_folder}}
outputs: {o: {type: uri_folder}}
input_data: ${{inputs.d}}
mini_batch_size: "10"
max_concurrency_per_instance: 2
retry_settings: {max_retries: 1, timeout: 60}
task:
  type: run_function
  code: ./src
  entry_script: main.py
  environment: azureml:host@latest
  program_arguments: --o ${{outputs.o}}
""",
    "spark": """
code: ./src
entry: {file: main.py}
inputs: {n: {type: integer, default: 1}}
args: --n ${{inputs.n}}
conf:
  spark.driver.cores: 1
  spark.driver.memory: 2g
  spark.executor.cores: 1
  spark.executor.memory: 2g
  spark.executor.instances: 1
""",
    "data_transfer": """
task: copy_data
data_copy_mode: merge_with_overwrite
inputs: {d: {type: uri_folder}}
outputs: {o: {type: uri_folder}}
""",
    "pipeline": """
inputs: {n: {type: integer, default: 1}, d: {type: uri_folder}}
jobs:
  plain:
    type: command
    command: echo ${{inputs.n}}
    environment: azureml:host@latest
    inputs: {n: "${{parent.inputs.n}}"}
  tuned:
    type: sweep
    trial: ./trial.yml
    search_space: {lr: {type: uniform, min_value: 0.1, max_value: 0.2}}
    sampling_algorithm: random
    objective: {goal: maximize, primary_metric: acc}
    limits: {max_total_trials: 2, max_concurrent_trials: 1}
  split:
    type: parallel
    component: ./parallel.yml
    inputs: {d: "${{parent.inputs.d}}"}
""",
}
TRIAL = """
type: command
name: trial
version: "1"
inputs: {lr: {type: number}}
command: echo ${{inputs.lr}}
environment: azureml:host@latest
"""
LATER = "cannot run yet"
kept: list[str] = []


def sources() -> str:
    write("src/main.py", "print(1)\n")
    return str(folder / "src")


def table() -> Input:
    write("table/a.csv", "a,b\n1,2\n")
    write("table/MLTable", "paths:\n  - file: ./a.csv\ntransformations:\n  - read_delimited:\n      delimiter: ','\n")
    return Input(type="mltable", path=str(folder / "table"))


def kept_job(job: Job, kind: str) -> Job:
    """The job as it is got; it is over, and says why."""
    sent = ml.jobs.create_or_update(job)
    kept.append(sent.name)
    got = ml.jobs.get(sent.name)
    assert (got.type, got.status) == (kind, "Failed"), (got.type, got.status)
    assert LATER in refused(lambda: streamed(sent.name))
    return got


def it_keeps_automl() -> None:
    """Of tasks that are not about tables. (Those about text are kept, too; azure-ai-ml 1.20 cannot read its own.)"""
    given = {"compute": "cpu", "training_data": table(), "target_column_name": "b"}
    tasks = {
        "imageclassification": automl.image_classification(**given, primary_metric="accuracy"),
        "imageobjectdetection": automl.image_object_detection(**given, primary_metric="mean_average_precision"),
    }
    for task, job in tasks.items():
        assert kept_job(job, "automl").task_type.lower().replace("_", "") == task


def it_lists_all_of_them() -> None:
    """`jobs.list()` does not stumble over any."""
    assert len(kept) == 2, kept
    assert set(kept) <= {job.name for job in ml.jobs.list()}


def it_names_the_steps_that_cannot_run() -> None:
    """A pipeline with such a step is refused, in one sentence."""

    @dsl.pipeline(compute="cpu")
    def learnt(d):
        automl.image_classification(training_data=d, target_column_name="b", primary_metric="accuracy")

    message = refused(lambda: ml.jobs.create_or_update(learnt(table())))
    assert "an automl job" in message.lower(), message
    assert LATER in message, message


def it_keeps_components_of_every_kind() -> None:
    """Got and listed as they were made, by file and again by themselves."""
    sources()
    write("trial.yml", TRIAL)
    for kind, text in COMPONENTS.items():
        file = write(f"{kind}.yml", f'type: {kind}\nname: of_{kind}\nversion: "1"\n{text}')
        made = ml.components.create_or_update(load_component(file))
        got = ml.components.get(f"of_{kind}", "1")
        assert got.type == kind
        assert got._to_dict() == made._to_dict(), (got._to_dict(), made._to_dict())
        assert [one.version for one in ml.components.list(f"of_{kind}")] == ["1"]
        assert ml.components.create_or_update(load_component(file)).id == got.id
    assert {f"of_{kind}" for kind in COMPONENTS} <= {one.name for one in ml.components.list()}
    split = ml.components.get("of_parallel", "1")
    assert (split.mini_batch_size, split.max_concurrency_per_instance, split.task.entry_script) == (10, 2, "main.py")


desk.report()
