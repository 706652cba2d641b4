"""Two programs out of the service's own documents (how to upgrade to v2), verbatim: seeds/*.py.txt."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.environments.wheels import make_wheel
from tests.helpers import Server, running_server

from .conftest import Programs, Ran

SEEDS = Path(__file__).with_name("seeds")
CONDA = "name: any\nchannels: [conda-forge]\ndependencies:\n  - pip:\n    - shade==1.0\n"
TITANIC = "PassengerId,Survived\n1,0\n2,1\n"


@pytest.fixture(scope="module")
def module_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Its packages come from wheels of this test, the public data from a folder."""
    wheels, public = tmp_path_factory.mktemp("wheels"), tmp_path_factory.mktemp("public")
    make_wheel(wheels, "shade", "1.0")
    (public / "Titanic.csv").write_text(TITANIC)
    offline = {
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_NO_INDEX": "1",
        "PIP_FIND_LINKS": str(wheels),
        "UV_CACHE_DIR": str(tmp_path_factory.mktemp("uv-cache")),
    }
    url_map = {"wasbs://demo@dprepdata.blob.core.windows.net": str(public)}
    with running_server(environment=offline, url_map=url_map) as server:
        yield server


@pytest.fixture
def desk(module_server: Server, tmp_path: Path) -> Programs:
    (tmp_path / "work").mkdir()
    return Programs(module_server.home.root, tmp_path / "work")


def last_job(desk: Programs) -> str:
    return desk.smalt("job", "list", "-r", "1", "--query", "[0].name", "-o", "tsv").out.strip()


def followed(desk: Programs) -> Ran:
    return desk.smalt("job", "stream", "-n", last_job(desk))


def test_the_command_job(desk: Programs) -> None:
    """Its command is `train.py` alone, which no shell finds: it is told how; with that one word it completes."""
    program = (SEEDS / "command_job.py.txt").read_text()
    desk.write("src/train.py", "import shade\nprint('trained with', shade.__version__)\n")
    desk.write("pytorch-env.yml", CONDA)
    desk.write("submit.py", program)
    ran = desk.python("submit.py")
    assert ran.code == 0, ran.err
    ran = followed(desk)
    assert ran.code == 1
    assert "the command exited with code 127: src/train.py exists, but its name alone is not a command" in ran.err
    assert "write 'python train.py'" in ran.err

    desk.write("submit.py", program.replace('command="train.py"', 'command="python train.py"'))
    assert desk.python("submit.py").code == 0
    ran = followed(desk)
    assert (ran.code, ran.out) == (0, "trained with 1.0\n"), ran.err


def test_the_pipeline(desk: Programs) -> None:
    """Three components from functions, wired by a pipeline function; the public URL leads to a local file."""
    desk.write("submit.py", (SEEDS / "pipeline.py.txt").read_text())
    desk.write("src/components.py", (SEEDS / "components.py.txt").read_text())
    desk.write("src/env.yaml", "name: env\nimage: any\nconda_file:\n" + "".join(f"  {x}\n" for x in CONDA.splitlines()))
    ran = desk.python("submit.py")
    assert ran.code == 0, ran.err
    assert "def train_model(" in ran.out
    ran = followed(desk)
    assert ran.code == 0, ran.err
    assert "rows: 3 epochs: 5 rate: 0.1" in ran.out
    name = last_job(desk)
    assert desk.smalt("job", "download", name, "--output-name", "eval_output", "-p", "got").code == 0
    found = [path.read_text() for path in (desk.folder / "got").rglob("eval_result")]
    assert len(found) == 1
    assert found[0].startswith("scored with ")
