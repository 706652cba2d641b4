"""A command whose first word is a file of the code that no shell finds."""

from __future__ import annotations

from pathlib import Path

import pytest

from smalt.service.engine.outcome import add_command_hint


@pytest.mark.parametrize(
    ("command", "code", "instead"),
    [
        ("train.py", 127, "python train.py"),
        ("LR=1 train.py --epochs 2", 127, "python train.py"),
        ("./run.sh", 126, "bash run.sh"),
        ("tool", 127, "./tool"),
        ("ls train.py", 127, None),
        ("train.py", 1, None),
        ("../train.py", 127, None),
    ],
)
def test_what_to_write_instead(tmp_path: Path, command: str, code: int, instead: str | None) -> None:
    """The way to run a file follows from its ending; other commands and codes get no hint."""
    for name in ("train.py", "run.sh", "tool"):
        (tmp_path / name).write_text("")
    (tmp_path.parent / "train.py").write_text("")
    error = add_command_hint({"code": "UserError", "message": "it", "exit_code": code}, command, str(tmp_path), "src/x")
    assert error["message"].startswith("it")
    assert (instead is None) == (error["message"] == "it")
    assert (
        instead is None or f"src/x exists, but its name alone is not a command; write '{instead}'" in error["message"]
    )


def test_a_command_of_r_that_is_not_there_says_how_to_have_it(tmp_path: Path) -> None:
    error = add_command_hint({"code": "UserError", "message": "it", "exit_code": 127}, "Rscript main.R", str(tmp_path))
    assert "list 'r-base' in the environment's conda_file" in error["message"]
