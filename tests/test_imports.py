from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = ("sqlite3", "starlette", "uvicorn", "anyio", "rich", "jmespath", "asyncio", "smalt.service", "pandas", "mlflow")


@pytest.mark.parametrize(
    "statement",
    [
        "import smalt; from smalt import MLClient, command, Input, Output, dsl",
        "from smalt.cli import main; import smalt.cli.app, smalt.cli.commands.job",
        "import smalt.yaml, smalt.wire, smalt.client",
        "from smalt.python import finder; finder.install_finder(); from azureml.core import Dataset, Environment, "
        "Experiment, Model, Run, ScriptRunConfig, Workspace; from azureml.pipeline.core import Pipeline",
    ],
)
def test_the_clients_path_is_light(statement: str) -> None:
    """What a client imports loads no server, no database, nothing of machine learning."""
    program = f"{statement}\nimport sys\nprint([name for name in {HEAVY!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_reading_a_file_loads_nothing_that_writes_one() -> None:
    """A job that is only submitted needs neither YAML's dumper nor the schema for editors; both are there when used."""
    program = (
        "import sys, smalt.yaml, smalt.wire\n"
        "late = ('smalt.yaml.dumping', 'smalt.entities.schema.json_schema', 'smalt.yaml.unread')\n"
        "print([name for name in late if name in sys.modules])\n"
        "print(callable(smalt.yaml.dump), callable(smalt.yaml.json_schema))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["[]", "True True"]
