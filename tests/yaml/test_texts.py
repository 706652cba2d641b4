"""Texts that YAML would take for something else: as keys, and written and read again."""

from __future__ import annotations

import json

import pytest

from smalt.cli.output import results as output
from smalt.entities import CommandComponent, CommandJob, Data, Environment
from smalt.entities.schema.entity import Entity
from smalt.exceptions import ValidationException
from smalt.yaml import dump, load_text
from smalt.yaml.document import Document

TEXTS = [
    *("0012", "1.10", "10:30", "1_000", "0x10", "0b1", "on", "off", "yes", "no", "y", "n", "true", "null", "~", "1e3"),
    *(".5", ".inf", "2024-01-01", "=", "<<", "-", "{a}", "[a]", "", "a: b", "# x", "'q'", '"q"', " x ", "a\nb\n"),
]


@pytest.mark.parametrize("text", ["on", "yes", "no", "null", "0012", "1.10", "10:30", "1_000", "2024-01-01", "~"])
def test_a_key_is_the_text_that_it_is_written_as(text: str) -> None:
    """No key of a file is read as a boolean, a number or nothing, and none is lost."""
    job = load_text(f"command: ls\ntags: {{{text}: x}}\nenvironment_variables: {{{text}: x}}\n", "job")
    assert (job.tags, job.environment_variables) == ({text: "x"}, {text: "x"})


def test_a_key_and_its_quoted_twin_are_one() -> None:
    """`on` and `'on'` are one key, which may be given once."""
    with pytest.raises(ValidationException, match="the key 'on' is given twice"):
        load_text("command: ls\ntags:\n  on: x\n  'on': y\n", "job")


def test_a_problem_under_such_a_key_has_its_line() -> None:
    """The place of a value under `on:` is found."""
    with pytest.raises(ValidationException, match=r":3:7: 'on' must be text, not a list"):
        load_text("command: ls\ntags:\n  on: [x]\n", "job")


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize(
    "entity",
    [
        CommandJob(command="ls", inputs={"a": ""}),
        CommandComponent(name="c", command="ls"),
        Data(name="d", path="https://example.org/d", version="1"),
        Environment(name="e", image="i", version="1"),
    ],
    ids=lambda one: one.noun,
)
def test_what_is_dumped_is_read_as_the_same_text(entity: Entity, text: str) -> None:
    """A text as value, key, version or input comes back from a file as it was, by `dump` and by `-o yaml`."""
    made = type(entity).from_dict({**entity.to_dict(), "description": text, "tags": {"k": text, text or "e": "x"}})
    if "version" in made._fields and text.strip():
        vars(made)["version"] = text
    if isinstance(made, CommandJob):
        made.inputs["a"] = text
        made.environment_variables[text or "E"] = text
    kind = "job" if isinstance(made, CommandJob) else type(made).__name__.replace("CommandC", "c").lower()
    again = load_text(dump(made), kind)
    assert again.to_dict() == made.to_dict()
    assert Document(output._render_yaml(made.to_dict())).data == json.loads(json.dumps(made.to_dict()))


def test_a_tag_of_a_job_file_is_text() -> None:
    """A number that YAML has already changed is not made text of in silence, as with Azure's client."""
    with pytest.raises(ValidationException, match="'build' must be text, not the number 10; put it in quotes"):
        load_text("command: ls\ntags: {build: 0012}\n", "job")
    assert load_text("command: ls\ntags: {build: '0012', none: }\n", "job").tags == {"build": "0012", "none": ""}


def test_a_version_is_as_azures_client_reads_it() -> None:
    """`1.10` in a file is the number 1.1 to YAML, and so the version 1.1; in quotes it is 1.10."""
    for written, version in (("1.10", "1.1"), ("'1.10'", "1.10"), ("on", "True"), ("0x10", "16")):
        assert load_text(f"name: e\nimage: i\nversion: {written}\n", "environment").version == version
