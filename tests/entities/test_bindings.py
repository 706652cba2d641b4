"""The table of bindings: every kind of expression in every place is taken or refused as the table says."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from smalt.entities import read
from smalt.entities.rules import page, places
from smalt.entities.rules.places import PLACES, TextPlace, Use
from smalt.entities.schema.reader import Reader
from smalt.entities.steps.dependencies import find_sources
from smalt.entities.syntax.expression import KINDS

PAGE = Path(__file__).parent.parent.parent / "docs" / "bindings.md"
ENVIRONMENT = "azureml:e:1"
EXAMPLES = {
    "inputs": "${{inputs.x}}",
    "outputs": "${{outputs.o}}",
    "search_space": "${{search_space.lr}}",
    "parent.inputs": "${{parent.inputs.word}}",
    "parent.outputs": "${{parent.outputs.final}}",
    "parent.jobs.inputs": "${{parent.jobs.other.inputs.k}}",
    "parent.jobs.outputs": "${{parent.jobs.other.outputs.o}}",
    "parent.jobs": "${{parent.jobs.other}}",
    "name": "${{name}}",
    "output_name": "${{output_name}}",
    "default_datastore": "${{default_datastore}}",
    "creation_context.trigger_time": "${{creation_context.trigger_time}}",
    "secrets": "${{secrets.key}}",
}
DATA = {"type": "uri_folder", "path": "azureml://datastores/workspaceblobstore/paths/d"}
TABLE = {"type": "mltable", "path": "azureml://datastores/workspaceblobstore/paths/t"}
Document = tuple[dict[str, Any], str]
"""A job, and the path of the text in it."""


def job(path: str, **more: Any) -> Document:
    made = {"command": "true", "environment": ENVIRONMENT, "inputs": {"x": 1}, "outputs": {"o": None}, **more}
    return made, path


def pipeline(step: dict[str, Any], path: str = "", **more: Any) -> Document:
    """A step `it` beside another, which has an input and two outputs, in a pipeline with inputs and an output."""
    other = {"command": "true", "environment": ENVIRONMENT, "inputs": {"k": "true", "far": DATA}}
    made = {
        "type": "pipeline",
        "inputs": {"word": "true", "group.word": "g", "data": DATA},
        "outputs": {"final": None},
        "jobs": {
            "other": {**other, "outputs": {"o": None, "n": {"type": "integer"}}},
            "it": {"command": "true", "environment": ENVIRONMENT, "inputs": {"x": 1}, "outputs": {"o": None}, **step},
        },
        **more,
    }
    return made, f"jobs.it.{path}" if path else ""


def sweep(path: str, command: str = "true", variable: str = "a", value: object = 1) -> Document:
    trial = {"command": command, "environment": ENVIRONMENT, "environment_variables": {"A": variable}}
    space = {"lr": {"type": "choice", "values": [value]}}
    aim = {"objective": {"goal": "minimize", "primary_metric": "m"}, "limits": {"max_total_trials": 1}}
    made = {"type": "sweep", "trial": trial, "search_space": space, "inputs": {"x": 1}, "outputs": {"o": None}, **aim}
    return made, path


def condition(text: str) -> Document:
    made, _ = pipeline({})
    made["jobs"]["deciding"] = {"type": "if_else", "condition": text, "true_block": "${{parent.jobs.it}}"}
    return made, "jobs.deciding.condition"


def automl(key: str, kind: str, text: str) -> Document:
    component = {
        "type": "automl", "task": "classification", "target_column_name": "y", "training_data": "${{inputs.t}}",
        "inputs": {"x": {"type": kind}, "t": {"type": "mltable"}}, key: text,
    }  # fmt: skip
    made, _ = pipeline({})
    given = {"x": TABLE if kind == "mltable" else "a", "t": TABLE}
    made["jobs"]["it"] = {"type": "automl", "component": component, "inputs": given}
    return made, f"jobs.it.component.{key}"


def settings(key: str, text: str) -> Document:
    made, _ = pipeline({}, settings={key: text})
    return made, f"settings.{key}"


DOCUMENTS: dict[str, Callable[[str], Document]] = {
    places.COMMAND.words: lambda text: job("command", command=text),
    places.TRIAL.words: lambda text: sweep("trial.command", command=text),
    places.TRIAL_VARIABLE.words: lambda text: sweep("trial.environment_variables.A", variable=text),
    places.SPACE_VALUE.words: lambda text: sweep("search_space.lr.values[0]", value=text),
    places.ARGUMENTS.words: lambda text: (
        {"type": "spark", "entry": {"file": "m.py"}, "args": text, "inputs": {"x": 1}, "outputs": {"o": None}}, "args",
    ),
    places.JOB_INPUT.words: lambda text: job("inputs.x", inputs={"x": text}),
    places.JOB_OUTPUT.words: lambda text: job("outputs.o.path", outputs={"o": {"path": text}}),
    places.VARIABLE.words: lambda text: job("environment_variables.A", environment_variables={"A": text}),
    places.FIXED.words: lambda text: job("compute", compute=text),
    places.SETTING.words: lambda text: settings("default_compute", text),
    places.FIXED_SETTING.words: lambda text: settings("default_datastore", text),
    places.STEP_INPUT.words: lambda text: pipeline({"inputs": {"x": text}}, "inputs.x"),
    places.STEP_OUTPUT.words: lambda text: pipeline({"outputs": {"o": text}}, "outputs.o"),
    places.STEP_PATH.words: lambda text: pipeline({"outputs": {"o": {"path": text}}}, "outputs.o.path"),
    places.PORT_FIELD.words: lambda text: pipeline({"outputs": {"o": {"name": text}}}, "outputs.o.name"),
    places.STEP_VARIABLE.words: lambda text: pipeline(
        {"environment_variables": {"A": text}}, "environment_variables.A",
    ),
    places.STEP_FIELD.words: lambda text: pipeline({"compute": text}, "compute"),
    places.CONTROL.words: condition,
    places.AUTOML.words: lambda text: automl("weight_column_name", "string", text),
    places.AUTOML_TABLE.words: lambda text: automl("validation_data", "mltable", text),
    places.PEOPLE.words: lambda text: pipeline({"tags": {"a": text}}, "tags.a"),
}  # fmt: skip
CELLS = [(place, kind) for place in PLACES for kind in KINDS]


def problems(place: TextPlace, text: str) -> list[str]:
    """What is told of a text in this place, which is all at its path."""
    document, path = DOCUMENTS[place.words](text)
    found = [str(problem) for problem in read(document, "job")[1]]
    assert all(one.startswith(f"{path}: ") for one in found), found
    return [one.removeprefix(f"{path}: ") for one in found]


def test_every_place_and_kind_is_tested() -> None:
    """The test has a document for each place, and an example for each kind of expression."""
    assert set(DOCUMENTS) == {place.words for place in PLACES}
    assert set(EXAMPLES) == set(KINDS)


@pytest.mark.parametrize(("place", "kind"), CELLS, ids=[f"{place.words}: {kind}" for place, kind in CELLS])
def test_each_cell(place: TextPlace, kind: str) -> None:
    """An expression alone, and with text around it, is taken or refused as its cell says."""
    use = place.uses.get(kind)
    text = EXAMPLES[kind]
    alone, around = problems(place, text), problems(place, f"a-{text}-b")
    if place.is_free:
        assert alone == around == []
    elif kind == "creation_context.trigger_time" and use:
        assert [one.partition("' ")[2] for one in alone] == [
            "has a meaning only in the job of a schedule; write the time itself"
        ]
    elif use is None:
        assert len(alone) == len(around) == 1
        assert text in alone[0]
        assert "cannot stand in" in alone[0] or "has a meaning only in the trial" in alone[0]
    else:
        is_text = use in (Use.TEXT, Use.LITERAL) or (use is Use.VALUE and kind != "parent.jobs.outputs")
        assert alone == []
        assert (around == []) is is_text
        assert is_text or "no text can stand around it" in around[0]


@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.words)
@pytest.mark.parametrize(
    "text", ["${{github.ref}}", "${{parent.x}}", "${{inputs}}", "${{}}", "${{inputs.x}", "${{a b}}"]
)
def test_what_the_grammar_does_not_know_is_refused_everywhere(place: TextPlace, text: str) -> None:
    """An expression of no kind, or one that is not closed, is a problem in each place but in text for people."""
    assert len(problems(place, text)) == (0 if place.is_free else 1)


@pytest.mark.parametrize("use", [Use.LITERAL, Use.VALUE])
@pytest.mark.parametrize(
    "data",
    ["${{parent.inputs.data}}", "${{parent.inputs.data.path}}", "${{parent.jobs.other.inputs.far}}"],
)
def test_data_is_no_part_of_a_text(use: Use, data: str) -> None:
    """Where a literal may have text around it, data may not, however it comes there."""
    kind = "parent.inputs" if "parent.inputs" in data else "parent.jobs.inputs"
    for place in PLACES:
        if place.uses.get(kind) is use:
            is_condition = place is places.CONTROL  # a value may be the condition, and data is none
            assert (problems(place, data) == []) is (use is Use.VALUE and not is_condition)
            assert len(problems(place, f"a-{data}-b")) == 1


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("${{parent.inputs.group.word}}", ""),
        ("${{parent.inputs.group.wrod}}", "names no input of the pipeline; did you mean 'group.word'?"),
        ("${{parent.inputs.word.typo}}", "; write '${{parent.inputs.word}}' for all of 'word'"),
        ("${{parent.inputs.word.path}}", "asks for the path of 'word', which is not data; write"),
        ("${{parent.inputs.data.path}}", ""),
        ("${{parent.jobs.other.outputs.o.path}}", ""),
        ("${{parent.jobs.other.outputs.o.typo}}", "names no output of the step 'other'; write "),
        ("${{parent.jobs.other.inputs.k.typo}}", "names no input of the step 'other'; write "),
        ("${{parent.jobs.other.inputs.kk}}", "names no input of the step 'other'"),
        ("${{jobs.other.outputs.o}}", "is not an expression; did you mean '${{parent.jobs.other.outputs.o}}'?"),
        ("a-${{parent.jobs.other.outputs.n}}-b", "no text can stand around it; make it an input of its own"),
    ],
)  # fmt: skip
def test_a_name_is_all_that_follows(text: str, sentence: str) -> None:
    """Dots belong to the name, and `.path` behind the name of data is its path; no name is read as a part of itself."""
    found = problems(places.STEP_INPUT, text)
    assert [sentence in one for one in found] == ([True] if sentence else [])


def test_inputs_whose_names_hold_dots() -> None:
    """`x` and `x.y` are two inputs, in a command as anywhere; an output likewise."""
    made, _ = job("", inputs={"x": 1, "x.y": 3}, outputs={"o": None, "o.p": None})
    made["command"] = "${{inputs.x.y}} ${{inputs.x}} $[[${{inputs.x.y}}]] ${{outputs.o.p}}"
    assert read(made, "job")[1] == []
    made["command"] = "${{inputs.x.typo}} ${{outputs.o.typo}}"
    assert len(read(made, "job")[1]) == 2


def test_an_input_from_an_output_of_the_pipeline_names_what_to_write() -> None:
    """The step's output that is written there is named, where there is one."""
    made, _ = pipeline({"inputs": {"x": "${{parent.outputs.final}}"}})
    made["jobs"]["other"]["outputs"]["o"] = "${{parent.outputs.final}}"
    assert [str(one) for one in read(made, "job")[1]] == [
        "jobs.it.inputs.x: '${{parent.outputs.final}}' cannot stand in an input of a step; "
        "write the output of the step that writes it: '${{parent.jobs.other.outputs.o}}'"
    ]


