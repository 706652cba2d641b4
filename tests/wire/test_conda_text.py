"""Conda files that the reader of YAML would take seconds or all memory for."""

from __future__ import annotations

import pytest

from smalt.exceptions import ValidationException
from smalt.wire import from_rest

LAUGHS = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]\n" for before, name in zip("abcdefg", "bcdefgh", strict=True)
)


def read(text: str) -> object:
    return from_rest({"name": "n", "version": "1", "properties": {"image": "x", "condaFile": text}}, "environment")


@pytest.mark.parametrize(
    "text",
    [
        "[" * 20_000,
        "a: " + "[" * 20_000,
        "{" * 20_000,
        "- " * 20_000,
        "? " * 20_000,
        "&a [*a]",
        "a: &a {b: *a}",
        LAUGHS,
        "\n".join(" " * depth + "a:" for depth in range(100)),
        "a: " + "x" * 1_000_001,
        "a: " + "[]" * 20_000,
    ],
    ids=lambda text: text[:12],
)
def test_odd_conda_files_are_refused(text: str) -> None:
    """By one sentence: what is nested deeply, holds itself, or grows without end."""
    with pytest.raises(ValidationException, match="'condaFile' must be a conda specification, as YAML text"):
        read(text)


def test_a_file_with_aliases_and_brackets_is_read() -> None:
    """Flow style, aliases and a few thousand packages are what people write."""
    packages = "".join(f"  - package{number}=1.0\n" for number in range(3_000))
    read(f"name: n\nchannels: &c [conda-forge]\nother: *c\ndependencies:\n  - pip: [a, b]\n{packages}")
