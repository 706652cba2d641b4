"""Part 7: environments as jobs name them; packages come from wheels of this test."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from shutil import copytree

import pytest

from tests.environments.wheels import make_package, make_wheel
from tests.helpers import Server, running_server

from .conftest import Desk


@pytest.fixture(scope="module")
def module_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """pip and uv of this server know shade 1.0, shade 2.0 and hue, and nothing else."""
    wheels = tmp_path_factory.mktemp("wheels")
    make_wheel(wheels, "shade", "1.0")
    make_wheel(wheels, "shade", "2.0")
    make_wheel(wheels, "hue", "1.0", requires=["shade"])
    offline = {
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_NO_INDEX": "1",
        "PIP_FIND_LINKS": str(wheels),
        "UV_CACHE_DIR": str(tmp_path_factory.mktemp("uv-cache")),
    }
    with running_server(environment=offline) as server:
        yield server


CONDA = "name: any\nchannels: [conda-forge]\ndependencies:\n  - pip:\n    - shade==1.0\n"
SHOWS = 'python -c "import shade; print(shade.__version__)"'


def notes(desk: Desk, name: str) -> str:
    """What smalt itself wrote to a job's log."""
    assert desk.smalt(f"job download {name} -p {name}-got").code == 0
    return "".join(path.read_text() for path in (desk.folder / f"{name}-got").rglob("system_logs/*"))


def test_an_inline_environment_with_a_conda_file(desk: Desk) -> None:
    """It is built, its packages are there, and smalt's own are not; the reason for the build is in the log."""
    desk.write("conda.yml", CONDA)
    log = desk.log(
        f"""
        name: built
        command: |
          {SHOWS}
          python -c "import smalt.service" 2>&1 | tail -1
        environment:
          image: mcr.microsoft.com/azureml/openmpi4.1.0-ubuntu20.04
          conda_file: ./conda.yml
        """
    )
    assert log == ["1.0", "ModuleNotFoundError: No module named 'smalt.service'"]
    assert "environment" in notes(desk, "built")


def test_what_is_built_serves_again(desk: Desk) -> None:
    """A registered environment with the same content is not built a second time."""
    desk.write("conda.yml", CONDA)
    job = f"command: {SHOWS}\nenvironment: azureml:mine@latest\n"
    assert desk.smalt("environment create --name mine --image any/image --conda-file conda.yml").code == 0
    assert desk.log(job, "--name again-1") == ["1.0"]
    assert desk.log(job, "--name again-2") == ["1.0"]
    assert "shade==1.0" not in notes(desk, "again-2")


def test_a_job_that_installs_changes_only_itself(desk: Desk) -> None:
    """Its own Python sees the newer package, the next job of the same environment does not; nor does the host's."""
    desk.write("conda.yml", CONDA)
    environment = "environment: {image: any/image, conda_file: ./conda.yml}\n"
    changes = f"command: pip install -q shade==2.0 hue && {SHOWS} && hue | cut -d' ' -f1\n"
    assert desk.log(changes + environment) == ["2.0", "1.0"]
    assert desk.log(f"command: {SHOWS}\n{environment}") == ["1.0"]
    gone = f"command: {SHOWS} 2>&1 | tail -1\nenvironment: azureml:host\n"
    assert desk.log(f"command: pip install -q shade && {SHOWS}\nenvironment: azureml:host\n") == ["2.0"]
    assert desk.log(gone) == ["ModuleNotFoundError: No module named 'shade'"]


def test_an_image_alone_is_a_clean_environment(desk: Desk) -> None:
    """With one plain warning; never smalt's own packages."""
    log = desk.log(
        """
        name: imaged
        command: python -c "import click" 2>&1 | tail -1
        environment: {image: python:3.11}
        """
    )
    assert log == ["ModuleNotFoundError: No module named 'click'"]
    assert "python:3.11" in notes(desk, "imaged")


def test_ten_jobs_that_ask_at_once(desk: Desk) -> None:
    """The environment of ten steps is built once."""
    desk.write("conda.yml", CONDA.replace("shade==1.0", "hue"))
    steps = "".join(
        f"  s{n}: {{command: hue, environment: {{image: a/b, conda_file: ./conda.yml}}}}\n" for n in range(10)
    )
    log = desk.log(f"type: pipeline\njobs:\n{steps}")
    assert sorted(line.split()[0] for line in log) == sorted(f"s{n}" for n in range(10))
    assert {line.split()[2] for line in log} == {"1.0"}