def test_a_long_chain_of_inputs_is_followed_to_its_source() -> None:
    """Each step takes the input of the step before it; more of them than Python nests calls."""
    steps = {
        f"s{number}": SimpleNamespace(inputs={"a": f"${{{{parent.jobs.s{number - 1}.inputs.a}}}}"})
        for number in range(1, 2000)
    }
    steps["s0"] = SimpleNamespace(inputs={"a": "${{parent.jobs.made.outputs.o}}"})
    assert find_sources("${{parent.jobs.s1999.inputs.a}}", steps) == {"made"}


def test_inputs_that_lead_back_to_themselves() -> None:
    """Two inputs that are bound to each other have no value."""
    made, _ = pipeline({"inputs": {"x": "${{parent.jobs.other.inputs.k}}"}})
    made["jobs"]["other"]["inputs"]["k"] = "${{parent.jobs.it.inputs.x}}"
    found = [str(one) for one in read(made, "job")[1]]
    assert [one.partition("}}' ")[2] for one in found] == ["leads back to itself; give one of these inputs a value"] * 2


def test_an_output_is_bound_to_an_output() -> None:
    """Text without an expression is not an output, and says so at its line."""
    assert problems(places.STEP_OUTPUT, "final") == [
        "an output of a step is '${{parent.outputs.NAME}}', or a mapping with 'path' and the like, not 'final'"
    ]


