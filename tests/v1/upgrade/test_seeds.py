"""The left columns of Microsoft's upgrade pages, upgraded: near to the right columns, and they run."""

from __future__ import annotations

from smalt.v1.upgrade.program import upgrade_program
from tests.v1.conftest import Programs
from tests.v1.test_seed_001 import PROGRAM, TRAIN

UPGRADED = """\
from azure.ai.ml import MLClient, command
from azure.ai.ml.entities import Environment
from azure.identity import DefaultAzureCredential

# connect to the workspace
ml_client = MLClient.from_config(DefaultAzureCredential())

# define and configure the experiment
experiment_name = 'day1-experiment-train'
config = command(code='./src', command="python train.py", compute='cpu-cluster')

# set up pytorch environment
env = Environment(
    image="mcr.microsoft.com/azureml/openmpi4.1.0-ubuntu20.04",
    conda_file='pytorch-env.yml',
    name='pytorch-env',
)
config.environment = env

run = ml_client.jobs.create_or_update(config, experiment_name=experiment_name)

aml_url = run.studio_url
print(aml_url)
"""


def test_a_script_run_becomes_a_command() -> None:
    """Variables, comments and order stay; nothing of it needs a person."""
    upgraded = upgrade_program(PROGRAM)
    assert upgraded.text == UPGRADED
    assert {one.state for one in upgraded.findings} == {"changed"}


def test_the_upgraded_program_runs(served: Programs) -> None:
    """Written in place, it runs to Completed, and nothing of SDK v1 is left for a check to find."""
    served.write("src/train.py", "print('trained')\n")
    served.write("pytorch-env.yml", "name: pytorch-env\ndependencies:\n  - python=3\n")
    served.write("submit.py", PROGRAM)
    assert served.smalt("upgrade", ".", "--check").code == 1
    done = served.smalt("upgrade", ".", "--write")
    assert done.code == 0, done.err
    end = "ml_client.jobs.stream(run.name); print(ml_client.jobs.get(run.name).status)\n"
    served.write("follow.py", f"exec(open('submit.py').read())\n{end}")
    ran = served.python("follow.py")
    assert ran.code == 0, ran.err
    assert ran.out.endswith("Completed\n")
    assert served.smalt("upgrade", ".", "--check").code == 0


def test_a_training_script_logs_by_mlflow() -> None:
    """Nothing of azureml is left in a script that only logs."""
    assert upgrade_program(TRAIN).text == "import mlflow\n\nmlflow.log_metric('loss', 0.25)\nprint('trained')\n"
