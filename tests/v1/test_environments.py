"""Environments of SDK v1 and the environments of v2 that they become; `.runconfig` files; estimators."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from smalt.entities import Environment as Definition
from smalt.v1.conda_dependencies import CondaDependencies
from smalt.v1.environment import DEFAULT_CPU_IMAGE, DockerBuildContext, Environment
from smalt.v1.estimators import Estimator, PyTorch, SKLearn, TensorFlow
from smalt.v1.exceptions import RunConfigurationException, TrainingException, UserErrorException
from smalt.v1.run_configuration import RunConfiguration
from smalt.v1.run_settings import MpiConfiguration
from smalt.v1.script_run_config import ScriptRunConfig
from tests.v1.conftest import Programs

CONDA = {"name": "x", "channels": ["conda-forge"], "dependencies": ["python=3.9", "numpy=1", {"pip": ["six==1.16"]}]}


def test_conda_dependencies_are_a_conda_file(tmp_path: Path) -> None:
    """Packages come once; a package that is added again takes the new version."""
    made = CondaDependencies.create(
        pip_packages=["scikit-learn==1.0", "six"], conda_packages=["numpy"], python_version="3.9"
    )
    made.add_pip_package("scikit-learn==1.2")
    made.add_conda_package("numpy=1.20")
    made.remove_pip_package("six")
    made.set_pip_index_url("https://example.org/simple")
    pip = {"pip": ["--index-url https://example.org/simple", "scikit-learn==1.2"]}
    assert made.as_dict()["dependencies"] == ["python=3.9", "numpy=1.20", pip]
    assert made.get_python_version() == "3.9"
    assert list(made.pip_packages) == ["scikit-learn==1.2"]
    path = made.save(tmp_path / "c.yml")
    assert CondaDependencies(path).as_dict() == made.as_dict()


def test_each_form_of_environment_becomes_one_of_v2(tmp_path: Path) -> None:
    """Conda, requirements, image, Dockerfile and build context."""
    conda, requirements = tmp_path / "c.yml", tmp_path / "r.txt"
    conda.write_text(json.dumps(CONDA))
    requirements.write_text("# packages\nsix==1.16  # a comment\n\nnumpy\n")
    (tmp_path / "Dockerfile").write_text("FROM python:3.12\n")

    made = Environment.from_conda_specification("a", str(conda)).to_reference()
    assert (made.name, made.image, made.conda_file) == ("a", DEFAULT_CPU_IMAGE, str(conda))
    made = Environment.from_pip_requirements("a", str(requirements)).to_reference()
    assert made.conda_file["dependencies"][-1] == {"pip": ["six==1.16", "numpy"]}
    made = Environment.from_docker_image("a", "python:3.12").to_reference()
    assert (made.image, made.conda_file) == ("python:3.12", None)
    made = Environment.from_docker_image("a", "python:3.12", pip_requirements=str(requirements)).to_reference()
    assert made.conda_file["dependencies"][-1] == {"pip": ["six==1.16", "numpy"]}
    made = Environment.from_dockerfile("a", "FROM python:3.12", pip_requirements=str(requirements)).to_reference()
    assert Path(made.build.path, "Dockerfile").read_text().startswith("FROM python:3.12\nCOPY conda_dependencies.yml")
    context = DockerBuildContext.from_local_directory(None, str(tmp_path))
    assert Environment.from_docker_build_context("a", context).to_reference().build.path == str(tmp_path)


def test_a_python_of_the_users_own_is_the_host(tmp_path: Path) -> None:
    """`user_managed_dependencies` with an image is the image."""
    made = Environment("a")
    made.python.user_managed_dependencies = True
    made.python.interpreter_path = "/opt/python"
    assert made.to_reference() == "azureml:host"
    (tmp_path / "train.py").write_text("")
    command = ScriptRunConfig(tmp_path, "train.py", environment=made).to_command()
    assert (command.command, command.environment) == ("/opt/python train.py", "azureml:host")
    made.docker.base_image = "python:3.12"
    assert isinstance(made.to_reference(), Definition)


def test_a_saved_environment_is_read_again(tmp_path: Path) -> None:
    made = Environment("a")
    made.python.conda_dependencies = CondaDependencies(_underlying_structure=CONDA)
    made.environment_variables = {"A": "1"}
    made.save_to_directory(str(tmp_path / "saved"))
    found = Environment.load_from_directory(str(tmp_path / "saved"))
    assert found.to_dict() == made.to_dict()
    with pytest.raises(UserErrorException, match="to replace them say overwrite=True"):
        made.save_to_directory(str(tmp_path / "saved"))
    with pytest.raises(UserErrorException, match="there is no saved environment in"):
        Environment.load_from_directory(str(tmp_path / "nowhere"))


RUNCONFIG = """\
script: train.py
arguments: [--rate, 0.5]
target: cluster
framework: Python
communicator: OpenMpi
nodeCount: 2
maxRunDurationSeconds: 60
environmentVariables: {A: b}
environment:
  name: own
  environmentVariables: {C: d}
  python:
    userManagedDependencies: false
    condaDependenciesFile: .azureml/conda.yml
  docker: {baseImage: 'python:3.12'}
