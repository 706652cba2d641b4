"""What a pipeline's steps name, are given and wait for."""

from __future__ import annotations

from typing import Any

import pytest

from smalt.entities import PipelineJob, read

COMPONENT = {
    "type": "command",
    "command": "train",
    "inputs": {
        "data": {"type": "uri_folder"},
        "epochs": {"type": "integer", "default": 3, "min": 1, "max": 9},
        "rate": {"type": "number", "optional": True},
        "mode": {"type": "string", "enum": ["fast", "slow"], "default": "fast"},
        "shuffle": {"type": "boolean", "default": True},
    },
    "outputs": {"model": {"type": "mlflow_model"}},
}
DATA = {"type": "uri_folder", "path": "https://example.org/data"}


def pipeline(**jobs: Any) -> dict[str, Any]:
    return {
        "type": "pipeline",
        "inputs": {"raw": DATA, "word": "slow", "many": 5, "flag": True},
        "outputs": {"final": None},
        "jobs": jobs,
    }


def train(**inputs: Any) -> dict[str, Any]:
    return {"component": COMPONENT, "inputs": {"data": "${{parent.inputs.raw}}", **inputs}}


def problems(data: Any, kind: str = "job") -> list[str]:
    return [str(problem) for problem in read(data, kind)[1]]


def test_bindings_of_every_form_are_taken() -> None:
    """Inputs, outputs and other steps may be bound, bare, in a mapping and with `.path`."""
    found = problems(
        pipeline(
            prep={
                "command": "true",
                "inputs": {"a": "${{parent.inputs.raw}}"},
                "outputs": {"o": "${{parent.outputs.final}}"},
            },
            use={
                "command": "echo ${{inputs.b}}",
                "compute": "${{parent.inputs.word}}",
                "inputs": {"b": {"type": "uri_folder", "path": "${{parent.jobs.prep.outputs.o}}", "mode": "download"}},
                "outputs": {"p": {"path": "${{parent.outputs.final}}"}},
                "resources": {"instance_count": "${{parent.inputs.many}}"},
            },
            last=train(epochs="${{parent.inputs.many}}", data="${{parent.inputs.raw.path}}"),
        )
    )
    assert found == []


@pytest.mark.parametrize(
    ("binding", "message"),
    [
        ("${{parent.inputs.rwa}}", "names no input of the pipeline; did you mean 'raw'?"),
        ("${{parent.outputs.final}}", "cannot stand in an input of a step; bind it to '${{parent.inputs.NAME}}' or "),
        ("${{parent.jobs.tarin.outputs.model}}", "names no step; did you mean 'train'?"),
        ("${{parent.jobs.train.outputs.modle}}", "names no output of the step 'train'; did you mean 'model'?"),
        ("${{parent.train.outputs.model}}", "is none of "),
    ],
)
def test_a_binding_to_nothing_is_told(binding: str, message: str) -> None:
    """An unknown input, step or output is a problem at the binding."""
    found = problems(pipeline(train=train(), use={"command": "true", "inputs": {"x": binding}}))
    assert len(found) == 1
    assert found[0].startswith("jobs.use.inputs.x: ")
    assert message in found[0]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"epochs": "soon"}, "the input 'epochs' must be an integer, not 'soon'"),
        ({"epochs": 2.5}, "the input 'epochs' must be an integer, not the number 2.5"),
        ({"epochs": 10}, "the input 'epochs' must be at most 9, not 10"),
        ({"rate": True}, "the input 'rate' must be a number, not true"),
        ({"mode": "medium"}, "the input 'mode' must be fast or slow, not 'medium'"),
        ({"shuffle": 1}, "the input 'shuffle' must be a boolean (true or false), not the number 1"),
        ({"data": 3}, "the input 'data' takes data (uri_folder), not the number 3"),
        ({"epochs": DATA}, "the input 'epochs' must be an integer, but what is given is data (uri_folder)"),
        ({"rate": "${{parent.inputs.word}}"}, "the input 'rate' must be a number, not 'slow'"),
        ({"data": "${{parent.inputs.many}}"}, "the input 'data' takes data (uri_folder), not the number 5"),
        (
            {"rate": "${{parent.inputs.raw}}"},
            "the input 'rate' must be a number, but the pipeline's input 'raw' is data (uri_folder)",
        ),
        ({"ephocs": 3}, "the component of this step has no input 'ephocs'; did you mean 'epochs'?"),
    ],
)
def test_a_value_that_does_not_fit_the_component_is_told(given: dict[str, Any], message: str) -> None:
    """Literals and bound values are held against what the component declares."""
    found = problems(pipeline(train=train(**given)))
    assert len(found) == 1
    assert message in found[0]