def test_a_named_output_that_no_step_writes_is_refused() -> None:
    """A pipeline's output with a name would be registered, and nothing would be."""
    made, _ = pipeline({}, outputs={"final": {"name": "kept"}})
    found = [str(one) for one in read(made, "job")[1]]
    assert [one.partition(";")[0] for one in found] == [
        "outputs.final: the output 'final' is to be registered, but no step writes it"
    ]
    made["jobs"]["it"]["outputs"] = {"o": "${{parent.outputs.final}}"}
    assert read(made, "job")[1] == []


def test_a_schedules_job_may_name_the_time() -> None:
    """`creation_context.trigger_time` is known in the job of a schedule alone."""
    made, _ = job("", inputs={"x": "${{creation_context.trigger_time}}"})
    schedule = {"name": "s", "trigger": {"type": "cron", "expression": "0 0 * * *"}, "create_job": made}
    assert read(schedule, "schedule")[1] == []
    assert len(read(made, "job")[1]) == 1


def test_what_a_server_keeps_is_not_judged_again() -> None:
    """An answer is read whatever the rules are by now."""
    from smalt.entities import CommandJob

    made, _ = job("", command="${{github.ref}}")
    reader = Reader()
    reader.is_answer = True
    assert CommandJob._read_data(made, (), reader) is not None
    assert reader.problems == []


