from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import pytest

from smalt import Input, load_component, wire
from smalt.dsl import pipeline
from smalt.dsl._condition import condition
from smalt.dsl._do_while import do_while
from smalt.dsl._parallel_for import parallel_for
from smalt.dsl.pipelines import set_pipeline_settings
from smalt.entities import PipelineJob
from smalt.exceptions import ValidationException

BODY = {
    "type": "command",
    "name": "body",
    "command": "echo ${{inputs.n}}",
    "environment": "azureml:host@latest",
    "inputs": {"n": {"type": "integer"}, "data": {"type": "uri_folder", "optional": True}},
    "outputs": {"flag": {"type": "boolean"}, "m": {"type": "integer"}, "out": {"type": "uri_folder"}},
}
FLAG = {
    "type": "command",
    "name": "flag",
    "command": "echo",
    "environment": "azureml:host@latest",
    "outputs": {"flag": {"type": "boolean"}},
}


def body() -> Any:
    return load_component(BODY)


def steps(job: PipelineJob) -> Any:
    """As sent; what comes back is the same."""
    sent = wire.to_rest(job)["properties"]
    read = wire.from_rest({"properties": sent}, "job")
    assert wire.to_rest(read)["properties"]["jobs"] == sent["jobs"]
    return sent["jobs"]


def test_a_condition_decides_between_steps() -> None:
    """Sent as the official SDK sends it: one step or a list; unnamed it is called as there."""
    part, flag = body(), load_component(FLAG)

    @pipeline
    def whole(n: int = 3) -> None:
        a, b, c = part(n=n), part(n=n), part(n=1)
        condition(flag(), true_block=a, false_block=[b, c])

    found = steps(whole())
    assert found["conditionnode"] == {
        "type": "if_else",
        "condition": "${{parent.jobs.flag.outputs.flag}}",
        "true_block": "${{parent.jobs.a}}",
        "false_block": ["${{parent.jobs.b}}", "${{parent.jobs.c}}"],
    }


def test_a_step_is_repeated_while_its_output_says_so() -> None:
    """Inputs of the body are named by asking for them, or as text; each output may be several inputs."""
    part = body()

    @pipeline
    def whole(n: int = 3) -> None:
        one = part(n=n)
        again = do_while(one, {one.outputs.m: one.inputs.n, "out": ["data"]}, 5, one.outputs.flag)
        part(n=one.outputs.m)
        assert again

    assert steps(whole())["again"] == {
        "type": "do_while",
        "body": "${{parent.jobs.one}}",
        "condition": "flag",
        "mapping": {"${{parent.jobs.one.outputs.m}}": ["n"], "out": ["data"]},
        "limits": {"max_iteration_count": 5},
    }


def test_a_step_is_run_for_each_item() -> None:
    """The items are text on the wire; the body needs no input that they give; what comes out is collected."""
    part = body()
    data = Input(type="uri_folder", path="azureml:d:1")

    @pipeline
    def whole(items: str = '[{"n": 1}]') -> Any:
        first, second, third = part(), part(), part()
        each = parallel_for(body=first, items=[{"n": 1}, {"n": 2}], max_concurrency=2)
        named = parallel_for(body=second, items={"one": {"n": 1, "data": data}})
        asked = parallel_for(body=third, items=items)
        part(n=1, data=each.outputs.out)
        assert named is not asked
        return {"all": each.outputs.out}

    job = whole()
    found = steps(job)
    assert found["each"]["items"] == '[{"n": 1}, {"n": 2}]'
    assert found["each"]["max_concurrency"] == 2
    assert '"uri": "azureml:d:1"' in found["named"]["items"]
    assert found["asked"]["items"] == "${{parent.inputs.items}}"
    assert job.outputs["all"].type == "mltable"


def test_the_example_of_the_documentation_holds() -> None:
    """An input of the body that nobody gave is named by asking for it, and the step does not get it."""
    text = (Path(__file__).parents[2] / "docs/conditions-and-loops.md").read_text()
    code = text.partition("```python\n")[2].partition("```")[0]
    train = {
        "type": "command", "name": "train", "command": "echo $[[${{inputs.model}}]]", "environment": "azureml:host",
        "inputs": {"data": {"type": "uri_folder"}, "model": {"type": "custom_model", "optional": True}},
        "outputs": {"model": {"type": "custom_model"}, "again": {"type": "boolean"}},
    }  # fmt: skip
    evaluate = {
        "type": "command", "name": "evaluate", "command": "ls ${{inputs.model}}", "environment": "azureml:host",
        "inputs": {"model": {"type": "custom_model"}},
    }  # fmt: skip
    names: dict[str, Any] = {"train": load_component(train), "evaluate": load_component(evaluate)}
    exec(compile(code, "conditions-and-loops.md", "exec"), names)
    found = steps(names["improving"](data=Input(type="uri_folder", path="azureml:d:1")))
    assert list(found["train_step"]["inputs"]) == ["data"]
    (loop,) = [one for one in found.values() if one["type"] == "do_while"]
    assert loop["mapping"] == {"${{parent.jobs.train_step.outputs.model}}": ["model"]}


