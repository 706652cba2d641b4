from __future__ import annotations

import pytest

from smalt.service.environments.build_errors import find_advice, read_uv_error

NEW = """\
Using Python 3.11.7 environment at: venv
error: No solution found when resolving dependencies
  cause: Because numpy==1.21.2 has no usable wheels and you require numpy==1.21.2, we can conclude that
         your requirements are unsatisfiable.

hint: Wheels are required for `numpy`"""
OLD = """\
Resolved 1 package in 3ms
  × No solution found when resolving dependencies:
  ╰─▶ Because numpy==1.21.2 has no usable wheels and you require numpy==1.21.2, we can conclude that
      your requirements are unsatisfiable.

      hint: more"""
BUILD = """\
error: Failed to build `numpy==1.21.2`
  cause: The build backend returned an error

         [stdout]
         Cythonizing sources"""


@pytest.mark.parametrize("output", [NEW, OLD], ids=["new uv", "older uv"])
def test_uvs_reason_is_one_sentence(output: str) -> None:
    """However uv of that version lays it out."""
    said = read_uv_error(output.splitlines())
    assert "Because numpy==1.21.2 has no usable wheels" in said
    assert said.endswith("your requirements are unsatisfiable")
    assert "\n" not in said
    assert "hint" not in said


def test_a_compilers_output_is_not_part_of_it() -> None:
    """The log has it; the sentence says which package it was."""
    assert read_uv_error(BUILD.splitlines()) == "Failed to build `numpy==1.21.2`: The build backend returned an error"


def test_without_a_reason_the_last_lines_stand_for_it() -> None:
    """uv may be killed, or say something new."""
    assert read_uv_error(["a", "b", "c", "d"]) == "b c d"
    assert read_uv_error([]) == "uv said nothing"


@pytest.mark.parametrize(
    ("why", "what"),
    [
        ("failed to write to file: No space left on device (os error 28)", "free disk space"),
        ("Request failed after 3 retries: Failed to fetch: http://127.0.0.1:9/simple/six/", "network"),
        ("uv was killed by signal 9", "submit it again"),
        ("Because numpy==1.21.2 has no usable wheels", ""),
    ],
)
def test_the_advice_is_for_the_reason(why: str, what: str) -> None:
    """The packages are to be corrected only where they are to blame."""
    assert what in (find_advice(why) or "")
    assert bool(what) == bool(find_advice(why))
