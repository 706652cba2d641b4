"""What the package offers, and what it costs."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import smalt.entities
from smalt.entities.schema.json_schema import SchemaDefinitions, json_schema
from smalt.entities.schema.kinds import KINDS
from smalt.entities.schema.operations import OPERATIONS, load_operation
from smalt.entities.schema.reader import Reader
from smalt.entities.schema.shapes import Boolean, Enum, Integer, Number, Shape


def test_what_is_promised_is_there() -> None:
    """Every exported name exists, and type checkers are told of the same names."""
    tree = ast.parse(Path(str(smalt.entities.__file__)).with_suffix(".pyi").read_text())
    told = {alias.name for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) for alias in node.names}
    told |= {ast.unparse(node.targets[0]) for node in tree.body if isinstance(node, ast.Assign)}
    assert told == set(smalt.entities.__all__)
    for name in smalt.entities.__all__:
        assert getattr(smalt.entities, name) is not None
    assert set(dir(smalt.entities)) == set(smalt.entities.__all__)


def test_importing_loads_no_more_than_is_used() -> None:
    """A command job brings neither AutoML nor sweeps nor YAML nor anything that is not of the standard library."""
    code = "import sys; from smalt.entities import CommandJob; print(*sys.modules)"
    modules = set(
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    )
    assert "smalt.entities.jobs.command" in modules
    assert (
        not {"smalt.entities.jobs.automl.job", "smalt.entities.jobs.sweep", "yaml", "dataclasses", "difflib"} & modules
    )


def test_a_json_schema_refers_only_to_what_it_has() -> None:
    """Every reference of every kind's schema leads somewhere, and every key has a description."""
    for kind in KINDS:
        schema = json_schema(kind)
        assert _references(schema) <= {f"#/$defs/{name}" for name in schema["$defs"]}
        for definition in schema["$defs"].values():
            assert all("description" in value for key, value in definition["properties"].items() if key != "$schema")


def test_a_json_schema_says_what_may_be_written() -> None:
    """Required keys, allowed words and expressions in steps are there."""
    definitions = json_schema("job")["$defs"]
    assert definitions["CommandJob"]["required"] == ["command"]
    assert definitions["CommandJob"]["additionalProperties"] is False
    assert "uri_folder" in definitions["InputJob"]["properties"]["type"]["anyOf"][0]["enum"]
    assert {"type": "string", "pattern": r"\$\{\{"} in definitions["CommandNode"]["properties"]["limits"]["anyOf"]
    assert json_schema()["anyOf"]


def _references(value: object) -> set[str]:
    if isinstance(value, dict):
        own = {str(value["$ref"])} if "$ref" in value else set()
        return own.union(*(_references(item) for item in value.values()))
    return set().union(*(_references(item) for item in value)) if isinstance(value, list) else set()


@pytest.mark.parametrize("word", ["uri_file", "UriFile", "URI_FILE", "uri-file", "Uri File", "uri_foldr", "uri", ""])
def test_a_json_schema_takes_words_as_the_reader_does(word: str) -> None:
    """In any case, with or without what is between their parts; and no other word."""
    enum = Enum("uri_file", "uri_folder")
    reader = Reader()
    is_read = enum.read_value(word, ("type",), reader) is not None
    assert _takes(enum.build_schema(SchemaDefinitions()), word) == is_read == (not reader.problems)


@pytest.mark.parametrize("shape", [Integer(at_least=1), Number(), Boolean()])
@pytest.mark.parametrize("value", ["1", "-2", "1.5", "1e3", "True", "no", "x", "1 2", ""])
def test_a_json_schema_takes_values_in_quotes_as_the_reader_does(shape: Shape[Any], value: str) -> None:
    """A number or a boolean may be written as text; what is no such thing is flagged."""
    reader = Reader()
    is_read = shape.read_value(value, ("it",), reader) is not None
    if is_read or "must be at least" not in str(reader.problems):  # a range is not checked within quotes
        assert _takes(shape.build_schema(SchemaDefinitions()), value) == is_read


def test_a_json_schema_takes_a_key_without_a_value() -> None:
    """As the reader does; but not where the key is needed."""
    definitions = json_schema("job")["$defs"]
    assert {"type": "null"} in definitions["CommandJob"]["properties"]["tags"]["anyOf"]
    assert "null" not in json.dumps(definitions["CommandJob"]["properties"]["command"])


def _takes(schema: Any, text: str) -> bool:
    """What a validator says of a text."""
    if "anyOf" in schema:
        return any(_takes(one, text) for one in schema["anyOf"])
    if "enum" in schema:
        return text in schema["enum"]
    return schema.get("type") == "string" and re.search(schema.get("pattern", ""), text) is not None


@pytest.mark.parametrize("name", OPERATIONS)
def test_each_operation_of_a_noun_is_a_function(name: str) -> None:
    """Each entry of the table names a function that can be loaded."""
    assert callable(load_operation(name))
