"""`ExplanationClient` on a real server. A package of a few lines stands in for interpret-community, which is large."""

from __future__ import annotations

from tests.v1.conftest import Programs

LIBRARY = """\
import json, os

class Explanation:
    def __init__(self, id, values):
        self.id, self.values, self.is_raw, self.is_engineered = id, values, True, False

    def get_ranked_global_values(self, top_k=None):
        return sorted(self.values, reverse=True)[:top_k]

def save_explanation(explanation, path, exist_ok=False):
    os.makedirs(os.path.join(path, "data"), exist_ok=True)
    with open(os.path.join(path, "data", "values.json"), "w") as file:
        json.dump([explanation.id, explanation.values], file)

def load_explanation(path):
    with open(os.path.join(path, "data", "values.json")) as file:
        return Explanation(*json.load(file))
"""
JOB = """\
import sys
sys.path.insert(0, ".")
from azureml.core.run import Run
from azureml.interpret import ExplanationClient
from interpret_community.explanation.serialization import Explanation

client = ExplanationClient.from_run(Run.get_context())
client.upload_model_explanation(Explanation("of-job", [1, 3, 2]), comment="by the job", model_id="m:1", true_ys=[0, 1])
print(client.download_model_explanation().get_ranked_global_values())
"""


def _add_library(served: Programs, folder: str) -> None:
    served.write(f"{folder}interpret_community/__init__.py", "")
    served.write(f"{folder}interpret_community/explanation/__init__.py", "")
    served.write(f"{folder}interpret_community/explanation/serialization.py", LIBRARY)


def test_explanations_are_kept_among_the_files_of_a_run(served: Programs) -> None:
    """From a job and from an interactive run; listed by what is said of them, and limited to the first ranks."""
    _add_library(served, "")
    _add_library(served, "src/")
    served.write("src/explain.py", JOB)
    served.write(
        "program.py",
        """
from azureml.core import Experiment, RunConfiguration, ScriptRunConfig, Workspace
from azureml.interpret import ExplanationClient
from interpret_community.explanation.serialization import Explanation

ws = Workspace.from_config()
host = RunConfiguration()
host.environment.python.user_managed_dependencies = True
run = Experiment(ws, "e").submit(ScriptRunConfig("src", "explain.py", run_config=host))
run.wait_for_completion(show_output=False)
client = ExplanationClient.from_run_id(ws, "e", run.id)
print(client.download_model_explanation(top_k=2).get_ranked_global_values())
[note] = client.list_model_explanations()
print(note["id"], note["comment"], note["model_id"], note["true_ys"], note["raw"])

run = Experiment(ws, "e").start_logging()
client = ExplanationClient.from_run(run)
client.upload_model_explanation(Explanation("first", [5, 6]), comment="a")
client.upload_model_explanation(Explanation("second", [7, 9, 8]), comment="b", top_k=2)
print([note["id"] for note in client.list_model_explanations()], client.list_model_explanations(comment="a")[0]["id"])
print(client.download_model_explanation().get_ranked_global_values())
print(client.download_model_explanation(comment="a").get_ranked_global_values())
print(client.download_model_explanation("second", top_k=1).get_ranked_global_values())
try:
    client.download_model_explanation("none")
except Exception as error:
    print(type(error).__name__, error)
run.complete()
""",
    )
    ran = served.python("program.py")
    assert ran.code == 0, ran.err
    lines = ran.out.splitlines()
    assert lines[:2] == ["[3, 2]", "of-job by the job m:1 [0, 1] True"]
    assert lines[2:6] == ["['first', 'second'] first", "[9, 8]", "[6, 5]", "[9]"]
    assert lines[6].startswith("UserErrorException run ")
    assert lines[6].endswith("has no such explanation; list_model_explanations() has all")


def test_the_missing_package_is_named(served: Programs) -> None:
    served.write(
        "program.py",
        """
from azureml.core import Experiment, Workspace
from azureml.interpret import ExplanationClient

client = ExplanationClient.from_run(Experiment(Workspace.from_config(), "e").start_logging())
try:
    client.download_model_explanation()
except Exception as error:
    print(error)
""",
    )
    ran = served.python("program.py")
    assert ran.code == 0, ran.err
    assert ran.out.startswith("ExplanationClient needs the package interpret-community here: pip install")
