"""Programs that use numpy, pandas, scikit-learn, MLflow and the like are the same, started warm."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.launcher.rig import Rig
from tests.warm.program import Program, read_programs
from tests.warm.rig import WarmRig

PACKAGES = (
    *("numpy", "pandas", "scikit-learn", "mlflow", "matplotlib", "pyarrow", "polars"),
    *("xgboost-cpu", "lightgbm", "grpcio"),
)
LARGE = ("torch", "tensorflow")
"""Packages of hundreds of megabytes, which are tried only where SMALT_TEST_WARM_PYTHON has them."""
pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def heavy_rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WarmRig]:
    """A launcher, and a Python with the packages: that of SMALT_TEST_WARM_PYTHON, or one that is made."""
    made = Rig(tmp_path_factory.mktemp("warm"))
    python = os.environ.get("SMALT_TEST_WARM_PYTHON") or install_packages(tmp_path_factory.mktemp("packages"))
    made.launch()
    yield WarmRig(made, made.connect(), python)
    left = made.close()
    assert not left, f"processes left behind: {left}"


def install_packages(folder: Path) -> str:
    python = str(folder / "venv" / "bin" / "python")
    uv = str(Path(sys.executable).with_name("uv"))
    subprocess.run([uv, "venv", "-q", "--python", sys.executable, str(folder / "venv")], check=True)
    subprocess.run([uv, "pip", "install", "-q", "--python", python, *PACKAGES], check=True)
    return python


def has_module(rig: WarmRig, name: str) -> bool:
    look = f"import importlib.util, sys; sys.exit(importlib.util.find_spec('{name}') is None)"
    return subprocess.run([rig.environment.python, "-c", look]).returncode == 0


@pytest.mark.parametrize("program", read_programs("heavy_programs.txt"), ids=lambda program: program.name)
def test_a_program_with_packages_is_the_same_warm(heavy_rig: WarmRig, program: Program) -> None:
    """Output, exit code, signal and files are those of a cold start."""
    needed = program.name.partition("-")[0]
    if needed in LARGE and not has_module(heavy_rig, needed):
        pytest.skip(f"SMALT_TEST_WARM_PYTHON has no {needed}")
    cold, warm = heavy_rig.run_cold(program), heavy_rig.run_warm(program)
    assert warm.how.startswith("started warm"), warm.how
    assert (warm.code, warm.signal) == (cold.code, cold.signal), warm.log
    assert warm.log.splitlines() == cold.log.splitlines()
    assert warm.files == cold.files


def test_chance_is_fresh_in_every_child(heavy_rig: WarmRig) -> None:
    """No two children draw the same numbers from numpy's, Python's or scikit-learn's generators."""
    text = (
        "import random, uuid\nimport numpy as np\nimport scipy.stats\nfrom sklearn.utils import check_random_state\n"
        "print(random.random(), np.random.rand(), uuid.uuid4())\n"
        "print(scipy.stats.norm.rvs(), check_random_state(None).rand())\n"
        "from sklearn.datasets import make_classification\nprint(make_classification(5)[0].sum())\n"
        "import multiprocessing\nprint(bytes(multiprocessing.current_process().authkey).hex())\n"
    )
    program = Program("chance", text, {})
    found = [heavy_rig.run_warm(program) for _ in range(3)]
    assert all(one.how.startswith("started warm") for one in found)
    words = [one.log.split() for one in found]
    assert all(len(set(drawn)) == len(found) for drawn in zip(*words, strict=True)), words
