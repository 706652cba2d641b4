"""Conda files, run configurations and pipeline files of SDK v1."""

from __future__ import annotations

import yaml
from smalt.v1.upgrade.documents import upgrade_conda_file
from tests.v1.conftest import Programs

RUN_CONFIGURATION = """\
script: train.py
arguments: [--rate, 0.1]
target: cpu-cluster
framework: Python
environment:
  name: mine
  python:
    condaDependencies:
      dependencies: [python=3.8, {pip: [numpy]}]
"""
PIPELINE = """\
pipeline:
  name: Sample
  parameters:
    rate: {type: float, default: 0.1}
  default_compute: cpu-cluster
  steps:
    Step1:
      type: PythonScriptStep
      name: train
      script_name: train.py
      source_directory: .
      arguments: [--rate, "parameter:rate"]
"""


def test_a_conda_file_gets_mlflow_for_the_sdk() -> None:
    """Once, where the first package of SDK v1 stood; everything else stays."""
    before = (
        "# mine\ndependencies:\n- python=3.8\n- pip:\n  - azureml-defaults==1.50 # sdk\n  - azureml-core\n  - numpy\n"
    )
    upgraded = upgrade_conda_file(before)
    assert upgraded.text == (
        "# mine\ndependencies:\n- python=3.8\n- pip:\n  - mlflow-skinny\n  - azureml-mlflow\n  - numpy\n"
    )
    assert [(one.line, one.state) for one in upgraded.findings] == [(5, "differs"), (6, "differs")]


def test_a_run_configuration_becomes_a_job_file(served: Programs) -> None:
    """It stands beside the code, without the old file."""
    served.write("train.py", "print(1)\n")
    old = served.write(".azureml/train.runconfig", RUN_CONFIGURATION)
    done = served.smalt("upgrade", ".", "--write")
    assert done.code == 0, done.err
    assert not old.exists()
    job = yaml.safe_load((served.folder / "train.yml").read_text())
    assert (job["command"], job["code"], job["compute"]) == ("python train.py --rate 0.1", ".", "cpu-cluster")
    packages = job["environment"]["conda_file"]["dependencies"][-1]["pip"]
    assert packages == ["numpy", "mlflow-skinny", "azureml-mlflow"]
    assert served.smalt("job", "validate", "--file", "train.yml").code == 0


def test_a_pipeline_file_becomes_a_pipeline_job(served: Programs) -> None:
    served.write("train.py", "print(1)\n")
    served.write("pipeline.yml", PIPELINE)
    assert served.smalt("upgrade", ".", "--write").code == 0
    job = yaml.safe_load((served.folder / "pipeline.yml").read_text())
    assert (job["type"], job["inputs"]) == ("pipeline", {"rate": 0.1})
    assert job["jobs"]["train"]["command"] == "python train.py --rate ${{inputs.rate}}"
    assert job["jobs"]["train"]["inputs"] == {"rate": "${{parent.inputs.rate}}"}
    assert served.smalt("job", "validate", "--file", "pipeline.yml").code == 0
    assert served.smalt("upgrade", ".", "--check").code == 0


def test_a_file_that_cannot_be_built_stays(served: Programs) -> None:
    """Its own sentence is the reason."""
    served.write("pipeline.yml", PIPELINE.replace("PythonScriptStep", "AdlaStep"))
    before = (served.folder / "pipeline.yml").read_text()
    done = served.smalt("upgrade", ".", "--write")
    assert "pipeline.yml:1:1: Pipeline.load_yaml: needs a person: " in done.err
    assert (served.folder / "pipeline.yml").read_text() == before