@pytest.mark.parametrize(
    "given", [{"epochs": "3"}, {"rate": 1}, {"shuffle": "false"}, {"mode": "slow"}, {"data": "./x"}]
)
def test_what_the_service_converts_is_taken(given: dict[str, Any]) -> None:
    """Text that is a number, an integer for a number, and a path for data all fit."""
    assert problems(pipeline(train=train(**given))) == []


def test_kinds_of_data_are_not_held_against_each_other() -> None:
    """A file may be given where a folder is declared, as with the service."""
    given = {"type": "uri_file", "path": "https://example.org/data.csv"}
    assert problems(pipeline(train=train(data=given))) == []


def test_an_input_that_must_be_given_is_missed() -> None:
    """A required input without a default is a problem of the step."""
    found = problems(pipeline(train={"component": COMPONENT}))
    assert found == ["jobs.train: the input 'data' (uri_folder) of the component is not given"]


def test_an_undeclared_input_of_a_pipeline_component_is_taken() -> None:
    """The official reader takes it, and real files have it."""
    inner = {"type": "pipeline", "jobs": {"a": {"command": "true"}}}
    assert problems(pipeline(sub={"type": "pipeline", "component": inner, "inputs": {"extra": 1}})) == []


def test_registered_components_are_left_to_the_server() -> None:
    """What a component of another place declares is not known here."""
    step = {"component": "azureml:train:1", "inputs": {"anything": 1}}
    found = problems(pipeline(train=step, use={"command": "t", "inputs": {"x": "${{parent.jobs.train.outputs.o}}"}}))
    assert found == []


def test_an_unknown_output_of_the_component_is_told() -> None:
    """A step may set only outputs that its component has."""
    found = problems(pipeline(train={**train(), "outputs": {"mdoel": None}}))
    assert found == [
        "jobs.train.outputs.mdoel: the component of this step has no output 'mdoel'; did you mean 'model'?"
    ]


@pytest.mark.parametrize(
    ("waits", "circle"),
    [
        ({"a": "a"}, "a → a"),
        ({"a": "b", "b": "a"}, "a → b → a"),
        ({"x": "a", "a": "b", "b": "c", "c": "a"}, "a → b → c → a"),
    ],
)
def test_steps_that_wait_for_each_other_are_told_once(waits: dict[str, str], circle: str) -> None:
    """A circle is told once, in the order of the waiting, however many steps hang on it."""
    jobs = {
        name: {"command": "true", "inputs": {"i": f"${{{{parent.jobs.{other}.outputs.o}}}}"}, "outputs": {"o": None}}
        for name, other in waits.items()
    }
    found = problems(pipeline(**jobs))
    assert [text.partition(": ")[2] for text in found] == [f"these steps wait for each other: {circle}"]


def test_a_step_that_cannot_be_read_is_not_told_as_missing() -> None:
    """One mistake in a step gives one problem, not one more for each step that is bound to it."""
    use = {"command": "true", "inputs": {"x": "${{parent.jobs.train.outputs.model}}"}}
    assert len(problems(pipeline(train={"type": "comand"}, use=use))) == 1
    assert len(problems(pipeline(train={"comand": "true"}, use=use))) == 1


def test_a_step_without_type_takes_that_of_its_component() -> None:
    """The component decides where `type` is left out; where they differ, that is told."""
    inner = {"type": "pipeline", "jobs": {"a": {"command": "true"}}}
    job, found = read(pipeline(sub={"component": inner}), "job")
    assert found == []
    assert isinstance(job, PipelineJob)
    assert job.jobs["sub"].type == "pipeline"
    assert "its component is a pipeline component" in problems(pipeline(sub={"type": "command", "component": inner}))[0]


@pytest.mark.parametrize("name", ["a b", "a.b", "../x", ""])
def test_a_step_must_have_a_name_that_can_be_used(name: str) -> None:
    """Names of steps become names of folders and parts of expressions."""
    assert any("cannot be the name of a step" in text for text in problems(pipeline(**{name: {"command": "true"}})))


