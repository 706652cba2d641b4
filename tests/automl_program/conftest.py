"""An environment with what the AutoML program needs, built once per machine."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
PACKAGE = ROOT / "src/smalt/automl_program"


@pytest.fixture(scope="session")
def automl_python() -> str:
    """The Python of an environment made of the program's requirements; SMALT_TEST_AUTOML_PYTHON names another."""
    if given := os.environ.get("SMALT_TEST_AUTOML_PYTHON"):
        return given
    lines = [line for line in (PACKAGE / "requirements.txt").read_text().splitlines() if not line.startswith("mltable")]
    text = "\n".join([*lines, "polars>=1,<3", "pyyaml", "pytest>=8,<10", ""])
    folder = Path(tempfile.gettempdir(), f"smalt-automl-{hashlib.sha256(text.encode()).hexdigest()[:12]}")
    if not folder.exists():
        uv = shutil.which("uv", path=str(Path(sys.executable).parent)) or "uv"
        made = Path(tempfile.mkdtemp(prefix=f"{folder.name}."))
        (made / "requirements.txt").write_text(text)
        subprocess.run([uv, "venv", "-q", "--relocatable", "--python", sys.executable, str(made / "env")], check=True)
        install = [uv, "pip", "install", "-q", "--python", str(made / "env"), "-r", str(made / "requirements.txt")]
        subprocess.run(install, check=True)
        try:
            made.rename(folder)
        except OSError:  # another run was faster
            shutil.rmtree(made)
    return str(folder / "env/bin/python")


@pytest.fixture(scope="session")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the program as a job has it: `smalt_automl` and `mltable`, and no smalt."""
    folder = tmp_path_factory.mktemp("shipped")
    (folder / "smalt_automl").symlink_to(PACKAGE)
    (folder / "mltable").symlink_to(ROOT / "src/smalt/mltable")
    return folder
