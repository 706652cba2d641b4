"""An argument that nobody knows is told at the program's own line; one that was meant otherwise is refused."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from smalt import Input, Output, command, dsl, load_component, load_environment, load_job
from smalt.entities import AmlCompute, Environment
from smalt.parallel import RunFunction, parallel_run_function

HOST: dict[str, Any] = {"command": "ls", "environment": "azureml:host"}


def parallel(**more: Any) -> Any:
    task = RunFunction(code=".", entry_script="s.py", environment="azureml:host")
    return parallel_run_function(
        name="p", inputs={"d": Input(type="uri_folder")}, input_data="${{inputs.d}}", mini_batch_size="1", task=task,
        **more,
    )  # fmt: skip


def job(tmp_path: Path) -> Path:
    file = tmp_path / "job.yml"
    file.write_text("{command: ls, environment: azureml:host}")
    return file


CALLS: dict[str, Callable[[Path, dict[str, Any]], Any]] = {
    "command() has no parameter": lambda folder, more: command(**HOST, **more),
    "pipeline() has no parameter": lambda folder, more: dsl.pipeline(**more),
    "parallel_run_function() has no parameter": lambda folder, more: parallel(**more),
    "Input has no": lambda folder, more: Input(type="uri_folder", **more),
    "Environment has no": lambda folder, more: Environment(name="e", image="i", **more),
    "AmlCompute has no": lambda folder, more: AmlCompute(name="c", size="s", **more),
    "load_job() has no parameter": lambda folder, more: load_job(job(folder), **more),
    "load_environment() has no parameter": lambda folder, more: load_environment({"name": "e", "image": "i"}, **more),
    "load_component() has no parameter": lambda folder, more: load_component({"type": "command", **HOST}, **more),
}


@pytest.mark.parametrize("words", CALLS)
def test_an_unknown_argument_is_warned_of(words: str, tmp_path: Path) -> None:
    """Once, at the line of the call; the program goes on."""
    with pytest.warns(UserWarning, match="zzzz") as told:
        CALLS[words](tmp_path, {"zzzz": 1})
    assert [str(one.message) for one in told] == [f"{words} 'zzzz', so it has no effect"]
    assert Path(told[0].filename).name == "test_unknown_arguments.py"


@pytest.mark.parametrize(
    ("call", "name"),
    [
        (lambda name: command(**HOST, **{name: "x"}), "enviroment_variables"),
        (lambda name: dsl.pipeline(**{name: "x"}), "defualt_compute"),
        (lambda name: parallel(**{name: 1}), "max_concurency_per_instance"),
        (lambda name: load_environment({"name": "e", "image": "i"}, **{name: []}), "param_override"),
        (lambda name: Input(**{name: "x"}), "moed"),
        (lambda name: Output(**{name: "x"}), "tpye"),
        (lambda name: Environment(**{name: "x"}), "conda_fiel"),
    ],
)
def test_a_misspelt_argument_is_refused(call: Callable[[str], Any], name: str) -> None:
    """With what was meant."""
    with pytest.raises(TypeError, match=f"has no (parameter )?'{name}'; did you mean"):
        call(name)


def test_what_is_known_is_not_warned_of(tmp_path: Path) -> None:
    """Also what smalt itself does not show in a signature."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert command(**HOST, version="3", instance_count=1).component.version == "3"
        dsl.pipeline(compute="c", default_compute="d", continue_on_step_failure=True)
        load_job(job(tmp_path), params_override=[{"name": "n"}], relative_origin=tmp_path)
