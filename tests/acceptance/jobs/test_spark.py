"""Spark jobs by the command line: what is refused, and at which line. `test_real_spark.py` runs them."""

from __future__ import annotations

import pytest

from smalt import Input, MLClient, Output, spark
from smalt.exceptions import SmaltError
from smalt.machine.home import Home
from tests.acceptance.conftest import Desk

CONF = """
conf:
  spark.driver.cores: 1
  spark.driver.memory: 1g
  spark.executor.cores: 1
  spark.executor.memory: 1g
  spark.executor.instances: 1
"""
JOB = f"""
type: spark
code: src
entry: {{file: main.py}}
environment: azureml:host
resources: {{instance_type: standard_e4s_v3, runtime_version: "3.3"}}
{CONF}"""


def test_a_spark_job_needs_pyspark(desk: Desk) -> None:
    """The job's own environment has none: one sentence says so."""
    desk.write("src/main.py", "print('never')\n")
    ran = desk.job(JOB)
    assert ran.code == 1
    assert "this environment has no PySpark" in ran.out
    assert "error: this environment has no PySpark; leave out 'environment' to run" in ran.err
    assert "never" not in ran.out


def test_files_that_are_not_in_the_code_are_refused(desk: Desk) -> None:
    """All of them at once, each at its line."""
    desk.write("src/main.py", "")
    ran = desk.job(JOB.replace("main.py", "mian.py") + "jars: [a.jar]\npy_files: [u.zip]\nfiles: [main.py, f.txt]\n")
    assert ran.code == 2
    for place, name in (("4:15", "mian.py"), ("14:7", "a.jar"), ("15:11", "u.zip"), ("16:8", "f.txt")):
        assert f"job.yml:{place}: there is no file '{name}' in the code of this Spark job" in ran.err
    assert "'main.py'" not in ran.err


def test_sizes_are_checked_at_their_lines(desk: Desk) -> None:
    desk.write("src/main.py", "")
    wrong = CONF.replace("memory: 1g", "memory: lots").replace("instances: 1", "instances: many")
    ran = desk.smalt(f"job validate -f {desk.write('job.yml', JOB.replace(CONF, wrong))}")
    assert ran.code == 2
    assert "'spark.driver.memory' is an amount of memory such as 2g or 512m, not 'lots'" in ran.err
    assert "'spark.executor.instances' is a whole number, not 'many'" in ran.err
    assert "job.yml:10:" in ran.err


def test_what_has_no_effect_is_said(desk: Desk) -> None:
    """The size of the machine, and a Spark that smalt does not have."""
    desk.write("src/main.py", "")
    ran = desk.smalt(f"job validate -f {desk.write('job.yml', JOB)}")
    assert ran.code == 0, ran.err
    assert "resources.instance_type has no effect on this machine" in ran.out + ran.err
    assert "Spark 3.3 is not one that smalt has (3.4, 3.5); the job runs with Spark 3.4" in ran.out + ran.err


def test_a_step_is_a_spark_job_of_its_own(desk: Desk) -> None:
    """In a pipeline, from a component file, with the pipeline's data."""
    desk.write("src/main.py", "")
    desk.write(
        "part.yml",
        "type: spark\nname: part\ncode: src\nentry: {file: main.py}\nenvironment: azureml:host\n"
        f"inputs: {{d: {{type: uri_file, mode: direct}}}}\nargs: --d ${{{{inputs.d}}}}\n{CONF}",
    )
    desk.write("d.txt", "")
    ran = desk.job(
        "type: pipeline\njobs:\n  s:\n    type: spark\n    component: ./part.yml\n"
        "    inputs: {d: {type: uri_file, path: d.txt, mode: direct}}\n"
        "    resources: {instance_type: standard_e4s_v3, runtime_version: '3.4'}\n"
    )
    assert ran.code == 1
    assert "this environment has no PySpark" in ran.out
    assert "error: step s failed: this environment has no PySpark; leave out 'environment' to run" in ran.err


def test_a_program_submits_a_job(desk: Desk) -> None:
    """`smalt.spark(...)` takes what Azure's own function takes; sizes are in the job's `conf`."""
    desk.write("src/main.py", "")
    desk.write("d.txt", "")
    client = MLClient(home=Home(desk.server.home.root))
    job = spark(
        code="src",
        entry={"file": "main.py"},
        driver_cores=1,
        driver_memory="1g",
        executor_cores=2,
        executor_memory="1g",
        executor_instances=2,
        inputs={"d": Input(type="uri_file", path="d.txt", mode="direct")},
        outputs={"o": Output(type="uri_folder", mode="direct")},
        args="--d ${{inputs.d}} --o ${{outputs.o}}",
        environment="azureml:host",
        resources={"instance_type": "standard_e4s_v3", "runtime_version": "3.4"},
    )
    sent = client.jobs.create_or_update(job)
    with pytest.raises(SmaltError, match="has no PySpark"):
        client.jobs.stream(sent.name)
    got = client.jobs.get(sent.name)
    assert (got.type, got.conf["spark.executor.instances"]) == ("spark", "2")


def test_a_direct_input_may_be_a_file_or_a_folder(desk: Desk) -> None:
    """Published notebooks give a file to an input of type uri_folder; Spark reads either."""
    desk.write("src/main.py", "")
    desk.write("d/f.txt", "")
    for type, path in (("uri_folder", "d/f.txt"), ("uri_file", "d")):
        text = f"{JOB}inputs: {{d: {{type: {type}, path: {path}, mode: direct}}}}\n"
        ran = desk.smalt(f"job validate -f {desk.write('job.yml', text)}")
        assert ran.code == 0, ran.err