def test_the_example_of_a_loop_over_items_holds() -> None:
    """The body is not given what the items give; what is read is the loop's; the first step is a setting."""
    text = (Path(__file__).parents[2] / "docs/conditions-and-loops.md").read_text()
    code = text.split("```python\n")[2].partition("```")[0]
    shared: dict[str, Any] = {"type": "command", "environment": "azureml:host"}
    prepare = {**shared, "name": "prepare", "command": "true"}
    train = {
        **shared, "name": "train", "command": "echo ${{inputs.store}} ${{inputs.data}}",
        "inputs": {"data": {"type": "uri_folder"}, "store": {"type": "string"}},
        "outputs": {"model": {"type": "custom_model"}, "score": {"type": "number"}},
    }  # fmt: skip
    compare = {
        **shared, "name": "compare", "command": "ls ${{inputs.models}} ${{inputs.scores}}",
        "inputs": {"models": {"type": "mltable"}, "scores": {"type": "string"}},
    }  # fmt: skip
    names: dict[str, Any] = {one["name"]: load_component(one) for one in (prepare, train, compare)}
    exec(compile(code, "conditions-and-loops.md", "exec"), names)
    job = names["one_model_per_store"](data=Input(type="uri_folder", path="azureml:d:1"))
    found = steps(job)
    assert list(found["train_step"]["inputs"]) == ["data"]
    assert found["each_store"]["items"] == '{"north": {"store": "Oslo"}, "south": {"store": "Rome"}}'
    assert found["each_store"]["outputs"] == {"model": {"type": "literal", "value": "${{parent.outputs.models}}"}}
    assert found["compare"]["inputs"]["scores"]["value"] == "${{parent.jobs.each_store.outputs.score}}"
    assert job.outputs["models"].type == "mltable"
    assert job.settings.on_init == "first"


def test_settings_within_a_pipeline_function() -> None:
    """A second call changes what it is given, a name is a step's, and no other call of the function is touched."""
    part = body()

    @pipeline
    def whole(is_first: bool) -> None:
        before, one, after = part(n=1), part(n=2), part(n=3)
        if is_first.result():  # type: ignore[attr-defined]
            set_pipeline_settings(on_init=before, on_finalize=one)
            set_pipeline_settings(on_finalize="after")
        assert after

    settings = whole(is_first=True).settings
    assert (settings.on_init, settings.on_finalize) == ("before", "after")
    other = whole(is_first=False).settings
    assert (other.on_init, other.on_finalize) == (None, None)


def test_the_official_places_of_the_names() -> None:
    """Programs import them from private modules of azure.ai.ml; smalt has them there."""
    for module, name in (
        ("smalt.dsl._parallel_for", "parallel_for"),
        ("smalt.dsl._settings", "set_pipeline_settings"),
        ("smalt._internal.dsl", "set_pipeline_settings"),
        ("smalt.entities._builders.parallel_for", "ParallelFor"),
    ):
        assert callable(getattr(importlib.import_module(module), name))


def test_an_input_that_was_asked_for_can_be_set() -> None:
    """It belongs to the step once one of its fields is set."""
    part = body()

    @pipeline
    def whole() -> None:
        one = part(n=1)
        one.inputs.data.path = "azureml:d:1"
        one.inputs.data.mode = "download"

    given = steps(whole())["one"]["inputs"]["data"]
    assert (given["uri"], given["mode"]) == ("azureml:d:1", "Download")


MISTAKES = {
    "an output as a Python condition": (lambda a: 1 if a.outputs.flag else 2, "'if' cannot test it; use condition"),
    "an output of a choice": (
        lambda a: condition(True, true_block=a).outputs.out,
        "an if_else step has no output 'out' of its own",
    ),
    "data as condition": (lambda a: condition(a.outputs.out), "must be a boolean, but that output is data"),
    "a step of many outputs": (lambda a: condition(a), "name one of its outputs"),
    "text as condition": (lambda a: condition("yes"), "not an expression"),
    "a block of text": (lambda a: condition(True, true_block="a"), "true_block names 'a'"),
    "an unknown output": (lambda a: do_while(a, {"mm": "n"}, 3), "has no output 'mm'; did you mean 'm'"),
    "an unknown input": (lambda a: do_while(a, {"m": "nn"}, 3), "has no input 'nn'; did you mean 'n'"),
    "too many rounds": (lambda a: do_while(a, {}, 2000), "at most 1000"),
    "no items": (lambda a: parallel_for(body=a, items=[]), "has no items"),
    "items of no input": (lambda a: parallel_for(body=a, items=[{"k": 1}]), "has no such input; it has n and data"),
    "uneven items": (lambda a: parallel_for(body=a, items=[{"n": 1}, {}]), "one gives n, another nothing"),
    "at once": (lambda a: parallel_for(body=a, items=[{"n": 1}], max_concurrency=0), "integer of at least 1, not"),
    "a misspelt argument": (
        lambda a: parallel_for(body=a, items=[{"n": 1}], max_concurency=2),
        "has no argument 'max_concurency'; did you mean 'max_concurrency'",
    ),
    "a setting of no step": (lambda a: set_pipeline_settings(on_init=3), "on_init of set_pipeline_settings must be"),
    "a function as body": (lambda a: parallel_for(body=body(), items=[{"n": 1}]), "must be a step"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_in_control_flow_is_told_at_its_line(mistake: str) -> None:
    """One sentence, which begins with this file."""
    part = body()
    make, words = MISTAKES[mistake]

    @pipeline
    def whole() -> None:
        make(part(n=1))

    with pytest.raises(ValidationException, match=words) as caught:
        whole()
    assert "\n" not in str(caught.value)
    assert Path(str(caught.value).split(":")[0]).name == "test_control_flow.py"
