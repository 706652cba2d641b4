"""Expressions in commands."""

from __future__ import annotations

from typing import Any

import pytest

from smalt.entities import read


def problems(data: Any, kind: str = "job") -> list[str]:
    return [str(problem) for problem in read(data, kind)[1]]


def test_a_command_may_name_its_inputs_and_outputs() -> None:
    """Declared names, sub-paths, optional blocks and the service's macros are all in order."""
    command = "run ${{inputs.a}}/x $[[--b ${{inputs.b}}]] > ${{outputs.o}}/f ${{name}}"
    job = {"command": command, "inputs": {"a": 1, "b": 2}, "outputs": {"o": None}}
    assert problems(job) == []


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("${{inputs.learning_rat}}", "names no input of this command job; did you mean 'learning_rate'?"),
        ("$[[--x ${{inputs.zzz}}]]", "names no input of this command job"),
        ("${{outputs.modle}}", "names no output of this command job; did you mean 'model'?"),
        (
            "${{search_space.x}}",
            "has a meaning only in the trial of a sweep that is a command in place; elsewhere declare an input and "
            "write '${{inputs.x}}'",
        ),
        (
            "${{input.learning_rate}}",
            "is not an expression that smalt knows; did you mean '${{inputs.learning_rate}}'?",
        ),
    ],
)
def test_a_name_that_is_not_there_is_told(command: str, message: str) -> None:
    """An expression that names nothing is a problem of the command."""
    job = {"command": command, "inputs": {"learning_rate": 1}, "outputs": {"model": None}}
    assert [text.removeprefix("command: ").partition("' ")[2] for text in problems(job)] == [message]


def test_components_are_held_to_what_they_declare() -> None:
    """A component's command may name only what the component declares."""
    component = {"type": "command", "command": "${{inputs.x}} ${{outputs.y}}", "inputs": {"x": {"type": "string"}}}
    assert problems(component, "component") == ["command: '${{outputs.y}}' names no output of this component"]


def test_a_sweep_trial_may_name_the_search_space() -> None:
    """A trial's command names inputs of the sweep and parameters of the space."""
    sweep = {
        "type": "sweep",
        "trial": {"command": "${{inputs.x}} ${{search_space.lr}} ${{search_space.rl}}", "environment": "azureml:e:1"},
        "inputs": {"x": 1},
        "search_space": {"lr": {"type": "choice", "values": [1]}},
        "objective": {"goal": "minimize", "primary_metric": "m"},
        "limits": {"max_total_trials": 1},
    }
    assert problems(sweep) == [
        "trial.command: '${{search_space.rl}}' names no parameter of the search space of this sweep"
    ]


@pytest.mark.parametrize(
    ("declared", "message"),
    [
        ({"type": "integer", "default": "x"}, "the default of 'p' must be an integer, not 'x'"),
        ({"type": "number", "default": 5, "max": 2}, "the default of 'p' must be at most 2, not 5"),
        ({"type": "string", "default": "c", "enum": ["a", "b"]}, "the default of 'p' must be a or b, not 'c'"),
        ({"default": 1}, "an input of a component needs 'type'"),
        ({"type": "string", "path": "x"}, "'path' is not for an input of a component"),
    ],
)
def test_a_component_is_held_to_its_own_types(declared: dict[str, Any], message: str) -> None:
    """A default must fit the type, values and range that stand beside it."""
    found = problems({"type": "command", "command": "true", "inputs": {"p": declared}}, "component")
    assert len(found) == 1
    assert message in found[0]