def test_all_steps_of_control_flow_are_read() -> None:
    """if_else, do_while and parallel_for are read, and what they name must be there."""
    found = problems(
        pipeline(
            body={"command": "true", "outputs": {"o": None}},
            branch={"type": "if_else", "condition": True, "true_block": "${{parent.jobs.body}}"},
            loop={
                "type": "do_while",
                "body": "${{parent.jobs.bdoy}}",
                "mapping": {"o": "x"},
                "limits": {"max_iteration_count": 3},
            },
            again={"command": "echo ${{inputs.x}}", "inputs": {"x": 0}},
            each={"type": "parallel_for", "body": "${{parent.jobs.again}}", "items": [{"x": 1}], "max_concurrency": 2},
        )
    )
    assert found == ["jobs.loop.body: '${{parent.jobs.bdoy}}' names no step; did you mean 'body'?"]


ONE = {"component": {**COMPONENT, "outputs": {"out": {"type": "uri_folder"}}}, "inputs": {"data": "azureml:d:1"}}
LOOP_MISTAKES: dict[str, tuple[dict[str, Any], str]] = {
    "no items": ({"each": {"items": []}}, "jobs.each.items: there are no items; give at least one"),
    "no JSON": ({"each": {"items": "[1"}}, "jobs.each.items: items as text must be JSON, or an expression"),
    "twice": (
        {"each": {"items": '{"a": {}, "a": {}}'}},
        "jobs.each.items: items as text must be JSON, or an expression such as '${{parent.inputs.NAME}}': the key 'a'",
    ),
    "an empty item": (
        {"each": {"items": [{"epochs": 1}, {}]}},
        "jobs.each.items[1]: all items must give the same inputs, and this one gives nothing, the first epochs",
    ),
    "text": ({"each": {"items": "3"}}, "jobs.each.items: the items must be a list or mapping of inputs of the body"),
    "unknown": (
        {"each": {"items": [{"epoch": 1}]}},
        "jobs.each.items[0].epoch: the body has no input 'epoch'; did you mean 'epochs'?",
    ),
    "type": (
        {"each": {"items": [{"epochs": "x"}]}},
        "jobs.each.items[0].epochs: the input 'epochs' must be an integer",
    ),
    "uneven": (
        {"each": {"items": [{"epochs": 1}, {"rate": 1}]}},
        "jobs.each.items[1]: all items must give the same inputs, and this one gives rate, the first epochs",
    ),
    "missing": (
        {"one": {"inputs": {}}},
        "jobs.each.items[0]: the input 'data' (uri_folder) of the body is given by neither the items nor the body",
    ),
    "key": ({"each": {"items": {"a/b": {"epochs": 1}}}}, "jobs.each.items.a/b: 'a/b' cannot be the key of an item"),
    "reader": (
        {"last": {"command": "ls ${{inputs.i}}", "inputs": {"i": "${{parent.jobs.one.outputs.out}}"}}},
        "jobs.last.inputs.i: 'one' runs once for each item of 'each'; read its gathered outputs",
    ),
    "bound body": (
        {"one": {"outputs": {"out": "${{parent.outputs.all}}"}}},
        "jobs.one.outputs.out: 'each' runs 'one' for each item, and all of them would write this place",
    ),
    "unknown output": (
        {"each": {"outputs": {"ot": "${{parent.outputs.all}}"}}},
        "jobs.each.outputs.ot: the body 'one' has no output 'ot'; did you mean 'out'?",
    ),
    "inputs": ({"each": {"inputs": {"a": 1}}}, "jobs.each.inputs: a parallel_for step has no inputs of its own"),
    "a loop as body": (
        {"other": {"type": "parallel_for", "body": "${{parent.jobs.each}}", "items": [{}]}},
        "jobs.other.body: the body is a command or pipeline step, and 'each' is a parallel_for step",
    ),
}


