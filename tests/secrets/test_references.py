"""How a job names a secret."""

from __future__ import annotations

import pytest

from smalt.service.secrets.references import convert_between, find_names, resolve_references


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("${{secrets.db-password}}", [("db-password", "")]),
        ("a ${{ secrets.one }} b ${{secrets.two}}", [("one", ""), ("two", "")]),
        ("${{keyvault:https://v.vault.azure.net/secrets/one}}", [("one", "")]),
        ("${{keyvault:https://v.vault.azure.net/secrets/one/0a1b}}", [("one", "0a1b")]),
        ("${{inputs.secrets}}", []),
        ("secrets.one", []),
        ("${{secrets.}}", []),
        (7, []),
    ],
)
def test_what_is_named(value: object, found: list[tuple[str, str]]) -> None:
    """Short, or as the service's deployments name one, with or without a version."""
    assert find_names(value) == found


def test_values_take_the_places() -> None:
    """And are not looked through again."""
    values = {"a": "${{secrets.b}}", "b": "two"}
    assert resolve_references("${{secrets.a}}-${{secrets.b}}", lambda one: values[one.name]) == "${{secrets.b}}-two"
    assert convert_between("x${{secrets.a}}y", str.upper) == "X${{secrets.a}}Y"
