"""Types of steps that SDK v1 has and v2 has not: each is answered with what takes its place."""

from __future__ import annotations

from typing import Any

import pytest

from smalt.entities.schema import documents


@pytest.mark.parametrize(
    ("type", "instead"),
    [
        ("databricks", "databricks-sdk"),
        ("DatabricksStep", "type: spark"),
        ("adla_step", "Spark SQL"),
        ("azurebatch", "type: command"),
        ("kusto", "azure-kusto-data"),
        ("r_script", "Rscript"),
        ("estimator", "type: command"),
        ("module_step", "component"),
    ],
)
def test_the_sentence_says_what_to_use(type: str, instead: str) -> None:
    """Of a step at its place in the pipeline, and of a job."""
    data: dict[str, Any] = {"type": "pipeline", "jobs": {"a": {"type": type}}}
    _, of_step = documents.read(data, "job")
    _, of_job = documents.read({"type": type}, "job")
    assert [problem.path for problem in of_step] == [("jobs", "a", "type")]
    for problem in (*of_step, *of_job):
        assert problem.message.startswith(f"unknown type '{type}' of ")
        assert instead in problem.message


def test_other_unknown_types_are_listed_as_before() -> None:
    """A distribution of the type `databricks` has no such advice."""
    _, problems = documents.read({"type": "nonsense"}, "job")
    assert "it may be command" in problems[0].message
    job = {"command": "ls", "environment": "azureml:host", "distribution": {"type": "databricks"}}
    _, problems = documents.read(job, "job")
    assert "v2 has no such type" not in problems[0].message