def test_what_cannot_be_installed_fails_the_job_with_its_log(desk: Desk) -> None:
    """The job is Failed, the package is named, exit code 1."""
    desk.write("conda.yml", CONDA.replace("shade==1.0", "no-such-package==9"))
    ran = desk.job("command: echo never\nenvironment: {image: a/b, conda_file: ./conda.yml}\n")
    assert (ran.code, "never" in ran.out) == (1, False)
    assert "no-such-package" in ran.err
    assert "Traceback" not in ran.err


def test_an_environment_that_is_not_registered(desk: Desk) -> None:
    """Told at submission, with what to do."""
    ran = desk.job("command: echo never\nenvironment: azureml:absent@latest\n")
    assert (ran.code, ran.out) == (2, "")
    assert "absent" in ran.err
    ran = desk.job("command: echo never\nenvironment: azureml://registries/azureml/environments/absent/versions/1\n")
    assert (ran.code, ran.out) == (2, "")
    assert "absent" in ran.err


def test_no_environment_is_told(desk: Desk) -> None:
    """A job without one is refused before it runs."""
    ran = desk.job("command: echo never\n")
    assert (ran.code, ran.out) == (2, "")
    assert "environment" in ran.err


def test_the_python_of_host_can_be_named(desk: Desk) -> None:
    """`smalt config set host-python PATH` is what azureml:host runs with."""
    assert desk.smalt(f"config set host-python {sys.executable}").code == 0
    log = desk.log('command: python -c "import sys; print(sys.version_info[0])"\nenvironment: azureml:host\n')
    assert log == ["3"]
    assert desk.smalt("config unset host-python").code == 0


def test_the_catalogue_is_the_registry(desk: Desk) -> None:
    """show and list of the registry azureml answer from the catalogue, as az ml's do; other registries are not here."""
    show = "environment show --registry-name azureml --query [name,version,id] -o tsv --name"
    latest = desk.ask(f"{show} sklearn-1.5").split()
    assert latest[0] == "sklearn-1.5"
    assert latest[2] == f"azureml://registries/azureml/environments/sklearn-1.5/versions/{latest[1]}"
    assert desk.ask(f"{show} sklearn-1.5 --label latest").split() == latest
    assert desk.ask(f"{show} sklearn-1.5 --version 33").split()[1] == "33"
    assert "scikit-learn" in desk.ask("environment show --name sklearn-1.5 --registry-name azureml -o yaml")
    names = desk.ask("environment list --registry-name azureml --query [].name -o tsv").split()
    assert {"sklearn-1.5", "minimal"} <= set(names)
    assert desk.ask("environment list --registry-name azureml --name sklearn-1.5 --query [].version -o tsv")
    for command, said in {
        "environment show --name sklern-1.5 --registry-name azureml": "the nearest are sklearn-1.5",
        "environment show --name sklearn-1.5 --registry-name mine": "there is no registry 'mine' here",
        "environment archive --name sklearn-1.5 --registry-name azureml": "smalt's own and can only be read",
    }.items():
        ran = desk.smalt(command)
        assert ran.code != 0
        assert said in ran.err
        assert len(ran.err.splitlines()) == 1


def test_files_beside_a_conda_file_travel_with_it(desk: Desk) -> None:
    """Included lists, constraints, wheels and folders; what counts for the environment is their content."""
    make_wheel(desk.folder / "my wheels", "tint", "0.1")
    make_package(desk.folder / "pk", "gloss", "3.0")
    desk.write(
        "conda.yml", "dependencies:\n  - pip:\n    - -r lists/requirements.txt\nvariables: {FROM_CONDA: '010'}\n"
    )
    desk.write("lists/requirements.txt", "# base\nshade\n-c limits.txt\n-r more.txt\n")
    desk.write("lists/limits.txt", "shade<2\n")
    desk.write("lists/more.txt", "./my wheels/tint-0.1-py3-none-any.whl\n-e ./pk\n")
    shows = "import os, shade, tint, gloss; print(shade.__version__, tint.__version__, gloss.__version__, os.environ"
    job = f"command: python -c \"{shows}.get('FROM_CONDA'))\"\nenvironment: {{image: any, conda_file: ./conda.yml}}\n"
    assert desk.log(job) == ["1.0 0.1 3.0 010"]
    assert desk.log(f"{job}environment_variables: {{FROM_CONDA: job}}\n") == ["1.0 0.1 3.0 job"]
    copytree(desk.folder / "pk", desk.folder / "before")
    make_package(desk.folder / "pk", "gloss", "4.0")
    assert desk.log(job) == ["1.0 0.1 4.0 010"]
    assert sorted(path.name for path in (desk.folder / "pk").iterdir()) == sorted(
        path.name for path in (desk.folder / "before").iterdir()
    )


