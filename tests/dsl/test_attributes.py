"""What a component has answers on its step."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from smalt import Input, command, dsl, load_component
from smalt.entities import CommandComponent

HOST: dict[str, Any] = {"command": "ls", "environment": "azureml:host"}
OF_ALL = ("version", "stage", "latest_version", "auto_delete_setting", "creation_context", "source_path", "id")


def made_in_place() -> Any:
    return command(name="prep", display_name="P", inputs={"a": Input(type="uri_folder")}, **HOST)


def made_of_a_component() -> Any:
    return CommandComponent(name="prep", version="3", stage="Dev", **HOST)()


@pytest.mark.parametrize("name", OF_ALL)
def test_what_is_unset_is_empty(name: str) -> None:
    """On a step with its command in place, which Azure's client makes a component of."""
    assert getattr(made_in_place(), name) is None


def test_what_its_component_says_is_answered() -> None:
    """The version and all else; what is misspelt is not."""
    step = made_of_a_component()
    assert (step.version, step.stage, step.command) == ("3", "Dev", "ls")
    assert made_in_place().component.name == "prep"
    assert made_in_place().component.version is None
    with pytest.raises(AttributeError, match="did you mean"):
        _ = step.comptue


def test_a_step_of_a_registered_component_answers_too(tmp_path: Path) -> None:
    """Though only the server knows the component, in a pipeline that was loaded."""
    (tmp_path / "c.yml").write_text("{type: pipeline, name: p, jobs: {a: {type: command, component: 'azureml:c:1'}}}")
    step = load_component(tmp_path / "c.yml").jobs["a"]
    assert (step.component, step.version, step.is_deterministic) == ("azureml:c:1", None, None)


def test_a_version_set_on_a_step_is_its_components() -> None:
    """As Azure's client takes it."""

    @dsl.pipeline()
    def pipeline() -> None:
        made_in_place()(a=Input(path="azureml:d:1"))

    step = made_in_place()
    step.version = "7"
    assert (step.version, step.component.version) == ("7", "7")
    assert pipeline().jobs["prep"].version is None
