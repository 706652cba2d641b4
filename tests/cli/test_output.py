from __future__ import annotations

import io
import json
from typing import Any

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st

import yaml
from smalt.cli.output import results as output

JOBS = [
    {"name": "a", "status": "Completed", "tags": {"x": 1}, "inputs": [1, 2], "done": True, "note": None},
    {"name": "b", "status": "Failed", "tags": {}, "inputs": [], "done": False, "note": None},
]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def written(data: Any, form: str | None = None, query: str | None = None, **rest: Any) -> str:
    stream = io.StringIO()
    output.write_result(data, form, query, stream=stream, **rest)
    return stream.getvalue()


def test_a_pipe_gets_json() -> None:
    """Without -o the result is JSON with an indent of two, umlauts as they are."""
    assert json.loads(written(JOBS)) == JOBS
    assert written({"a": "ü"}) == '{\n  "a": "ü"\n}\n'


def test_tsv_prints_strings_raw_and_one_item_a_line() -> None:
    """`$(… --query name -o tsv)` is the bare name."""
    assert written(JOBS[0], "tsv", "name") == "a\n"
    assert written(JOBS, "tsv", "[].name") == "a\nb\n"
    assert written(JOBS, "tsv", "[].[name, status]") == "a\tCompleted\nb\tFailed\n"
    assert written(JOBS, "tsv", "[].done") == "true\nfalse\n"


def test_tsv_keeps_columns_where_a_cell_is_nested_or_empty() -> None:
    """A mapping is an empty cell, a list its length, null is None, as `az` prints them."""
    assert written(JOBS[0], "tsv") == "a\tCompleted\t\t2\ttrue\tNone\n"


def test_a_query_that_finds_nothing_prints_nothing() -> None:
    """As with `az`, in every format."""
    assert [written(JOBS[0], form, "absent") for form in output.FORMATS] == [""] * len(output.FORMATS)


def test_none_prints_nothing() -> None:
    """`-o none` is for scripts that want the exit code only."""
    assert written(JOBS, "none") == ""


def test_a_wrong_query_is_a_usage_error() -> None:
    """The sentence names the query."""
    with pytest.raises(click.UsageError, match=r"--query 'name\[' is not a JMESPath expression"):
        written(JOBS, "json", "name[")


def test_table_has_the_nouns_columns_or_those_of_the_query() -> None:
    """The columns that a noun chooses appear where they have values; a query chooses its own."""
    table = written(JOBS, "table", columns=("name", "status", "absent")).splitlines()
    assert table == ["Name  Status", "----  ---------", "a     Completed", "b     Failed"]
    table = written(JOBS, "table", "[].{Job:name, Done:done}", columns=("status",)).splitlines()
    assert table == ["Job  Done", "---  -----", "a    True", "b    False"]
    assert written(JOBS, "table", "[].name").splitlines() == ["Result", "------", "a", "b"]
    assert written([], "table") == ""


def test_yaml_reads_back() -> None:
    """YAML holds the same data in the same order."""
    text = written(JOBS, "yaml")
    assert yaml.safe_load(text) == JOBS
    assert list(yaml.safe_load(text)[0]) == list(JOBS[0])
    assert written("x", "yaml") == "x\n"


def test_a_person_gets_a_table_or_yaml() -> None:
    """On a terminal lists are tables and single things YAML; with a query it is JSON all the same."""
    terminal = Terminal()
    output.write_result(JOBS, None, stream=terminal)
    output.write_result({"name": "a"}, None, stream=terminal)
    output.write_result(JOBS, None, "[0].name", stream=terminal)
    assert terminal.getvalue().splitlines()[0].startswith("Name")
    assert terminal.getvalue().endswith('name: a\n"a"\n')


@pytest.mark.parametrize("form", ["jsonc", "yamlc"])
def test_colours_are_for_terminals_only(form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a pipe, or with NO_COLOR, jsonc and yamlc are plain."""
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert "\033" not in written(JOBS, form)
    terminal = Terminal()
    output.write_result({"name": "x: 1"}, form, stream=terminal)
    assert "\033" in terminal.getvalue()
    monkeypatch.setenv("NO_COLOR", "1")
    plain = Terminal()
    output.write_result({"name": "x: 1"}, form, stream=plain)
    assert "\033" not in plain.getvalue()


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)


@given(PLAIN, st.sampled_from(output.FORMATS), st.booleans())
def test_any_result_can_be_printed_in_any_format(data: Any, form: str, terminal: bool) -> None:
    """Whatever a server answers, each format ends with a newline or prints nothing; JSON reads back."""
    stream = Terminal() if terminal else io.StringIO()
    output.write_result(data, form, columns=("name",), stream=stream)
    text = stream.getvalue()
    assert text == "" or text.endswith("\n")
    if form == "json" and data is not None:
        assert json.loads(text) == data


@pytest.mark.parametrize(
    "query",
    [
        "[" * 20000 + "]" * 20000,
        "a" + "|a" * 20000,
        "`" + "[" * 20000 + "]" * 20000 + "`",
        " | ".join(["[@,@]"] * 60),
        " | ".join(["[@,@][]"] * 60),
        " | ".join(["[0]", *["join('', [@,@])"] * 60]),
    ],
    ids=["brackets", "pipes", "literal", "shared", "flattened", "text"],
)
def test_a_query_that_grows_without_end_is_refused(query: str) -> None:
    """One sentence for what is nested too deeply or finds too much."""
    with pytest.raises(click.UsageError) as caught:
        output.apply_query(["ab"], query)
    assert "nested too deeply" in str(caught.value) or "finds too much" in str(caught.value)
    assert len(str(caught.value)) < 300
