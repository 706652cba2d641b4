"""The private environment that MLflow runs in: whole or absent, built once."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from smalt.exceptions import Unavailable
from smalt.machine.home import Home
from smalt.service.tracking import mlflow_environment
from tests.environments.wheels import make_wheel
from tests.helpers import LONGEST, eventually

# Asks for the tool as a server would, and says what was logged and where its Python is.
ASK = """
import asyncio, json, sys
from pathlib import Path
from smalt.machine.home import Home
from smalt.service.tracking import mlflow_environment
mlflow_environment._REQUIREMENTS, mlflow_environment.CHILD = Path(sys.argv[2]), Path(sys.argv[3])
said = []
python = asyncio.run(mlflow_environment.MlflowEnvironment(Home(sys.argv[1])).get_python(said.append))
print(json.dumps([python, said]))
"""


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    """Requirements that need no network, and the program that tries them out."""
    make_wheel(tmp_path / "wheels", "shade", "1.0")
    for name in [name for name in os.environ if name.startswith(("PIP_", "UV_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "wheels"))
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "cache"))
    requirements, program = tmp_path / "requirements.txt", tmp_path / "program.py"
    requirements.write_text("# a comment\nshade==1.0\nmlflow-skinny==3.17.2 ; python_version < '3'\n")
    program.write_text("import shade\n")
    monkeypatch.setattr(mlflow_environment, "_REQUIREMENTS", requirements)
    monkeypatch.setattr(mlflow_environment, "CHILD", program)
    return requirements, program


def test_several_ask_at_once(home: Home, small: tuple[Path, Path]) -> None:
    """Of several processes one installs it; all get the same Python, and a record tells what is in it."""
    command = [sys.executable, "-c", ASK, str(home.root), *map(str, small)]
    asking = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    answers = [json.loads(process.communicate(timeout=LONGEST)[0]) for process in asking]
    assert len({python for python, _ in answers}) == 1
    installed = [said for _, said in answers if any(line.startswith("installed in") for line in said)]
    assert len(installed) == 1
    (record,) = home.path("tools").glob("mlflow-*/record.json")
    content = json.loads(record.read_text())
    assert "shade==1.0" in content["packages"]
    assert "shade==1.0" in content["parts"]["requirements"]


def test_no_index(home: Home, small: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """Where it cannot be installed one sentence says why and what to do, and nothing is left."""
    monkeypatch.delenv("PIP_FIND_LINKS")
    with pytest.raises(Unavailable, match=r"could not be installed: .*shade.*'smalt config set mlflow-python "):
        asyncio.run(mlflow_environment.MlflowEnvironment(home).get_python(lambda line: None))
    eventually(lambda: [path.name for path in home.path("tools").iterdir()] == [".locks"], "an empty folder")


def test_what_does_not_start_is_not_kept(home: Home, small: tuple[Path, Path]) -> None:
    """It is tried before it is put in place."""
    small[1].write_text("import hue\n")
    with pytest.raises(Unavailable, match=r"it does not start .*No module named 'hue'"):
        asyncio.run(mlflow_environment.MlflowEnvironment(home).get_python(lambda line: None))
    assert not mlflow_environment.MlflowEnvironment(home).is_ready
    assert not list(home.path("tools").glob("mlflow-*"))


def test_an_earlier_one_is_removed(home: Home, small: tuple[Path, Path]) -> None:
    """Other requirements are another environment, and the one before is not kept."""
    first = Path(asyncio.run(mlflow_environment.MlflowEnvironment(home).get_python(lambda line: None)))
    small[0].write_text(small[0].read_text() + "# newer\n")
    second = Path(asyncio.run(mlflow_environment.MlflowEnvironment(home).get_python(lambda line: None)))
    assert second.exists()
    assert not first.exists()


def test_requirements_are_pinned() -> None:
    """Every requirement names one version."""
    lines = [line for line in mlflow_environment._REQUIREMENTS.read_text().splitlines() if not line.startswith("#")]
    assert len(lines) > 20
    assert all("==" in line.split(";")[0] for line in lines)
