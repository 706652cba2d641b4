"""The pipeline of Microsoft's migration guide, as it is but for its names."""

from __future__ import annotations

from pathlib import Path

from tests.designer.conftest import Folder

PROGRAM = Path(__file__).with_name("pipeline.txt")

COMPONENTS = '''
from pathlib import Path

from mldesigner import Input, Output, command_component


@command_component()
def train_model(
    training_data: Input(type="uri_file"),
    max_epochs: int,
    model_output: Output(type="uri_folder"),
    learning_rate=0.02,
):
    """A dummy train component.

    Args:
        training_data: a file contains training data
        max_epochs: max epochs
        learning_rate: learning rate
        model_output: target folder to save model output
    """
    rows = Path(training_data).read_text().splitlines()
    (Path(model_output) / "model").write_text(f"{len(rows)} rows, {max_epochs} epochs, {learning_rate + 0}")


@command_component(display_name="Score", environment="./env.yaml")
def score_data(
    model_input: Input(type="uri_folder"),
    test_data: Input(type="uri_file"),
    score_output: Output(type="uri_folder"),
    model_file: str = None,
) -> str:
    """A dummy score component."""
    assert model_file is None
    model = (Path(model_input) / "model").read_text()
    (Path(score_output) / "score").write_text("scored with {}".format(model))
    return str(Path(score_output) / "score")


@command_component(display_name="Evaluate", environment="./env.yaml")
def eval_model(
    scoring_result: Input(type="uri_folder"),
    eval_output: Output(type="uri_folder"),
    scoring_file: str = None,
):
    """A dummy evaluate component."""
    (Path(eval_output) / "eval_result").write_text((Path(scoring_result) / "score").read_text())
    print("evaluated", (Path(eval_output) / "eval_result").read_text())
'''

ENVIRONMENT = """
    name: mldesigner_environment
    image: mcr.microsoft.com/azureml/openmpi4.1.0-ubuntu20.04
    conda_file:
      name: default_environment
      channels: [defaults]
      dependencies: [python=3.10, pip]
"""

IDENTITY = """
    class DefaultAzureCredential:
        def get_token(self, *scopes):
            raise OSError("no network")

    class InteractiveBrowserCredential(DefaultAzureCredential):
        pass
"""
"""azure-identity as far as it gets where no cloud is."""

FOLLOW = """
ml_client.jobs.stream(pipeline_job.name)
print("status", ml_client.jobs.get(pipeline_job.name).status)
"""


def test_the_guides_pipeline_completes(folder: Folder) -> None:
    """With `azure.ai.ml` replaced by `smalt`, and nothing else, three function components run one after the other."""
    folder.write("azure/identity.py", IDENTITY)
    folder.write("src/components.py", COMPONENTS)
    folder.write("src/env.yaml", ENVIRONMENT)
    folder.write("submit.py", PROGRAM.read_text().replace("azure.ai.ml", "smalt") + FOLLOW)
    out = folder.run("submit.py")
    assert "evaluated scored with 3 rows, 5 epochs, 0.1" in out
    assert out.splitlines()[-1] == "status Completed"
