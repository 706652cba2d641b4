"""The left column of "Upgrade script run to SDK v2", verbatim, with only the files that it names."""

from __future__ import annotations

from tests.v1.conftest import Programs

PROGRAM = """\
from azureml.core import Workspace, Experiment, Environment, ScriptRunConfig

# connect to the workspace
ws = Workspace.from_config()

# define and configure the experiment
experiment = Experiment(workspace=ws, name='day1-experiment-train')
config = ScriptRunConfig(source_directory='./src',
                            script='train.py',
                            compute_target='cpu-cluster')

# set up pytorch environment
env = Environment.from_conda_specification(
    name='pytorch-env',
    file_path='pytorch-env.yml')
config.run_config.environment = env

run = experiment.submit(config)

aml_url = run.get_portal_url()
print(aml_url)
"""
TRAIN = "from azureml.core import Run\n\nRun.get_context().log('loss', 0.25)\nprint('trained')\n"


def test_the_program_runs_to_completed(served: Programs) -> None:
    """Its job is of the experiment, on the compute, with the metric that the script logs."""
    served.write("src/train.py", TRAIN)
    served.write("pytorch-env.yml", "name: pytorch-env\ndependencies:\n  - python=3\n")
    served.write("submit.py", PROGRAM)
    end = "print(run.wait_for_completion(), run.get_metrics(), run.job.compute, run.experiment.name)\n"
    served.write("follow.py", f"exec(open('submit.py').read())\n{end}")
    ran = served.python("follow.py")
    assert ran.code == 0, ran.err
    assert "'status': 'Completed'" in ran.out
    assert ran.out.endswith("{'loss': 0.25} azureml:cpu-cluster day1-experiment-train\n")
