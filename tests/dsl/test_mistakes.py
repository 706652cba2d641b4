"""What people do wrong: each is told in one sentence, at the line of the program that does it.

The official SDK, for comparison, tells these only when the job is submitted, if at all: a mistyped, out-of-range or
unknown value, an output given to a literal, a misspelt attribute, an output of another pipeline, a returned step.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from smalt import Input, Output, command, load_component
from smalt.client.jobs.validation import validate_entity
from smalt.dsl import pipeline
from smalt.entities.steps.standalone_jobs import to_job
from smalt.exceptions import KeywordError, UserErrorException, ValidationException
from smalt.sweep import Uniform
from tests.dsl.programs import train

DATA = Input(type="uri_folder", path="azureml:d:1")
Body = Callable[[Any, Any], Any]


def step(**given: Any) -> Body:
    return lambda trainer, data: trainer(**{"data": data, **given})


def misspelt_attribute(trainer: Any, data: Any) -> None:
    one = trainer(data=data)
    one.comptue = "x"


def mistyped_attribute(trainer: Any, data: Any) -> None:
    one = trainer(data=data)
    one.resources = {"instance_count": "many"}


def unknown_output(trainer: Any, data: Any) -> None:
    trainer(data=trainer(data=data).outputs.modle)


def unknown_input(trainer: Any, data: Any) -> None:
    trainer(data=data).inputs.eopchs = 3


def output_for_a_literal(trainer: Any, data: Any) -> None:
    trainer(data=data, lr=trainer(data=data).outputs.model)


def many_outputs(trainer: Any, data: Any) -> None:
    trainer(data=trainer(data=data))


def same_names(trainer: Any, data: Any) -> None:
    one = trainer(data=data)
    two = trainer(data=data)
    two.name = "one"
    assert one is not two


def capital(trainer: Any, data: Any) -> None:
    Train = trainer(data=data)
    assert Train


def asked(trainer: Any, data: Any) -> None:
    if data:
        trainer(data=data)


def computed(trainer: Any, data: Any) -> None:
    trainer(data=data, lr=data * 2)


def compared(trainer: Any, data: Any) -> None:
    trainer(data=data, lr=0.1 if data > 3 else 0.2)


def counted(trainer: Any, data: Any) -> None:
    for _ in range(data):
        trainer(data=data)


def computed_of_output(trainer: Any, data: Any) -> None:
    trainer(data=data, lr=trainer(data=data).outputs.model + 1)


def swept_nothing(trainer: Any, data: Any) -> None:
    trainer(data=data).sweep(primary_metric="m", goal="maximize", search_space={"lrr": Uniform(0, 1)})


OF_STEPS: dict[str, tuple[Body, str]] = {
    "misspelt input": (step(dta=1), "train_model has no input 'dta'; did you mean 'data'?"),
    "missing input": (step(data=None), r"train_model is called without data \(uri_folder\)"),
    "mistyped input": (step(lr="fast"), "the input 'lr' must be a number, not 'fast'"),
    "out of range": (step(epochs=12), "the input 'epochs' must be at most 9, not 12"),
    "not allowed": (step(kind="c"), "the input 'kind' must be a or b, not 'c'"),
    "a list": (step(kind=["a"]), "pass a list as text"),
    "an output as input": (
        step(data=Output(type="uri_folder")),
        "is given an Output.* without a known path",
    ),
    "a forgotten call": (step(data=train()), "call it first"),
    "positional": (lambda trainer, data: trainer(data), "takes its inputs by name: train_model.data=…"),
    "an output for a literal": (output_for_a_literal, "'lr' must be a number, but the output 'model' is data"),
    "an unknown output": (unknown_output, "has no output 'modle'; did you mean 'model'?"),
    "an unknown input": (unknown_input, "has no input 'eopchs'; did you mean 'epochs'?"),
    "a step of many outputs": (many_outputs, r"name one of its outputs: .outputs.model or .outputs.log"),
    "a misspelt attribute": (misspelt_attribute, "has no 'comptue'; did you mean 'compute'?"),
    "a mistyped attribute": (mistyped_attribute, "'instance_count' must be a whole number, not 'many'"),
    "two of one name": (same_names, "two steps of whole are called 'one'"),
    "a name with capitals": (capital, "a step cannot be called 'Train'"),
    "an if": (asked, "'if' cannot test it"),
    "arithmetic": (computed, r"input 'data' is known only when the pipeline runs, so '\*' cannot be used on it"),
    "a comparison": (compared, "so '>' cannot be used on it; compute in a step, or take 'data.result"),
    "a count": (counted, r"so int\(\) cannot be used on it"),
    "arithmetic on an output": (computed_of_output, r"this output of a step is known only .*'\+'"),
    "a sweep of no input": (swept_nothing, "has no input 'lrr' to vary; did you mean 'lr'?"),
    "a distribution": (step(lr=Uniform(0, 1)), r"call .sweep\(…\)"),
    "a step returned": (lambda trainer, data: trainer(data=data), "whole returns a step"),
    "a literal returned": (lambda trainer, data: {"x": 3}, "returns 'x', which is not an output of a step"),
    "a step in a mapping": (
        lambda trainer, data: {"x": trainer(data=data)},
        "return one of its outputs: .outputs.model",
    ),
}


@pytest.mark.parametrize("mistake", OF_STEPS)
def test_a_mistake_in_a_pipeline_is_told_at_its_line(mistake: str) -> None:
    """One sentence, which begins with this file."""
    body, words = OF_STEPS[mistake]
    trainer = train()

    def whole(data: Any) -> Any:
        result = body(trainer, data)
        return result if "return" in mistake or "mapping" in mistake else None

    if body.__name__ in ("same_names", "capital"):
        lines = inspect.getsource(body).splitlines()[1:]
        scope: dict[str, Any] = {"trainer": trainer}
        exec("\n".join(["def whole(data):", *lines]), scope)
        whole = scope["whole"]
    with pytest.raises(ValidationException, match=words) as caught:
        pipeline(whole)(DATA)
    assert "\n" not in str(caught.value)
    file, line, _ = str(caught.value).split(":", 2)
    assert Path(file).name == "test_mistakes.py" or file == "<string>"
    assert int(line) > 0


def test_mistakes_in_calls_are_type_errors() -> None:
    """As of any Python function."""
    with pytest.raises(TypeError):
        train()(dta=1)
    assert issubclass(KeywordError, TypeError)


def test_a_pipeline_is_called_as_it_is_declared() -> None:
    """Unknown, doubled and too many arguments; `*args`; and what is missing when it is submitted."""
    trainer = train()

    @pipeline
    def whole(data: Input, lr: float = 0.1) -> None:
        trainer(data=data, lr=lr)

    with pytest.raises(KeywordError, match="whole has no input 'dta'; did you mean 'data'"):
        whole(dta=DATA)
    with pytest.raises(KeywordError, match="given 'data' twice"):
        whole(DATA, data=DATA)
    with pytest.raises(KeywordError, match="takes 2 inputs and is given 3"):
        whole(DATA, 0.1, 3)
    with pytest.raises(ValidationException, match="'lr' must be a number"):
        whole(DATA, lr="fast")
    with pytest.raises(ValidationException, match="'\\*rest'"):
        pipeline(lambda *rest: None)
    with pytest.raises(KeywordError, match=r"test_mistakes.py:.*'whole' is not given 'data'"):
        to_job(whole())


def test_a_step_of_another_pipeline_is_no_source() -> None:
    """Its output is passed in as an input instead."""
    trainer = train()
    outside = trainer(data=DATA)

    @pipeline
    def whole() -> None:
        trainer(data=outside.outputs.model)

    with pytest.raises(ValidationException, match="not in this pipeline"):
        whole()


def test_mistakes_in_builders_are_told_together() -> None:
    """All that is wrong with a command, at its line."""
    with pytest.raises(ValidationException) as caught:
        command(command="echo ${{inputs.nme}}", environment=3, inputs={"name": "x"}, timeout="soon")  # type: ignore[arg-type]
    told = str(caught.value).splitlines()
    assert len(told) == 3
    assert all("test_mistakes.py:" in line for line in told)
    with pytest.raises(TypeError, match="comand"):
        command(**{"comand": "ls"})


def test_a_file_that_is_wrong_is_shown_where_it_is(tmp_path: Path) -> None:
    """At the file's own line; one that is not there at the program's."""
    path = tmp_path / "c.yml"
    path.write_text("type: command\ncomand: ls\n")
    with pytest.raises(ValidationException, match=r"c.yml:2:1: unknown key 'comand' .*; did you mean 'command'"):
        load_component(source=str(path))
    with pytest.raises(ValidationException, match=r"test_mistakes.py.*no.yml is not there"):
        load_component(source="no.yml")


def test_what_is_found_when_it_is_submitted_is_told_at_the_step() -> None:
    """Local code and data that are not there, each at the line that names it, though it stands in a nested pipeline."""
    lines = {}

    @pipeline
    def inner() -> None:
        lines["code"] = inspect.currentframe().f_lineno + 1  # type: ignore[union-attr]
        command(command="ls", code="./nowhere", environment="azureml:host@latest")()

    @pipeline
    def outer() -> None:
        lines["data"] = inspect.currentframe().f_lineno + 1  # type: ignore[union-attr]
        train()(data=Input(type="uri_folder", path="./nothing"))
        inner()

    found = validate_entity(to_job(outer()), raise_on_failure=False)
    told = {str(problem).split(": ", 2)[0]: str(problem) for problem in found.problems}
    assert not found.passed
    assert [f"test_mistakes.py:{lines[name]}" for name in ("data", "code")] == [Path(where).name for where in told]
    assert all("there is no file or folder" in text for text in told.values())


def test_an_environment_may_be_named_by_its_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As in YAML; one that is not there is told at its line."""
    monkeypatch.chdir(tmp_path)
    Path("env.yml").write_text("name: e\nimage: i\n")
    assert command(command="ls", environment="env.yml").environment.image == "i"
    with pytest.raises(ValidationException, match=r"test_mistakes.py:\d+: the file no.yml is not there"):
        command(command="ls", environment="file:no.yml")


def test_a_misspelt_setting_is_refused_and_an_unknown_one_warned_of() -> None:
    """`job.settings.force_reruns = True` would do nothing; what is near no field is told at the program's line."""

    @pipeline()
    def whole() -> None:
        command(command="echo hi", environment="azureml:host")()

    job = whole()
    for name, meant in (
        ("force_reruns", "force_rerun"),
        ("default_datastor", "default_datastore"),
        ("continue_on_step_fail", "continue_on_step_failure"),
    ):
        with pytest.raises(UserErrorException, match=f"has no '{name}'; did you mean '{meant}'"):
            setattr(job.settings, name, True)
    with pytest.warns(UserWarning, match="PipelineJobSettings has no 'colour', so it has no effect") as told:
        job.settings.colour = "red"
    assert told[0].filename.endswith("test_mistakes.py")
    job.settings.force_rerun = True
    assert job.settings.force_rerun is True
