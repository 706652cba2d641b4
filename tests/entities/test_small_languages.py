"""References, URIs, expressions, durations and literals."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smalt.entities.schema.problems import Problem
from smalt.entities.syntax.durations import parse_iso, to_iso
from smalt.entities.syntax.expression import (
    Expression,
    OptionalBlock,
    find_expressions,
    parse_binding,
    parse_command,
    parse_text,
)
from smalt.entities.syntax.literals import convert, to_text
from smalt.entities.syntax.references import parse_reference, parse_uri

ARM = "/subscriptions/s/resourceGroups/g/providers/Microsoft.MachineLearningServices/workspaces/w"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("azureml:n:1", {"name": "n", "version": "1"}),
        ("azureml:n@latest", {"name": "n", "label": "latest"}),
        ("azureml:n", {"name": "n"}),
        ("azureml:AzureML-sklearn-1.5@latest", {"name": "AzureML-sklearn-1.5", "label": "latest"}),
        (
            f"azureml:{ARM}/components/c/versions/2",
            {"kind": "components", "name": "c", "version": "2", "workspace": "w"},
        ),
        (f"{ARM}/computes/cpu", {"kind": "computes", "name": "cpu", "resource_group": "g", "subscription": "s"}),
        (
            "azureml://registries/azureml/environments/e/labels/latest",
            {"registry": "azureml", "kind": "environments", "name": "e", "label": "latest"},
        ),
        (
            "azureml://subscriptions/s/resourcegroups/g/workspaces/w/data/d/versions/3",
            {"kind": "data", "name": "d", "version": "3", "workspace": "w", "resource_group": "g"},
        ),
    ],
)
def test_references_are_taken_apart(text: str, expected: dict[str, str]) -> None:
    """Every form of reference gives its parts."""
    found = parse_reference(text)
    assert found is not None
    assert {key: value for key, value in found._asdict().items() if value and key != "text"}.items() >= expected.items()


@pytest.mark.parametrize("text", ["n:1", "azureml:", "azureml:n:", "azureml:<name>:1", "./x.yml", "azureml://x/y", ""])
def test_what_is_no_reference_is_none(text: str) -> None:
    """Other text names nothing."""
    assert parse_reference(text) is None


@pytest.mark.parametrize(
    ("text", "kind", "expected"),
    [
        ("azureml://datastores/d/paths/a/b", "DatastoreUri", {"datastore": "d", "path": "a/b"}),
        (
            "azureml://subscriptions/s/resourcegroups/g/workspaces/w/datastores/d/paths/a",
            "DatastoreUri",
            {"datastore": "d", "path": "a", "workspace": "w"},
        ),
        ("azureml://datastores/d/paths/", "DatastoreUri", {"datastore": "d", "path": ""}),
        ("azureml://jobs/j/outputs/o/paths/p/q", "JobOutputUri", {"job": "j", "output": "o", "path": "p/q"}),
        ("azureml://jobs/j/outputs/o", "JobOutputUri", {"job": "j", "output": "o", "path": ""}),
        ("azureml:d:1", "Reference", {"name": "d", "version": "1"}),
        ("https://host/x", "RemoteUri", {"scheme": "https"}),
        ("wasbs://c@a.blob/x", "RemoteUri", {"scheme": "wasbs"}),
        ("file:///a/b", "LocalPath", {"path": "/a/b"}),
        ("file:./b", "LocalPath", {"path": "./b"}),
        ("./b", "LocalPath", {"path": "./b"}),
    ],
)
def test_uris_are_taken_apart(text: str, kind: str, expected: dict[str, str]) -> None:
    """Every form of URI is of its kind, with its parts."""
    found: Any = parse_uri(text)
    assert type(found).__name__ == kind
    assert found._asdict().items() >= expected.items()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("${{inputs.x}}", ("inputs", "x", None)),
        ("${{ inputs.x.path }}", ("inputs", "x.path", None)),
        ("${{inputs.params.inner.ratio}}", ("inputs", "params.inner.ratio", None)),
        ("${{parent.inputs.x}}", ("parent.inputs", "x", None)),
        ("${{parent.inputs.g.x}}", ("parent.inputs", "g.x", None)),
        ("${{parent.outputs.x}}", ("parent.outputs", "x", None)),
        ("${{parent.jobs.a.outputs.b}}", ("parent.jobs.outputs", "b", "a")),
        ("${{parent.jobs.a.inputs.g.b}}", ("parent.jobs.inputs", "g.b", "a")),
        ("${{parent.jobs.a}}", ("parent.jobs", "", "a")),
        ("${{search_space.lr}}", ("search_space", "lr", None)),
        ("${{name}}", ("name", "", None)),
        ("${{creation_context.trigger_time}}", ("creation_context.trigger_time", "", None)),
        ("${{secrets.db-password}}", ("secrets", "db-password", None)),
        (
            "${{keyvault:https://v.vault.azure.net/secrets/one}}",
            ("secrets", "keyvault:https://v.vault.azure.net/secrets/one", None),
        ),
        ("${{foo.bar}}", ("unknown", "foo.bar", None)),
        ("${{inputs}}", ("unknown", "inputs", None)),
        ("${{inputs.x y}}", ("unknown", "inputs.x y", None)),
        ("${{parent.jobs.a.logs.b}}", ("unknown", "parent.jobs.a.logs.b", None)),
        ("${{}}", ("unknown", "", None)),
    ],
)
def test_expressions_are_taken_apart(text: str, expected: tuple[Any, ...]) -> None:
    """Every form of expression is of its kind, with its names, whose dots belong to them."""
    found = parse_binding(text)
    assert found is not None
    assert found[1:] == expected


def test_text_is_cut_at_its_expressions() -> None:
    """Pieces and expressions come in order; a `$[[…]]` block is one piece."""
    assert parse_text("a ${{inputs.x}}/b") == ["a ", Expression("${{inputs.x}}", "inputs", "x"), "/b"]
    command = parse_command("run $[[--x ${{inputs.x}}]] ${{inputs.y}}")
    assert [type(part).__name__ for part in command] == ["str", "OptionalBlock", "str", "Expression"]
    assert isinstance(command[1], OptionalBlock)
    assert [binding.name for binding in find_expressions("run $[[--x ${{inputs.x}}]] ${{inputs.y}}")] == ["x", "y"]


@given(st.text("${}[]. inputsx", max_size=30))
def test_cutting_text_loses_nothing(text: str) -> None:
    """The pieces of a text, put together, are the text."""
    assert "".join(part if isinstance(part, str) else part.text for part in parse_command(text)) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "PT0S"), (60, "PT1M"), (3661, "PT1H1M1S"), (86_400, "P1D"), (0.5, "PT0.5S"), (90_000, "P1DT1H")],
)
def test_durations_are_written_as_the_service_does(seconds: float, text: str) -> None:
    """Seconds become ISO 8601 and come back."""
    assert to_iso(seconds) == text
    assert parse_iso(text) == seconds


@pytest.mark.parametrize("text", ["", "P", "PT", "1h", "P1Y"])
def test_other_text_is_no_duration(text: str) -> None:
    """What has no fixed length, or is not a duration at all, is None."""
    assert parse_iso(text) is None


@given(st.integers(0, 10**8))
def test_all_durations_come_back(seconds: int) -> None:
    """Whole seconds survive being written and read."""
    assert parse_iso(to_iso(seconds)) == seconds


@pytest.mark.parametrize(
    ("value", "type_", "expected"),
    [
        ("3", "integer", 3),
        (3.0, "integer", 3),
        ("0.5", "number", 0.5),
        (1, "number", 1),
        ("True", "boolean", True),
        ("false", "boolean", False),
        (True, "string", "True"),
        (0.5, "string", "0.5"),
        ("x", "uri_file", "x"),
    ],
)
def test_literals_are_converted_as_by_the_service(value: Any, type_: str, expected: Any) -> None:
    """A literal becomes what its declared type says, written in Python's way."""
    converted = convert(value, type_)
    assert converted == expected
    assert type(converted) is type(expected)


@pytest.mark.parametrize(
    ("value", "type_"), [("x", "integer"), (2.5, "integer"), ("x", "number"), (1, "boolean"), (True, "number")]
)
def test_literals_that_do_not_convert_are_problems(value: Any, type_: str) -> None:
    """What cannot be converted is a problem with a sentence."""
    found = convert(value, type_)
    assert isinstance(found, Problem)
    assert " is not " in found.message


def test_text_of_a_literal_is_that_of_python() -> None:
    """Booleans and numbers look as in Python."""
    assert [to_text(value) for value in (True, 0.5, 3, "a")] == ["True", "0.5", "3", "a"]
