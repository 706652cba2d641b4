"""Jobs that programs make run as they are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from smalt import Input, MLClient, Output, command, load_component
from smalt.dsl import group, pipeline
from smalt.exceptions import UserErrorException, ValidationException


def test_a_pipeline_of_a_program_runs(client: MLClient, tmp_path: Path, capfd: Any) -> None:
    """Nested, with a component of a file, a command called twice, data handed on and a default."""
    (tmp_path / "add.yml").write_text(
        "type: command\nname: add\nenvironment: azureml:host@latest\n"
        "command: expr $(cat ${{inputs.number}}) + ${{inputs.n}} > ${{outputs.sum}}\n"
        "inputs:\n  number: {type: uri_file}\n  n: {type: integer, default: 10}\n"
        "outputs:\n  sum: {type: uri_file}\n"
    )
    (tmp_path / "number").write_text("1\n")
    add = load_component(source=tmp_path / "add.yml")
    show = command(
        command="echo the sum is $(cat ${{inputs.number}})", environment="host@latest",
        inputs={"number": Input(type="uri_file")},
    )  # fmt: skip

    @pipeline
    def inner(number: Input, n: int = 5) -> Any:
        first = add(number=number, n=n)
        second = add(number=first.outputs.sum)
        return {"sum": second.outputs.sum}

    @pipeline
    def whole(number: Input) -> Any:
        added = inner(number=number)
        shown = show(number=added.outputs.sum)
        assert shown
        return {"sum": added.outputs.sum}

    job = whole(number=Input(type="uri_file", path=str(tmp_path / "number")))
    job.outputs.sum = Output(type="uri_file")
    created = client.jobs.create_or_update(job)
    client.jobs.stream(str(created.name))
    assert "the sum is 16" in capfd.readouterr().out


def test_a_component_that_is_called_runs_by_itself(client: MLClient, capfd: Any) -> None:
    """With its defaults."""
    say = load_component({
        "type": "command", "command": "echo ${{inputs.a}} ${{inputs.b}}", "environment": "azureml:host@latest",
        "inputs": {"a": {"type": "string"}, "b": {"type": "integer", "default": 2}},
    })  # fmt: skip
    created = client.jobs.create_or_update(say(a="x"))
    client.jobs.stream(str(created.name))
    assert "x 2" in capfd.readouterr().out


def test_a_part_of_a_pipeline_runs_again(client: MLClient, capfd: Any) -> None:
    """`only` and `from_`, with what the other steps made in an earlier run."""
    make = command(
        command="echo made $MARK > ${{outputs.made}}", environment="azureml:host",
        outputs={"made": Output(type="uri_file")},
    )  # fmt: skip
    show = command(command="cat ${{inputs.made}}", environment="azureml:host", inputs={"made": Input(type="uri_file")})

    @pipeline
    def whole(mark: str = "first") -> None:
        first = make()
        first.environment_variables = {"MARK": mark}
        second = show(made=first.outputs.made)
        third = show(made=first.outputs.made)
        assert second, third

    job = whole()
    earlier = client.jobs.create_or_update(job)
    client.jobs.stream(str(earlier.name))
    job.jobs["first"].environment_variables = {"MARK": "second"}
    again = client.jobs.create_or_update(job, only="second", of=earlier.name)
    client.jobs.stream(str(again.name))
    assert [step.name for step in client.jobs.list(parent_job_name=again.name)] == [f"{again.name}-second"]
    assert "made second" not in capfd.readouterr().out
    again = client.jobs.create_or_update(job, from_=["first"])
    client.jobs.stream(str(again.name))
    assert len(list(client.jobs.list(parent_job_name=again.name))) == 3
    with pytest.raises(ValidationException, match="no step 'secnod'; did you mean 'second'"):
        client.jobs.create_or_update(job, only="secnod")
    with pytest.raises(UserErrorException, match="of= needs only="):
        client.jobs.create_or_update(job, of=earlier.name)


def test_groups_of_values_reach_the_steps(client: MLClient, capfd: Any) -> None:
    """In the pipeline and in one inside it; outputs in groups are found again too."""
    show = command(
        command="echo told ${{inputs.ratio}} ${{inputs.n}} > ${{outputs.text}}; cat ${{outputs.text}}",
        inputs={"ratio": 0.1, "n": 1}, outputs={"text": Output(type="uri_file")}, environment="azureml:host",
    )  # fmt: skip
    read = command(command="cat ${{inputs.text}}", inputs={"text": Input(type="uri_file")}, environment="azureml:host")

    @group
    class Settings:
        ratio: float = 0.2
        n: int = 3

    @group
    class Made:
        text: Output(type="uri_file")  # type: ignore[valid-type]

    @pipeline
    def inner(settings: Settings) -> Made:  # type: ignore[valid-type]
        one = show(ratio=settings.ratio, n=settings.n)  # type: ignore[attr-defined]
        return Made(text=one.outputs.text)  # type: ignore[call-arg]

    @pipeline
    def whole(settings: Settings, ratio: float = 0.7) -> None:  # type: ignore[valid-type]
        inner(settings=Settings(ratio=ratio, n=8))  # type: ignore[call-arg]
        second = inner(settings=settings)
        read(text=second.outputs.text)

    job = client.jobs.create_or_update(whole(settings=Settings(n=5)))  # type: ignore[call-arg]
    client.jobs.stream(str(job.name))
    out = capfd.readouterr().out
    assert "told 0.7 8" in out
    assert out.count("told 0.2 5") == 2
