from __future__ import annotations

import pytest

from smalt.exceptions import RefusedError
from smalt.service.environments.resolution.python_versions import Minor, PythonConstraint

HERE = [(3, 8), (3, 10), (3, 11), (3, 13)]


@pytest.mark.parametrize(
    ("asked", "used"),
    [
        ("3.10", (3, 10)),
        ("3.8.12", (3, 8)),
        ("==3.8.*", (3, 8)),
        ("3.7", (3, 8)),
        ("3.9", (3, 10)),
        ("3.12", (3, 13)),
        ("2.7", (3, 8)),
        (">=3.8,<3.11", (3, 10)),
        (">=3.9", (3, 13)),
        ("<3.8", (3, 8)),
        ("<=3.10.4", (3, 10)),
        ("!=3.13", (3, 11)),
        ("~=3.10", (3, 13)),
        ("~=3.10.0", (3, 10)),
        (">3.11.2,<3.12", (3, 11)),
        ("3", (3, 13)),
        ("newest", (3, 13)),
        ("", (3, 10)),
    ],
)
def test_the_nearest_python_is_chosen(asked: str, used: Minor) -> None:
    """The newest that is allowed, else the nearest, of two equally near the newer; without a wish the service's own."""
    assert PythonConstraint(asked).find_nearest(HERE) == used


@pytest.mark.parametrize(
    ("asked", "exact"), [("3.8.12", True), ("3.9", False), (">=3.9", True), ("", True), ("2.7", False)]
)
def test_a_nearest_python_that_was_not_asked_for_is_told_apart(asked: str, exact: bool) -> None:
    """`allows` is false for a Python of another minor version, and true for another patch version."""
    python = PythonConstraint(asked)
    assert python.allows(python.find_nearest(HERE)) is exact


@pytest.mark.parametrize(("asked", "said"), [("==3.8.*", "3.8"), ("=3.8.12", "3.8.12"), (">=3.8,<3.10", ">=3.8,<3.10")])
def test_it_is_said_as_people_say_it(asked: str, said: str) -> None:
    """A single version loses its operators."""
    assert str(PythonConstraint(asked)) == said


@pytest.mark.parametrize("asked", ["three", "3.x", "3.8;3.9", "pypy3"])
def test_what_is_no_version_is_refused(asked: str) -> None:
    """The sentence shows how to write a version."""
    with pytest.raises(RefusedError, match=r"is not a Python version; write it as 3.10"):
        PythonConstraint(asked)
