"""Sentences with which the server refuses a job, and `smalt job validate --local` without one."""

from __future__ import annotations

_HOST_INSTEAD = "give it one, such as 'environment: azureml:host' for your own Python"


def explain_missing_environment(noun: str) -> str:
    """Return the sentence about a job or a trial, as `noun` says, that names no environment."""
    return f"{noun} names no environment; {_HOST_INSTEAD}"


def explain_empty_reference(text: str) -> str:
    """Return the sentence about a reference to a component or to code that has no name."""
    return f"'{text}' names nothing; write azureml:NAME:VERSION, azureml:NAME@latest or azureml://registries/…"


def explain_bad_reference(text: str) -> str:
    """Return the sentence about a reference to data that has no form of one."""
    return f"{text} is not an asset reference; write azureml:NAME:VERSION or azureml:NAME@latest"


def explain_missing_spark_file(path: str) -> str:
    """Return the sentence about a file that a Spark job names."""
    return f"there is no file '{path}' in the code of this Spark job"


def explain_missing_path(name: str) -> str:
    """Return the sentence about an input that has a type and nothing else."""
    return f"the input '{name}' has a type and no path; give it a path, or leave the input out"


def explain_missing_table(name: str) -> str:
    """Return the sentence about a table of an AutoML job that has a type and nothing else."""
    return f"{name} has a type and no path; give it a path"


def explain_same_version(is_model: bool, name: str, version: str, other: str) -> str:
    """Return the sentence about an output that is to become the version that the output `other` becomes."""
    noun = "model" if is_model else "data asset"
    return f"{noun} '{name}:{version}' is the output '{other}' already; give each its own version"