@pytest.mark.parametrize("mistake", LOOP_MISTAKES)
def test_a_mistake_in_a_loop_over_items_is_told_at_its_key(mistake: str) -> None:
    """In one sentence, and nothing else is told."""
    changed, words = LOOP_MISTAKES[mistake]
    steps: dict[str, Any] = {
        "one": ONE,
        "each": {"type": "parallel_for", "body": "${{parent.jobs.one}}", "items": [{"epochs": 1}]},
    }
    for name, more in changed.items():
        steps[name] = {**steps.get(name, {}), **more}
    (found,) = problems({**pipeline(**steps), "outputs": {"all": None}})
    assert found.startswith(words)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('[{"epochs": 1}, {"epochs": "x"}]', "the input 'epochs' must be an integer, not 'x' (item 2)"),
        ('{"a": {"epoch": 1}}', "the body has no input 'epoch'; did you mean 'epochs'? (item a)"),
        ('[{"epochs": {}}]', "the value of an input must be a literal or data, not a mapping (item 1)"),
        ("{}", "there are no items; give at least one"),
    ],
)
def test_items_in_text_are_checked_before_the_loop_runs(text: str, words: str) -> None:
    """Names and values, wherever the text is: in the loop, or in an input of the pipeline."""
    each = {"type": "parallel_for", "body": "${{parent.jobs.one}}", "items": text}
    assert problems(pipeline(one=ONE, each=each)) == [f"jobs.each.items: {words}"]
    job = pipeline(one=ONE, each={**each, "items": "${{parent.inputs.all}}"})
    assert problems({**job, "inputs": {"all": text}}) == [f"jobs.each.items: the pipeline's input 'all': {words}"]


def test_a_pipeline_component_is_held_to_its_declared_inputs() -> None:
    """A primitive input of a pipeline component does not fit an input of another primitive type."""
    component = {
        "type": "pipeline",
        "inputs": {"raw": {"type": "uri_folder"}, "much": {"type": "number"}},
        "jobs": {"train": train(epochs="${{parent.inputs.much}}")},
    }
    assert problems(component, "component") == [
        "jobs.train.inputs.epochs: the input 'epochs' must be an integer, but the pipeline's input 'much' is a number"
    ]


def test_init_and_finalize_must_be_steps() -> None:
    """`on_init` and `on_finalize` name steps of the pipeline."""
    job = {**pipeline(tidy={"command": "true"}), "settings": {"on_init": "tydi", "on_finalize": "tidy"}}
    assert problems(job) == ["settings.on_init: 'tydi' is not a step; did you mean 'tidy'?"]


def test_a_sweep_step_varies_inputs_of_its_trial() -> None:
    """The space gives the trial's inputs; what neither it nor the step gives is missed."""
    sweep = {
        "type": "sweep",
        "trial": COMPONENT,
        "search_space": {"epochs": {"type": "choice", "values": [1, 2]}, "rat": {"type": "choice", "values": [1]}},
        "objective": {"goal": "minimize", "primary_metric": "m"},
        "limits": {"max_total_trials": 2},
    }
    assert problems(pipeline(sweep=sweep)) == [
        "jobs.sweep.search_space.rat: the component of this step has no input 'rat' to vary; did you mean 'rate'?",
        "jobs.sweep: the input 'data' (uri_folder) of the component is not given",
    ]


def test_arguments_of_a_parallel_step_name_its_inputs() -> None:
    """Program arguments and the data that is cut up are held to the step's own inputs and outputs."""
    step = {
        "type": "parallel",
        "task": {
            "type": "run_function", "program_arguments": "--x ${{inputs.y}}", "append_row_to": "${{outputs.o}}",
            "entry_script": "score.py", "environment": "azureml:host",
        },
        "input_data": "${{inputs.x}}",
        "inputs": {"x": "${{parent.inputs.raw}}"},
        "outputs": {"o": None},
    }  # fmt: skip
    assert problems(pipeline(p=step)) == ["jobs.p.task.program_arguments: '${{inputs.y}}' names no input of this step"]


@pytest.mark.parametrize("name", ["a b", "../x", "a/b", ""])
def test_inputs_and_outputs_must_have_names_that_can_be_used(name: str) -> None:
    """Their names become parts of expressions, variables and paths."""
    for key, value in (("inputs", 1), ("outputs", None)):
        found = problems({"command": "true", key: {name: value}})
        assert len(found) == 1
        assert "cannot be the name of an input or output" in found[0]


def test_a_literal_with_a_type_is_explained() -> None:
    """`type: number` beside a value, as in components, is told with what to write instead."""
    found = problems({"command": "true", "inputs": {"lr": {"type": "number", "default": 0.1}}})
    assert found[0] == "inputs.lr.type: 'number' is not the type of data; write a literal as a bare value: 'lr: VALUE'"