def test_a_requirements_file_may_stand_for_a_conda_file(desk: Desk) -> None:
    """In a job, in place, and on the command line."""
    desk.write("requirements.txt", "shade==1.0  # the old one\n")
    job = f"command: {SHOWS}\nenvironment: {{conda_file: requirements.txt}}\n"
    assert desk.log(job) == ["1.0"]
    assert desk.smalt("environment create --name plain --image any/image --conda-file requirements.txt").code == 0
    assert desk.log(f"command: {SHOWS}\nenvironment: azureml:plain@latest\n") == ["1.0"]


@pytest.mark.parametrize(
    ("conda", "said"),
    [
        ("dependencies:\n  - pip: toolz\n", "conda.yml:2:10: 'pip' of a conda file must be a list, not 'toolz'"),
        ("dependencies: toolz\n", "conda.yml:1:15: 'dependencies' of a conda file is a list of packages, not 'toolz'"),
        ("channels: defaults\n", "conda.yml:1:11: 'channels' of a conda file is a list of channels, not 'defaults'"),
        ("dependencies:\n  - npm: [x]\n", "conda.yml:2:5: packages of 'npm:' cannot be installed"),
        ("dependencies:\n  - pip: [-r no.txt]\n", "conda.yml:2:11: '-r no.txt': there is no file or folder"),
        ("dependencies:\n  - pip: [./no]\n", "conda.yml:2:11: './no': there is no file or folder"),
        ("dependencies:\n  - pip: [-c no.txt]\n", "conda.yml:2:11: '-c no.txt': there is no file or folder"),
        ("variables: [a]\n", "conda.yml:1:12: 'variables' of a conda file maps names to values"),
        ("- toolz\n", "conda.yml:1:1: a conda file is a mapping with 'dependencies'"),
    ],
)
def test_a_wrong_conda_file_is_refused_before_anything_is_sent(desk: Desk, conda: str, said: str) -> None:
    """At its line, by validate and create, and the same in place."""
    desk.write("conda.yml", conda)
    desk.write("job.yml", "command: x\nenvironment: {image: any, conda_file: conda.yml}\n")
    for verb in ("validate", "create"):
        done = desk.smalt(f"job {verb} -f job.yml")
        assert (done.code != 0, said in done.out + done.err) == (True, True), done.out + done.err
    if conda.startswith(("-", "chan", "var")):
        return
    indented = "".join(f"    {line}\n" for line in conda.splitlines())
    desk.write("job.yml", f"command: x\nenvironment:\n  image: any\n  conda_file:\n{indented}")
    done = desk.smalt("job validate -f job.yml")
    assert (done.code != 0, said.partition(": ")[2] in done.out + done.err) == (True, True), done.out + done.err


@pytest.mark.parametrize(
    ("build", "column", "said"),
    [
        (
            "{path: ctx, dockerfile_path: ctx/Dockerfile}",
            37,
            "the build context '{folder}/ctx' has no file 'ctx/Docker",
        ),
        ("{path: ctx, dockerfile_path: dockerfile}", 37, "the build context '{folder}/ctx' has no file 'dockerfile'"),
        ("{path: empty}", 15, "the build context '{folder}/empty' has no file 'Dockerfile'"),
        ("{dockerfile_path: Dockerfile}", 9, "a build needs 'path'"),
        ("{path: ctx/Dockerfile}", 15, "'{folder}/ctx/Dockerfile' is a file; name the folder"),
        ("{path: nowhere}", 15, "there is no file or folder '{folder}/nowhere'"),
    ],
)
def test_a_build_that_cannot_be_is_refused_at_its_line(desk: Desk, build: str, column: int, said: str) -> None:
    """By `environment create` and by a job that has it in place."""
    desk.write("ctx/Dockerfile", "FROM python\n")
    desk.write("empty/other", "")
    desk.write("env.yml", f"name: built\ntags: {{}}\nbuild: {build}\n")
    desk.write("job.yml", f"command: x\nenvironment:\n  build: {build}\n")
    said = said.replace("{folder}", str(desk.folder))
    for command, offset in (("environment create -f env.yml", 0), ("job validate -f job.yml", 2)):
        done = desk.smalt(command)
        place = f"{command.rpartition(' ')[2]}:3:{column + offset}"
        assert (done.code != 0, f"{place}: {said}" in done.out + done.err) == (True, True), done.err