READ = "${{parent.jobs.other.outputs.o}}"
INIT = "settings.on_init"
FINAL = "settings.on_finalize"


@pytest.mark.parametrize(
    ("settings", "step", "expected"),
    [
        ({"on_init": "other", "on_finalize": "other"}, {}, {INIT: "cannot be both", FINAL: "cannot be both"}),
        ({"on_init": "othr"}, {}, {INIT: "'othr' is not a step; did you mean 'other'?"}),
        ({"on_finalize": "gone"}, {}, {FINAL: "'gone' is not a step"}),
        ({"on_init": "other", "on_finalize": "it"}, {}, {INIT: "no steps other than on_init and on_finalize"}),
        ({"on_init": "it"}, {"inputs": {"x": READ}}, {INIT: "'it' reads an output of 'other'"}),
        ({"on_init": "other"}, {"inputs": {"x": READ}}, {INIT: "'other' is read by 'it'"}),
        ({"on_finalize": "it"}, {"inputs": {"x": READ}}, {FINAL: "reads an output of"}),
        ({"on_finalize": "other"}, {"inputs": {"x": READ}}, {FINAL: "is read by 'it'"}),
        ({"on_init": "other"}, {"inputs": {"x": "${{parent.jobs.other.inputs.k}}"}}, {}),
        ({"on_init": "other"}, {}, {}),
        ({"on_finalize": "it"}, {}, {}),
    ],
)  # fmt: skip
@pytest.mark.parametrize("where", ["job", "component", "step"])
def test_steps_before_and_after_all_others(
    where: str, settings: dict[str, str], step: dict[str, Any], expected: dict[str, str]
) -> None:
    """They are two steps that no other is bound to: of a job, of a component, and of a nested pipeline in its place."""
    made, _ = pipeline(step, settings=settings)
    inner = {**made, "inputs": {"word": {"type": "string"}}, "outputs": {}, "name": "inner", "version": "1"}
    before = ""
    if where == "component":
        found = read(inner, "component")[1]
    elif where == "step":
        bare = {key: value for key, value in inner.items() if key != "settings"}
        nested = {"type": "pipeline", "component": bare, "inputs": {"word": "w"}, "settings": settings}
        found, before = read({"type": "pipeline", "jobs": {"nested": nested}}, "job")[1], "jobs.nested."
    else:
        found = read(made, "job")[1]
    told = {str(one).partition(": ")[0].removeprefix(before): str(one) for one in found}
    assert told.keys() == expected.keys()
    assert all(words in told[key] for key, words in expected.items())


def test_the_page_is_made_of_the_table() -> None:
    """docs/bindings.md is as `python -m smalt.entities.rules.page docs/bindings.md` makes it."""
    assert PAGE.read_text().partition(page.MARK)[2].strip() == page.render_table().strip()
