from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import smalt.inside
from tests.helpers import LONGEST
from tests.inside.mlflow import TOKEN, Mlflow

SITE = Path(smalt.inside.__file__).with_name("site")
RUN = "brave_wolf_1"

START = "from azureml.core import Run\nrun = Run.get_context()\n"
END = "\nimport json as _json\nprint(_json.dumps(answer))"


class Job:
    """Runs scripts as a job's processes are run."""

    def __init__(self, mlflow: Mlflow, folder: Path) -> None:
        self.mlflow = mlflow
        self.folder = folder
        self.variables = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(SITE),
            "PYTHONDONTWRITEBYTECODE": "1",
            "MLFLOW_TRACKING_URI": mlflow.uri,
            "MLFLOW_TRACKING_TOKEN": TOKEN,
            "AZUREML_RUN_ID": RUN,
            "AZUREML_EXPERIMENT_NAME": "wolves",
            "AZUREML_ARM_SUBSCRIPTION": "sub",
            "AZUREML_ARM_RESOURCEGROUP": "group",
            "AZUREML_ARM_WORKSPACE_NAME": "den",
        }

    def __call__(self, script: str, **variables: str) -> Any:
        """What the script, which has `run`, leaves in `answer`; else what it printed."""
        done = self.process(START + script + (END if "answer = " in script else ""), **variables)
        assert done.returncode == 0, done.stderr
        assert done.stderr == ""
        return json.loads(done.stdout.splitlines()[-1]) if "answer = " in script else done.stdout

    def process(self, script: str, **variables: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-W", "ignore::DeprecationWarning", "-c", script]
        env = {**self.variables, **variables}
        return subprocess.run(command, cwd=self.folder, env=env, capture_output=True, text=True, timeout=LONGEST)

    def refusal(self, line: str) -> str:
        """The sentence that a line of a script gets."""
        script = f"try:\n    {line}\n    answer = None\nexcept Exception as problem:\n    answer = str(problem)"
        sentence: str = self(script)
        return sentence


@pytest.fixture
def mlflow() -> Iterator[Mlflow]:
    server = Mlflow()
    server.run(RUN)
    yield server
    server.close()


@pytest.fixture
def job(mlflow: Mlflow, tmp_path: Path) -> Callable[..., Any]:
    folder = tmp_path / "wd"
    folder.mkdir()
    return Job(mlflow, folder)
