from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from smalt import Input, load_component, wire
from smalt.dsl import pipeline
from smalt.dsl._condition import condition
from smalt.dsl._do_while import do_while
from smalt.dsl._parallel_for import parallel_for
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
