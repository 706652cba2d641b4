"""Parallel steps as the public notebooks and files make them."""

from pathlib import Path

import desk
from azure.ai.ml import Input, Output, dsl, load_component, load_job
from azure.ai.ml.parallel import RunFunction, parallel_run_function
from desk import HOST, done, folder, ml, write

SCORE = """
import argparse
from pathlib import Path
from azureml_user.parallel_run import EntryScript

def init():
    global arguments
    parser = argparse.ArgumentParser(allow_abbrev=False)
    parser.add_argument("--side")
    parser.add_argument("--word", default="no")
    arguments, _ = parser.parse_known_args()
    EntryScript().logger.info("ready")

def run(mini_batch):
    for path in mini_batch:
        (Path(arguments.side) / Path(path).name).write_text(path)
    return [f"{arguments.word} {Path(path).name}" for path in mini_batch]
"""
TASK = f"""
  type: run_function
  code: ./src
  entry_script: score.py
  environment: {HOST}
  program_arguments: >-
    --side ${{{{outputs.side}}}} --word ${{{{inputs.word}}}} --error_threshold 0 --allowed_failed_percent 30
    --copy_logs_to_parent True
  append_row_to: ${{{{outputs.rows}}}}
"""
COMPONENT = f"""
$schema: https://azuremlschemas.azureedge.net/latest/parallelComponent.schema.json
type: parallel
name: score_files
version: "1"
inputs:
  data: {{type: uri_folder}}
  word: {{type: string, default: seen}}
outputs:
  rows: {{type: uri_file}}
  side: {{type: uri_folder}}
input_data: ${{{{inputs.data}}}}
mini_batch_size: "2"
max_concurrency_per_instance: 2
mini_batch_error_threshold: 5
logging_level: DEBUG
retry_settings: {{max_retries: 2, timeout: 60}}
task:{TASK}
"""
INLINE = f"""
$schema: https://azuremlschemas.azureedge.net/latest/pipelineJob.schema.json
type: pipeline
settings: {{default_compute: azureml:cpu}}
jobs:
  score:
    type: parallel
    inputs:
      data: {{type: uri_folder, path: ./data, mode: ro_mount}}
      word: inline
    outputs:
      rows:
        type: uri_file
        path: azureml://datastores/${{{{default_datastore}}}}/paths/${{{{name}}}}/aggregated_returns.csv
      side: {{type: uri_folder, mode: rw_mount}}
    input_data: ${{{{inputs.data}}}}
    mini_batch_size: "2"
    resources: {{instance_count: 2}}
    max_concurrency_per_instance: 1
    mini_batch_error_threshold: 5
    logging_level: "DEBUG"
    retry_settings: {{max_retries: 2, timeout: 60}}
    environment_variables: {{AZUREML_PARALLEL_EXAMPLE: yaml}}
    task:{TASK.replace(chr(10) + "  ", chr(10) + "      ")}
"""


def prepare() -> None:
    write("src/score.py", SCORE)
    for number in range(5):
        write(f"data/{number}.txt", str(number))


def read_rows(job: str, place: str) -> list[str]:
    """The rows that a step appended."""
    ml.jobs.download(job, download_path=folder / place, output_name="rows")
    found = [path for path in Path(folder / place).rglob("*") if path.is_file()]
    return [line for path in found for line in path.read_text().splitlines()]


def it_runs_a_step_from_a_file() -> None:
    """Written in the pipeline; its job is a command to clients."""
    prepare()
    over = done(ml.jobs.create_or_update(load_job(write("pipeline.yml", INLINE))))
    (step,) = ml.jobs.list(parent_job_name=over.name)
    got = ml.jobs.get(step.name)
    assert (got.type, got.properties.get("azureml.parallelrunstep")) == ("command", "true"), got.properties
    assert read_rows(step.name, "inline") == [f"inline {number}.txt" for number in range(5)]


def it_runs_a_registered_component() -> None:
    """Its settings are the component's, except those that the step sets."""
    prepare()
    score = load_component(write("score.yml", COMPONENT))
    made = ml.components.create_or_update(score)
    assert (made.type, made.version) == ("parallel", "1")

    @dsl.pipeline(compute="cpu")
    def scored(data):
        step = ml.components.get("score_files", "1")(data=data)
        step.mini_batch_size = "1"
        step.outputs.rows.type = "uri_file"

    data = Input(type="uri_folder", path=str(folder / "data"))
    over = done(ml.jobs.create_or_update(scored(data=data)))
    (step,) = ml.jobs.list(parent_job_name=over.name)
    assert read_rows(step.name, "registered") == [f"seen {number}.txt" for number in range(5)]


def it_runs_a_step_from_python() -> None:
    """`parallel_run_function`, called under @pipeline with another input."""
    prepare()
    score = parallel_run_function(
        name="score",
        inputs={"data": Input(type="uri_folder"), "word": Input(type="string")},
        outputs={"rows": Output(type="uri_file"), "side": Output(type="uri_folder")},
        input_data="${{inputs.data}}",
        instance_count=2,
        max_concurrency_per_instance=1,
        mini_batch_size="2",
        mini_batch_error_threshold=1,
        retry_settings={"max_retries": 2, "timeout": 60},
        logging_level="DEBUG",
        task=RunFunction(
            code=str(folder / "src"),
            entry_script="score.py",
            environment=HOST,
            program_arguments="--side ${{outputs.side}} --word ${{inputs.word}}",
            append_row_to="${{outputs.rows}}",
        ),
    )

    @dsl.pipeline(compute="cpu")
    def scored(data):
        score(data=data, word="python")

    over = done(ml.jobs.create_or_update(scored(data=Input(type="uri_folder", path=str(folder / "data")))))
    (step,) = ml.jobs.list(parent_job_name=over.name)
    assert read_rows(step.name, "python") == [f"python {number}.txt" for number in range(5)]


desk.report()
