"""The kernel and the extension; ipykernel itself is stood in for where a test needs no more than that it is called."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import smalt

from .conftest import Programs

IPYKERNEL = {
    "ipykernel/__init__.py": "",
    "ipykernel/kernelapp.py": (
        "import sys\n"
        "def launch_new_instance(extra_extensions):\n"
        "    import azure.ai.ml, smalt\n"
        "    print(azure.ai.ml.MLClient is smalt.MLClient, sys.argv[1:], extra_extensions)\n"
    ),
}


def test_a_kernel_is_installed_and_starts(programs: Programs) -> None:
    """Its program is ipykernel, with azure.ai.ml served by smalt."""
    for name, text in IPYKERNEL.items():
        programs.write(f"site/{name}", text)
    own = {"PYTHONPATH": str(programs.folder / "site")}
    ran = programs.smalt("kernel", "install", "--prefix", "here", environment=own)
    assert ran.code == 0, ran.err
    spec = json.loads((programs.folder / "here/share/jupyter/kernels/smalt/kernel.json").read_text())
    assert spec["display_name"] == "Python (smalt)"
    argv = [word.replace("{connection_file}", "file.json") for word in spec["argv"]]
    done = subprocess.run(
        argv, env={**os.environ, "SMALT_HOME": str(programs.home), **own}, capture_output=True, text=True, check=False
    )
    assert done.stdout == "True ['-f', 'file.json'] ['smalt']\n", done.stderr


def test_where_jupyter_looks(programs: Programs) -> None:
    """JUPYTER_DATA_DIR decides; -o json tells the place."""
    for name, text in IPYKERNEL.items():
        programs.write(f"site/{name}", text)
    own = {"PYTHONPATH": str(programs.folder / "site"), "JUPYTER_DATA_DIR": str(programs.folder / "data")}
    ran = programs.smalt("kernel", "install", "--name", "azure", "-o", "json", environment=own)
    assert json.loads(ran.out) == {"name": "azure", "path": str(programs.folder / "data/kernels/azure")}


def test_without_ipykernel(programs: Programs) -> None:
    """One sentence that says what to install."""
    programs.write("site/sitecustomize.py", "import sys\nsys.modules['ipykernel'] = None\n")
    ran = programs.smalt("kernel", "install", environment={"PYTHONPATH": str(programs.folder / "site")})
    assert (ran.code, ran.out, len(ran.err.splitlines())) == (2, "", 1)
    assert "-m pip install ipykernel" in ran.err


def test_the_extension(programs: Programs) -> None:
    """%load_ext smalt forgets an imported azure.ai.ml."""
    programs.write("azure/ai/ml/__init__.py", "NAME = 'official'")
    text = (
        "import azure.ai.ml, smalt\n"
        "print(azure.ai.ml.NAME)\n"
        "smalt.load_ipython_extension(None)\n"
        "from azure.ai.ml import MLClient\n"
        "print(MLClient is smalt.MLClient)\n"
    )
    programs.write("session.py", text)
    done = subprocess.run(
        [sys.executable, "session.py"], cwd=programs.folder, capture_output=True, text=True, check=False
    )
    assert done.stdout == "official\nTrue\n", done.stderr


EXECUTE = """
import sys, nbformat
from nbclient import NotebookClient
for name, kernel in (("kernel.ipynb", "smalt"), ("extension.ipynb", "python3")):
    notebook = nbformat.read(name, as_version=4)
    NotebookClient(notebook, kernel_name=kernel, timeout=LONGEST).execute()
    nbformat.write(notebook, name)
"""
CELLS = (
    "from azure.ai.ml import MLClient, command\n"
    "from azure.identity import DefaultAzureCredential\n"
    "client = MLClient.from_config(DefaultAzureCredential())",
    "job = client.jobs.create_or_update(command(command='echo from jupyter', environment='azureml:host'))\njob",
    "client.jobs.stream(job.name)",
    "!az ml job show -n {job.name} --query status -o tsv",
    "%pip install azure-ai-ml",
)


@pytest.mark.integration
def test_a_real_jupyter(served: Programs) -> None:
    """The installed kernel, and a plain one after `%load_ext smalt`, run cells of `azure.ai.ml` against the server."""
    python = str(served.folder / "venv" / "bin" / "python")
    uv = [sys.executable, "-m", "uv"]
    subprocess.run([*uv, "venv", "-q", "--python", sys.executable, str(served.folder / "venv")], check=True)
    packages = ["ipykernel", "nbclient", "nbformat", "-e", str(Path(smalt.__file__).parents[2])]
    subprocess.run([*uv, "pip", "install", "-q", "--python", python, *packages], check=True)
    own = {**os.environ, "SMALT_HOME": str(served.home)}
    subprocess.run([python, "-m", "smalt", "kernel", "install", "--sys-prefix"], env=own, check=True)
    served.notebook("kernel.ipynb", *CELLS)
    served.notebook("extension.ipynb", "%load_ext smalt", *CELLS)
    subprocess.run([python, "-c", EXECUTE], cwd=served.folder, env=own, check=True)
    for name in ("kernel.ipynb", "extension.ipynb"):
        job, stream, status, install = served.cells(name)[-4:]
        assert "<table" in "".join(job["outputs"][0]["data"]["text/html"])
        assert "from jupyter" in _text(stream)
        assert _text(status).split() == ["Completed"]
        assert "smalt stands in for azure-ai-ml: not installed" in _text(install)


def _text(cell: dict[str, Any]) -> str:
    return "".join("".join(output["text"]) for output in cell["outputs"])
