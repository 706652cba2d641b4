"""The words of a command are those that bash gives its program; what only bash can tell is left to it."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from smalt.service.compute.local.warm_commands import parse_python_command

VARIABLES = {
    "ONE": "abc", "WORDS": "two words", "EMPTY": "", "STAR": "a*b", "LETTER": "é", "QUOTES": "a'\"$ONE", "UID": "7",
}  # fmt: skip
SAME = (
    "python p.py 'two words' \"three\" a='b c' x\"y\"'z'",
    "python p.py smält --größe=3 'ein Wort' ñ",
    'python p.py $ONE ${ONE}x --a=$ONE/b "$ONE"',
    'python p.py "$WORDS" "${EMPTY}" "$STAR" "$LETTER" "$QUOTES" "$ONE[0]!"',
    "python p.py \\\n  --a 'b' \\\n  --c \"d \\\ne\" \\\n",
    "python p.py a\\ b \\' \\$ONE \"\\$ONE \\\\ \\\" \\x\" '\\'",
    "A=1 B='x y' C=$ONE python p.py a\\\nb",
    "\n python p.py a\tb \n",
)
ONLY_BASH = (
    "python p.py $WORDS", "python p.py $EMPTY", "python p.py $STAR", "python p.py $LETTER", "python p.py $UID",
    "python p.py $NONE", 'python p.py "$NONE"', 'python p.py "${ONE:-x}"', "python p.py ${ONE", 'python p.py "$(x)"',
    "python p.py $'a'", "python p.py \"open", "python p.py \\", "ONE=1 python p.py $ONE", '"A"=1 python p.py',
    "python p.py \u00a0", "python p.py $1", "python p.py $?", "python p.py a\nb",
)  # fmt: skip


@pytest.mark.parametrize("command", SAME)
def test_the_words_are_those_of_bash(command: str, tmp_path: Path) -> None:
    python = tmp_path / "python"
    python.write_text('#!/bin/bash\nprintf "%s\\0" "$A" "$B" "$C" "$@"\n')
    python.chmod(0o755)
    variables = {**VARIABLES, "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    shown = subprocess.run(["bash", "-c", command], env=variables, capture_output=True, check=True).stdout
    parsed = parse_python_command(command, variables)
    assert parsed is not None
    assigned = [parsed.assigned.get(name, "") for name in "ABC"]
    assert [*assigned, *parsed.words[1:]] == shown.decode().split("\0")[:-1]


@pytest.mark.parametrize("command", ONLY_BASH)
def test_other_commands_are_left_to_bash(command: str) -> None:
    parsed = parse_python_command(command, VARIABLES)
    assert parsed is None or parsed.words[0] != "python"
