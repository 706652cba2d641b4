"""The model that a script is given, as batch deployments give it."""

from __future__ import annotations

import os
import tempfile

from .settings import ParallelSettings, get_port

MODEL_VARIABLE = "AZUREML_MODEL_DIR"
"""The folder with the model: with one entry, a folder or a file of the name by which it was registered."""
OUTPUT_VARIABLE = "AZUREML_BI_OUTPUT_PATH"
"""The folder for what a scoring script writes by itself."""
_SCRIPT = "mlflow_scoring.py"


def find_script(settings: ParallelSettings, workdir: str) -> str:
    """Return the path of the entry script; smalt's own where an MLflow model has none."""
    if settings.entry_script:
        return os.path.join(workdir, settings.entry_script)
    return os.path.join(os.path.dirname(os.path.abspath(__file__)), _SCRIPT)


def provide_model(settings: ParallelSettings, workdir: str) -> None:
    """Set the variables by which the workers find the model and the folder for their files."""
    path = get_port(os.environ, "inputs", settings.model)
    folder = tempfile.mkdtemp(prefix=".model-", dir=workdir)
    _link_files(path, os.path.join(folder, os.path.basename(path.rstrip("/"))))
    os.environ[MODEL_VARIABLE] = folder
    for name in settings.outputs[:1]:
        output = get_port(os.environ, "outputs", name)
        os.environ[OUTPUT_VARIABLE] = output if os.path.isdir(output) else os.path.dirname(output)


def _link_files(source: str, target: str) -> None:
    """Make real folders with links to the files: programs that walk through folders follow no links to folders."""
    if not os.path.isdir(source):
        os.symlink(source, target)
        return
    os.mkdir(target)
    for entry in os.scandir(source):
        _link_files(entry.path, os.path.join(target, entry.name))
