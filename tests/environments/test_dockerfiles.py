"""What is read of a Dockerfile where no container engine can build it."""

from __future__ import annotations

from pathlib import Path

import pytest

from smalt.exceptions import RefusedError
from smalt.service.environments import Environments
from smalt.service.environments.resolution.dockerfiles import DockerfileRecipe, read_recipe

from .conftest import Settings
from .test_builds import realise, run


def read(folder: Path, text: str) -> DockerfileRecipe:
    (folder / "Dockerfile").write_text(text)
    return read_recipe(folder, "Dockerfile")


def test_a_dockerfile_tells_its_image_and_package_lists(tmp_path: Path) -> None:
    """FROM and the files that pip and conda install from, comments and line ends apart."""
    (tmp_path / "requirements.txt").touch()
    (tmp_path / "environment.yml").touch()
    recipe = read(
        tmp_path,
        "#FROM other:1\nFROM --platform=linux/amd64 python:3.9 AS base\n# RUN pip install -r none.txt\n"
        "COPY requirements.txt /tmp/\nRUN true && pip install --no-cache \\\n  -r /tmp/requirements.txt && true\n"
        "RUN conda env update -n base -f environment.yml\n",
    )
    assert (recipe.image, recipe.lists) == ("python:3.9", [tmp_path / "requirements.txt"])
    assert (recipe.conda_files, recipe.left_out) == ([tmp_path / "environment.yml"], "")


@pytest.mark.parametrize(
    ("command", "lines"),
    [
        ("pip install tomli==2.0.1", ["tomli==2.0.1"]),
        ("pip3 install --no-cache-dir -q 'a>=1,<2' b[x]", ["a>=1,<2", "b[x]"]),
        ("python -m pip install --upgrade pip && python3 -m pip install a", ["a"]),
        ("/opt/venv/bin/pip install --default-timeout 100 a; pip cache purge", ["a"]),
        ("conda run -n base --no-capture-output pip install a", ["a"]),
        ("uv pip install --system a", ["a"]),
        ("DEBIAN_FRONTEND=noninteractive sudo pip install a > /dev/null 2>&1", ["a"]),
        ('["pip", "install", "a"]', ["a"]),
        ('["/bin/bash", "-c", "pip install a && rm -rf /root/.cache"]', ["a"]),
        ("--mount=type=cache,target=/root/.cache pip install a", ["a"]),
        ("pip install torch -f https://host/links", ["--find-links https://host/links", "torch"]),
        ("pip install --index-url https://host/simple a", ["--extra-index-url https://host/simple", "a"]),
        ("<<EOF\nset -e\npip install a\nEOF", ["a"]),
        ("pip install a==$VERSION", ["a==1.5"]),
        ("pip install a \\\n  # why\n  b", ["a", "b"]),
    ],
)
def test_packages_of_a_run_line_are_read(tmp_path: Path, command: str, lines: list[str]) -> None:
    """Each way that pip is called in; nothing is left out."""
    recipe = read(tmp_path, f"FROM python:3.11\nARG VERSION=1.5\nRUN {command}\n")
    assert sorted(recipe.pip) == sorted(lines)
    assert recipe.left_out == ""


def test_files_are_found_where_they_were_copied(tmp_path: Path) -> None:
    """Whatever COPY and WORKDIR call them; the copy of one file is used up, that of a folder is named."""
    (tmp_path / "docker" / "pk").mkdir(parents=True)
    (tmp_path / "docker" / "needs.txt").write_text("shade\n")
    recipe = read(
        tmp_path,
        "FROM python:3.11\nWORKDIR /app\nCOPY --chown=1:1 docker/needs.txt requirements.txt\nCOPY docker/pk /src/pk\n"
        "RUN pip install -r requirements.txt /src/pk\n",
    )
    assert recipe.lists == [tmp_path / "docker" / "needs.txt"]
    assert recipe.pip == [str(tmp_path / "docker" / "pk")]
    assert recipe.left_out == "; left out: COPY docker/pk /src/pk"


