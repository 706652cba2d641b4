"""Spark as its notebooks use it: a job of `spark(...)`, its read-back, and a pipeline of a component file."""

from __future__ import annotations

from azure.ai.ml import Input, Output, dsl, load_component, spark
from azure.ai.ml.entities import Job, UserIdentityConfiguration
from desk import done, folder, ml, refused, report, streamed, write

SCRIPT = """
import argparse
import pyspark.pandas as pd
parser = argparse.ArgumentParser()
parser.add_argument("--table")
parser.add_argument("--counts")
args = parser.parse_args()
table = pd.read_csv(args.table)
print("rows", len(table))
table.to_csv(args.counts)
"""
COMPONENT = """
$schema: https://azuremlschemas.azureedge.net/latest/sparkComponent.schema.json
name: counts
type: spark
version: 1
code: ./src
entry: {file: main.py}
inputs: {table: {type: uri_file, mode: direct}}
outputs: {counts: {type: uri_folder, mode: direct}}
args: --table ${{inputs.table}} --counts ${{outputs.counts}}
conf:
  spark.driver.cores: 1
  spark.driver.memory: 1g
  spark.executor.cores: 1
  spark.executor.memory: 1g
  spark.dynamicAllocation.enabled: True
  spark.dynamicAllocation.minExecutors: 1
  spark.dynamicAllocation.maxExecutors: 2
"""
RESOURCES = {"instance_type": "Standard_E8S_V3", "runtime_version": "3.4.0"}


def table() -> Input:
    return Input(type="uri_file", path=write("table.csv", "a,b\n1,2\n3,4\n"), mode="direct")


def make_job(**more: object) -> Job:
    write("src/main.py", SCRIPT)
    return spark(
        display_name="Counts",
        code=str(folder / "src"),
        entry={"file": "main.py"},
        driver_cores=1,
        driver_memory="1g",
        executor_cores=1,
        executor_memory="1g",
        executor_instances=1,
        resources=RESOURCES,
        inputs={"table": table()},
        outputs={"counts": Output(type="uri_folder", mode="direct")},
        args="--table ${{inputs.table}} --counts ${{outputs.counts}}",
        **more,
    )


def it_runs_a_job() -> None:
    """With its sizes read back, and its output downloaded."""
    sent = ml.jobs.create_or_update(make_job(identity=UserIdentityConfiguration()))
    text = streamed(sent.name)
    assert "rows 2" in text, text
    got = ml.jobs.get(sent.name)
    assert (got.status, got.type) == ("Completed", "spark")
    assert (got.driver_memory, got.resources.instance_type.lower()) == ("1g", "standard_e8s_v3")
    assert got.args == "--table ${{inputs.table}} --counts ${{outputs.counts}}"
    ml.jobs.download(sent.name, download_path=folder / "got", output_name="counts")
    assert list((folder / "got").rglob("part-*.csv"))


def it_refuses_a_file_that_is_not_there() -> None:
    job = make_job(py_files=["gone.zip"])
    assert "there is no file 'gone.zip'" in refused(lambda: ml.jobs.create_or_update(job))


def it_runs_a_step_of_a_component_file() -> None:
    """As in the notebook with Spark nodes."""
    write("src/main.py", SCRIPT)
    counts = load_component(write("counts.yml", COMPONENT))

    @dsl.pipeline()
    def counted(data):
        step = counts(table=data)
        step.resources = RESOURCES
        step.outputs.counts.mode = "direct"
        return {"counts": step.outputs.counts}

    job = counted(table())
    done(ml.jobs.create_or_update(job))


def it_lists_the_jobs() -> None:
    assert "spark" in {job.type for job in ml.jobs.list()}


report()
