"""GitOps of what programs make: jobs, steps and pipelines are files that load as equal objects."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from smalt import Input, Output, automl, command, load_component, load_job, spark
from smalt.dsl import pipeline
from smalt.entities import CommandJobLimits, Data, Environment, ResourceConfiguration
from smalt.sweep import BanditPolicy, Choice, RandomSamplingAlgorithm, Uniform
from tests.dsl.programs import train

FOLDER = Input(type="uri_folder", path="./data")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current one, with what the programs name."""
    for name in ("src", "data", "out"):
        (tmp_path / name).mkdir()
    (tmp_path / "src" / "main.py").write_text("")
    (tmp_path / "env.yml").write_text("name: e\nimage: i\nconda_file: conda.yml\n")
    (tmp_path / "conda.yml").write_text("dependencies: [pip]\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def a_command() -> Any:
    return command(
        command="python main.py ${{inputs.data}} --lr ${{inputs.lr}}",
        code="./src",
        environment="env.yml",
        inputs={"data": FOLDER, "lr": 0.1},
        environment_variables={"A": "1"},
        distribution={"type": "pytorch", "process_count_per_instance": 2},
        instance_count=2,
        timeout=90,
        compute="cpu",
    )


def a_sweep() -> Any:
    return a_command()(lr=Uniform(0, 1)).sweep(
        primary_metric="loss",
        goal="minimize",
        sampling_algorithm=RandomSamplingAlgorithm(seed=3, rule="sobol"),
        max_total_trials=3,
        early_termination_policy=BanditPolicy(slack_factor=0.1),
    )


def a_spark_job() -> Any:
    return spark(
        code="./src",
        entry={"file": "main.py"},
        driver_cores=1,
        driver_memory="1g",
        executor_cores=1,
        executor_memory="1g",
        executor_instances=1,
        resources={"instance_type": "standard_e4s_v3", "runtime_version": "3.4"},
        inputs={"x": Input(type="uri_file", path="azureml:d:1", mode="direct")},
        args="--x ${{inputs.x}}",
    )


def an_automl_job() -> Any:
    table = Input(type="mltable", path="./data")
    job = automl.image_classification(training_data=table, target_column_name="y", primary_metric="accuracy")
    job.set_sweep(sampling_algorithm="random")
    job.extend_search_space([automl.SearchSpace(model_name=Choice(["vitb16r224"]), learning_rate=Uniform(0.1, 0.2))])
    job.set_limits(max_trials=2)
    return job


def a_step() -> Any:
    """By itself, without its optional input."""
    text = "echo ${{inputs.lr}} $[[--opt ${{inputs.opt}}]]"
    inputs = {"lr": {"type": "number", "default": 0.1}, "opt": {"type": "string", "optional": True}}
    component = {"type": "command", "name": "c", "command": text, "environment": "azureml:host@latest"}
    return load_component({**component, "inputs": inputs})()


def a_pipeline() -> Any:
    trainer = train()

    @pipeline(name="inner", version="3")
    def inner(data: Input(type="uri_folder"), lr: float = 0.3, extra: Input(type="uri_file") = None) -> Any:  # type: ignore[valid-type,assignment]
        step = trainer(data=data, lr=lr, extra=extra)
        other = trainer(data=data)
        other.compute = "big"
        other.environment_variables = {"A": "B"}
        other.resources = ResourceConfiguration(instance_count=2, instance_type="x")
        other.limits = CommandJobLimits(timeout=60)
        other.outputs.model.mode = "upload"
        other.outputs.model.path = "azureml://datastores/workspaceblobstore/paths/x/"
        return {"model": step.outputs.model}

    @pipeline(default_compute="cpu", experiment_name="e")
    def outer(data: Input(type="uri_folder"), kind: str = None, n: int = 3) -> Any:  # type: ignore[valid-type,assignment] # noqa: RUF013
        first = inner(data=data)
        last = trainer(data=data, epochs=n, kind=kind)
        last.outputs.model.name = "named"
        last.outputs.model.version = "5"
        a_sweep()
        return {"model": first.outputs.model}

    job = outer(data=FOLDER)
    job.tags["a"] = "b"
    job.outputs.model = Output(type="custom_model", mode="upload")
    return job


@pytest.mark.parametrize("where", ["job.yml", "out/job.yml"])
@pytest.mark.parametrize("make", [a_command, a_sweep, a_spark_job, an_automl_job, a_step, a_pipeline])
def test_a_job_of_a_program_loads_as_an_equal_one(make: Callable[[], Any], where: str) -> None:
    """In the current folder and in another; what was loaded and dumped again says the same."""
    job = make()
    job.dump(where)
    again = load_job(where)
    assert again == job
    assert job == again
    text = Path(where).read_text()
    assert str(Path.cwd()) not in text
    again.dump(where)
    assert load_job(where) == job
    again.display_name = "another"
    assert again != job


def test_a_folder_of_files_can_be_moved(folder: Path) -> None:
    """What lies beside a dumped file is named from there, so that both can go elsewhere."""
    a_command().dump("out/job.yml")
    (folder / "moved").mkdir()
    for name in ("src", "data", "out", "env.yml", "conda.yml"):
        (folder / name).rename(folder / "moved" / name)
    job = load_job("moved/out/job.yml")
    assert job.code == str(folder / "moved" / "src")
    assert job.inputs["data"].path == str(folder / "moved" / "data")
    assert job.environment.conda_file == {"dependencies": ["pip"]}


def test_what_is_elsewhere_keeps_its_absolute_path(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Only what can move along is named from the file."""
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    Data(name="d", path=str(elsewhere)).dump("out/data.yml")
    assert f"path: {elsewhere}\n" in Path("out/data.yml").read_text()
    Data(name="d", path=str(folder / "data")).dump("out/data.yml")
    assert "path: ../data\n" in Path("out/data.yml").read_text()


def test_an_environment_is_what_its_file_says() -> None:
    """One that names its conda file equals one that holds it; another does not."""
    made = Environment(name="e", image="i", conda_file="conda.yml")
    assert made == Environment(name="e", image="i", conda_file={"dependencies": ["pip"]})
    assert made != Environment(name="e", image="i", conda_file={"dependencies": ["pip", "numpy"]})
    assert Environment(image="i", conda_file="gone.yml") != Environment(image="i", conda_file="lost.yml")
