"""`pathlib.Path` is taken wherever text is that means a path, and means the same."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from smalt import Input, Output, command, load_component, load_environment, load_job, spark
from smalt.entities import (
    BuildContext,
    CodeConfiguration,
    CommandComponent,
    CommandJob,
    Data,
    Environment,
    Model,
    ParallelTask,
    SparkComponent,
)
from smalt.parallel import RunFunction, parallel_run_function

HERE = "data/in"
HOST: dict[str, Any] = {"command": "ls", "environment": "azureml:host"}

MAKERS: dict[str, Callable[[Any], Any]] = {
    "input": lambda path: Input(type="uri_folder", path=path),
    "output": lambda path: Output(type="uri_folder", path=path),
    "data": lambda path: Data(name="d", path=path, type="uri_folder"),
    "model": lambda path: Model(name="m", path=path),
    "conda file": lambda path: Environment(name="e", image="i", conda_file=path),
    "build context": lambda path: Environment(name="e", build=BuildContext(path=path)),
    "scoring code": lambda path: CodeConfiguration(code=path, scoring_script="s.py"),
    "component": lambda path: CommandComponent(name="c", code=path, additional_includes=[path], **HOST),
    "spark component": lambda path: SparkComponent(name="s", code=path, entry={"file": "a.py"}, py_files=[path]),
    "job": lambda path: CommandJob(code=path, inputs={"d": Input(path=path)}, **HOST),
    "task": lambda path: ParallelTask(type="run_function", code=path, entry_script="s.py"),
    "run function": lambda path: RunFunction(code=path, entry_script="s.py"),
    "mapping": lambda path: CommandJob.from_dict({"code": path, "inputs": {"d": {"path": path}}, **HOST}),
    "command": lambda path: command(code=path, inputs={"d": Input(type="uri_folder", path=path)}, **HOST),
    "command's outputs": lambda path: command(outputs={"o": Output(type="uri_folder", path=path)}, **HOST),
    "plain input": lambda path: command(inputs={"d": path}, **HOST),
    "spark": lambda path: spark(
        code=path, entry={"file": "a.py"}, jars=[path], driver_cores=1, driver_memory="1g", executor_cores=1,
        executor_memory="1g", executor_instances=1, resources={"instance_type": "x", "runtime_version": "3.4"},
    ),
    "parallel": lambda path: parallel_run_function(
        name="p", inputs={"d": Input(type="uri_folder", path=path)}, input_data="${{inputs.d}}", mini_batch_size="1",
        task=RunFunction(code=path, entry_script="s.py", environment="azureml:host"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("maker", MAKERS.values(), ids=MAKERS)
def test_a_path_object_is_its_text(maker: Callable[[Any], Any]) -> None:
    """In every noun and builder."""
    made, as_text = maker(Path(HERE)), maker(HERE)
    assert made.to_dict() == as_text.to_dict()
    assert "PosixPath" not in repr(made)


SETTERS: dict[str, Callable[[Any, Any], Any]] = {
    "code": lambda job, path: setattr(job, "code", path),
    "input": lambda job, path: setattr(job.inputs.d, "path", path),
    "input by key": lambda job, path: job.inputs["d"].update(path=path),
    "whole input": lambda job, path: job.inputs.__setitem__("d", path),
    "attribute": lambda job, path: setattr(job.inputs, "d", path),
    "inputs": lambda job, path: setattr(job, "inputs", {"d": {"path": path}}),
    "output": lambda job, path: setattr(job.outputs.o, "path", path),
}


@pytest.fixture
def loaded(tmp_path: Path) -> Callable[[], Any]:
    (tmp_path / "job.yml").write_text(
        "{command: ls, environment: 'azureml:host', inputs: {d: {type: uri_folder, path: .}}, outputs: {o: {}}}"
    )
    return lambda: load_job(tmp_path / "job.yml")


@pytest.mark.parametrize("setter", SETTERS.values(), ids=SETTERS)
def test_a_loaded_job_takes_them(loaded: Callable[[], Any], setter: Callable[[Any, Any], Any]) -> None:
    """Where text may be set, the object may."""
    job, other = loaded(), loaded()
    setter(job, Path(HERE))
    setter(other, HERE)
    assert job.to_dict() == other.to_dict()


def test_a_step_takes_them(tmp_path: Path) -> None:
    """Of a component that declares data: when it is called, and afterwards."""
    file = tmp_path / "c.yml"
    file.write_text("{type: command, name: c, inputs: {d: {type: uri_folder}}, command: ls, environment: azureml:host}")
    component = load_component(file)
    called, later = component(d=Path(HERE)), component(d="elsewhere")
    later.inputs.d = Path(HERE)
    assert called.to_dict()["inputs"] == later.to_dict()["inputs"] == {"d": {"type": "uri_folder", "path": HERE}}


def test_loaders_take_them(tmp_path: Path) -> None:
    """For the file, for where its paths are relative to, and for what is put into it."""
    (tmp_path / "e.yml").write_text("{name: e, image: i, conda_file: c.yml}")
    (tmp_path / "c.yml").write_text("dependencies: [python]")
    environment = load_environment(tmp_path / "e.yml", relative_origin=tmp_path)
    assert isinstance(environment, Environment)
    (tmp_path / "j.yml").write_text("{command: ls, environment: azureml:host}")
    job: Any = load_job(tmp_path / "j.yml", params_override=[{"code": tmp_path}])
    assert job.code == str(tmp_path)