mpi: {processCountPerNode: 2}
docker: {useDocker: true, shmSize: 1g}
history: {outputCollection: true}
"""


def test_a_runconfig_is_read_from_a_folder(tmp_path: Path) -> None:
    """By its name in `.azureml`, with the conda file that it names; it becomes the command that it describes."""
    (tmp_path / ".azureml").mkdir()
    (tmp_path / ".azureml/train.runconfig").write_text(RUNCONFIG)
    (tmp_path / ".azureml/conda.yml").write_text(json.dumps(CONDA))
    (tmp_path / "train.py").write_text("")
    settings = RunConfiguration.load(str(tmp_path), "train")
    command = ScriptRunConfig(tmp_path, run_config=settings).to_command()
    assert (command.command, command.compute) == ("python train.py --rate 0.5", "cluster")
    assert (command.environment.image, command.environment.conda_file) == (
        "python:3.12",
        str(tmp_path / ".azureml/conda.yml"),
    )
    assert command.environment_variables == {"A": "b", "C": "d"}
    assert (command.distribution.type, command.distribution.process_count_per_instance) == ("mpi", 2)
    assert (command.resources.instance_count, command.limits.timeout, command.resources.shm_size) == (2, 60, "1g")

    settings.save(str(tmp_path), "again")
    again = RunConfiguration.load(str(tmp_path), "again")
    assert again.environment.to_dict() == {**settings.environment.to_dict()}
    assert (again.target, again.node_count, again.script) == ("cluster", 2, "train.py")


def test_mistakes_in_a_runconfig_are_sentences(tmp_path: Path) -> None:
    (tmp_path / "a.runconfig").write_text("scirpt: a.py\n")
    (tmp_path / "b.runconfig").write_text("script: [\n")
    with pytest.raises(
        RunConfigurationException, match="unknown key 'scirpt' of a run configuration; did you mean 'sc"
    ):
        RunConfiguration.load(str(tmp_path), "a")
    with pytest.raises(RunConfigurationException, match=r"b\.runconfig:2:1: not YAML"):
        RunConfiguration.load(str(tmp_path), "b")
    with pytest.raises(RunConfigurationException, match="there is no run configuration 'c' in"):
        RunConfiguration.load(str(tmp_path), "c")
    with pytest.raises(RunConfigurationException, match="there is no framework 'Pyton'; did you mean 'python'"):
        RunConfiguration(framework="Pyton")


def test_an_estimator_is_a_script_run(tmp_path: Path) -> None:
    """Its packages are the environment's, with the framework's own; its parameters are arguments."""
    (tmp_path / "train.py").write_text("")
    (tmp_path / "r.txt").write_text("six\n")
    one = Estimator(
        str(tmp_path), compute_target="cluster", entry_script="train.py", script_params={"--a": 1, "--fast": ""},
        conda_packages=["numpy"], pip_packages=["pandas"], pip_requirements_file="r.txt", node_count=2,
        process_count_per_node=2, distributed_training=MpiConfiguration(2), environment_variables={"A": "b"},
    )  # fmt: skip
    command = one.to_script_run_config().to_command()
    assert (command.command, command.compute) == ("python train.py --a 1 --fast", "cluster")
    assert command.environment.conda_file["dependencies"][1:] == ["numpy", {"pip": ["six", "pandas"]}]
    assert (command.distribution.type, command.resources.instance_count) == ("mpi", 2)
    packages = [
        list(kind(str(tmp_path), entry_script="train.py", framework_version="2.1").conda_dependencies.pip_packages)
        for kind in (TensorFlow, PyTorch, SKLearn)
    ]
    assert packages == [["tensorflow==2.1"], ["torch==2.1"], ["scikit-learn==2.1"]]
    with pytest.raises(TrainingException, match="Estimator needs entry_script"):
        Estimator(str(tmp_path))


def test_a_registered_environment_keeps_its_variables(served: Programs) -> None:
    """What v2's environment has no field for; a Python of the user's own stays the host."""
    served.write(
        "program.py",
        """
from azureml.core import Environment, Workspace
ws = Workspace.from_config()
made = Environment("varied")
made.environment_variables = {"A": "1"}
print(made.register(ws).version, Environment.get(ws, "varied").environment_variables)
made.environment_variables["B"] = "2"
print(made.register(ws).version, Environment.get(ws, "varied").environment_variables)
own = Environment("own")
own.python.user_managed_dependencies = True
print(own.register(ws).to_reference(), Environment.get(ws, "own").to_reference())
print(Environment.get(ws, "varied").clone("other").environment_variables)
""",
    )
    ran = served.python("program.py")
    assert ran.out.splitlines() == [
        "1 {'A': '1'}",
        "2 {'A': '1', 'B': '2'}",
        "azureml:host azureml:host",
        "{'A': '1', 'B': '2'}",
    ], ran.err
