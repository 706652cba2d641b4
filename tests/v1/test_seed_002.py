"""The left column of "Upgrade pipelines to SDK v2", verbatim, with only the files that it names."""

from __future__ import annotations

from smalt.client import MLClient
from smalt.machine.home import Home
from tests.v1.conftest import Programs

PROGRAM = """\
# import required libraries
import os
import azureml.core
from azureml.core import (
    Workspace,
    Dataset,
    Datastore,
    ComputeTarget,
    Experiment,
    ScriptRunConfig,
)
from azureml.pipeline.steps import PythonScriptStep
from azureml.pipeline.core import Pipeline

# check core SDK version number
print("Azure Machine Learning SDK Version: ", azureml.core.VERSION)

# load workspace
workspace = Workspace.from_config()
print(
    "Workspace name: " + workspace.name,
    "Azure region: " + workspace.location,
    "Subscription id: " + workspace.subscription_id,
    "Resource group: " + workspace.resource_group,
    sep="\\n",
)

# create an ML experiment
experiment = Experiment(workspace=workspace, name="train_score_eval_pipeline")

# create a directory
script_folder = "./src"

# create compute
from azureml.core.compute import ComputeTarget, AmlCompute
from azureml.core.compute_target import ComputeTargetException

# Choose a name for your CPU cluster
amlcompute_cluster_name = "cpu-cluster"

# Verify that cluster does not exist already
try:
    aml_compute = ComputeTarget(workspace=workspace, name=amlcompute_cluster_name)
    print('Found existing cluster, use it.')
except ComputeTargetException:
    compute_config = AmlCompute.provisioning_configuration(vm_size='STANDARD_DS12_V2',
                                                           max_nodes=4)
    aml_compute = ComputeTarget.create(ws, amlcompute_cluster_name, compute_config)

aml_compute.wait_for_completion(show_output=True)

# define data set
data_urls = ["wasbs://demo@dprepdata.blob.core.windows.net/Titanic.csv"]
input_ds = Dataset.File.from_files(data_urls)

# define steps in pipeline
from azureml.data import OutputFileDatasetConfig
model_output = OutputFileDatasetConfig('model_output')
train_step = PythonScriptStep(
    name="train step",
    script_name="train.py",
    arguments=['--training_data', input_ds.as_named_input('training_data').as_mount() ,'--max_epocs', 5, '--learning_rate', 0.1,'--model_output', model_output],
    source_directory=script_folder,
    compute_target=aml_compute,
    allow_reuse=True,
)

score_output = OutputFileDatasetConfig('score_output')
score_step = PythonScriptStep(
    name="score step",
    script_name="score.py",
    arguments=['--model_input',model_output.as_input('model_input'), '--test_data', input_ds.as_named_input('test_data').as_mount(), '--score_output', score_output],
    source_directory=script_folder,
    compute_target=aml_compute,
    allow_reuse=True,
)

eval_output = OutputFileDatasetConfig('eval_output')
eval_step = PythonScriptStep(
    name="eval step",
    script_name="eval.py",
    arguments=['--scoring_result',score_output.as_input('scoring_result'), '--eval_output', eval_output],
    source_directory=script_folder,
    compute_target=aml_compute,
    allow_reuse=True,
)

# built pipeline
from azureml.pipeline.core import Pipeline

pipeline_steps = [train_step, score_step, eval_step]

pipeline = Pipeline(workspace = workspace, steps=pipeline_steps)
print("Pipeline is built.")

pipeline_run = experiment.submit(pipeline, regenerate_outputs=False)

print("Pipeline submitted for execution.")
"""  # noqa: E501 the text's own lines
SCRIPT = """\
import argparse, os, sys

parser = argparse.ArgumentParser()
for name in sys.argv[1::2]:
    parser.add_argument(name)
given = vars(parser.parse_args())
texts = []
for name, value in given.items():
    if name.endswith("_output"):
        target = value
    elif os.path.isfile(value):
        texts.append(f"{name}={len(open(value).readlines())}")
    elif os.path.isdir(value):
        texts += [open(os.path.join(value, one)).read() for one in os.listdir(value)]
    else:
        texts.append(f"{name}={value}")
open(os.path.join(target, "text"), "w").write(" ".join(texts))
"""
END = """
print(pipeline_run.wait_for_completion())
print([(step.name, step.get_status()) for step in pipeline_run.get_steps()])
print(pipeline_run.find_step_run("eval step")[0].get_output_data("eval_output").download("found"))
"""


def prepare_program(served: Programs) -> MLClient:
    for name in ("train", "score", "eval"):
        served.write(f"src/{name}.py", SCRIPT)
    served.write("web/Titanic.csv", "a,b\n1,2\n3,4\n")
    client = MLClient(home=Home(served.home))
    place = "wasbs://demo@dprepdata.blob.core.windows.net"
    client.connection.patch("/smalt/v1/config", {"url-map": {place: str(served.folder / "web")}})
    return client


def test_the_program_runs_to_completed(served: Programs) -> None:
    """Data goes from step to step, and every argument arrives."""
    client = prepare_program(served)
    served.write("submit.py", PROGRAM)
    served.write("follow.py", f"exec(open('submit.py').read())\n{END}")
    ran = served.python("follow.py")
    assert ran.code == 0, ran.err
    assert "Found existing cluster, use it." in ran.out
    steps = "[('train step', 'Completed'), ('score step', 'Completed'), ('eval step', 'Completed')]"
    assert ran.out.splitlines()[-3:] == ["Completed", steps, "1"]
    found = next((served.folder / "found").rglob("text")).read_text()
    assert found == "training_data=3 max_epocs=5 learning_rate=0.1 test_data=3"
    job = client.jobs.get(next(iter(client.jobs.list(experiment_name="train_score_eval_pipeline"))).name)
    assert list(job.jobs) == ["train_step", "score_step", "eval_step"]


def test_the_slip_in_the_text_fails_at_its_line(served: Programs) -> None:
    """Where the cluster is not there, `ws` is a name that the text never gives; every workspace has `cpu-cluster`."""
    prepare_program(served)
    program = PROGRAM.replace('"cpu-cluster"', '"new-cluster"')
    served.write("submit.py", program)
    ran = served.python("submit.py")
    assert ran.code == 1
    assert "NameError: name 'ws' is not defined" in ran.err
    assert 'File "submit.py", line' in ran.err
    served.write("mended.py", program.replace("create(ws,", "create(workspace,") + END)
    mended = served.python("mended.py")
    assert mended.code == 0, mended.err
    assert "\nCompleted\n" in mended.out