def test_variables_are_read(tmp_path: Path) -> None:
    """Both spellings of ENV, with arguments filled in; those that tell where things are in the image are named."""
    recipe = read(
        tmp_path,
        'ARG TAG=3.11\nFROM python:$TAG\nARG WHO=world\nENV GREETING="hello ${WHO}" MORE=${NONE:-x}\n'
        "ENV OLD the old way\nENV PATH=/opt/bin:$PATH\n",
    )
    assert recipe.image == "python:3.11"
    assert recipe.variables == {"GREETING": "hello world", "MORE": "x", "OLD": "the old way"}
    assert recipe.left_out == "; left out: ENV PATH"


def test_what_cannot_be_had_is_named(tmp_path: Path) -> None:
    """Each command by itself; what a job does not need is not."""
    recipe = read(
        tmp_path,
        "FROM ubuntu\nRUN apt-get update && apt-get install -y libgomp1 && rm -rf /var/lib/apt && pip install a\n"
        'COPY app.py /app/\nEXPOSE 80\nUSER me\nCMD ["x"]\nRUN pip install -r nowhere.txt\n',
    )
    assert recipe.pip == ["a"]
    assert recipe.left_out == (
        "; left out: RUN apt-get install -y libgomp1, COPY app.py /app/, RUN pip install -r nowhere.txt"
    )


def test_only_the_stages_that_the_last_one_takes_count(tmp_path: Path) -> None:
    """By FROM or by COPY --from."""
    recipe = read(
        tmp_path,
        "FROM python:3.10 AS base\nRUN pip install a\nFROM python:3.9 AS other\nRUN pip install b\n"
        "FROM node AS page\nRUN pip install c\nFROM base\nCOPY --from=other /venv /venv\nRUN pip install d\n",
    )
    assert (recipe.image, recipe.pip, recipe.left_out) == ("python:3.10", ["a", "b", "d"], "")


def test_conda_packages_are_read(tmp_path: Path) -> None:
    """Of `conda install` and `conda create`, with their channels."""
    recipe = read(
        tmp_path, "FROM x\nRUN conda create -n e -y -c conda-forge python=3.9 toolz && mamba install -yq idna\n"
    )
    assert (recipe.specs, recipe.channels) == (["python=3.9", "toolz", "idna"], ["conda-forge"])


def test_a_dockerfile_reaches_no_file_outside_its_context(tmp_path: Path) -> None:
    """A path that leads out of the folder is as good as none."""
    context = tmp_path / "context"
    context.mkdir()
    (tmp_path / "requirements.txt").touch()
    recipe = read(context, "FROM python:3.9\nCOPY ../requirements.txt /r.txt\nRUN pip install -r ../requirements.txt\n")
    assert recipe.lists == []


def test_a_context_without_dockerfile_says_nothing(tmp_path: Path) -> None:
    """Nothing is known of it, and that is not an error."""
    assert read_recipe(tmp_path, "Dockerfile") == DockerfileRecipe()


def test_a_job_has_what_its_dockerfile_says(environments: Environments, tmp_path: Path, log: list[str]) -> None:
    """Packages and variables; one line names both and what was left out."""
    read(tmp_path, "FROM python\nRUN pip install shade==1.0\nENV GREETING=hello\nRUN apt-get install -y gcc\n")
    asset = {"name": "painter", "build": {"contextUri": f"file://{tmp_path}"}}
    realised = realise(environments, asset, log)
    assert run(realised, "shade").startswith("1.0 ")
    assert realised.variables["GREETING"] == "hello"
    assert realised.notes == [
        "the Dockerfile of 'painter' is not built; the job has the packages of "
        "its 'pip install' lines and the variable GREETING; left out: RUN apt-get install -y gcc"
    ]
    other = read(tmp_path, "FROM python\nRUN pip install shade==1.0\nENV GREETING=other\n")
    assert other.variables == {"GREETING": "other"}
    assert realise(environments, asset, log).realised_hash != realised.realised_hash


def test_strict_fidelity_refuses_a_dockerfile_that_is_not_built(
    environments: Environments, settings: Settings, tmp_path: Path, log: list[str]
) -> None:
    """Even where all its packages can be had."""
    settings.fidelity = "strict"
    read(tmp_path, "FROM python\nRUN pip install shade==1.0\n")
    with pytest.raises(
        RefusedError, match=r"the Dockerfile of '.*' is not built; .*, and the setting fidelity is strict"
    ):
        realise(environments, {"build": {"contextUri": f"file://{tmp_path}"}}, log)
