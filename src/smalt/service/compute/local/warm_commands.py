"""Commands that are plainly one Python program: no shell is needed to know what they start."""

from __future__ import annotations

import re
from typing import NamedTuple

_BEGINS = re.compile(r"\s*(?:[A-Za-z_]\w*=.*\s)?python[0-9.]*\s")
_WORD = re.compile(r"""(?:[A-Za-z0-9_./:,@%+^=-]|'[^']*'|"[^"$`\\!]*")+""")
_ASSIGNMENT = re.compile(r"([A-Za-z_]\w*)=(.*)", re.DOTALL)
_QUOTED = re.compile(r"""'([^']*)'|"([^"]*)\"""")
_SCRIPT = re.compile(r"(?:\./)?(?:\w[\w.-]*/)*\w[\w.-]*\.py")
_MODULE = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*")


class PythonCommand(NamedTuple):
    assigned: dict[str, str]
    """The variables that are set before the program."""
    words: list[str]
    """The program and its arguments."""
    first: int
    """The place of the program's first argument in `words`."""
    script: str
    """The path of a file below the working folder; empty for a module."""
    module: str
    is_unbuffered: bool


def is_python(command: str) -> bool:
    """Return True if the command begins as one of Python does."""
    return _BEGINS.match(command) is not None


def parse_python_command(command: str) -> PythonCommand | None:
    """Return the parts of a command `[NAME=value …] python [-u] (FILE.py | -m MODULE) …`; None for any other."""
    words = _split_words(command)
    if words is None:
        return None
    assigned: dict[str, str] = {}
    while words and (match := _ASSIGNMENT.fullmatch(words[0])):
        assigned[match[1]] = match[2]
        words = words[1:]
    place = 1
    while words[place : place + 1] == ["-u"]:
        place += 1
    target = words[place] if len(words) > place else ""
    if target == "-m" and len(words) > place + 1 and _MODULE.fullmatch(words[place + 1]):
        return PythonCommand(assigned, words, place + 2, "", words[place + 1], place > 1)
    if _SCRIPT.fullmatch(target):
        return PythonCommand(assigned, words, place + 1, target, "", place > 1)
    return None


def _split_words(command: str) -> list[str] | None:
    """Return the words of a command in which the shell has nothing to do but to take quotes away; else None."""
    text = command if "'" in command else command.replace("\\\n", "")
    text = text.strip(" \t\n")
    found, place = [], 0
    while place < len(text):
        match = _WORD.match(text, place)
        if match is None:
            return None
        found.append(_QUOTED.sub(lambda quoted: quoted[1] if quoted[1] is not None else quoted[2], match[0]))
        place = match.end()
        spaces = len(text[place:]) - len(text[place:].lstrip(" \t"))
        if not spaces and place < len(text):
            return None
        place += spaces
    return found
